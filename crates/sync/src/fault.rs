//! Why an attempt failed, as it is kept with mappings, runs, jobs and the log.

use std::fmt;

/// A failure with a code that programs can go by, and a text for people.
#[derive(Clone, PartialEq, Eq)]
pub struct SyncFault {
    /// In snake case, such as `missing_field`.
    pub code: String,
    /// May repeat what the other system said, and so does not print.
    pub message: String,
}

impl SyncFault {
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }
}

impl fmt::Debug for SyncFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SyncFault({})", self.code)
    }
}
