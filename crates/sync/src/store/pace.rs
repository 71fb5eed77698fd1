//! Pace in a store.

use async_trait::async_trait;

use crate::pace::PaceState;
use onefold_service::store::StoreError;
use onefold_service::system::SyncSystem;

#[async_trait]
pub trait PaceRepository: Send {
    /// What is stored, or the default. Nobody else reads it until the end of the transaction.
    async fn lock(&mut self, system: SyncSystem) -> Result<PaceState, StoreError>;

    /// Takes the place of what was locked.
    async fn put(&mut self, system: SyncSystem, state: &PaceState) -> Result<(), StoreError>;
}
