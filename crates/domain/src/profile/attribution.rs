//! Who set a value of a profile, and when. A contact is written again and again; the moment of its last change says
//! nothing of a value that was there before.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use super::Profile;
use crate::{ContactSource, ProfileField};

/// Who set a value to what it is, and when. Whoever says the same again sets nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Attribution {
    pub source: ContactSource,
    pub at: DateTime<Utc>,
    /// Whether somebody put it in the place of what the customer showed at that moment. What had been said until then
    /// counts no more, whoever said it; what is said later is held against it by the rules.
    pub is_correction: bool,
}

impl Attribution {
    /// What a source says of its own, without a look at what others say.
    pub fn statement(source: ContactSource, at: DateTime<Utc>) -> Self {
        Self { source, at, is_correction: false }
    }

    /// As JSON, for stores and exports.
    pub fn to_json(self) -> Value {
        let at = self.at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        match self.is_correction {
            true => json!([self.source.as_str(), at, "correction"]),
            false => json!([self.source.as_str(), at]),
        }
    }

    /// Reads what `to_json` gave.
    pub(crate) fn from_json(stored: &Value) -> Option<Self> {
        let mut parts = stored.as_array()?.iter().map(Value::as_str);
        let source = ContactSource::parse(parts.next()??)?;
        let at = DateTime::parse_from_rfc3339(parts.next()??).ok()?.to_utc();
        let is_correction = match parts.next() {
            None => false,
            Some(Some("correction")) => true,
            Some(_) => return None,
        };
        Some(Self { source, at, is_correction })
    }
}

/// Those of a profile, by field.
pub(super) type Attributions = BTreeMap<ProfileField, Attribution>;

pub(super) fn all_to_json(attributions: &Attributions) -> Map<String, Value> {
    attributions.iter().map(|(field, set)| (field.as_str().to_owned(), set.to_json())).collect()
}

pub(super) fn all_from_json(stored: &Map<String, Value>) -> Attributions {
    let known = stored.iter();
    known.filter_map(|(name, set)| Some((ProfileField::parse(name)?, Attribution::from_json(set)?))).collect()
}

impl Profile {
    /// This profile with a correction put over it: what is named there is set anew, also to the same value.
    #[must_use]
    pub(crate) fn corrected(&self, ruling: &Self, source: ContactSource, at: DateTime<Utc>) -> Self {
        let mut result = self.clone();
        for (field, value) in &ruling.values {
            result.values.insert(*field, value.clone());
            result.set.insert(*field, Attribution { source, at, is_correction: true });
        }
        result
    }

    /// Whether any of its values is a correction.
    pub(crate) fn has_corrections(&self) -> bool {
        self.set.values().any(|set| set.is_correction)
    }

    /// This profile, in which whoever set another value in the place of a correction corrects as well: what that had
    /// outdone does not come back.
    #[must_use]
    pub(crate) fn correcting_as(mut self, before: &Self, set: Attribution) -> Self {
        let corrected = before.set.iter().filter(|(_, set)| set.is_correction);
        for field in corrected.map(|(field, _)| *field) {
            if self.states(field) && self.attribution(field).is_none() {
                self.set.insert(field, Attribution { is_correction: true, ..set });
            }
        }
        self
    }

    /// Who set the value of a field, and when; `None` if that is the contact that states it, with its last change.
    pub fn attribution(&self, field: ProfileField) -> Option<Attribution> {
        self.set.get(&field).copied()
    }

    /// All attributions as JSON, by field.
    pub fn attributions(&self) -> Map<String, Value> {
        all_to_json(&self.set)
    }

    /// Reads what [`Self::attributions`] gave. Those of values that are not stated are left out.
    #[must_use]
    pub(crate) fn with_attributions(mut self, stored: &Map<String, Value>) -> Self {
        self.set = all_from_json(stored);
        self.set.retain(|field, _| self.values.contains_key(field));
        self
    }

    /// Attributes all that has no attribution yet: the contact is about to change, and what it says already was said
    /// before.
    pub(crate) fn attribute(&mut self, to: Attribution) {
        for field in self.values.keys() {
            self.set.entry(*field).or_insert(to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributions_are_read_as_they_were_written() {
        for is_correction in [false, true] {
            let at = DateTime::from_timestamp_micros(1_790_000_000_000_001).unwrap();
            let set = Attribution { source: ContactSource::MetaKocka, at, is_correction };
            assert_eq!(Attribution::from_json(&set.to_json()), Some(set));
        }
        for broken in [json!(null), json!(["order"]), json!(["nobody", "2026-11-21T08:30:00Z"])] {
            assert_eq!(Attribution::from_json(&broken), None, "{broken}");
        }
    }
}
