//! Partner index in a store.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::partner::{IndexedPartner, PartnerId, PartnerLookup};
use onefold_service::store::StoreError;
use onefold_service::system::SyncSystem;

#[async_trait]
pub trait PartnerIndexReader: Send + Sync {
    /// The records with this value, in the order in which they were first seen, at most `limit`. Phones are the same if their
    /// [`match_key`](onefold_domain::phone::PhoneNumber::match_key) is. None for look-ups other than email and phone.
    async fn find(
        &self,
        system: SyncSystem,
        lookup: &PartnerLookup,
        limit: usize,
    ) -> Result<Vec<PartnerId>, StoreError>;

    /// These records with their values as they were put, in no particular order; one that was never seen is left out.
    async fn of(&self, system: SyncSystem, ids: &[PartnerId]) -> Result<Vec<IndexedPartner>, StoreError>;

    /// When all records were last seen; `None` before the first time.
    async fn scanned_at(&self, system: SyncSystem) -> Result<Option<DateTime<Utc>>, StoreError>;
}

#[async_trait]
pub trait PartnerIndexRepository: Send {
    /// Puts these, none of them twice, in place of what was known of the same records.
    async fn put(
        &mut self,
        system: SyncSystem,
        partners: &[IndexedPartner],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Forgets a record; one that is not known is no error.
    async fn remove(&mut self, system: SyncSystem, id: &PartnerId) -> Result<(), StoreError>;

    /// All records there are have been seen.
    async fn note_scan(&mut self, system: SyncSystem, at: DateTime<Utc>) -> Result<(), StoreError>;
}
