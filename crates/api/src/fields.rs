//! Reads a body member by member and keeps every fault, so that a caller learns of all of them at once.

use std::borrow::Cow;
use std::collections::BTreeMap;

use onefold_domain::exact_json::{InexactJson, JsonFault, read_exactly};
use onefold_domain::id::UserId;
use onefold_domain::metadata::Metadata;
use onefold_domain::profile::Profile;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::error::ApiError;
use crate::faults::Faults;
use crate::faults::UNKNOWN_USER;
use crate::members::Members;

/// The most levels of a profile that are read; the deepest that means anything has two.
const PROFILE_DEPTH: usize = 32;

/// The members of a body. Each is taken once; what is left over at the end is unknown.
pub(crate) struct Fields {
    members: BTreeMap<String, Box<RawValue>>,
    known: Vec<&'static str>,
    pub(crate) faults: Faults,
}

impl Fields {
    pub(crate) fn of(members: Members) -> Self {
        Self { members: members.0, known: Vec::new(), faults: Faults::default() }
    }

    /// A text. Null counts as left out.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        self.take(name, |value| text_of(value, false)).flatten()
    }

    /// A text, or a whole number of which the digits are meant.
    pub(crate) fn text_or_number(&mut self, name: &'static str) -> Option<String> {
        self.take(name, |value| text_of(value, true)).flatten()
    }

    /// A list of texts. Null counts as left out.
    pub(crate) fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        self.take(name, |value| {
            serde_json::from_str::<Option<Vec<String>>>(value.get()).map_err(|_| "Send a list of strings.")
        })
        .flatten()
    }

    /// A list whose elements are not read yet. Null counts as left out.
    pub(crate) fn list(&mut self, name: &'static str) -> Option<Vec<Box<RawValue>>> {
        self.take(name, |value| {
            serde_json::from_str::<Option<Vec<Box<RawValue>>>>(value.get()).map_err(|_| "Send a list.")
        })
        .flatten()
    }

    /// True or false; `Some(None)` for null.
    pub(crate) fn flag(&mut self, name: &'static str) -> Option<Option<bool>> {
        self.take(name, |value| match value.get() {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            "null" => Ok(None),
            _ => Err("Send true or false."),
        })
    }

    /// One of these names. Null counts as left out.
    pub(crate) fn one_of<T>(
        &mut self,
        name: &'static str,
        choices: &[&str],
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(name)?;
        self.faults.one_of(name, &text, choices, parse)
    }

    /// The id of a user that is to be.
    pub(crate) fn new_user(&mut self, name: &'static str) -> Option<UserId> {
        let text = self.text(name)?;
        self.faults.note(name, uuid(&text)).map(UserId)
    }

    /// A user who was looked up under the name that the member has.
    pub(crate) fn user(&mut self, name: &'static str, found: Option<UserId>) -> Option<UserId> {
        self.text(name)?;
        self.faults.note(name, found.ok_or(UNKNOWN_USER))
    }

    /// Metadata; `Some(None)` for null.
    pub(crate) fn metadata(&mut self, name: &'static str) -> Option<Option<Metadata>> {
        let value = self.take(name, |value| Ok::<_, &str>(value.to_owned()))?;
        if value.get() == "null" {
            return Some(None);
        }
        let read = Metadata::from_json(value.get());
        read.map_err(|error| self.faults.add(within(name, error.path()), error.to_string())).ok().map(Some)
    }

    /// The members of a profile, not yet judged; `Some(None)` for null.
    pub(crate) fn profile_members(&mut self, name: &'static str) -> Option<Option<Map<String, Value>>> {
        let value = self.take(name, |value| Ok::<_, &str>(value.to_owned()))?;
        match read_exactly(value.get(), PROFILE_DEPTH) {
            Ok(Value::Null) => return Some(None),
            Ok(Value::Object(members)) => return Some(Some(members)),
            Err(InexactJson {
                path,
                fault: fault @ (JsonFault::Doubled | JsonFault::Number | JsonFault::Escape),
            }) => {
                self.faults.add(within(name, &path), fault.to_string());
            }
            Ok(_) | Err(_) => {
                self.faults.add(name, "The profile is no object; send one such as {\"firstName\": \"Ann\"}.");
            }
        }
        None
    }

    /// A profile. Null counts as left out.
    pub(crate) fn profile(&mut self, name: &'static str) -> Option<Profile> {
        let members = self.profile_members(name)??;
        Profile::parse(&members).map_err(|faults| self.faults.add_profile(faults)).ok()
    }

    /// Whether the body says anything else than null of it.
    pub(crate) fn is_given(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| value.get() != "null")
    }

    /// A fault for what cannot be taken away.
    pub(crate) fn refuse_null(&mut self, name: &'static str) {
        if self.members.get(name).is_some_and(|value| value.get() == "null") {
            self.faults.add(name, "It cannot be removed; send another value, or leave it out.");
        }
    }

    /// Refuses the body if anything was wrong with it, or is left over.
    pub(crate) fn finish(mut self) -> Result<(), ApiError> {
        for name in self.members.into_keys() {
            self.faults.add(name, format!("There is no such field; known are {}.", self.known.join(", ")));
        }
        Ok(self.faults.check()?)
    }

    fn take<T, E: ToString>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&RawValue) -> Result<T, E>,
    ) -> Option<T> {
        self.known.push(name);
        let value = self.members.remove(name)?;
        self.faults.note(name, read(&value))
    }
}

/// A JSON string, or a whole number where numbers are accepted. Digits are kept as they stand, however
/// many there are: no number type in between can change them.
pub(crate) fn text_of(value: &RawValue, numbers: bool) -> Result<Option<String>, &'static str> {
    let value = value.get();
    match value.as_bytes().first() {
        Some(b'"') => {
            serde_json::from_str(value).map(Some).map_err(|_| "The text holds an invalid escape sequence.")
        }
        Some(b'0'..=b'9' | b'-') if numbers => {
            if value.bytes().all(|byte| byte.is_ascii_digit()) {
                Ok(Some(value.to_owned()))
            } else {
                Err("A number must be whole and positive; send anything else as a string.")
            }
        }
        _ if value == "null" => Ok(None),
        _ if numbers => Err("Send a string, a whole number, or null."),
        _ => Err("Send a string or null."),
    }
}

pub(crate) fn uuid(text: &str) -> Result<Uuid, &'static str> {
    Uuid::try_parse(text).map_err(|_| "Send a UUID, such as 0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11.")
}

/// An id that is part of the path.
pub(crate) fn id_in_path(text: &str) -> Result<Uuid, ApiError> {
    uuid(text).map_err(|message| {
        let mut faults = Faults::default();
        faults.add("id", message);
        faults.into()
    })
}

/// A member inside a field.
fn within(field: &'static str, path: &str) -> Cow<'static, str> {
    if path.is_empty() { field.into() } else { format!("{field}.{path}").into() }
}
