//! Countries of addresses and customers, by their ISO code. In which country a phone number is read
//! is another question, that of `Region`.

use crate::text::visible;

/// A country or territory: ISO 3166-1 alpha-2, one of the 249 codes that are officially assigned.
///
/// ```
/// use onefold_domain::country::{CountryCode, InvalidCountry};
///
/// assert_eq!(CountryCode::parse(" si ")?.as_str(), "SI");
/// // The United Kingdom is GB; UK is reserved, but not assigned.
/// assert_eq!(CountryCode::parse("UK"), Err(InvalidCountry));
/// # Ok::<(), InvalidCountry>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct CountryCode(&'static str);

/// The text is no country code. The message never repeats it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("The country is no code of two letters (ISO 3166-1 alpha-2); send one such as SI.")]
pub struct InvalidCountry;

impl CountryCode {
    /// Every code, in alphabetical order.
    pub const ALL: [Self; CODES.len()] = {
        let mut all = [Self(""); CODES.len()];
        let mut index = 0;
        while index < CODES.len() {
            all[index] = Self(CODES[index]);
            index += 1;
        }
        all
    };

    /// Reads a code in capitals or small letters; blanks around it do not matter.
    ///
    /// # Errors
    /// Whatever is not assigned by ISO: names of countries, codes of three letters, reserved codes.
    pub fn parse(received: &str) -> Result<Self, InvalidCountry> {
        let code = visible(received).to_ascii_uppercase();
        let index = CODES.binary_search(&code.as_str()).map_err(|_| InvalidCountry)?;
        Ok(Self::ALL[index])
    }

    pub fn as_str(self) -> &'static str {
        self.0
    }
}

/// In alphabetical order, which the search needs.
const CODES: [&str; 249] = [
    "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ", "BA",
    "BB", "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT", "BV",
    "BW", "BY", "BZ", "CA", "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN", "CO", "CR", "CU",
    "CV", "CW", "CX", "CY", "CZ", "DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE", "EG", "EH", "ER", "ES",
    "ET", "FI", "FJ", "FK", "FM", "FO", "FR", "GA", "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM",
    "GN", "GP", "GQ", "GR", "GS", "GT", "GU", "GW", "GY", "HK", "HM", "HN", "HR", "HT", "HU", "ID", "IE",
    "IL", "IM", "IN", "IO", "IQ", "IR", "IS", "IT", "JE", "JM", "JO", "JP", "KE", "KG", "KH", "KI", "KM",
    "KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC", "LI", "LK", "LR", "LS", "LT", "LU", "LV", "LY",
    "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK", "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS", "MT",
    "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE", "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU",
    "NZ", "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL", "PM", "PN", "PR", "PS", "PT", "PW", "PY", "QA",
    "RE", "RO", "RS", "RU", "RW", "SA", "SB", "SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM",
    "SN", "SO", "SR", "SS", "ST", "SV", "SX", "SY", "SZ", "TC", "TD", "TF", "TG", "TH", "TJ", "TK", "TL",
    "TM", "TN", "TO", "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "UM", "US", "UY", "UZ", "VA", "VC", "VE",
    "VG", "VI", "VN", "VU", "WF", "WS", "YE", "YT", "ZA", "ZM", "ZW",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_well_formed_sorted_and_parse_to_themselves() {
        assert!(CODES.is_sorted_by(|one, next| one < next));
        for country in CountryCode::ALL {
            let code = country.as_str();
            assert!(code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()), "{code}");
            assert_eq!(CountryCode::parse(&code.to_lowercase()), Ok(country));
        }
    }

    #[test]
    fn what_iso_does_not_assign_is_refused() {
        for text in ["", " ", "S", "SVN", "Slovenia", "XX", "ZZ", "UK", "EU", "S I", "Ｓ１", "ß", "\0\0"] {
            assert_eq!(CountryCode::parse(text), Err(InvalidCountry), "{text:?}");
        }
    }
}
