//! Why something was not brought into step, by what a caller does about it.

use std::time::Duration;

use crate::conflict::ConflictId;
use crate::fault::SyncFault;
use crate::partner::PartnerError;
use onefold_service::error::RecordError;
use onefold_service::retry::{Attempted, Failure};
use onefold_service::store::StoreError;

/// See the variants. The mapping and the log know of it, unless it says that nothing was begun.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// Nothing was begun.
    #[error("there is no such customer")]
    NoSuchCustomer,
    /// Everything else was brought into step; a person has to decide about these.
    #[error("open conflicts wait for a decision: {}", conflicts.len())]
    OpenConflict { conflicts: Vec<ConflictId> },
    /// Somebody else works on this customer. Nothing was begun.
    #[error("the customer is being synced at this moment")]
    Busy,
    /// The record was there and is not found any more.
    #[error("the record is not found in the other system any more")]
    Missing,
    /// The partner has neither an email nor a phone, which every contact needs.
    #[error("the partner has neither an email address nor a phone number")]
    NoContactPoint,
    /// The program is about to stop; somebody goes on with it.
    #[error("the program is about to stop")]
    Interrupted,
    #[error(transparent)]
    Partner(#[from] PartnerError),
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl From<Failure> for SyncError {
    fn from(failure: Failure) -> Self {
        Self::Record(RecordError::Failure(failure))
    }
}

impl From<StoreError> for SyncError {
    fn from(error: StoreError) -> Self {
        Self::from(Failure::Store(error))
    }
}

impl Attempted for SyncError {
    fn into_store(self) -> Result<StoreError, Self> {
        match self {
            Self::Record(error) => error.into_store().map_err(Self::Record),
            other => Err(other),
        }
    }
}

/// What to do with an attempt that failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retry {
    /// It would end the same way: something has to change first.
    Never,
    /// After the usual pause, or this one if it is longer.
    After(Option<Duration>),
    /// A few times, with long pauses: a person there may let go of what was refused.
    Seldom,
    /// After this pause. Nothing was tried, so it does not count as an attempt.
    Wait(Duration),
}

/// How long to wait for settings that are missing; they come with a new start of the program.
const UNCONFIGURED: Duration = Duration::from_secs(300);
/// How long to leave somebody else alone with a customer.
const BUSY: Duration = Duration::from_secs(5);

impl SyncError {
    pub fn retry(&self) -> Retry {
        match self {
            Self::NoSuchCustomer | Self::OpenConflict { .. } | Self::Missing | Self::NoContactPoint => {
                Retry::Never
            }
            Self::Busy => Retry::Wait(BUSY),
            Self::Interrupted => Retry::Wait(Duration::ZERO),
            Self::Partner(error) => match error {
                PartnerError::NotConfigured { .. } => Retry::Wait(UNCONFIGURED),
                PartnerError::CircuitOpen { retry_after } => Retry::Wait(*retry_after),
                PartnerError::QuotaExceeded { retry_after } => Retry::After(*retry_after),
                PartnerError::Invalid(_) => Retry::Never,
                PartnerError::Rejected { .. } => Retry::Seldom,
                // Of a record that is known it was told as missing; of a list it is an address that does not answer.
                PartnerError::NotFound
                | PartnerError::AccessDenied { .. }
                | PartnerError::Unreachable(_)
                | PartnerError::TimedOut
                | PartnerError::Uncertain(_)
                | PartnerError::Unexpected(_) => Retry::After(None),
            },
            Self::Record(RecordError::Failure(_)) => Retry::After(None),
            Self::Record(_) => Retry::Never,
        }
    }

    /// As it is kept and shown. What the other system said is for people who may see the customer.
    pub fn fault(&self) -> SyncFault {
        let said = match self {
            Self::Partner(PartnerError::Rejected { said, .. } | PartnerError::AccessDenied { said }) => {
                format!("{self}: {}", said.as_str())
            }
            _ => self.to_string(),
        };
        SyncFault::new(self.code(), said)
    }

    /// Stable, in snake case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSuchCustomer => "not_found",
            Self::OpenConflict { .. } => "conflict",
            Self::Busy => "busy",
            Self::Interrupted => "interrupted",
            Self::Missing => "missing_remotely",
            Self::NoContactPoint => "no_contact_point",
            Self::Partner(error) => match error {
                PartnerError::NotConfigured { .. } => "not_configured",
                PartnerError::NotFound => "partner_not_found",
                PartnerError::Invalid(_) => "invalid_fields",
                PartnerError::Rejected { .. } => "rejected",
                PartnerError::AccessDenied { .. } => "access_denied",
                PartnerError::QuotaExceeded { .. } => "quota_exceeded",
                PartnerError::CircuitOpen { .. } => "circuit_open",
                PartnerError::Unreachable(_) => "unreachable",
                PartnerError::TimedOut => "timed_out",
                PartnerError::Uncertain(_) => "uncertain",
                PartnerError::Unexpected(_) => "unexpected_answer",
            },
            Self::Record(RecordError::Failure(_)) => "store_unavailable",
            Self::Record(_) => "record",
        }
    }
}
