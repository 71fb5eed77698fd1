//! Phone numbers in canonical form. `grammar` says what may be typed, `plan` asks the numbering plans, and this
//! module decides what a number is from both, and what to keep when no plan knows it.

mod grammar;
mod letters;
mod match_key;
mod not_numbers;
mod plan;
mod reading;
mod scan;
#[cfg(test)]
mod tests;
mod words;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use phonenumber::country;

use crate::text::visible;

/// A phone number: E.164 (`+15551234567`) when it is valid; otherwise the digits that were received, with a `+` if
/// they came with their country (`123456` stays `123456`, `+1234567890` stays `+1234567890`). An extension follows
/// as RFC 3966 writes it: `+12025550143;ext=12`.
///
/// At most 64 characters as received, 1 to 15 digits, an extension of at most 9.
///
/// ```
/// use onefold_domain::phone::{PhoneNumber, Region};
///
/// let german = PhoneNumber::parse("Tel. 0049 (0)30 2312-5756 (home)", None)?;
/// assert_eq!(german.as_str(), "+493023125756");
/// let home = Region::parse("DE")?;
/// assert_eq!(PhoneNumber::parse("030 23125756", Some(home))?, german);
/// assert_eq!(PhoneNumber::parse("123456", Some(home))?.as_str(), "123456");
/// let desk = PhoneNumber::parse("+1 202 555 0143 x12", None)?;
/// assert_eq!((desk.number(), desk.extension()), ("+12025550143", Some("12")));
/// # Ok::<(), onefold_domain::phone::InvalidPhone>(())
/// ```
// As it is stored, see `as_stored`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PhoneNumber(Box<str>);

/// The country in which a number without a country code is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region(country::Id);

/// Why a text is no phone number, or no region. The messages never repeat the text; only that of several numbers
/// names these.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidPhone {
    #[error("The phone number is empty; leave it out or send null if there is none.")]
    Empty,
    #[error("The phone number has more than 64 characters.")]
    TooLong,
    #[error("The phone number holds a control character; remove it.")]
    ControlCharacter,
    #[error("The phone number has no digit.")]
    NoDigit,
    #[error("The phone number has more than 15 digits, which no number has.")]
    TooManyDigits,
    #[error("The extension of the phone number has more than 9 digits.")]
    Extension,
    #[error("The phone number has words around it that are not known; send the number alone.")]
    Word,
    #[error("The phone number has a letter in the place of a digit; check it.")]
    Letter,
    #[error("The phone number holds a sign that no number has; send the number alone.")]
    Symbol,
    #[error("Digits of the phone number are hidden; send all of them.")]
    Masked,
    #[error(
        "The phone number was written by a spreadsheet as a quantity and has lost digits; format the column as text."
    )]
    Scientific,
    #[error(
        "The phone number was written by a spreadsheet as a quantity and may have lost a leading + or 0; send it as \
         text."
    )]
    Quantity,
    #[error("The phone number is a date.")]
    Date,
    #[error("The phone number holds more than one number, of which not all are complete; send one.")]
    Parts,
    #[error("The phone number holds {}; send one of them.", named(.0))]
    Several(Vec<PhoneNumber>),
    #[error("The region is no country code of two letters (ISO 3166-1 alpha-2).")]
    Region,
}

fn named(numbers: &[PhoneNumber]) -> String {
    let mut text = format!("{} numbers", numbers.len());
    for (at, number) in numbers.iter().enumerate() {
        text.push_str(if at == 0 { ", " } else { " and " });
        text.push_str(number.as_str());
    }
    text
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
    pub const MAX_LENGTH: usize = 64;

    /// Reads one number. One that begins with `+` or `00` says its country itself; any other is read in the default
    /// region, if there is one.
    ///
    /// # Errors
    /// A text that cannot be one number; [`InvalidPhone`] lists the reasons. A number that is merely
    /// unusual is kept.
    pub fn parse(received: &str, default_region: Option<Region>) -> Result<Self, InvalidPhone> {
        let mut numbers = reading::read(received, default_region)?;
        match (numbers.pop(), numbers.is_empty()) {
            (Some(number), true) => Ok(number),
            (Some(last), false) => {
                numbers.push(last);
                Err(InvalidPhone::Several(numbers))
            }
            (None, _) => Err(InvalidPhone::NoDigit),
        }
    }

    /// Reads all numbers of a text in which several may stand, at least one, each once, in their order.
    ///
    /// ```
    /// use onefold_domain::phone::{InvalidPhone, PhoneNumber};
    ///
    /// let both = PhoneNumber::parse_all("202-555-0143 / +49 30 23125756", None)?;
    /// assert_eq!(both.iter().map(PhoneNumber::as_str).collect::<Vec<_>>(), ["2025550143", "+493023125756"]);
    /// // An area code and a number behind it are one.
    /// assert_eq!(PhoneNumber::parse_all("030/199513", None)?.len(), 1);
    /// # Ok::<(), InvalidPhone>(())
    /// ```
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_all(received: &str, default_region: Option<Region>) -> Result<Vec<Self>, InvalidPhone> {
        reading::read(received, default_region)
    }

    /// The number of a contract that takes up to thirty digits and asks nothing of them. More than a number can have are
    /// kept and link nobody.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), but for [`InvalidPhone::TooManyDigits`].
    pub fn parse_long(digits: &str, default_region: Option<Region>) -> Result<Self, InvalidPhone> {
        match Self::parse(digits, default_region) {
            Err(InvalidPhone::TooManyDigits) => {
                Ok(Self(digits.chars().filter(char::is_ascii_digit).collect::<String>().into()))
            }
            read => read,
        }
    }

    /// A value that `parse` made before, read back from where it was stored. It is not checked again.
    #[must_use]
    pub fn from_canonical(value: String) -> Self {
        Self(value.into())
    }

    /// What a store keeps, and `from_canonical` takes: the number, with a mark behind one that came with its country
    /// and is in no numbering plan. Plans change, and what a number is found by must not change with them.
    pub fn as_stored(&self) -> &str {
        &self.0
    }

    /// The number as it is shown, with its extension.
    pub fn as_str(&self) -> &str {
        self.0.strip_suffix(UNPLANNED).unwrap_or(&self.0)
    }

    /// The number without its extension.
    pub fn number(&self) -> &str {
        self.as_str().split_once(EXTENSION).map_or(self.as_str(), |(number, _)| number)
    }

    /// The digits that are dialled within the house that has the number.
    pub fn extension(&self) -> Option<&str> {
        self.as_str().split_once(EXTENSION).map(|(_, extension)| extension)
    }

    /// Whether it is a valid number with its country, and no more than that.
    pub fn is_e164(&self) -> bool {
        self.is_planned() && self.extension().is_none()
    }

    /// Whether a numbering plan has the number.
    fn is_planned(&self) -> bool {
        self.0.starts_with('+') && !self.0.ends_with(UNPLANNED)
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
        let digits = self.number().strip_prefix('+')?;
        let code = plan::calling_code(digits)?;
        (code < digits.len()).then(|| digits.split_at(code))
    }

    /// Whether it is a calling code and nothing behind it.
    pub fn is_calling_code(&self) -> bool {
        let digits = self.number().strip_prefix('+').unwrap_or_default();
        !digits.is_empty() && plan::calling_code(digits) == Some(digits.len())
    }

    /// Whether it is so little of a number that nobody can be meant by it: fewer than three digits, zeros, a calling code
    /// alone, or zeros or one digit over and over behind a calling code, unless that is somebody's number. More digits
    /// than a number can have say as little.
    pub fn means_nobody(&self) -> bool {
        let number = self.number();
        if number.trim_start_matches('+').bytes().all(|digit| digit == b'0') {
            return true;
        }
        let Some(digits) = number.strip_prefix('+') else {
            return number.len() < 3 || number.trim_start_matches("00").len() > MAX_DIGITS;
        };
        if self.is_planned() || digits.len() <= 3 {
            return !self.is_planned();
        }
        let national = &digits[plan::calling_code(digits).unwrap_or(0)..];
        let repeated = national.bytes().all(|digit| national.starts_with(char::from(digit)));
        repeated && (national.len() > 4 || national.starts_with('0'))
    }

    /// What numbers have in common that differ only by a national quirk, or in whether a number that no plan knows
    /// came with its `+`. The number itself is never rewritten. An extension belongs to it: who shares a
    /// switchboard is not one.
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
        let key = self.number_key();
        match self.extension() {
            None => key,
            Some(extension) => Cow::Owned(format!("{key}{EXTENSION}{extension}")),
        }
    }

    /// The match key of the number without its extension.
    pub(crate) fn number_key(&self) -> Cow<'_, str> {
        let number = self.number();
        let is_unplanned = self.0.ends_with(UNPLANNED);
        // The digits are what older releases kept of it, and what others type.
        match_key::of_number(if is_unplanned { number.trim_start_matches('+') } else { number })
    }

    /// The numbers whose match key this is.
    pub fn spellings_of(key: &str) -> impl Iterator<Item = Self> {
        match_key::spellings_of(key)
    }
}

/// Behind a stored number that came with its country and is in no numbering plan.
const UNPLANNED: char = '?';

/// The most digits of a number with its calling code (ITU-T E.164, 6.2).
const MAX_DIGITS: usize = 15;

/// Between a number and its extension (RFC 3966, 3).
const EXTENSION: &str = ";ext=";

/// Shows the last two digits: enough to tell two apart in a log.
impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number();
        let last = number.len().saturating_sub(2).max(usize::from(number.len() > 2));
        write!(f, "PhoneNumber(…{})", &number[last..])
    }
}

/// The text without what nobody sees.
fn seen(received: &str) -> Result<Cow<'_, str>, InvalidPhone> {
    let is_plain = received.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let text = if is_plain { Cow::Borrowed(received.trim()) } else { Cow::Owned(visible(received)) };
    if text.is_empty() {
        return Err(InvalidPhone::Empty);
    }
    if is_plain && text.len() <= PhoneNumber::MAX_LENGTH {
        return Ok(text);
    }
    if text.chars().count() > PhoneNumber::MAX_LENGTH {
        return Err(InvalidPhone::TooLong);
    }
    if text.chars().any(|letter| letter.is_control() && !letter.is_whitespace()) {
        return Err(InvalidPhone::ControlCharacter);
    }
    Ok(text)
}
