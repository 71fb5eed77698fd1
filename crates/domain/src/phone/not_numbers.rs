//! Texts of digits that are no numbers, or no longer: what spreadsheets make of them, and dates.

use super::InvalidPhone;

/// What a text was before a spreadsheet took it for a quantity.
pub(super) struct Plain<'a> {
    pub(super) text: &'a str,
    /// Whether `.0` was cut off. Whatever wrote it had lost a leading `+` or 0 before.
    pub(super) was_quantity: bool,
}

/// # Errors
/// `4.91512E+11`, of which most digits are lost, and dates.
pub(super) fn plain(text: &str) -> Result<Plain<'_>, InvalidPhone> {
    if is_scientific(text) {
        Err(InvalidPhone::Scientific)
    } else if is_date(text) {
        Err(InvalidPhone::Date)
    } else {
        let cut = without_fraction(text);
        Ok(Plain { text: cut.unwrap_or(text), was_quantity: cut.is_some() })
    }
}

fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let mantissa = mantissa.trim_start_matches(['+', '-', '=', '\'', '"']).trim_end();
    let exponent = exponent.trim_start().trim_start_matches(['+', '-']).trim_end_matches('"');
    let mut points = mantissa.matches(['.', ',']);
    is_digits(&mantissa.replace(['.', ','], "")) && is_digits(exponent) && points.nth(1).is_none()
}

/// The text before `.0` or `,0`, if the point is the only one and the digit behind it can be no group of a number.
fn without_fraction(text: &str) -> Option<&str> {
    let (number, zeros) = text.rsplit_once(['.', ','])?;
    let is_fraction = match zeros {
        "0" => !number.contains(['.', ',', '/', '-']),
        "00" => is_digits(number.trim_start_matches('+')),
        _ => false,
    };
    let enough = number.bytes().filter(u8::is_ascii_digit).count() >= 7;
    (is_fraction && enough).then_some(number)
}

fn is_date(text: &str) -> bool {
    if !text.contains("19") && !text.contains("20") {
        return false;
    }
    let text = text.replace(". ", ".");
    let (day, rest) = text.split_once(char::is_whitespace).unwrap_or((&text, ""));
    // A time may follow, and nothing else that has a digit.
    if rest.contains(|letter: char| letter.is_ascii_digit()) && !rest.contains(':') {
        return false;
    }
    let day = day.split_once('T').map_or(day, |(day, _)| day).trim_end_matches(['.', ',']);
    ['-', '.', '/'].into_iter().any(|mark| {
        let parts: Vec<&str> = day.split(mark).collect();
        let [first, second, third] = parts[..] else { return false };
        is_year(first) && is_below(second, 12) && is_below(third, 31)
            || is_year(third)
                && (is_below(first, 31) && is_below(second, 12)
                    || is_below(first, 12) && is_below(second, 31))
    })
}

fn is_year(text: &str) -> bool {
    text.len() == 4 && (text.starts_with("19") || text.starts_with("20")) && is_digits(text)
}

fn is_below(text: &str, most: u8) -> bool {
    text.len() <= 2 && text.parse::<u8>().is_ok_and(|value| (1..=most).contains(&value)) && is_digits(text)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_wrote_is_told_from_a_number() {
        for text in ["4.91512E+11", "4,91512E+11", "1.20256e10", "+4.9E+11", "1E11", "=\"4.9E+11\""] {
            assert!(matches!(plain(text), Err(InvalidPhone::Scientific)), "{text}");
        }
        for (text, number) in [
            ("12025550143.0", "12025550143"),
            ("12025550143,0", "12025550143"),
            ("12025550143.00", "12025550143"),
            ("+1 202 555 0143.0", "+1 202 555 0143"),
        ] {
            let plain = plain(text).unwrap();
            assert!(plain.was_quantity && plain.text == number, "{text}");
        }
        for text in ["01.23.45.67.00", "070.856.90.0", "1.0", "2025550143.5", "+1 202 555 0143."] {
            assert!(!plain(text).unwrap().was_quantity, "{text}");
        }
    }

    #[test]
    fn dates_are_told_from_numbers() {
        for text in ["2026-12-01", "1.12.2026", "01.12.2026", "1. 12. 2026", "12/31/2026", "31/12/2026"] {
            assert!(matches!(plain(text), Err(InvalidPhone::Date)), "{text}");
        }
        for text in ["2026-12-01 10:30", "2026-12-01T10:30:00Z", "01/12/2026 10:30"] {
            assert!(matches!(plain(text), Err(InvalidPhone::Date)), "{text}");
        }
        for text in ["20-26-12-01", "070.856.903", "01 12 2026", "2026 12 01", "01.12.20.26.30", "030/199513"]
        {
            assert!(plain(text).is_ok(), "{text}");
        }
    }
}
