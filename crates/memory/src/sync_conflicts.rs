//! Conflicts of sync in memory.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{MemoryStore, MemoryTransaction};
use onefold_service::store::StoreError;
use onefold_sync::conflict::{Conflict, ConflictDraft, ConflictFilter, ConflictId, ConflictStatus};
use onefold_sync::mapping::MappingId;
use onefold_sync::store::{ConflictReader, ConflictRepository};

#[async_trait]
impl ConflictReader for MemoryStore {
    async fn get(&self, id: ConflictId) -> Result<Option<Conflict>, StoreError> {
        Ok(self.read().await.conflicts.get(&id).cloned())
    }

    async fn list(
        &self,
        filter: &ConflictFilter,
        after: Option<ConflictId>,
        limit: usize,
    ) -> Result<Vec<Conflict>, StoreError> {
        let state = self.read().await;
        let meant = |conflict: &&Conflict| {
            after.is_none_or(|after| conflict.id > after)
                && filter.system.is_none_or(|system| conflict.system == system)
                && filter.status.is_none_or(|status| conflict.status == status)
                && filter.customer.is_none_or(|customer| conflict.customer == customer)
                && filter.mapping.is_none_or(|mapping| conflict.mapping == mapping)
        };
        Ok(state.conflicts.values().filter(meant).take(limit).cloned().collect())
    }
}

#[async_trait]
impl ConflictRepository for MemoryTransaction {
    async fn get(&mut self, id: ConflictId) -> Result<Option<Conflict>, StoreError> {
        Ok(self.state.conflicts.get(&id).cloned())
    }

    async fn open_of(&mut self, mapping: MappingId) -> Result<Vec<Conflict>, StoreError> {
        let open =
            |conflict: &&Conflict| conflict.mapping == mapping && conflict.status == ConflictStatus::Open;
        Ok(self.state.conflicts.values().filter(open).cloned().collect())
    }

    async fn put(&mut self, draft: &ConflictDraft) -> Result<ConflictId, StoreError> {
        let same = |conflict: &&Conflict| {
            let both_open = [conflict.status, draft.status].iter().all(|one| *one == ConflictStatus::Open);
            both_open && conflict.mapping == draft.mapping && conflict.subject == draft.subject
        };
        let open =
            self.state.conflicts.values().find(same).map(|conflict| (conflict.id, conflict.created_at));
        let next = || ConflictId(self.state.conflicts.get_max().map_or(1, |(id, _)| id.0 + 1));
        let (id, created_at) = open.unwrap_or_else(|| (next(), draft.at));
        let conflict = Conflict {
            id,
            mapping: draft.mapping,
            system: draft.system,
            customer: draft.customer,
            subject: draft.subject,
            base: draft.base.clone(),
            local: draft.local.clone(),
            remote: draft.remote.clone(),
            status: draft.status,
            rule: draft.rule,
            resolution: None,
            resolved_by: None,
            created_at,
            resolved_at: None,
        };
        self.state.conflicts.insert(id, conflict);
        Ok(id)
    }

    async fn resolve(
        &mut self,
        id: ConflictId,
        resolution: &str,
        by: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let open = self.state.conflicts.get_mut(&id).filter(|one| one.status != ConflictStatus::Resolved);
        let conflict = open.ok_or(StoreError::Conflict)?;
        conflict.status = ConflictStatus::Resolved;
        conflict.resolution = Some(resolution.to_owned());
        conflict.resolved_by = Some(by.to_owned());
        conflict.resolved_at = Some(at);
        Ok(())
    }
}
