//! What a person answers to a conflict, and why an answer cannot be taken.

use crate::conflict::ConflictSubject;
use crate::partner::PartnerField;
use crate::sync_error::SyncError;
use crate::synchroniser::{RECREATE, SEPARATE};
use onefold_service::retry::{Attempted, Failure};
use onefold_service::store::StoreError;

/// What a person decides.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// The customer's value.
    Local,
    /// The other system's value. Of two records of a customer: the other one is kept the same from now on.
    Remote,
    /// Both sides get this value.
    Value(String),
    /// The two customers are one.
    Merge,
    /// The two customers are not the same; each gets a record.
    Separate,
    /// The customer gets a new record there.
    Recreate,
    /// The customer does without a record there.
    Release,
}

impl Answer {
    /// Its name in stores and in the API.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Remote => "remote",
            Self::Value(_) => "value",
            Self::Merge => "merge",
            Self::Separate => SEPARATE,
            Self::Recreate => RECREATE,
            Self::Release => "release",
        }
    }
}

/// The value is personal data.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a conflict was not resolved. Nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    #[error("there is no such conflict")]
    NoSuchConflict,
    #[error("the conflict was resolved before")]
    AlreadyResolved,
    /// A conflict of this subject has other answers.
    #[error("this conflict is resolved by {}", possible.join(", "))]
    NoAnswer { possible: &'static [&'static str] },
    #[error("the value is no {}", field.as_str())]
    InvalidValue { field: PartnerField },
    /// No statement of an email and a phone could join them.
    #[error("nothing that could be stated joins the two")]
    NotJoinable,
    #[error(transparent)]
    Sync(#[from] SyncError),
}

impl From<Failure> for ResolveError {
    fn from(failure: Failure) -> Self {
        Self::Sync(failure.into())
    }
}

impl From<StoreError> for ResolveError {
    fn from(error: StoreError) -> Self {
        Self::Sync(error.into())
    }
}

impl Attempted for ResolveError {
    fn into_store(self) -> Result<StoreError, Self> {
        match self {
            Self::Sync(error) => error.into_store().map_err(Self::Sync),
            other => Err(other),
        }
    }
}

impl ConflictSubject {
    /// The answers that there are to such a conflict.
    pub fn answers(self) -> &'static [&'static str] {
        match self {
            Self::Field(_) => &["local", "remote", "value"],
            Self::SamePartner => &["merge", "separate"],
            Self::SameCustomer => &["local", "remote"],
            Self::Gone => &[RECREATE, "release"],
        }
    }
}
