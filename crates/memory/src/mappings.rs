//! Mappings in memory.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::state::State;
use crate::{MemoryStore, MemoryTransaction};
use onefold_domain::id::CustomerId;
use onefold_service::store::StoreError;
use onefold_service::system::SyncSystem;
use onefold_sync::mapping::{DetachReason, Mapping, MappingId, MappingStatus, PlacedMapping};
use onefold_sync::partner::PartnerId;
use onefold_sync::store::{MappingReader, MappingRepository};

impl State {
    fn mappings_where(&self, wanted: impl Fn(&Mapping) -> bool) -> Vec<Mapping> {
        let mut found: Vec<_> = self.mappings.values().filter(|mapping| wanted(mapping)).cloned().collect();
        found.sort_by_key(|mapping| (mapping.created_at, mapping.id));
        found
    }

    fn filed_under(&self, system: SyncSystem, customer: CustomerId) -> Vec<Mapping> {
        self.mappings_where(|mapping| mapping.system == system && mapping.customer == customer)
    }

    fn placed(&self, mapping: &Mapping) -> PlacedMapping {
        let now = self.record(mapping.contact).map(|record| (record.customer, record.customer_version));
        PlacedMapping { mapping: mapping.clone(), now }
    }

    fn of_record(&self, system: SyncSystem, external: &PartnerId) -> Option<&Mapping> {
        let is = |mapping: &&Mapping| mapping.system == system && mapping.external.as_ref() == Some(external);
        self.mappings.values().find(is)
    }

    /// Whether another mapping stands in the way of this one.
    fn is_taken(&self, mapping: &Mapping) -> bool {
        self.mappings.values().any(|other| {
            let same_record = mapping.external.is_some() && other.external == mapping.external;
            let attached = [other, mapping].iter().all(|one| one.status != MappingStatus::Detached);
            let same_customer = attached && other.customer == mapping.customer;
            other.id != mapping.id && other.system == mapping.system && (same_record || same_customer)
        })
    }
}

#[async_trait]
impl MappingReader for MemoryStore {
    async fn get(&self, id: MappingId) -> Result<Option<Mapping>, StoreError> {
        Ok(self.read().await.mappings.get(&id).cloned())
    }

    async fn of_customer(
        &self,
        system: SyncSystem,
        customer: CustomerId,
    ) -> Result<Vec<Mapping>, StoreError> {
        Ok(self.read().await.filed_under(system, customer))
    }

    async fn of_customers(
        &self,
        system: SyncSystem,
        customers: &[CustomerId],
    ) -> Result<Vec<Mapping>, StoreError> {
        let state = self.read().await;
        Ok(state.mappings_where(|mapping| mapping.system == system && customers.contains(&mapping.customer)))
    }

    async fn of_partner(
        &self,
        system: SyncSystem,
        external: &PartnerId,
    ) -> Result<Option<Mapping>, StoreError> {
        Ok(self.read().await.of_record(system, external).cloned())
    }

    async fn of_partners(
        &self,
        system: SyncSystem,
        externals: &[PartnerId],
    ) -> Result<Vec<PlacedMapping>, StoreError> {
        let state = self.read().await;
        let found = externals.iter().filter_map(|external| state.of_record(system, external));
        Ok(found.map(|mapping| state.placed(mapping)).collect())
    }

    async fn list(
        &self,
        system: SyncSystem,
        after: Option<MappingId>,
        limit: usize,
    ) -> Result<Vec<PlacedMapping>, StoreError> {
        let state = self.read().await;
        let behind = state
            .mappings
            .values()
            .filter(|mapping| mapping.system == system && after.is_none_or(|after| mapping.id > after));
        Ok(behind.take(limit).map(|mapping| state.placed(mapping)).collect())
    }

    async fn counts(&self, system: SyncSystem) -> Result<Vec<(MappingStatus, u64)>, StoreError> {
        let state = self.read().await;
        let count = |status| {
            let of = |mapping: &&Mapping| mapping.system == system && mapping.status == status;
            (status, state.mappings.values().filter(of).count() as u64)
        };
        Ok(MappingStatus::ALL.map(count).into_iter().filter(|(_, count)| *count > 0).collect())
    }
}

#[async_trait]
impl MappingRepository for MemoryTransaction {
    async fn get(&mut self, id: MappingId) -> Result<Option<Mapping>, StoreError> {
        Ok(self.state.mappings.get(&id).cloned())
    }

    async fn of_customer(
        &mut self,
        system: SyncSystem,
        customer: CustomerId,
    ) -> Result<Vec<Mapping>, StoreError> {
        Ok(self.state.filed_under(system, customer))
    }

    async fn of_partner(
        &mut self,
        system: SyncSystem,
        external: &PartnerId,
    ) -> Result<Option<Mapping>, StoreError> {
        Ok(self.state.of_record(system, external).cloned())
    }

    async fn hanging_on(
        &mut self,
        system: SyncSystem,
        customer: CustomerId,
    ) -> Result<Vec<Mapping>, StoreError> {
        let state = &self.state;
        Ok(state.mappings_where(|mapping| {
            let now = state.record(mapping.contact).map(|record| record.customer);
            mapping.system == system && now.unwrap_or(mapping.customer) == customer
        }))
    }

    async fn mapped(
        &mut self,
        system: SyncSystem,
        customers: &[CustomerId],
    ) -> Result<Vec<CustomerId>, StoreError> {
        let in_use = |customer: &&CustomerId| {
            let filed = self.state.filed_under(system, **customer);
            filed.iter().any(|mapping| mapping.detached.is_none_or(|reason| reason == DetachReason::Merged))
        };
        Ok(customers.iter().filter(in_use).copied().collect())
    }

    async fn insert(&mut self, mapping: &Mapping) -> Result<bool, StoreError> {
        if self.state.mappings.contains_key(&mapping.id) || self.state.is_taken(mapping) {
            return Ok(false);
        }
        self.state.mappings.insert(mapping.id, mapping.clone());
        Ok(true)
    }

    async fn update(&mut self, mapping: &Mapping) -> Result<(), StoreError> {
        let taken = self.state.is_taken(mapping);
        let stored = self.state.mappings.get_mut(&mapping.id).ok_or(StoreError::Conflict)?;
        if taken || stored.version != mapping.version {
            return Err(StoreError::Conflict);
        }
        *stored = Mapping { lease: stored.lease, version: mapping.version + 1, ..mapping.clone() };
        Ok(())
    }

    async fn lease(
        &mut self,
        id: MappingId,
        owner: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Mapping>, StoreError> {
        let Some(stored) = self.state.mappings.get_mut(&id) else { return Ok(None) };
        if stored.lease.is_some_and(|(holder, lapses)| holder != owner && lapses > now) {
            return Ok(None);
        }
        stored.lease = Some((owner, until));
        Ok(Some(stored.clone()))
    }

    async fn release(&mut self, id: MappingId, owner: Uuid) -> Result<(), StoreError> {
        if let Some(stored) = self.state.mappings.get_mut(&id) {
            stored.lease = stored.lease.filter(|(holder, _)| *holder != owner);
        }
        Ok(())
    }
}
