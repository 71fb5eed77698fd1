//! What the trail asks of a store.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{AuditAction, AuditDraft, AuditEntry, AuditFacts, AuditHead, AuditSubject};
use crate::{CustomerId, StoreError, TokenId, UserId};

/// Which entries are meant. Everything that is given must hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct AuditFilter {
    pub subject: Option<AuditSubject>,
    /// The customer by the name that it had then: what was done before a merge is found under the absorbed one.
    pub customer: Option<CustomerId>,
    /// The token that acted.
    pub token: Option<TokenId>,
    /// The user who acted.
    pub user: Option<UserId>,
    pub action: Option<AuditAction>,
    /// This moment and later ones.
    pub since: Option<DateTime<Utc>>,
    /// Earlier moments.
    pub until: Option<DateTime<Utc>>,
}

/// What was appended and has no number yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PendingEntry {
    pub id: i64,
    pub facts: AuditFacts,
}

/// An entry that takes the place of a pending one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedEntry {
    pub pending: i64,
    pub entry: AuditEntry,
}

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
