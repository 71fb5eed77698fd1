//! The index of the records of other systems in memory.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{MemoryStore, MemoryTransaction};
use onefold_service::store::StoreError;
use onefold_service::system::SyncSystem;
use onefold_sync::partner::{IndexedPartner, PartnerId, PartnerLookup};
use onefold_sync::store::{PartnerIndexReader, PartnerIndexRepository};

#[async_trait]
impl PartnerIndexReader for MemoryStore {
    async fn find(
        &self,
        system: SyncSystem,
        lookup: &PartnerLookup,
        limit: usize,
    ) -> Result<Vec<PartnerId>, StoreError> {
        let state = self.read().await;
        let has = |partner: &IndexedPartner| match lookup {
            PartnerLookup::Email(email) => partner.emails.contains(email),
            PartnerLookup::Phone(phone) => {
                partner.phones.iter().any(|known| known.match_key() == phone.match_key())
            }
            PartnerLookup::TaxNumber(_) | PartnerLookup::Name(_) => false,
        };
        let of_system = state.partner_index.iter().filter(|((of, _), _)| *of == system);
        let mut found: Vec<_> = of_system.filter(|(_, (_, partner))| has(partner)).collect();
        found.sort_by_key(|(_, (order, _))| *order);
        Ok(found.into_iter().take(limit).map(|((_, id), _)| id.clone()).collect())
    }

    async fn of(&self, system: SyncSystem, ids: &[PartnerId]) -> Result<Vec<IndexedPartner>, StoreError> {
        let state = self.read().await;
        let known = ids.iter().filter_map(|id| state.partner_index.get(&(system, id.clone())));
        Ok(known.map(|(_, partner)| partner.clone()).collect())
    }

    async fn scanned_at(&self, system: SyncSystem) -> Result<Option<DateTime<Utc>>, StoreError> {
        Ok(self.read().await.partner_scans.get(&system).copied())
    }
}

#[async_trait]
impl PartnerIndexRepository for MemoryTransaction {
    async fn put(
        &mut self,
        system: SyncSystem,
        partners: &[IndexedPartner],
        _: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        for partner in partners {
            let key = (system, partner.id.clone());
            let order = match self.state.partner_index.get(&key) {
                Some((order, _)) => *order,
                None => {
                    self.state.last_indexed += 1;
                    self.state.last_indexed
                }
            };
            self.state.partner_index.insert(key, (order, partner.clone()));
        }
        Ok(())
    }

    async fn remove(&mut self, system: SyncSystem, id: &PartnerId) -> Result<(), StoreError> {
        self.state.partner_index.remove(&(system, id.clone()));
        Ok(())
    }

    async fn note_scan(&mut self, system: SyncSystem, at: DateTime<Utc>) -> Result<(), StoreError> {
        self.state.partner_scans.insert(system, at);
        Ok(())
    }
}
