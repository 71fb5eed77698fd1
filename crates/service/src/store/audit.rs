//! What the trail asks of a store.

use async_trait::async_trait;

use crate::audit::{AuditDraft, AuditEntry, AuditFilter, AuditHead, AuditSubject, PendingEntry, SealedEntry};
use crate::store::StoreError;

/// Entries that are sealed and committed.
#[async_trait]
pub trait AuditReader: Send + Sync {
    /// From the newest on, those in front of number `before`, at most `limit`.
    async fn list(
        &self,
        filter: &AuditFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError>;

    /// In ascending order, those behind number `after`, at most `limit`.
    async fn entries_after(&self, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError>;

    /// A contact, user, token or import that is there, and of which no entry tells, sealed or waiting. Whoever makes one
    /// tells the trail in the same transaction, so that there is none while the trail is whole. What was made before the
    /// database had a trail is passed over.
    async fn first_untold(&self) -> Result<Option<AuditSubject>, StoreError>;
}

#[async_trait]
pub trait AuditRepository: Send {
    /// Adds to what waits to be sealed. Writers do not wait for each other here.
    async fn append(&mut self, drafts: &[AuditDraft]) -> Result<(), StoreError>;

    /// The last entry of the chain.
    async fn head(&mut self) -> Result<Option<AuditHead>, StoreError>;

    /// What waits, oldest id first, at most `limit`. To be asked after `head`: asked before it, another one
    /// could seal the same in between.
    async fn pending(&mut self, limit: usize) -> Result<Vec<PendingEntry>, StoreError>;

    /// Moves entries from what waits to the end of the chain. `Conflict` if somebody else was faster.
    async fn seal(&mut self, entries: &[SealedEntry]) -> Result<(), StoreError>;
}
