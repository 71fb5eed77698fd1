//! The mapping: a customer here and its record in another system, with the state both sides last agreed on.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{PartnerField, PartnerId, PartnerParts, SyncFault, SyncSystem, SyncView};
use crate::{ContactId, CustomerId, StoreError};

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
    /// Of the last attempt, if it failed.
    pub error: Option<SyncFault>,
    /// Who works on it, and until when it is left alone with it.
    pub lease: Option<(Uuid, DateTime<Utc>)>,
    /// The names of those who acted, as the audit trail has them.
    pub created_by: String,
    pub updated_by: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Raised by every update.
    pub version: i64,
}

/// A moment for each field.
pub type AgreedAt = BTreeMap<PartnerField, DateTime<Utc>>;

impl Mapping {
    /// The same, with what both sides agree on at this moment. What they agreed on before keeps its own.
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

    /// The same, not kept the same any more.
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

#[async_trait]
pub trait MappingReader: Send + Sync {
    async fn get(&self, id: MappingId) -> Result<Option<Mapping>, StoreError>;

    /// The mappings that are filed under this customer, detached ones too, oldest first.
    async fn of_customer(&self, system: SyncSystem, customer: CustomerId)
    -> Result<Vec<Mapping>, StoreError>;

    /// Those that are filed under these customers, detached ones too, in no particular order.
    async fn of_customers(
        &self,
        system: SyncSystem,
        customers: &[CustomerId],
    ) -> Result<Vec<Mapping>, StoreError>;

    async fn of_partner(
        &self,
        system: SyncSystem,
        external: &PartnerId,
    ) -> Result<Option<Mapping>, StoreError>;

    /// Those of these records that have one, in no particular order.
    async fn of_partners(
        &self,
        system: SyncSystem,
        externals: &[PartnerId],
    ) -> Result<Vec<PlacedMapping>, StoreError>;

    /// In ascending order of their ids, those behind `after`, at most `limit`.
    async fn list(
        &self,
        system: SyncSystem,
        after: Option<MappingId>,
        limit: usize,
    ) -> Result<Vec<PlacedMapping>, StoreError>;

    /// How many there are of each status that occurs.
    async fn counts(&self, system: SyncSystem) -> Result<Vec<(MappingStatus, u64)>, StoreError>;
}

#[async_trait]
pub trait MappingRepository: Send {
    async fn get(&mut self, id: MappingId) -> Result<Option<Mapping>, StoreError>;

    /// As the reader's.
    async fn of_customer(
        &mut self,
        system: SyncSystem,
        customer: CustomerId,
    ) -> Result<Vec<Mapping>, StoreError>;

    async fn of_partner(
        &mut self,
        system: SyncSystem,
        external: &PartnerId,
    ) -> Result<Option<Mapping>, StoreError>;

    /// The mappings that hang on a contact of this customer, or on one that was withdrawn while they are filed
    /// under it; detached ones too, oldest first.
    async fn hanging_on(
        &mut self,
        system: SyncSystem,
        customer: CustomerId,
    ) -> Result<Vec<Mapping>, StoreError>;

    /// Those of these customers under whom one is filed that is not detached for good (`gone`, `withdrawn`).
    async fn mapped(
        &mut self,
        system: SyncSystem,
        customers: &[CustomerId],
    ) -> Result<Vec<CustomerId>, StoreError>;

    /// `false`, and nothing stored, if the customer or the record has one already.
    async fn insert(&mut self, mapping: &Mapping) -> Result<bool, StoreError>;

    /// Stores everything but the lease and raises the version. `Conflict` unless the stored one has the version
    /// of `mapping`, or if the customer or the record has another one already.
    async fn update(&mut self, mapping: &Mapping) -> Result<(), StoreError>;

    /// Leases it to `owner` until `until`: if nobody has it, its lease has run out at `now`, or `owner` has it
    /// already. `None` if somebody else has it, or it does not exist. Does not raise the version.
    async fn take(
        &mut self,
        id: MappingId,
        owner: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Mapping>, StoreError>;

    /// Ends the lease if `owner` has it.
    async fn release(&mut self, id: MappingId, owner: Uuid) -> Result<(), StoreError>;
}
