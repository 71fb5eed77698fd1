//! Phone numbers in canonical form. What a number may look like is libphonenumber's knowledge; this
//! module decides what to ask it and what to keep when it does not know.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Once;

use phonenumber::metadata::DATABASE;
use phonenumber::{Mode, country};

use crate::text::visible;

/// A phone number: E.164 (`+15551234567`) when it is valid, otherwise the digits that were received
/// (`123456` stays `123456`).
///
/// At most 32 characters as received, at least one digit.
///
/// ```
/// use onefold_domain::phone::{PhoneNumber, Region};
///
/// let german = PhoneNumber::parse("0049 (0)30 2312-5756", None)?;
/// assert_eq!(german.as_str(), "+493023125756");
/// let home = Region::parse("DE")?;
/// assert_eq!(PhoneNumber::parse("030 23125756", Some(home))?, german);
/// assert_eq!(PhoneNumber::parse("123456", Some(home))?.as_str(), "123456");
/// # Ok::<(), onefold_domain::phone::InvalidPhone>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PhoneNumber(Box<str>);

/// The country in which a number without a country code is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region(country::Id);

/// Why a text is no phone number, or no region. The messages never repeat the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidPhone {
    #[error("The phone number is empty; leave it out or send null if there is none.")]
    Empty,
    #[error("The phone number has more than 32 characters.")]
    TooLong,
    #[error("The phone number holds a control character; remove it.")]
    ControlCharacter,
    #[error("The phone number has no digit.")]
    NoDigit,
    #[error("The region is no country code of two letters (ISO 3166-1 alpha-2).")]
    Region,
}

impl Region {
    /// Takes ISO 3166-1 alpha-2 in capitals, such as `SI`.
    ///
    /// # Errors
    /// [`InvalidPhone::Region`] for anything else.
    pub fn parse(code: &str) -> Result<Self, InvalidPhone> {
        country::Id::from_str(code).map(Self).map_err(|_| InvalidPhone::Region)
    }

    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }
}

impl PhoneNumber {
    /// The most characters as received, blanks at the ends not counted.
    pub const MAX_LENGTH: usize = 32;

    /// Reads a number. One that begins with `+` or `00` says its country itself; any other is read in
    /// the default region, if there is one.
    ///
    /// # Errors
    /// A text that cannot be a number; [`InvalidPhone`] lists the reasons. A number that is merely
    /// unusual is kept.
    pub fn parse(received: &str, default_region: Option<Region>) -> Result<Self, InvalidPhone> {
        let text = visible(received);
        if text.is_empty() {
            return Err(InvalidPhone::Empty);
        }
        if text.chars().count() > Self::MAX_LENGTH {
            return Err(InvalidPhone::TooLong);
        }
        if text.chars().any(|letter| letter.is_control() && !letter.is_whitespace()) {
            return Err(InvalidPhone::ControlCharacter);
        }
        let plain: String = text.chars().map(plain).collect();
        let digits = digits_of(&plain);
        if digits.is_empty() {
            return Err(InvalidPhone::NoDigit);
        }
        let region = default_region.map(|region| region.0);
        // The library reads `+` numbers wrongly when it is given a region, so it is given none.
        let read = match international(&plain) {
            Some(number) => e164(None, &number).or_else(|| e164_by_exit_code(region?, &plain)),
            None => region.and_then(|region| e164(Some(region), &plain)),
        };
        // What is kept must be read back as itself.
        let read = read.filter(|read| read[1..] == digits || e164(None, read).as_ref() == Some(read));
        let read = read.or_else(|| e164(None, &international(&digits)?));
        Ok(Self(read.unwrap_or(digits).into()))
    }

    /// A value that `parse` made before, read back from where it was stored. It is not checked again.
    #[must_use]
    pub fn from_canonical(value: String) -> Self {
        Self(value.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a valid number with its country.
    pub fn is_e164(&self) -> bool {
        self.0.starts_with('+')
    }

    /// The country's calling code and the number within it; `None` for a number without its country.
    ///
    /// ```
    /// use onefold_domain::phone::PhoneNumber;
    ///
    /// let phone = PhoneNumber::parse("+55 11 91234-5678", None)?;
    /// assert_eq!(phone.country_and_number(), Some(("55", "11912345678")));
    /// # Ok::<(), onefold_domain::phone::InvalidPhone>(())
    /// ```
    pub fn country_and_number(&self) -> Option<(&str, &str)> {
        let digits = self.0.strip_prefix('+')?;
        let code = ask(None, &self.0)?.code().value().to_string();
        digits.starts_with(&code).then(|| digits.split_at(code.len()))
    }

    /// What numbers have in common that differ only by a national quirk. The number itself is never
    /// rewritten.
    ///
    /// - Brazil put a 9 before mobile numbers of eight digits, which began with 6 to 9 (Anatel,
    ///   resolution 553/2010). Land lines begin with 2 to 5 and have no counterpart.
    /// - Mexico dropped the 1 after +52 (IFT, 2019), Argentina wants a 9 after +54 from abroad only.
    ///
    /// The old spellings are no longer valid and so are kept as digits; the key is digits, too. Of a
    /// number that is kept as digits, `00` before them makes no difference either: without it they are
    /// what `+` leaves.
    ///
    /// ```
    /// use onefold_domain::phone::PhoneNumber;
    ///
    /// let new = PhoneNumber::parse("+55 11 99123-4567", None)?;
    /// let old = PhoneNumber::parse("+55 11 9123-4567", None)?;
    /// assert_ne!(new, old);
    /// assert_eq!(new.match_key(), old.match_key());
    /// # Ok::<(), onefold_domain::phone::InvalidPhone>(())
    /// ```
    pub fn match_key(&self) -> Cow<'_, str> {
        let number = match self.0.strip_prefix("00") {
            Some(rest) if rest.len() >= 8 && !rest.starts_with('0') => rest,
            _ => &self.0,
        };
        let digits = number.trim_start_matches('+');
        let rest = match (digits.as_bytes(), digits.len()) {
            ([b'5', b'5', _, _, b'9', b'6'..=b'9', ..], 13) => (4, 5),
            ([b'5', b'5', _, _, b'6'..=b'9', ..], 12) => (12, 12),
            ([b'5', b'2', b'1', ..] | [b'5', b'4', b'9', ..], 13) => (2, 3),
            ([b'5', b'2' | b'4', ..], 12) => (12, 12),
            _ => return Cow::Borrowed(number),
        };
        match rest {
            (12, 12) => Cow::Borrowed(digits),
            (until, from) => Cow::Owned([&digits[..until], &digits[from..]].concat()),
        }
    }
}

impl PhoneNumber {
    /// The canonical numbers whose match key this is: with and without what tells of the country, and with and
    /// without the digit that a country's numbers have in some places only.
    pub fn spellings_of(key: &str) -> impl Iterator<Item = Self> {
        let national = [(4, '9'), (2, '1'), (2, '9')].into_iter().filter_map(|(place, digit)| {
            let (before, after) = key.split_at_checked(place)?;
            Some(format!("{before}{digit}{after}"))
        });
        let numbers: Vec<String> = std::iter::once(key.to_owned()).chain(national).collect();
        let spelled =
            numbers.into_iter().flat_map(|number| ["", "+", "00"].map(|prefix| format!("{prefix}{number}")));
        let key = key.to_owned();
        spelled.map(Self::from_canonical).filter(move |number| number.match_key() == key)
    }
}

/// Shows the last two digits: enough to tell two apart in a log.
impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.0.len().saturating_sub(2).max(usize::from(self.0.len() > 2));
        write!(f, "PhoneNumber(…{})", &self.0[last..])
    }
}

/// The number with a leading `+`, if it says its country itself: by `+`, also behind a word such as
/// `tel:`, by `00`, or by both.
fn international(text: &str) -> Option<String> {
    let start = text.find(|letter: char| letter == '+' || letter.is_ascii_digit())?;
    let number = text[start..].trim_start_matches('+');
    let plus = number.len() < text.len() - start;
    let after_zeros = after_zero(number).and_then(after_zero);
    match after_zeros {
        Some(rest) => Some(format!("+{rest}")),
        None => plus.then(|| format!("+{number}")),
    }
}

/// What follows a first digit 0.
fn after_zero(text: &str) -> Option<&str> {
    text.trim_start_matches(|letter: char| !letter.is_ascii_digit()).strip_prefix('0')
}

/// The library compiles its patterns when it needs them and keeps the last hundred. Numbers of a dozen
/// countries need more, and then every number costs most of a millisecond. Six hundred serve some forty
/// countries, for at most about 100 MB; figures in docs/adr/0004-canonical-values.md.
const PATTERNS_KEPT: usize = 600;

static KEEP_PATTERNS: Once = Once::new();

/// Reads a number that begins with `+`, or any other in its region.
fn e164(region: Option<country::Id>, text: &str) -> Option<String> {
    let number = ask(region, text)?;
    valid(&number).or_else(|| e164_with_more_prefix(region, text, &number))
}

/// The library takes a national prefix off twice, or where the number itself begins so, and then calls
/// all of Saint Petersburg (+7 812) invalid. With more of the prefix in front it stops where it should.
fn e164_with_more_prefix(
    region: Option<country::Id>,
    text: &str,
    number: &phonenumber::PhoneNumber,
) -> Option<String> {
    let typed = digits_of(text);
    let country = region.map_or_else(|| number.code().value().to_string(), |_| String::new());
    let national = typed.strip_prefix(&country)?;
    if number.national().to_string() == national {
        return None;
    }
    let plus = if region.is_none() { "+" } else { "" };
    let first = national.get(..1)?;
    [first, &first.repeat(2), "0"].into_iter().find_map(|more| {
        let number = ask(region, &format!("{plus}{country}{more}{national}"))?;
        let kept = number.national().to_string();
        // Nothing may go but a prefix of one digit.
        (kept == national || kept == national[1..]).then(|| valid(&number)).flatten()
    })
}

/// Reads `0011 44 …` as dialled in a region whose way out is longer than `00`, here Australia.
fn e164_by_exit_code(region: country::Id, text: &str) -> Option<String> {
    let number = ask(Some(region), text)?;
    (number.code().source() == country::Source::Idd).then(|| valid(&number)).flatten()
}

fn valid(number: &phonenumber::PhoneNumber) -> Option<String> {
    phonenumber::is_valid(number).then(|| number.format().mode(Mode::E164).to_string())
}

fn ask(region: Option<country::Id>, text: &str) -> Option<phonenumber::PhoneNumber> {
    KEEP_PATTERNS.call_once(|| {
        if let Ok(mut cache) = DATABASE.cache().lock() {
            cache.set_capacity(PATTERNS_KEPT);
        }
    });
    // Separators become blanks: after `+1202-` the library takes all four digits for the country, and
    // after `;ext=` it gives up. What is not ASCII by now is decoration.
    let separated =
        |letter: char| if "+,#".contains(letter) || letter.is_ascii_alphanumeric() { letter } else { ' ' };
    let text: String = text.chars().filter(char::is_ascii).map(separated).collect();
    phonenumber::parse(region, text).ok()
}

fn digits_of(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// The ASCII letter that this one stands for.
fn plain(letter: char) -> char {
    match letter {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}' => '-',
        '\u{FF0B}' | '\u{FE62}' => '+',
        letter if letter.is_whitespace() => ' ',
        letter => digit(letter).unwrap_or(letter),
    }
}

/// A decimal digit of another script: full-width, Arabic, Persian, Devanagari, Bengali, Thai.
fn digit(letter: char) -> Option<char> {
    const ZEROS: [char; 6] = ['\u{FF10}', '\u{660}', '\u{6F0}', '\u{966}', '\u{9E6}', '\u{E50}'];
    ZEROS.into_iter().find_map(|zero| {
        let value = u32::from(letter).checked_sub(u32::from(zero))?;
        char::from_digit(value, 10)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn region() -> impl Strategy<Value = Option<Region>> {
        prop::option::of(prop::sample::select(vec!["US", "DE", "BR", "MX", "SI", "IT", "LT", "AU", "RU"]))
            .prop_map(|code| code.map(|code| Region::parse(code).unwrap()))
    }

    #[test]
    fn what_is_no_number_is_refused_with_its_reason() {
        use InvalidPhone as P;
        for (received, reason) in [
            ("", P::Empty),
            (" \u{202A}\u{202C} ", P::Empty),
            ("n/a", P::NoDigit),
            ("+", P::NoDigit),
            ("12\u{0}34", P::ControlCharacter),
            ("123456789012345678901234567890123", P::TooLong),
        ] {
            assert_eq!(PhoneNumber::parse(received, None), Err(reason), "{received:?}");
        }
        assert!(PhoneNumber::parse("12345678901234567890123456789012", None).is_ok());
        for code in ["", "us", "USA", "XX"] {
            assert_eq!(Region::parse(code), Err(P::Region), "{code}");
        }
    }

    #[test]
    fn debug_does_not_show_the_number() {
        let debug = |text| format!("{:?}", PhoneNumber::parse(text, None).unwrap());
        assert_eq!(debug("+1 202 555 0143"), "PhoneNumber(…43)");
        assert_eq!(debug("7"), "PhoneNumber(…7)");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_breaks_it(text in any::<String>(), region in region()) {
            let _ = PhoneNumber::parse(&text, region);
        }

        #[test]
        fn parsing_twice_is_parsing_once(
            text in "(tel:|[+0(]){0,2}[-0-9 ().x+/;a]{1,24}",
            first in region(),
            second in region(),
        ) {
            if let Ok(number) = PhoneNumber::parse(&text, first) {
                // Digits say nothing of a region, so another one may read more into them.
                let second = second.filter(|_| number.is_e164());
                prop_assert_eq!(PhoneNumber::parse(number.as_str(), second), Ok(number));
            }
        }
    }
}
