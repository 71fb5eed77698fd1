//! What the contract says of requests. Members that it does not have are refused, which the real one may not
//! do: a test shall find them.

use serde_json::{Map, Value, json};

/// A member that breaks a rule.
#[derive(Debug)]
pub(super) struct Fault {
    path: String,
    message: String,
}

/// The two bodies that are sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    New,
    Change,
}

type Faults = Vec<Fault>;

const RESERVED: [&str; 6] = ["openphone", "device", "csv", "zapier", "google-people", "other"];
const RESERVED_PREFIXES: [&str; 2] = ["openphone", "csv"];

impl Fault {
    pub(super) fn new(path: &str, message: &str) -> Self {
        Self { path: path.to_owned(), message: message.to_owned() }
    }

    pub(super) fn shown(&self) -> Value {
        json!({"path": self.path, "message": self.message, "schema": {"type": "string"}})
    }
}

pub(super) fn of_body(body: &Value, kind: Body) -> Faults {
    let mut faults = Vec::new();
    let Some(body) = body.as_object() else { return vec![Fault::new("", "Expected object")] };
    let mut known = vec!["defaultFields", "customFields", "source", "sourceUrl", "externalId"];
    if kind == Body::New {
        known.push("createdByUserId");
        if !body.contains_key("defaultFields") {
            faults.push(Fault::new("/defaultFields", "Required property"));
        }
    }
    only(body, &known, "", &mut faults);
    let nullable = kind == Body::Change;
    text(body, "source", nullable, 1..=if nullable { 75 } else { 72 }, &mut faults);
    text(body, "sourceUrl", nullable, 1..=200, &mut faults);
    text(body, "externalId", true, 1..=75, &mut faults);
    text(body, "createdByUserId", false, 2..=200, &mut faults);
    let given = |name: &str| body.get(name).and_then(Value::as_str);
    if kind == Body::New && given("source").is_some_and(is_reserved) {
        faults.push(Fault::new("/source", "Reserved word"));
    }
    if given("sourceUrl").is_some_and(|address| url::Url::parse(address).is_err()) {
        faults.push(Fault::new("/sourceUrl", "Expected string to match 'uri' format"));
    }
    if given("createdByUserId").is_some_and(|user| !user.starts_with("US")) {
        faults.push(Fault::new("/createdByUserId", "Expected string to match '^US(.*)$'"));
    }
    match body.get("defaultFields") {
        None => {}
        Some(Value::Object(fields)) => default_fields(fields, kind, &mut faults),
        Some(_) => faults.push(Fault::new("/defaultFields", "Expected object")),
    }
    list(body, "customFields", "", &mut faults, |field, path, faults| {
        custom_field(field, kind, path, faults);
    });
    faults
}

/// The query of a list: how many are wanted has to be said, and an array of more than twenty is none.
pub(super) fn of_query(query: &[(String, String)]) -> Faults {
    let mut faults = Vec::new();
    let values =
        |name: &'static str| query.iter().filter(move |(known, _)| known == name).map(|(_, value)| value);
    for (name, _) in query {
        if !["externalIds", "sources", "maxResults", "pageToken"].contains(&name.as_str()) {
            faults.push(Fault::new(&format!("/{name}"), "Unexpected property"));
        }
    }
    let sizes: Vec<_> = values("maxResults").collect();
    let is_size = |text: &String| text.parse().is_ok_and(|size: u32| (1..=50).contains(&size));
    if sizes.len() != 1 || !is_size(sizes[0]) {
        faults.push(Fault::new("/maxResults", "Expected integer from 1 to 50"));
    }
    for name in ["externalIds", "sources"] {
        if values(name).count() > 20 {
            faults.push(Fault::new(&format!("/{name}"), "Expected array"));
        }
        if values(name).any(|value| !(1..=75).contains(&value.chars().count())) {
            faults.push(Fault::new(&format!("/{name}"), "Expected string length from 1 to 75"));
        }
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

fn default_fields(fields: &Map<String, Value>, kind: Body, faults: &mut Faults) {
    const PATH: &str = "/defaultFields";
    let names = ["firstName", "lastName", "company", "role"];
    only(fields, &[&names[..], &["emails", "phoneNumbers"]].concat(), PATH, faults);
    if kind == Body::New && !fields.contains_key("firstName") {
        faults.push(Fault::new("/defaultFields/firstName", "Required property"));
    }
    for name in names {
        if fields.get(name).is_some_and(|value| !value.is_string() && !value.is_null()) {
            faults.push(Fault::new(&format!("{PATH}/{name}"), "Expected string or null"));
        }
    }
    for name in ["emails", "phoneNumbers"] {
        list(fields, name, PATH, faults, |item, path, faults| named_item(item, kind, path, faults));
    }
}

/// An email or a phone.
fn named_item(item: &Map<String, Value>, kind: Body, path: &str, faults: &mut Faults) {
    only(item, if kind == Body::New { &["name", "value"] } else { &["name", "value", "id"] }, path, faults);
    if !item.get("name").is_some_and(Value::is_string) {
        faults.push(Fault::new(&format!("{path}/name"), "Expected string"));
    }
    if !item.get("value").is_some_and(|value| value.is_string() || value.is_null()) {
        faults.push(Fault::new(&format!("{path}/value"), "Expected string or null"));
    }
    if item.get("id").is_some_and(|id| !id.is_string()) {
        faults.push(Fault::new(&format!("{path}/id"), "Expected string"));
    }
}

fn custom_field(field: &Map<String, Value>, kind: Body, path: &str, faults: &mut Faults) {
    only(field, if kind == Body::New { &["key", "value"] } else { &["key", "value", "id"] }, path, faults);
    let is_value = match field.get("value") {
        Some(Value::Array(values)) => values.iter().all(Value::is_string),
        None | Some(Value::Object(_)) => false,
        Some(_) => true,
    };
    if !is_value {
        faults.push(Fault::new(&format!("{path}/value"), "Expected union value"));
    }
    for name in ["key", "id"] {
        if field.get(name).is_some_and(|name| !name.is_string()) {
            faults.push(Fault::new(&format!("{path}/{name}"), "Expected string"));
        }
    }
}

fn only(members: &Map<String, Value>, known: &[&str], path: &str, faults: &mut Faults) {
    let unknown = members.keys().filter(|name| !known.contains(&name.as_str()));
    faults.extend(unknown.map(|name| Fault::new(&format!("{path}/{name}"), "Unexpected property")));
}

fn list(
    members: &Map<String, Value>,
    name: &str,
    path: &str,
    faults: &mut Faults,
    each: impl Fn(&Map<String, Value>, &str, &mut Faults),
) {
    let path = format!("{path}/{name}");
    match members.get(name) {
        None => {}
        Some(Value::Array(items)) => {
            for (place, item) in items.iter().enumerate() {
                let path = format!("{path}/{place}");
                match item.as_object() {
                    Some(item) => each(item, &path, faults),
                    None => faults.push(Fault::new(&path, "Expected object")),
                }
            }
        }
        Some(_) => faults.push(Fault::new(&path, "Expected array")),
    }
}

fn text(
    members: &Map<String, Value>,
    name: &str,
    nullable: bool,
    length: std::ops::RangeInclusive<usize>,
    faults: &mut Faults,
) {
    let is_fine = match members.get(name) {
        None => true,
        Some(Value::Null) => nullable,
        Some(Value::String(text)) => length.contains(&text.chars().count()),
        Some(_) => false,
    };
    if !is_fine {
        let message = format!("Expected string length from {} to {}", length.start(), length.end());
        faults.push(Fault::new(&format!("/{name}"), &message));
    }
}

fn is_reserved(source: &str) -> bool {
    RESERVED.contains(&source) || RESERVED_PREFIXES.iter().any(|prefix| source.starts_with(prefix))
}
