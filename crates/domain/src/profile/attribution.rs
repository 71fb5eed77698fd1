//! Who set a value of a profile, and when. A contact is written again and again; the moment of its last change says
//! nothing of a value that was there before.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use super::Profile;
use crate::profile::ProfileField;
use crate::source::ContactSource;

/// Who set a value to what it is, and when. Whoever says the same again sets nothing: it is what was said last, and no older
/// than it was.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Attribution {
    pub source: ContactSource,
    pub at: DateTime<Utc>,
    /// When it was said again, if it was.
    pub again_at: Option<DateTime<Utc>>,
    /// Whether somebody put it in the place of what the customer showed at that moment. What had been said until then
    /// counts no more, whoever said it; what is said later is held against it by the rules.
    pub is_correction: bool,
}

impl Attribution {
    /// What a source says of its own, without a look at what others say.
    pub fn statement(source: ContactSource, at: DateTime<Utc>) -> Self {
        Self { source, at, again_at: None, is_correction: false }
    }

    /// When it was last said.
    pub fn said_at(&self) -> DateTime<Utc> {
        self.again_at.unwrap_or(self.at)
    }

    /// As JSON, for stores and exports.
    pub fn to_json(self) -> Value {
        let moment = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let (source, at) = (self.source.as_str(), moment(self.at));
        match (self.is_correction, self.again_at) {
            (true, _) => json!([source, at, CORRECTION]),
            (false, Some(again)) => json!([source, at, moment(again)]),
            (false, None) => json!([source, at]),
        }
    }

    /// Reads what `to_json` gave.
    pub(crate) fn from_json(stored: &Value) -> Option<Self> {
        let mut parts = stored.as_array()?.iter().map(Value::as_str);
        let source = ContactSource::parse(parts.next()??)?;
        let moment = |text: &str| Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc());
        let set = Self::statement(source, moment(parts.next()??)?);
        match parts.next() {
            None => Some(set),
            Some(Some(CORRECTION)) => Some(Self { is_correction: true, ..set }),
            Some(again) => Some(Self { again_at: Some(moment(again?)?), ..set }),
        }
    }
}

/// How a stored attribution says that it is a correction.
const CORRECTION: &str = "correction";

/// The attributions of a profile, by field.
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
    pub fn corrected(&self, ruling: &Self, source: ContactSource, at: DateTime<Utc>) -> Self {
        let mut result = self.clone();
        for (field, value) in &ruling.values {
            result.values.insert(*field, value.clone());
            let set = Attribution { is_correction: true, ..Attribution::statement(source, at) };
            result.set.insert(*field, set);
        }
        result
    }

    /// Whether any of its values is a correction.
    pub(crate) fn has_corrections(&self) -> bool {
        self.set.values().any(|set| set.is_correction)
    }

    /// This profile with what this statement says put over it. `newer` has no attributions: what it sets is set by `said`, the
    /// contact's last change.
    #[must_use]
    pub fn restated(&self, newer: &Self, said: Attribution) -> Self {
        let mut result = self.overlay(newer).correcting_as(self, said);
        for (field, value) in &newer.values {
            let known = result.set.get_mut(field).filter(|set| !set.is_correction);
            if let (true, Some(set)) = (self.values.get(field) == Some(value), known) {
                (set.source, set.again_at) = (said.source, Some(said.at));
            }
        }
        result
    }

    /// This profile, in which whoever set another value in the place of a correction corrects as well: what that had
    /// outdone does not come back.
    #[must_use]
    pub fn correcting_as(mut self, before: &Self, said: Attribution) -> Self {
        let corrected = before.set.iter().filter(|(_, set)| set.is_correction);
        for field in corrected.map(|(field, _)| *field) {
            if self.states(field) && self.attribution(field).is_none() {
                self.set.insert(field, Attribution { is_correction: true, ..said });
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
    pub fn with_attributions(mut self, stored: &Map<String, Value>) -> Self {
        self.set = all_from_json(stored);
        self.set.retain(|field, _| self.values.contains_key(field));
        self
    }

    /// Attributes all that has no attribution yet: the contact is about to change, and what it says already was said
    /// before.
    pub fn attribute(&mut self, to: Attribution) {
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
        let at = DateTime::from_timestamp_micros(1_790_000_000_000_001).unwrap();
        let said = Attribution::statement(ContactSource::MetaKocka, at);
        let again = Attribution { again_at: Some(at + chrono::TimeDelta::seconds(1)), ..said };
        for set in [said, again, Attribution { is_correction: true, ..said }] {
            assert_eq!(Attribution::from_json(&set.to_json()), Some(set));
        }
        for broken in [json!(null), json!(["order"]), json!(["nobody", "2026-11-21T08:30:00Z"])] {
            assert_eq!(Attribution::from_json(&broken), None, "{broken}");
        }
    }
}
