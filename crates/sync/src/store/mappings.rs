//! Mappings in a store.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::mapping::{Mapping, MappingId, MappingStatus, PlacedMapping};
use crate::partner::PartnerId;
use onefold_domain::id::CustomerId;
use onefold_service::store::StoreError;
use onefold_service::system::SyncSystem;

#[async_trait]
pub trait MappingReader: Send + Sync {
    async fn get(&self, id: MappingId) -> Result<Option<Mapping>, StoreError>;

    /// The mappings that are filed under this customer, detached ones too, oldest first.
    async fn of_customer(&self, system: SyncSystem, customer: CustomerId)
    -> Result<Vec<Mapping>, StoreError>;

    /// The mappings that are filed under these customers, detached ones too, in no particular order.
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

    /// The mappings of these records, in no particular order; a record without one is left out.
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

    /// The mappings that are filed under this customer, detached ones too, as this transaction sees them.
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

    /// Of these customers the ones under whom a mapping is filed that is not detached for good (`gone`, `withdrawn`).
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
    async fn lease(
        &mut self,
        id: MappingId,
        owner: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Mapping>, StoreError>;

    /// Ends the lease if `owner` has it.
    async fn release(&mut self, id: MappingId, owner: Uuid) -> Result<(), StoreError>;
}
