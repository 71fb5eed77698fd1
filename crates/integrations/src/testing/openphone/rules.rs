//! What the contract says of requests and a schema cannot.

use serde_json::{Value, json};

use super::contract;
use super::record::{OpenPhoneCall, RecordedCall};

/// A member that breaks a rule.
#[derive(Debug)]
pub(super) struct Fault {
    path: String,
    message: String,
}

const RESERVED: [&str; 6] = ["openphone", "device", "csv", "zapier", "google-people", "other"];
const RESERVED_PREFIXES: [&str; 2] = ["openphone", "csv"];

/// More of one name in a query are no list any more to their server. The contract does not say so; it was seen.
const MOST_REPEATED: usize = 20;

impl Fault {
    pub(super) fn new(path: &str, message: &str) -> Self {
        Self { path: path.to_owned(), message: message.to_owned() }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({"path": self.path, "message": self.message, "schema": {"type": "string"}})
    }
}

/// All that is wrong with a request.
pub(super) fn faults(asked: &RecordedCall) -> Vec<Fault> {
    let mut faults = contract::faults(asked);
    for name in ["externalIds", "sources"] {
        if asked.query.iter().filter(|(known, _)| known == name).count() > MOST_REPEATED {
            faults.push(Fault::new(&format!("/{name}"), "Expected array"));
        }
    }
    let is_reserved = asked.body["source"].as_str().is_some_and(is_reserved);
    if asked.call == OpenPhoneCall::Create && is_reserved {
        faults.push(Fault::new("/source", "Reserved word"));
    }
    faults
}

/// Whether a value is of the type of its custom field.
pub(super) fn suits(value: &Value, kind: &str) -> bool {
    match (value, kind) {
        (Value::Null, _) => true,
        (Value::Array(values), "multi-select") => values.iter().all(Value::is_string),
        (Value::String(_), "address" | "string" | "url") => true,
        (Value::String(text), "date") => chrono::DateTime::parse_from_rfc3339(text).is_ok(),
        (Value::Bool(_), "boolean") | (Value::Number(_), "number") => true,
        _ => false,
    }
}

fn is_reserved(source: &str) -> bool {
    RESERVED.contains(&source) || RESERVED_PREFIXES.iter().any(|prefix| source.starts_with(prefix))
}
