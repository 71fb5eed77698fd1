//! Runs in a store.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::run::{Run, RunId, RunItem};
use onefold_service::store::StoreError;

#[async_trait]
pub trait RunReader: Send + Sync {
    async fn get(&self, id: RunId) -> Result<Option<Run>, StoreError>;

    /// The newest first, those older than `before`, at most `limit`.
    async fn list(&self, before: Option<RunId>, limit: usize) -> Result<Vec<Run>, StoreError>;

    /// In order, from position `from` on, at most `limit`; with `waiting`, only those without an outcome.
    async fn items(
        &self,
        id: RunId,
        from: u64,
        limit: usize,
        waiting: bool,
    ) -> Result<Vec<RunItem>, StoreError>;
}

#[async_trait]
pub trait RunRepository: Send {
    async fn get(&mut self, id: RunId) -> Result<Option<Run>, StoreError>;

    /// Adds a run with the subjects of its list; positions are given from 0.
    async fn insert(&mut self, run: &Run, subjects: &[String]) -> Result<(), StoreError>;

    /// Stores everything of a run that changes after it was asked for.
    async fn update(&mut self, run: &Run) -> Result<(), StoreError>;

    /// Stores the items in place of those of the same positions.
    async fn put_items(&mut self, id: RunId, items: &[RunItem]) -> Result<(), StoreError>;

    /// Removes runs that ended before this moment, with their items; at most `limit` of them.
    async fn forget_before(&mut self, moment: DateTime<Utc>, limit: usize) -> Result<(), StoreError>;
}
