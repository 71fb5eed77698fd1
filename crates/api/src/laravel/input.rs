//! Bytes and query string to members, as Laravel's middleware hands them to the rules: texts without
//! what is invisible around them, and null for an empty one.

use actix_web::web;
use serde_json::{Map, Value};

use crate::operations::OBJECT;

/// The body has more bytes than any request needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BodyTooLarge;

/// A request's fields. A field may be absent, or present and null.
///
/// No `Debug`: it holds personal data.
#[derive(Clone, PartialEq)]
pub(crate) struct Input {
    members: Map<String, Value>,
    unreadable: bool,
}

impl Input {
    /// Never fails for what the body says. One that is no JSON object counts as an empty one, so that a
    /// POST is told which fields are required; `is_unreadable` says so to a PUT, which needs none.
    ///
    /// Parameters of the query stand in for members that the body does not have.
    pub(crate) fn read(body: &[u8], content_type: Option<&str>, query: &str) -> Result<Self, BodyTooLarge> {
        if body.len() > OBJECT {
            return Err(BodyTooLarge);
        }
        let object = if is_json(content_type) { object(body) } else { None };
        // Nothing sent without a type is no mistake: then the query says it all.
        let unreadable = object.is_none() && (is_json(content_type) || !body.is_empty());
        let mut members = parameters(query);
        members.extend(object.unwrap_or_default());
        members.values_mut().for_each(normalise);
        Ok(Self { members, unreadable })
    }

    /// Whether something was sent of which nothing was understood.
    pub(crate) fn is_unreadable(&self) -> bool {
        self.unreadable
    }

    /// `None` when absent, `Some(Value::Null)` when present and empty.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }
}

/// A part of the type decides, and its case matters: `application/JSON` is none.
fn is_json(content_type: Option<&str>) -> bool {
    content_type.is_some_and(|content_type| content_type.contains("/json") || content_type.contains("+json"))
}

/// Of a member that stands twice the last one counts. More than 128 levels are as good as malformed.
fn object(body: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    }
}

fn parameters(query: &str) -> Map<String, Value> {
    let pairs = web::Query::<Vec<(String, String)>>::from_query(query);
    let pairs = pairs.map(web::Query::into_inner).unwrap_or_default();
    pairs.into_iter().map(|(name, value)| parameter(&name, value)).collect()
}

/// `type[]=…` and `type[a]=…` give arrays, in PHP, and no rule here takes one.
fn parameter(name: &str, value: String) -> (String, Value) {
    match name.split_once('[') {
        Some((array, rest)) if !array.is_empty() && rest.contains(']') => {
            (array.to_owned(), Value::Array(vec![Value::String(value)]))
        }
        _ => (name.to_owned(), Value::String(value)),
    }
}

/// Trims every text at every depth. The recursion is bounded by the depth that was read.
fn normalise(value: &mut Value) {
    match value {
        Value::String(text) => match text.trim_matches(is_invisible) {
            "" => *value = Value::Null,
            trimmed if trimmed.len() < text.len() => *text = trimmed.to_owned(),
            _ => {}
        },
        Value::Array(values) => values.iter_mut().for_each(normalise),
        Value::Object(members) => members.values_mut().for_each(normalise),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What is removed around a text: blanks of every script, NUL, and letters without a glyph. The list is
/// Laravel's.
pub(super) fn is_invisible(letter: char) -> bool {
    letter.is_whitespace()
        || matches!(
            letter,
            '\0' | '\u{AD}'
                | '\u{34F}'
                | '\u{61C}'
                | '\u{115F}'
                | '\u{1160}'
                | '\u{17B4}'
                | '\u{17B5}'
                | '\u{180E}'
                | '\u{200B}'..='\u{200F}'
                | '\u{2060}'..='\u{2065}'
                | '\u{206A}'..='\u{206F}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{FEFF}'
                | '\u{FFA0}'
                | '\u{1D159}'
                | '\u{1D173}'..='\u{1D17A}'
                | '\u{E0020}'
        )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const JSON: Option<&str> = Some("application/json");

    fn read(body: &str, query: &str) -> Value {
        Input::read(body.as_bytes(), JSON, query).map(|input| Value::Object(input.members)).unwrap()
    }

    #[test]
    fn texts_are_trimmed_at_every_depth_and_empty_ones_are_null() {
        assert_eq!(
            read(r#"{"a":" x ","b":["\t y\n",{"c":"  "}],"":"","d":"x y"," e ":5,"f":true,"g":null}"#, ""),
            json!({"a": "x", "b": ["y", {"c": null}], "": null, "d": "x y", " e ": 5, "f": true, "g": null})
        );
    }

    #[test]
    fn every_invisible_letter_is_trimmed_at_both_ends_only() {
        let single = "\0\u{B}\u{85}\u{A0}\u{AD}\u{34F}\u{61C}\u{115F}\u{1160}\u{1680}\u{17B4}\u{17B5}\u{180E}\
                      \u{2028}\u{2029}\u{202F}\u{205F}\u{2800}\u{3000}\u{3164}\u{FEFF}\u{FFA0}\u{1D159}\u{E0020}";
        let ranges =
            [0x2000..=0x200F, 0x205F..=0x2065, 0x206A..=0x206F, 0x1D173..=0x1D17A].into_iter().flatten();
        for letter in single.chars().chain(ranges.filter_map(char::from_u32)) {
            let body = json!({"a": format!("{letter}x{letter}y{letter}"), "b": letter.to_string()});
            let expected = json!({"a": format!("x{letter}y"), "b": null});
            assert_eq!(read(&body.to_string(), ""), expected, "{letter:?}");
        }
        for letter in ['\u{2066}', '\u{202E}', '_', '\u{FE0F}'] {
            let body = json!({"a": format!("{letter}x")});
            assert_eq!(read(&body.to_string(), ""), body, "{letter:?}");
        }
    }

    #[test]
    fn the_last_of_two_members_counts_and_the_body_goes_before_the_query() {
        assert_eq!(read(r#"{"a":1,"a":2}"#, ""), json!({"a": 2}));
        assert_eq!(read(r#"{"a":null}"#, "a=x&b=+y%20&c&b2=%E2%80%8B"), {
            json!({"a": null, "b": "y", "c": null, "b2": null})
        });
        assert_eq!(read("{}", "a=1&a=2&b[]=x&c[k]=y&[d=z&e=%FF"), {
            json!({"a": "2", "b": ["x"], "c": ["y"], "[d": "z", "e": "\u{FFFD}"})
        });
        assert_eq!(read(r#"{"a":123456789012345678901234567890}"#, ""), json!({"a": 1.2345678901234568e29}));
    }

    #[test]
    fn only_a_type_with_json_in_it_makes_json() {
        let body = br#"{"a":"x"}"#;
        for (content_type, is_read) in [
            (Some("application/json"), true),
            (Some("application/json; charset=utf-8"), true),
            (Some("text/json"), true),
            (Some("application/vnd.api+json"), true),
            (Some("application/JSON"), false),
            (Some("json"), false),
            (Some("text/plain"), false),
            (Some("application/x-www-form-urlencoded"), false),
            (Some(""), false),
            (None, false),
        ] {
            let input = Input::read(body, content_type, "b=y").unwrap();
            assert_eq!(input.get("a").is_some(), is_read, "{content_type:?}");
            assert_eq!(input.is_unreadable(), !is_read, "{content_type:?}");
            assert_eq!(input.get("b"), Some(&json!("y")));
        }
        assert!(!Input::read(b"", None, "b=y").unwrap().is_unreadable());
    }

    #[test]
    fn what_is_no_object_counts_as_an_empty_one() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000 / 4), "]".repeat(100_000 / 4));
        let bodies: [&[u8]; 11] = [
            b"",
            b"  ",
            b"{",
            b"{\"a\":}",
            b"{\"a\":1}x",
            b"\"x\"",
            b"5",
            b"null",
            b"[1]",
            b"{\"a\":\"\xFF\"}",
            deep.as_bytes(),
        ];
        for body in bodies {
            let input = Input::read(body, JSON, "b=y").unwrap();
            assert!(input.is_unreadable() && input.get("a").is_none());
            assert_eq!(input.get("b"), Some(&json!("y")));
        }
        assert!(!Input::read(b" {} ", JSON, "").unwrap().is_unreadable());
    }

    #[test]
    fn a_large_body_is_refused() {
        let body = format!("{{\"a\":\"{}\"}}", "x".repeat(OBJECT - 8));
        assert!(Input::read(body.as_bytes(), JSON, "").is_ok());
        assert!(Input::read(format!("{body} ").as_bytes(), JSON, "") == Err(BodyTooLarge));
    }
}
