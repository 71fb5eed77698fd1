//! The log of sync: every attempt that did something or failed, for whoever asks what happened to a customer.

use chrono::{DateTime, NaiveDate, Utc};

use crate::fault::SyncFault;
use crate::mapping::MappingId;
use crate::partner::{PartnerField, PartnerId};
use crate::run::RunId;
use onefold_domain::id::CustomerId;
use onefold_service::system::SyncSystem;

/// What an attempt came to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum SyncOutcome {
    /// The record was created there.
    Created,
    /// A record that was there already is the customer's from now on.
    Adopted,
    /// The record was taken in.
    Imported,
    /// Values were written, on either side or on both.
    Updated,
    Unchanged,
    /// A question is open.
    Conflict,
    Failed,
    /// The record was not found there.
    Missing,
    /// It was found again.
    Returned,
    /// The mapping is out of use, or back in it.
    Detached,
    Attached,
    /// The record cannot come in as it is. Noted once, so that not every comparison tells it.
    Skipped,
}

impl SyncOutcome {
    pub const ALL: [Self; 12] = [
        Self::Created,
        Self::Adopted,
        Self::Imported,
        Self::Updated,
        Self::Unchanged,
        Self::Conflict,
        Self::Failed,
        Self::Missing,
        Self::Returned,
        Self::Detached,
        Self::Attached,
        Self::Skipped,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Adopted => "adopted",
            Self::Imported => "imported",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Conflict => "conflict",
            Self::Failed => "failed",
            Self::Missing => "missing",
            Self::Returned => "returned",
            Self::Detached => "detached",
            Self::Attached => "attached",
            Self::Skipped => "skipped",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// An attempt.
#[derive(Clone, PartialEq, Debug)]
pub struct SyncAttempt {
    pub at: DateTime<Utc>,
    pub system: SyncSystem,
    pub mapping: Option<MappingId>,
    pub customer: Option<CustomerId>,
    pub external: Option<PartnerId>,
    pub run: Option<RunId>,
    /// The name of who acted, as the audit trail has it.
    pub by: String,
    pub outcome: SyncOutcome,
    /// The fields that were written there.
    pub pushed: Vec<PartnerField>,
    /// The fields that were written here.
    pub pulled: Vec<PartnerField>,
    pub error: Option<SyncFault>,
    pub took_ms: u64,
}

impl SyncAttempt {
    pub fn wrote_there(&self) -> bool {
        !self.pushed.is_empty()
    }

    pub fn wrote_here(&self) -> bool {
        self.outcome == SyncOutcome::Imported || !self.pulled.is_empty()
    }
}

/// An attempt with its number; the newest has the largest.
#[derive(Clone, PartialEq, Debug)]
pub struct LoggedAttempt {
    pub number: i64,
    pub attempt: SyncAttempt,
}

/// How many attempts of a day came to the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyncDay {
    pub date: NaiveDate,
    pub system: SyncSystem,
    pub outcome: SyncOutcome,
    pub attempts: u64,
    /// Of these, those that name fields which they wrote there, and here.
    pub pushed: u64,
    pub pulled: u64,
}

impl SyncDay {
    /// How many wrote here: a record that is taken in is a contact here, whatever else it says.
    pub fn wrote_here(&self) -> u64 {
        if self.outcome == SyncOutcome::Imported { self.attempts } else { self.pulled }
    }
}

/// Which attempts are meant. Everything that is given must hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct SyncLogFilter {
    pub system: Option<SyncSystem>,
    /// Attempts of this customer, and of all that are one with it by now.
    pub customer: Option<CustomerId>,
    pub mapping: Option<MappingId>,
    pub outcome: Option<SyncOutcome>,
}
