//! Sync log in a store.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};

use crate::log::{LoggedAttempt, SyncAttempt, SyncDay, SyncLogFilter};
use crate::partner::PartnerId;
use onefold_service::store::StoreError;
use onefold_service::system::SyncSystem;

#[async_trait]
pub trait SyncLogReader: Send + Sync {
    /// How many attempts of each system and outcome there were on each day (UTC) from `since` on, ascending by day, then
    /// system, then outcome as they are declared; those that did not occur are left out.
    async fn per_day(&self, since: NaiveDate) -> Result<Vec<SyncDay>, StoreError>;

    /// From the newest on, those in front of number `before`, at most `limit`.
    async fn list(
        &self,
        filter: &SyncLogFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<LoggedAttempt>, StoreError>;

    /// Of these records the ones that an attempt has skipped, in no particular order.
    async fn skipped(
        &self,
        system: SyncSystem,
        externals: &[PartnerId],
    ) -> Result<Vec<PartnerId>, StoreError>;
}

#[async_trait]
pub trait SyncLogRepository: Send {
    async fn append(&mut self, attempts: &[SyncAttempt]) -> Result<(), StoreError>;

    /// Removes attempts before this moment, at most `limit` of them.
    async fn forget_before(&mut self, moment: DateTime<Utc>, limit: usize) -> Result<(), StoreError>;
}
