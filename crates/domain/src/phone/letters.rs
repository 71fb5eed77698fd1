//! Single letters of a received number: which are digits, which part digits, and which part numbers.

/// What a letter may be in a number that somebody typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Letter {
    Digit(char),
    Plus,
    /// Part of a word.
    Word,
    /// Stands between the digits of one number and says nothing.
    Separator,
    Dash,
    Open,
    Close,
    /// May stand between two numbers, and as well within one: `030/199513`.
    MayPart,
    Colon,
    Hash,
    /// Stands in the place of a digit that is not told.
    Mask,
    /// Announces a number, as a telephone does that is drawn before it.
    Sign,
    /// Stands between two numbers and never within one.
    Parts,
    Other,
}

pub(super) fn letter(letter: char) -> Letter {
    match letter {
        '0'..='9' => Letter::Digit(letter),
        '+' | '\u{FE62}' | '\u{FF0B}' => Letter::Plus,
        ' ' | '\t' | '.' | '\\' | '_' | '\'' | '"' | '`' | '\u{FF0E}' | '\u{FF3F}' => Letter::Separator,
        '-' => Letter::Dash,
        '(' | '[' | '{' | '\u{FF08}' | '\u{FF3B}' => Letter::Open,
        ')' | ']' | '}' | '\u{FF09}' | '\u{FF3D}' => Letter::Close,
        '/' | ',' | ';' | '|' | '\n' | '\r' | '\u{2028}' | '\u{2029}' | '~' => Letter::MayPart,
        '\u{FF0F}' | '\u{FF0C}' | '\u{FF1B}' | '\u{FF5C}' | '\u{FF5E}' | '\u{3001}' => Letter::MayPart,
        ':' | '\u{FF1A}' => Letter::Colon,
        '#' | '\u{FF03}' | '\u{2116}' => Letter::Hash,
        '&' | '<' | '>' => Letter::Parts,
        '*' | '?' | '\u{2022}' | '\u{25CF}' | '\u{25CB}' | '\u{2026}' | '\u{2588}' | '\u{FF0A}' => {
            Letter::Mask
        }
        '\u{260E}' | '\u{260F}' | '\u{2706}' | '\u{1F4DE}'..='\u{1F4F2}' => Letter::Sign,
        // Hyphens and dashes of all kinds.
        '\u{AD}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}' => {
            Letter::Dash
        }
        // Quotation marks, primes, and dots that are put at half height.
        '\u{2018}'..='\u{201F}' | '\u{2032}' | '\u{2033}' | '\u{AB}' | '\u{BB}' | '\u{2039}' | '\u{203A}' => {
            Letter::Separator
        }
        '\u{B7}' | '\u{2027}' | '\u{2219}' | '\u{22C5}' | '\u{30FB}' | '\u{FF65}' => Letter::Separator,
        _ if letter.is_whitespace() => Letter::Separator,
        _ if letter.is_ascii() => {
            if letter.is_ascii_alphabetic() {
                Letter::Word
            } else {
                Letter::Other
            }
        }
        _ => digit(letter).map_or_else(|| beyond_ascii(letter), Letter::Digit),
    }
}

fn beyond_ascii(letter: char) -> Letter {
    let is_word = letter.is_alphabetic() || unicode_normalization::char::is_combining_mark(letter);
    if is_word { Letter::Word } else { Letter::Other }
}

/// The ASCII digit of a decimal digit of any other script (Unicode's category `Nd`).
fn digit(letter: char) -> Option<char> {
    let code = u32::from(letter);
    let place = ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?;
    char::from_digit(code - ZEROS[place], 10)
}

/// The digit zero of every script but ASCII's, of Unicode 16; the other nine follow each.
const ZEROS: [u32; 73] = [
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0,
    0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50,
    0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x10D40, 0x11066,
    0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x116D0, 0x116DA, 0x11730,
    0x118E0, 0x11950, 0x11BF0, 0x11C50, 0x11D50, 0x11DA0, 0x11F50, 0x16A60, 0x16AC0, 0x16B50, 0x1CCF0,
    0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E4F0, 0x1E5F1, 0x1E950, 0x1FBF0,
];

/// The digit that a telephone's keypad has beside this letter.
pub(super) fn keypad(letter: char) -> Option<char> {
    let at = (letter.to_ascii_lowercase() as u32).checked_sub(u32::from('a'))?;
    b"22233344455566677778889999".get(at as usize).map(|digit| char::from(*digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_every_script_are_read() {
        assert!(ZEROS.is_sorted());
        for zero in ZEROS {
            for value in 0..10 {
                let typed = char::from_u32(zero + value).unwrap();
                assert_eq!(letter(typed), Letter::Digit(char::from_digit(value, 10).unwrap()), "{typed}");
            }
        }
        // Numbers that are no decimal digits: a superscript, one in a circle, a Roman and a Chinese one.
        for other in ['\u{B2}', '\u{2460}', '\u{2167}', '\u{4E94}'] {
            assert!(!matches!(letter(other), Letter::Digit(_)), "{other}");
        }
    }

    #[test]
    fn a_keypad_has_the_letters_that_are_printed_on_it() {
        let typed: String = "FLOWERS".chars().filter_map(keypad).collect();
        assert_eq!(typed, "3569377");
        assert_eq!("pqrsWXYZ".chars().filter_map(keypad).collect::<String>(), "77779999");
        assert_eq!(keypad('5'), None);
    }
}
