//! Why a record was not changed.

use crate::retry::{Attempted, Failure};
use crate::store::StoreError;
use onefold_domain::id::UserId;
use onefold_domain::metadata::InvalidMetadata;
use onefold_domain::profile::InvalidProfile;

/// Why a record was not changed. Nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("there is no such contact")]
    NoSuchContact,
    #[error("there is no such customer")]
    NoSuchCustomer,
    #[error("there is no such user")]
    NoSuchUser,
    /// The record is not in the state that the caller expected.
    #[error("the record has changed since it was read")]
    Stale,
    /// The id or the external id belongs to a user already.
    #[error("there is such a user already")]
    UserExists { id: UserId },
    /// A value can be changed for one of the same kind only.
    #[error("the contact is of another kind")]
    OtherKind,
    /// The metadata that would result cannot be kept.
    #[error(transparent)]
    Metadata(#[from] InvalidMetadata),
    /// The profile that would result cannot be kept.
    #[error("the profile has faults")]
    Profile(Vec<InvalidProfile>),
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<StoreError> for RecordError {
    fn from(error: StoreError) -> Self {
        Self::Failure(Failure::Store(error))
    }
}

impl Attempted for RecordError {
    fn into_store(self) -> Result<StoreError, Self> {
        match self {
            Self::Failure(failure) => failure.into_store().map_err(Self::Failure),
            other => Err(other),
        }
    }
}
