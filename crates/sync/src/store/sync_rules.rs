//! Sync rules in a store.

use async_trait::async_trait;

use crate::rules::SyncRules;
use onefold_service::store::StoreError;
use onefold_service::system::SyncSystem;

#[async_trait]
pub trait SyncRulesReader: Send + Sync {
    /// `None` as long as nobody has put any: those that ship hold.
    async fn get(&self, system: SyncSystem) -> Result<Option<SyncRules>, StoreError>;
}

#[async_trait]
pub trait SyncRulesRepository: Send {
    async fn get(&mut self, system: SyncSystem) -> Result<Option<SyncRules>, StoreError>;

    /// Puts these rules in place of those that the system had.
    async fn put(&mut self, system: SyncSystem, rules: &SyncRules) -> Result<(), StoreError>;
}
