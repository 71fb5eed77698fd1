//! What numbers have in common that are one subscriber's and differ by a national quirk.

use std::borrow::Cow;

use super::PhoneNumber;

/// The key of a number without its extension.
///
/// - Brazil put a 9 before mobile numbers of eight digits, which began with 6 to 9 (Anatel,
///   resolution 553/2010). Land lines begin with 2 to 5 and have no counterpart.
/// - Mexico dropped the 1 after +52 (IFT, 2019), Argentina wants a 9 after +54 from abroad only.
/// - Benin put 01 before all numbers of eight digits (ARCEP, 2024).
/// - Ivory Coast put two digits before them that tell the operator (ARTCI, 2021).
///
/// The old spellings are no longer valid, so that no valid number has the key of another one; the key is digits.
pub(super) fn of_number(stored: &str) -> Cow<'_, str> {
    let number = match stored.strip_prefix("00") {
        // Older releases stored what they could not read as it was typed.
        Some(rest) if rest.len() >= 8 && !rest.starts_with('0') => rest,
        _ => stored,
    };
    let digits = number.trim_start_matches('+');
    let without = |from: usize, until: usize| Cow::Owned([&digits[..from], &digits[until..]].concat());
    match (digits.as_bytes(), digits.len()) {
        ([b'5', b'5', _, _, b'9', b'6'..=b'9', ..], 13) => without(4, 5),
        ([b'5', b'5', _, _, b'6'..=b'9', ..], 12) => Cow::Borrowed(digits),
        ([b'5', b'2', b'1', ..] | [b'5', b'4', b'9', ..], 13) => without(2, 3),
        ([b'5', b'2' | b'4', ..], 12) => Cow::Borrowed(digits),
        ([b'2', b'2', b'9', b'0', b'1', ..], 13) => without(3, 5),
        ([b'2', b'2', b'5', one, two, ..], 13) if ivorian(&digits[5..]) == Some([*one, *two]) => {
            without(3, 5)
        }
        ([b'2', b'2', b'5' | b'9', ..], 11) => Cow::Borrowed(digits),
        _ => Cow::Borrowed(number),
    }
}

/// What was put before an Ivorian number of eight digits: of mobile numbers the second digit told the operator, of
/// land lines the third told the largest of them. For the others it is not known, and they keep their own keys.
fn ivorian(old: &str) -> Option<[u8; 2]> {
    match old.as_bytes() {
        [b'2' | b'3', _, b'1'..=b'7' | b'9', ..] => Some(*b"27"),
        [b'2' | b'3', ..] => None,
        [_, b'0'..=b'3', ..] => Some(*b"01"),
        [_, b'4'..=b'6', ..] => Some(*b"05"),
        [_, b'7'..=b'9', ..] => Some(*b"07"),
        _ => None,
    }
}

/// The stored forms of the numbers whose match key this is: with and without what tells of the country, known to a
/// numbering plan or not, and with and without the digits that a country's numbers have in some places only.
pub(super) fn spellings_of(key: &str) -> impl Iterator<Item = PhoneNumber> {
    let (number, extension) = match key.find(';') {
        Some(at) => key.split_at(at),
        None => (key, ""),
    };
    let places = [(4, "9"), (2, "1"), (2, "9"), (3, "01"), (3, "05"), (3, "07"), (3, "27")];
    let national = places.into_iter().filter_map(|(place, more)| {
        let (before, after) = number.split_at_checked(place)?;
        Some(format!("{before}{more}{after}"))
    });
    let numbers: Vec<String> = std::iter::once(number.to_owned()).chain(national).collect();
    let forms = [("", ""), ("+", ""), ("00", ""), ("+", "?")];
    let extension = extension.to_owned();
    let spelled = numbers
        .into_iter()
        .flat_map(move |number| forms.map(|(prefix, mark)| format!("{prefix}{number}{extension}{mark}")));
    let key = key.to_owned();
    spelled.map(PhoneNumber::from_canonical).filter(move |number| number.match_key() == key)
}
