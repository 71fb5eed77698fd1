//! Tax numbers, as far as two of them can be told apart without asking an authority.

use std::fmt;
use std::hash::{Hash, Hasher};

use onefold_domain::text::visible;

/// A tax or VAT number as it was written, in capitals and without blanks. Two are equal when they differ in
/// punctuation or in the prefix `SI` only: Slovenia writes the same number with it for those who pay VAT.
///
/// ```
/// use onefold_sync::partner::TaxNumber;
///
/// let vat = TaxNumber::parse("si 1234 5678")?;
/// assert_eq!(vat.as_str(), "SI12345678");
/// assert_eq!(vat, TaxNumber::parse("12345678")?);
/// assert_ne!(vat, TaxNumber::parse("HR12345678")?);
/// # Ok::<(), onefold_sync::partner::InvalidTaxNumber>(())
/// ```
#[derive(Clone)]
pub struct TaxNumber(Box<str>);

/// Why a text is no tax number. The messages never repeat the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidTaxNumber {
    #[error("The tax number has no letter and no digit.")]
    Empty,
    #[error("The tax number has more than {} characters.", TaxNumber::MAX_LENGTH)]
    TooLong,
}

impl TaxNumber {
    /// The most characters, blanks not counted.
    pub const MAX_LENGTH: usize = 64;

    /// # Errors
    /// A text without a letter or digit, or one that is too long.
    pub fn parse(received: &str) -> Result<Self, InvalidTaxNumber> {
        let received = visible(received);
        let kept = received.chars().filter(|letter| !letter.is_whitespace() && !letter.is_control());
        let text: String = kept.flat_map(char::to_uppercase).collect();
        if !text.chars().any(char::is_alphanumeric) {
            return Err(InvalidTaxNumber::Empty);
        }
        if text.chars().count() > Self::MAX_LENGTH {
            return Err(InvalidTaxNumber::TooLong);
        }
        Ok(Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Letters and digits only, without the prefix `SI`: what equal numbers have in common.
    pub fn key(&self) -> String {
        let key: String = self.0.chars().filter(|letter| letter.is_alphanumeric()).collect();
        match key.strip_prefix("SI") {
            Some(number) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
                number.to_owned()
            }
            _ => key,
        }
    }

    /// Whether it begins with two letters, as the numbers of those who pay VAT do.
    pub fn names_a_country(&self) -> bool {
        self.0.len() > 2 && self.0.bytes().take(2).all(|byte| byte.is_ascii_uppercase())
    }
}

impl PartialEq for TaxNumber {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for TaxNumber {}

impl Hash for TaxNumber {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

/// Personal data of whoever trades under their own name.
impl fmt::Debug for TaxNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaxNumber({} characters)", self.0.chars().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_prefix_and_punctuation_make_no_difference() {
        let number = |text| TaxNumber::parse(text).unwrap();
        for same in ["12345678", "SI12345678", "si 123 456 78", "SI-1234.5678", " 12345678\u{200B}"] {
            assert_eq!(number(same), number("12345678"), "{same}");
        }
        for other in ["12345679", "HR12345678", "SIEMENS", "SI"] {
            assert_ne!(number(other), number("12345678"), "{other}");
        }
        assert_eq!(number("SI").key(), "SI");
        assert!(number("SI12345678").names_a_country() && !number("12345678").names_a_country());
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        assert_eq!(TaxNumber::parse(" - "), Err(InvalidTaxNumber::Empty));
        assert!(TaxNumber::parse(&"1".repeat(64)).is_ok());
        assert_eq!(TaxNumber::parse(&"1".repeat(65)), Err(InvalidTaxNumber::TooLong));
        assert_eq!(format!("{:?}", TaxNumber::parse("SI12345678").unwrap()), "TaxNumber(10 characters)");
    }
}
