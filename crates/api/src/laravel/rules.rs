//! The rules that the contract's fields are judged by, with the semantics of Laravel's.

use onefold_domain::contact::Channel;
use onefold_domain::phone::{InvalidPhone, PhoneNumber};
use serde_json::Value;
use uuid::Uuid;

/// `required` fails for these, and `prohibited` passes. False and zero are something.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// `uuid`: 8-4-4-4-12 and nothing else, of any version. The parser alone would take braces, too.
pub(super) fn uuid(value: &Value) -> Option<Uuid> {
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    let text = value.as_str().filter(|text| text.len() == 36)?;
    let has_shape = text.bytes().enumerate().all(|(at, byte)| (byte == b'-') == HYPHENS.contains(&at));
    if has_shape { Uuid::try_parse(text).ok() } else { None }
}

/// `in:email,telephone,whatsapp,telegram`, to the letter.
pub(super) fn channel(value: &Value) -> Option<Channel> {
    value.as_str().and_then(Channel::parse)
}

/// What `max` compares: the letters of a text, or of a number's text; the members of an array.
pub(super) fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(false) => 0,
        Value::Bool(true) => 1,
        Value::Number(number) => number.to_string().len(),
        Value::String(text) => text.chars().count(),
        Value::Array(values) => values.len(),
        Value::Object(members) => members.len(),
    }
}

/// The pattern of `country_code` and `number`: there is a digit, and none of another script, which would
/// be lost without a word.
pub(super) fn has_digits(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            text.contains(|letter: char| letter.is_ascii_digit())
                && !text.contains(|letter: char| letter.is_numeric() && !letter.is_ascii())
        }
        Value::Number(_) => true,
        _ => false,
    }
}

/// Whether the digits of a text, which are all that the contract keeps, are what it says. Those of an extension, of `O`
/// typed for 0, or of two numbers in one would become another number.
pub(super) fn keeps_its_digits(value: &Value) -> bool {
    let Some(text) = value.as_str().filter(|_| has_digits(value)) else { return true };
    match PhoneNumber::parse(text, None) {
        Ok(phone) => digits(text).ends_with(phone.as_str().trim_start_matches('+')),
        Err(error) => matches!(error, InvalidPhone::TooManyDigits | InvalidPhone::TooLong),
    }
}

pub(super) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_is_null_and_what_has_no_members() {
        for value in [json!(null), json!(""), json!([]), json!({})] {
            assert!(is_empty(&value), "{value}");
        }
        for value in [json!(false), json!(0), json!("0"), json!("x"), json!([null]), json!({"a": null})] {
            assert!(!is_empty(&value), "{value}");
        }
    }

    #[test]
    fn a_uuid_has_five_groups() {
        for text in [
            "8e03978e-40d5-43e8-bc93-6894a57f9324",
            "8E03978E-40D5-43E8-BC93-6894A57F9324",
            "00000000-0000-0000-0000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
        ] {
            assert_eq!(uuid(&json!(text)), Some(text.parse().unwrap()));
        }
        for value in [
            json!("8e03978e40d543e8bc936894a57f9324"),
            json!("{8e03978e-40d5-43e8-bc93-6894a57f9324}"),
            json!("urn:uuid:8e03978e-40d5-43e8-bc93-6894a57f9324"),
            json!("8e03978e-40d5-43e8-bc93-6894a57f932"),
            json!("8e03978e-40d5-43e8-bc93-6894a57f9324\n"),
            json!("8e03978e-40d5-43e8-bc936-894a57f9324"),
            json!("8e03978e-40d5-43e8-bc93-6894a57f932g"),
            json!("8e03978e-40d5-43e8-bc93-6894a57f93é"),
            json!("------------------------------------"),
            json!(123),
            json!(["8e03978e-40d5-43e8-bc93-6894a57f9324"]),
            json!({}),
            json!(true),
        ] {
            assert_eq!(uuid(&value), None, "{value}");
        }
    }

    #[test]
    fn a_type_is_known_by_its_very_letters() {
        for channel_name in ["email", "telephone", "whatsapp", "telegram"] {
            assert_eq!(channel(&json!(channel_name)).map(Channel::as_str), Some(channel_name));
        }
        for value in [
            json!("Email"),
            json!("EMAIL"),
            json!("phone"),
            json!(0),
            json!(true),
            json!(["email"]),
            json!({}),
        ] {
            assert_eq!(channel(&value), None, "{value}");
        }
    }

    #[test]
    fn letters_are_counted_and_not_bytes() {
        for (value, expected) in [
            (json!("\u{1F600}".repeat(255)), 255),
            (json!(12345), 5),
            (json!(true), 1),
            (json!(false), 0),
            (json!(null), 0),
            (json!([1, 2]), 2),
            (json!({"a": 1}), 1),
        ] {
            assert_eq!(size(&value), expected);
        }
    }

    #[test]
    fn a_number_has_digits() {
        for value in [json!("+55"), json!("(11) 91234-5678"), json!("ext. 1"), json!(55)] {
            assert!(has_digits(&value), "{value}");
        }
        for value in [json!("abc"), json!("+"), json!("11 \u{661}"), json!(null), json!(true), json!(["1"])] {
            assert!(!has_digits(&value), "{value}");
        }
        assert_eq!(digits("(11) 91234-5678"), "11912345678");
    }
}
