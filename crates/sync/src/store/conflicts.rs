//! Conflicts in a store.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::conflict::{Conflict, ConflictDraft, ConflictFilter, ConflictId};
use crate::mapping::MappingId;
use onefold_service::store::StoreError;

#[async_trait]
pub trait ConflictReader: Send + Sync {
    async fn get(&self, id: ConflictId) -> Result<Option<Conflict>, StoreError>;

    /// In ascending order of their ids, those behind `after`, at most `limit`.
    async fn list(
        &self,
        filter: &ConflictFilter,
        after: Option<ConflictId>,
        limit: usize,
    ) -> Result<Vec<Conflict>, StoreError>;
}

#[async_trait]
pub trait ConflictRepository: Send {
    async fn get(&mut self, id: ConflictId) -> Result<Option<Conflict>, StoreError>;

    /// The open conflicts of this mapping, ascending; at most one for each subject.
    async fn open_of(&mut self, mapping: MappingId) -> Result<Vec<Conflict>, StoreError>;

    /// Adds it. One that is open takes the place of the open one of the same mapping and subject, whose id and
    /// moment stay.
    async fn put(&mut self, draft: &ConflictDraft) -> Result<ConflictId, StoreError>;

    /// Says how it was resolved. `Conflict` if it was resolved before.
    async fn resolve(
        &mut self,
        id: ConflictId,
        resolution: &str,
        by: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;
}
