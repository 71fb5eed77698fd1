//! Mistakes in a configuration, in words for whoever wrote it: which key, what it says, where, and what it takes. Not
//! in those of the libraries, which name Rust's types and repeat every value, secrets among them.

use figment::error::{Actual, Kind};
use figment::value::Value;
use figment::{Figment, Source};

use super::keys::{Keys, variable};
use super::{ConfigError, SHORT_NAMES, SHORT_NAMES_OF_TEXTS};

/// Longer values are cut.
const SHOWN: usize = 60;

/// Words in the name of a key whose value, or a piece of it, may be secret. An address may hold a password.
const SECRET: [&str; 5] = ["secret", "password", "key", "url", "company_id"];

/// Why the configuration cannot be read.
pub(super) fn unreadable(error: &figment::Error, figment: &Figment, keys: &Keys) -> ConfigError {
    // What is inside a value is no key.
    let key = error.path.iter().take(2).map(|part| part.to_lowercase()).collect::<Vec<_>>().join(".");
    if let Kind::UnknownField(field, _) = &error.kind {
        // The name itself is the end of the path, unless it is nowhere in it.
        let given = if key.is_empty() { field.to_lowercase() } else { key };
        let meant = keys.nearest(&given).map(str::to_owned);
        return ConfigError::Unknown { given, meant };
    }
    if key.is_empty() {
        // The lines after the first repeat what is in the file.
        let said = error.kind.to_string();
        let file = file(error).unwrap_or_default();
        return ConfigError::Syntax { file, message: said.lines().next().unwrap_or_default().to_owned() };
    }
    let value = figment.find_value(&key).ok();
    ConfigError::Invalid {
        message: format!("{}{}", takes(&error.kind), origin(error, figment, &key)),
        key: shown(&key, value.as_ref()),
    }
}

/// A key with its value, and where it was set, of one that was read and is out of its range.
pub(super) fn out_of_range(figment: &Figment, key: &str, message: &str) -> ConfigError {
    let value = figment.find_value(key).ok();
    let place = value.as_ref().map(|_| set_in(figment, key)).unwrap_or_default();
    ConfigError::Invalid { key: shown(key, value.as_ref()), message: format!("{message}{place}") }
}

/// A key with its value, as a message shows it: `server.port` = "many".
fn shown(key: &str, value: Option<&Value>) -> String {
    let last = key.rsplit_once('.').map_or(key, |(_, last)| last);
    if SECRET.iter().any(|word| last.contains(word)) {
        return format!("`{key}`");
    }
    let text = match value {
        // Whatever it is that somebody put into the wrong key, an address with a password is not shown.
        Some(Value::String(_, text)) if text.contains("://") => None,
        Some(Value::String(_, text)) => Some(format!("{:?}", text.chars().take(SHOWN).collect::<String>())),
        Some(Value::Num(_, value)) => number(*value),
        Some(Value::Bool(_, value)) => Some(value.to_string()),
        _ => None,
    };
    text.map_or_else(|| format!("`{key}`"), |text| format!("`{key}` = {text}"))
}

fn number(number: figment::value::Num) -> Option<String> {
    match number.to_actual() {
        Actual::Unsigned(number) => Some(number.to_string()),
        Actual::Signed(number) => Some(number.to_string()),
        Actual::Float(number) => Some(number.to_string()),
        _ => None,
    }
}

fn takes(kind: &Kind) -> String {
    match kind {
        Kind::InvalidType(_, expected)
        | Kind::InvalidValue(_, expected)
        | Kind::InvalidLength(_, expected) => {
            format!("cannot be used: it takes {}", accepted(expected))
        }
        Kind::UnknownVariant(_, known) => {
            let known: Vec<_> = known.iter().map(|word| format!("`{word}`")).collect();
            format!("cannot be used: it takes one of {}", known.join(", "))
        }
        Kind::ISizeOutOfRange(_) | Kind::USizeOutOfRange(_) => {
            "cannot be used: it is out of range".to_owned()
        }
        Kind::Message(message) => said(message),
        _ => "cannot be used".to_owned(),
    }
}

/// What a type of ours says goes on after the key. What serde says in between is put into our words.
fn said(message: &str) -> String {
    if let Some((_, expected)) = message.split_once(", expected ") {
        let expected = expected.split(" at line ").next().unwrap_or(expected);
        return format!("cannot be used: it takes {}", accepted(expected));
    }
    match message {
        "invalid IP address syntax" => "cannot be used: it takes an IP address such as 127.0.0.1".to_owned(),
        message => message.to_owned(),
    }
}

fn accepted(expected: &str) -> String {
    let whole = |most: &str| format!("a whole number from 0 to {most}");
    let first = expected.split(|sign: char| !sign.is_alphanumeric()).find(|word| !word.is_empty());
    match (first.unwrap_or_default(), expected) {
        ("u8", _) => whole("255"),
        ("u16", _) => whole("65535"),
        ("u32", _) => whole("4294967295"),
        ("u64" | "usize" | "u128", _) => "a whole number, 0 or more".to_owned(),
        ("i8" | "i16" | "i32" | "i64" | "isize", _) => "a whole number".to_owned(),
        (_, "a boolean") => "`true` or `false`".to_owned(),
        (_, expected) if expected.contains("enum") => "a word".to_owned(),
        (_, expected) if expected.contains("string") => "a text; put one of digits only in quotes".to_owned(),
        (_, expected) if expected.contains("sequence") || expected.contains("Vec") => {
            "a list such as [\"a\", \"b\"]".to_owned()
        }
        (_, expected) if expected.contains("struct") || expected.contains("map") => {
            "a section with keys of its own".to_owned()
        }
        _ => "another kind of value".to_owned(),
    }
}

fn origin(error: &figment::Error, figment: &Figment, key: &str) -> String {
    file(error).map_or_else(|| set_in(figment, key), |file| format!(" (in {file})"))
}

fn file(error: &figment::Error) -> Option<String> {
    error.metadata.as_ref().and_then(source_file)
}

fn source_file(metadata: &figment::Metadata) -> Option<String> {
    match metadata.source.as_ref()? {
        Source::File(path) => Some(path.display().to_string()),
        _ => None,
    }
}

fn set_in(figment: &Figment, key: &str) -> String {
    if let Some(file) = figment.find_metadata(key).and_then(source_file) {
        return format!(" (in {file})");
    }
    let ours = variable(key);
    let of_environment = |name: &str| std::env::vars_os().any(|(known, _)| known.eq_ignore_ascii_case(name));
    let short = SHORT_NAMES.iter().chain(&SHORT_NAMES_OF_TEXTS).find(|(_, meant)| *meant == key);
    match short {
        _ if of_environment(&ours) => format!(" (in {ours})"),
        Some((name, _)) if of_environment(name) => format!(" (in {name})"),
        _ => String::new(),
    }
}
