//! Imports in a store.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use uuid::Uuid;

use crate::import::{Import, RowFailure};
use crate::store::StoreError;
use onefold_domain::id::ImportId;

#[async_trait]
pub trait ImportReader: Send + Sync {
    async fn get(&self, id: ImportId) -> Result<Option<Import>, StoreError>;

    /// One piece of the file; pieces are numbered from 0.
    async fn chunk(&self, id: ImportId, number: u32) -> Result<Option<Vec<u8>>, StoreError>;

    /// Failures in the order of the rows, behind the first `skip`, at most `limit`.
    async fn failures(&self, id: ImportId, skip: u64, limit: usize) -> Result<Vec<RowFailure>, StoreError>;

    /// Imports of the same file that were completed, matched rows in the same way, and changed what they said.
    async fn completed_twins(&self, import: &Import) -> Result<Vec<ImportId>, StoreError>;
}

#[async_trait]
pub trait ImportRepository: Send {
    async fn get(&mut self, id: ImportId) -> Result<Option<Import>, StoreError>;

    async fn insert(&mut self, import: &Import) -> Result<(), StoreError>;

    /// Stores a piece of the file, in place of one of the same number.
    async fn put_chunk(&mut self, id: ImportId, number: u32, bytes: &[u8]) -> Result<(), StoreError>;

    /// Stores everything that changes. `Conflict` if another process took it over: its lease is not `owner`.
    async fn update(&mut self, import: &Import, owner: Option<Uuid>) -> Result<(), StoreError>;

    /// Failures follow those that are stored already.
    async fn add_failures(&mut self, id: ImportId, failures: &[RowFailure]) -> Result<(), StoreError>;

    /// Takes the oldest import that waits, or whose process has let its lease run out; leased to `owner`
    /// until `until`. With `only`, this import or none.
    async fn lease(
        &mut self,
        only: Option<ImportId>,
        owner: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Import>, StoreError>;

    /// Removes the pieces of the file, or those before this one.
    async fn drop_chunks(&mut self, id: ImportId, before: Option<u32>) -> Result<(), StoreError>;

    /// Gives up files that stopped coming in before this moment.
    async fn abandon_received_before(
        &mut self,
        moment: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;
}
