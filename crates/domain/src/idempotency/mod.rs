//! Requests that are sent again: a caller names an operation by a key, and it is carried out once, however often
//! the request comes, to whichever server, and whenever one of them is killed.

mod key;
mod service;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::StoreError;

pub use key::{IdempotencyKey, IdempotencyScope, InvalidIdempotencyKey};
pub use service::{Begun, Idempotency};

/// One attempt at an operation. A key that is taken over gets another one, so that whoever was slow and wakes up
/// finds that the operation is no longer its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct OperationId(pub Uuid);

/// What an operation made, such as a contact: by its kind and id.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct OperationSubject {
    pub kind: String,
    pub id: String,
}

/// By what two requests are known to be the same: SHA-256 over everything that makes a difference.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fingerprint(pub [u8; 32]);

/// An answer as it was given, sealed by the caller: it may hold what only the one who asked should read.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedAnswer(pub Vec<u8>);

impl std::fmt::Debug for SealedAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedAnswer({} bytes)", self.0.len())
    }
}

/// What is known of a key. It goes from leased to carried out to answered, and may skip the middle.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdempotencyRecord {
    pub scope: IdempotencyScope,
    pub key: IdempotencyKey,
    /// The attempt that holds it.
    pub operation: OperationId,
    pub fingerprint: Fingerprint,
    /// Until then the attempt counts as running.
    pub lease_until: DateTime<Utc>,
    /// Set by the transaction of the change itself.
    pub subject: Option<OperationSubject>,
    pub answer: Option<SealedAnswer>,
    pub created_at: DateTime<Utc>,
}

/// Keys in a store. Where a method names an attempt, it does nothing unless that attempt holds the key.
#[async_trait]
pub trait IdempotencyRepository: Send {
    /// Adds a key; `false`, and nothing stored, if the scope has it. Of many who try at once one succeeds.
    async fn insert(&mut self, record: &IdempotencyRecord) -> Result<bool, StoreError>;

    async fn get(
        &mut self,
        scope: &IdempotencyScope,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRecord>, StoreError>;

    /// Gives a key that nothing came of to another attempt. `Conflict` unless `from` holds it with the lease that
    /// was seen, and neither carried anything out nor answered.
    async fn take_over(
        &mut self,
        from: &IdempotencyRecord,
        to: OperationId,
        until: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// `false` if somebody else has taken the key over.
    async fn prolong(&mut self, operation: OperationId, until: DateTime<Utc>) -> Result<bool, StoreError>;

    /// Remembers what the operation made. Belongs into the transaction that makes it: `Conflict` if the key was
    /// taken over or given up meanwhile, and then nothing of that transaction may be stored.
    async fn carried_out(
        &mut self,
        operation: OperationId,
        subject: &OperationSubject,
    ) -> Result<(), StoreError>;

    async fn answer(&mut self, operation: OperationId, answer: &SealedAnswer) -> Result<(), StoreError>;

    /// Gives up a key under which nothing was carried out or answered.
    async fn release(&mut self, operation: OperationId) -> Result<(), StoreError>;

    /// Removes a key, whatever came of it.
    async fn remove(&mut self, operation: OperationId) -> Result<(), StoreError>;

    /// Removes at most `limit` keys from before `moment` whose lease has run out at `now`; says how many.
    async fn remove_older(
        &mut self,
        moment: DateTime<Utc>,
        now: DateTime<Utc>,
        limit: usize,
    ) -> Result<usize, StoreError>;
}
