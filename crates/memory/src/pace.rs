//! The pace of each other system in memory.

use async_trait::async_trait;

use crate::MemoryTransaction;
use onefold_service::store::StoreError;
use onefold_service::system::SyncSystem;
use onefold_sync::pace::PaceState;
use onefold_sync::store::PaceRepository;

#[async_trait]
impl PaceRepository for MemoryTransaction {
    async fn lock(&mut self, system: SyncSystem) -> Result<PaceState, StoreError> {
        Ok(self.state.paces.get(&system).cloned().unwrap_or_default())
    }

    async fn put(&mut self, system: SyncSystem, state: &PaceState) -> Result<(), StoreError> {
        self.state.paces.insert(system, state.clone());
        Ok(())
    }
}
