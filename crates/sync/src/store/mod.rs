//! What sync asks of a store beyond what the other use cases do.

mod conflicts;
mod jobs;
mod mappings;
mod pace;
mod partner_index;
mod runs;
mod sync_log;
mod sync_rules;

use async_trait::async_trait;

use onefold_service::store::{Store, StoreError, Transaction};

pub use conflicts::{ConflictReader, ConflictRepository};
pub use jobs::{JobReader, JobRepository};
pub use mappings::{MappingReader, MappingRepository};
pub use pace::PaceRepository;
pub use partner_index::{PartnerIndexReader, PartnerIndexRepository};
pub use runs::{RunReader, RunRepository};
pub use sync_log::{SyncLogReader, SyncLogRepository};
pub use sync_rules::{SyncRulesReader, SyncRulesRepository};

/// A place where contacts are kept, and what is known of them in other systems.
#[async_trait]
pub trait SyncStore: Store {
    /// Opens a transaction for writing. Dropping it undoes what was not committed.
    async fn begin_sync(&self) -> Result<Box<dyn SyncTransaction>, StoreError>;

    /// Opens a transaction for writing, for work of which much is to come and for which nobody waits; see [`Store::begin_bulk`].
    async fn begin_sync_bulk(&self) -> Result<Box<dyn SyncTransaction>, StoreError> {
        self.begin_sync().await
    }

    fn jobs(&self) -> &dyn JobReader;
    fn mappings(&self) -> &dyn MappingReader;
    fn conflicts(&self) -> &dyn ConflictReader;
    fn runs(&self) -> &dyn RunReader;
    fn sync_log(&self) -> &dyn SyncLogReader;
    fn sync_rules(&self) -> &dyn SyncRulesReader;
    fn partner_index(&self) -> &dyn PartnerIndexReader;
}

/// A transaction that is passed on.
pub(crate) type Open = Box<dyn SyncTransaction>;

/// An open transaction over contacts and what sync keeps of them, so that a change and what sync notes of it are stored
/// together. It is committed by [`Transaction::commit`].
pub trait SyncTransaction: Transaction {
    fn jobs(&mut self) -> &mut dyn JobRepository;
    fn mappings(&mut self) -> &mut dyn MappingRepository;
    fn conflicts(&mut self) -> &mut dyn ConflictRepository;
    fn runs(&mut self) -> &mut dyn RunRepository;
    fn sync_log(&mut self) -> &mut dyn SyncLogRepository;
    fn sync_rules(&mut self) -> &mut dyn SyncRulesRepository;
    fn partner_index(&mut self) -> &mut dyn PartnerIndexRepository;
    fn pace(&mut self) -> &mut dyn PaceRepository;
}
