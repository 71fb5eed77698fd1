//! Imports and their files in memory.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{MemoryStore, MemoryTransaction};
use onefold_domain::id::ImportId;
use onefold_service::import::{Import, ImportStatus, RowFailure};
use onefold_service::store::{ImportReader, ImportRepository, StoreError};

#[async_trait]
impl ImportReader for MemoryStore {
    async fn get(&self, id: ImportId) -> Result<Option<Import>, StoreError> {
        Ok(self.read().await.imports.get(&id).cloned())
    }

    async fn chunk(&self, id: ImportId, number: u32) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read().await.chunks.get(&(id, number)).cloned())
    }

    async fn failures(&self, id: ImportId, skip: u64, limit: usize) -> Result<Vec<RowFailure>, StoreError> {
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let state = self.read().await;
        Ok(state.failures.get(&id).into_iter().flatten().skip(skip).take(limit).cloned().collect())
    }

    async fn completed_twins(&self, import: &Import) -> Result<Vec<ImportId>, StoreError> {
        let twin = |other: &&Import| {
            other.id != import.id
                && other.status == ImportStatus::Completed
                && other.sha256 == import.sha256
                && other.options.match_by == import.options.match_by
                && !other.options.dry_run
        };
        Ok(self.read().await.imports.values().filter(twin).map(|other| other.id).collect())
    }
}

#[async_trait]
impl ImportRepository for MemoryTransaction {
    async fn get(&mut self, id: ImportId) -> Result<Option<Import>, StoreError> {
        Ok(self.state.imports.get(&id).cloned())
    }

    async fn insert(&mut self, import: &Import) -> Result<(), StoreError> {
        self.state.imports.insert(import.id, import.clone());
        Ok(())
    }

    async fn put_chunk(&mut self, id: ImportId, number: u32, bytes: &[u8]) -> Result<(), StoreError> {
        self.state.chunks.insert((id, number), bytes.to_vec());
        Ok(())
    }

    async fn update(&mut self, import: &Import, owner: Option<Uuid>) -> Result<(), StoreError> {
        let stored = self.state.imports.get_mut(&import.id).ok_or(StoreError::Conflict)?;
        if stored.lease.map(|(owner, _)| owner) != owner {
            return Err(StoreError::Conflict);
        }
        *stored = import.clone();
        Ok(())
    }

    async fn add_failures(&mut self, id: ImportId, failures: &[RowFailure]) -> Result<(), StoreError> {
        self.state.failures.entry(id).or_default().extend(failures.iter().cloned());
        Ok(())
    }

    async fn lease(
        &mut self,
        only: Option<ImportId>,
        owner: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Import>, StoreError> {
        let waits = |import: &&Import| match import.status {
            ImportStatus::Queued => true,
            ImportStatus::Running => import.lease.is_none_or(|(_, until)| until <= now),
            _ => false,
        };
        let found = self.state.imports.values().filter(|import| only.is_none_or(|id| import.id == id));
        let Some(mut import) = found.filter(waits).min_by_key(|import| import.created_at).cloned() else {
            return Ok(None);
        };
        import.status = ImportStatus::Running;
        import.lease = Some((owner, until));
        import.started_at = import.started_at.or(Some(now));
        import.touch(now);
        self.state.imports.insert(import.id, import.clone());
        Ok(Some(import))
    }

    async fn drop_chunks(&mut self, id: ImportId, before: Option<u32>) -> Result<(), StoreError> {
        let stays = |number: u32| before.is_some_and(|before| number >= before);
        self.state.chunks.retain(|(owner, number), _| *owner != id || stays(*number));
        Ok(())
    }

    async fn abandon_received_before(
        &mut self,
        moment: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let stale: Vec<ImportId> = self
            .state
            .imports
            .values()
            .filter(|import| import.status == ImportStatus::Receiving && import.updated_at < moment)
            .map(|import| import.id)
            .collect();
        for id in stale {
            self.drop_chunks(id, None).await?;
            if let Some(import) = self.state.imports.get_mut(&id) {
                import.status = ImportStatus::Failed;
                import.message = Some("The file did not come in completely; send it again.".to_owned());
                import.finished_at = Some(now);
                import.touch(now);
            }
        }
        Ok(())
    }
}
