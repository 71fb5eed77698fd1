//! How a side shows a customer: a text for each field that it can carry.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::PartnerField;

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

/// As a store keeps it: an object with a text or null for each field.
pub fn view_to_json(view: &SyncView) -> Value {
    let text = |value: &Option<SyncText>| value.as_ref().map_or(Value::Null, |text| text.as_str().into());
    view.iter().map(|(field, value)| (field.as_str().to_owned(), text(value))).collect::<Map<_, _>>().into()
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
