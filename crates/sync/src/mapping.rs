//! The mapping: a customer here and its record in another system, with the state both sides last agreed on.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::fault::SyncFault;
use crate::partner::{PartnerId, PartnerParts};
use crate::view::{AgreedAt, SyncView};
use onefold_domain::id::{ContactId, CustomerId};
use onefold_service::system::SyncSystem;

/// The id of a mapping.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct MappingId(pub Uuid);

/// How a customer stands with the other system.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MappingStatus {
    /// It is to be created there, or something is yet to be written.
    Pending,
    /// Both sides were the same when they were last compared.
    Synced,
    /// A question is open; the other fields are the same.
    Conflict,
    /// The last attempt failed.
    Error,
    /// It is missing there, and may come back.
    Stale,
    /// Not kept the same any more; the reason tells why.
    Detached,
}

impl MappingStatus {
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Synced, Self::Conflict, Self::Error, Self::Stale, Self::Detached];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Synced => "synced",
            Self::Conflict => "conflict",
            Self::Error => "error",
            Self::Stale => "stale",
            Self::Detached => "detached",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// Why a mapping is detached.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DetachReason {
    /// The customer was merged into one that has a mapping of its own; a split brings this one back.
    Merged,
    /// The record was missing there for longer than the grace period.
    Gone,
    /// The customer has no contact any more.
    Withdrawn,
}

impl DetachReason {
    pub const ALL: [Self; 3] = [Self::Merged, Self::Gone, Self::Withdrawn];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Merged => "merged",
            Self::Gone => "gone",
            Self::Withdrawn => "withdrawn",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// A mapping. A store keeps at most one that is not detached for each customer and system, and at most one
/// whatever its status for each record of a system.
#[derive(Clone, PartialEq, Debug)]
pub struct Mapping {
    pub id: MappingId,
    pub system: SyncSystem,
    /// The customer it was last seen with. Merges and splits move `contact`, and this follows.
    pub customer: CustomerId,
    /// The contact that it hangs on: whichever customer that one resolves to has this mapping.
    pub contact: ContactId,
    /// `None` until the record is known to exist.
    pub external: Option<PartnerId>,
    pub parts: PartnerParts,
    pub status: MappingStatus,
    /// Stated if, and only if, it is detached.
    pub detached: Option<DetachReason>,
    /// What both sides last agreed on.
    pub base: SyncView,
    /// Since when they agree on each of these values; releases before did not note it.
    pub agreed_at: AgreedAt,
    /// What is being written there, stored before the call: found there again, it is no change of theirs.
    pub sent: SyncView,
    /// Where the other system keeps a value of the base in another form: that form.
    pub kept: SyncView,
    /// The customer's version when both sides were last compared.
    pub customer_version: Option<i64>,
    /// Since when the record is not found there.
    pub missing_since: Option<DateTime<Utc>>,
    pub last_synced_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed, if it did.
    pub error: Option<SyncFault>,
    /// Who works on it, and until when it is left alone with it.
    pub lease: Option<(Uuid, DateTime<Utc>)>,
    /// The names of those who acted, as the audit trail has them.
    pub created_by: String,
    pub updated_by: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Raised by every update, except of the lease.
    pub version: i64,
}

impl Mapping {
    /// The mapping with a new base: what both sides agree on since this moment. Values that were in the base before keep the
    /// moment at which they came into it.
    #[must_use]
    pub(super) fn agreeing(self, base: SyncView, at: DateTime<Utc>) -> Self {
        let mut agreed_at = self.agreed_at;
        agreed_at.retain(|field, _| base.contains_key(field));
        for (field, value) in &base {
            if self.base.get(field) != Some(value) {
                agreed_at.insert(*field, at);
            }
        }
        Self { base, agreed_at, ..self }
    }

    /// Whether it is in use and nothing is left of the last attempt.
    pub(super) fn is_settled(&self) -> bool {
        self.detached.is_none()
            && self.status == MappingStatus::Synced
            && self.sent.is_empty()
            && self.missing_since.is_none()
    }

    /// The mapping taken out of use for this reason: its record is not kept in step any more.
    pub(super) fn out_of_use(self, reason: DetachReason) -> Self {
        Self { status: MappingStatus::Detached, detached: Some(reason), ..self }
    }
}

/// A mapping, and where its contact is now.
#[derive(Clone, PartialEq, Debug)]
pub struct PlacedMapping {
    pub mapping: Mapping,
    /// The customer and its version; `None` when the contact was withdrawn.
    pub now: Option<(CustomerId, i64)>,
}
