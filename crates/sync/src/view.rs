//! How a side shows a customer: a text for each field that it can carry.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::partner::PartnerField;

/// A value as text, canonical, so that equal values are equal letter by letter. Never empty, never printed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SyncText(Box<str>);

impl SyncText {
    /// `None` for a text of blanks, which is no value.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SyncText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SyncText(…)")
    }
}

/// The fields that a side can carry, each with its value or with none.
pub type SyncView = BTreeMap<PartnerField, Option<SyncText>>;

/// Since when both sides agree on each field.
pub type AgreedAt = BTreeMap<PartnerField, DateTime<Utc>>;

/// As a store keeps it: an object with a text or null for each field.
pub fn view_to_json(view: &SyncView) -> Value {
    let text = |value: &Option<SyncText>| value.as_ref().map_or(Value::Null, |text| text.as_str().into());
    view.iter().map(|(field, value)| (field.as_str().to_owned(), text(value))).collect::<Map<_, _>>().into()
}

/// The member that holds the moments; no field has this name.
const AT: &str = "_at";

/// A base with its moments as a store keeps it: beside the values, so that older releases pass over them.
pub fn base_to_json(base: &SyncView, agreed_at: &AgreedAt) -> Value {
    let mut stored = view_to_json(base);
    if let (false, Some(members)) = (agreed_at.is_empty(), stored.as_object_mut()) {
        let moments = agreed_at.iter().map(|(field, at)| (field.as_str().to_owned(), json!(at)));
        members.insert(AT.to_owned(), moments.collect::<Map<_, _>>().into());
    }
    stored
}

/// The moments that `base_to_json` gave.
pub fn agreed_at_from_json(stored: &Value) -> AgreedAt {
    let moments = stored.get(AT).and_then(Value::as_object).into_iter().flatten();
    let moment = |(name, at): (&String, &Value)| {
        let at = DateTime::parse_from_rfc3339(at.as_str()?).ok()?.to_utc();
        Some((PartnerField::parse(name)?, at))
    };
    moments.filter_map(moment).collect()
}

/// Reads what `view_to_json` gave; what no version of it gave is left out.
pub fn view_from_json(stored: &Value) -> SyncView {
    let entries = stored.as_object().into_iter().flatten();
    let entry = |(name, value): (&String, &Value)| {
        let field = PartnerField::parse(name)?;
        match value {
            Value::Null => Some((field, None)),
            Value::String(text) => Some((field, SyncText::new(text))),
            _ => None,
        }
    };
    entries.filter_map(entry).collect()
}
