//! What is wrong with a request, field by field, so that all of it is told at once.

use std::borrow::Cow;

use onefold_domain::profile::InvalidProfile;

use crate::problem::FieldErrors;

/// What to do about a name that nobody has.
pub(crate) const UNKNOWN_USER: &str = "Send the id of a user, a UUID such as 0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11, or the \
     external id of one that exists; POST /users makes one.";

/// What is wrong with a request so far.
#[derive(Default)]
pub(crate) struct Faults(pub(crate) FieldErrors);

impl Faults {
    pub(crate) fn add(&mut self, field: impl Into<Cow<'static, str>>, message: impl Into<String>) {
        self.0.entry(field.into()).or_default().push(message.into());
    }

    /// The value, or nothing and a fault.
    pub(crate) fn note<T, E: ToString>(&mut self, field: &'static str, read: Result<T, E>) -> Option<T> {
        read.map_err(|error| self.add(field, error.to_string())).ok()
    }

    /// The value of a text that has to be one of these.
    pub(crate) fn one_of<T>(
        &mut self,
        field: &'static str,
        text: &str,
        choices: &[&str],
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = if choices.contains(&text) { parse(text) } else { None };
        if value.is_none() {
            self.add(field, format!("Send one of {}.", choices.join(", ")));
        }
        value
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    pub(crate) fn add_profile(&mut self, faults: Vec<InvalidProfile>) {
        for fault in faults {
            self.add(format!("profile.{}", fault.path), fault.reason.to_string());
        }
    }

    pub(crate) fn check(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
