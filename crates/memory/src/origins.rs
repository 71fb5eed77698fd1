//! Where contacts and joins were made, in memory.

use async_trait::async_trait;

use crate::{MemoryStore, MemoryTransaction};
use onefold_domain::id::{ContactId, CustomerId, LinkId};
use onefold_domain::origin::{HubId, Origin};
use onefold_service::store::{OriginReader, OriginRepository, Originated, StoreError, StoredJoin};

#[async_trait]
impl OriginReader for MemoryStore {
    async fn hub(&self) -> Result<Option<HubId>, StoreError> {
        Ok(self.read().await.hub)
    }

    async fn joins(
        &self,
        customer: Option<CustomerId>,
        after: Option<(ContactId, LinkId)>,
        limit: usize,
    ) -> Result<Vec<StoredJoin>, StoreError> {
        let state = self.read().await;
        let wanted = customer.map(|id| state.family(id));
        let in_force = state.links.iter().zip(1..).filter(|(link, _)| {
            link.revoked_at.is_none()
                && link.draft.contact.is_none()
                && wanted.as_ref().is_none_or(|family| family.contains(&link.filed_under))
        });
        let mut joins: Vec<StoredJoin> = in_force
            .map(|(link, number)| StoredJoin {
                id: LinkId(number),
                origin: link.draft.origin,
                statement: link.draft.statement.clone(),
                beside: link.draft.beside.clone(),
                source: link.draft.source,
                after: ContactId(link.draft.after.0),
                at: link.draft.at,
            })
            .filter(|join| after.is_none_or(|after| (join.after, join.id) > after))
            .collect();
        joins.sort_by_key(|join| (join.after, join.id));
        joins.truncate(limit);
        Ok(joins)
    }
}

#[async_trait]
impl OriginRepository for MemoryTransaction {
    async fn hub(&mut self, proposed: HubId) -> Result<HubId, StoreError> {
        Ok(*self.state.hub.get_or_insert(proposed))
    }

    async fn contacts(&mut self, origins: &[Origin]) -> Result<Vec<Originated<ContactId>>, StoreError> {
        let own = self.state.hub;
        let known = self.state.contacts.iter().filter_map(|(id, contact)| {
            let native = || own.map(|hub| Origin { hub, number: id.0 });
            let origin = contact.origin.or_else(native)?;
            let gone = contact.withdrawn_at.is_some();
            Some(Originated { origin, id: *id, created_at: contact.created_at, gone })
        });
        Ok(known.filter(|known| origins.contains(&known.origin)).collect())
    }

    async fn joins(&mut self, origins: &[Origin]) -> Result<Vec<Originated<LinkId>>, StoreError> {
        let own = self.state.hub;
        let joins = self.state.links.iter().zip(1..).filter(|(link, _)| link.draft.contact.is_none());
        let known = joins.filter_map(|(link, number)| {
            let origin = link.draft.origin.or_else(|| own.map(|hub| Origin { hub, number }))?;
            let gone = link.revoked_at.is_some();
            Some(Originated { origin, id: LinkId(number), created_at: link.draft.at, gone })
        });
        Ok(known.filter(|known| origins.contains(&known.origin)).collect())
    }
}
