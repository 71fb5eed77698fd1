//! Idempotency keys in a store.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::operation::{
    IdempotencyKey, IdempotencyRecord, IdempotencyScope, OperationId, OperationSubject, SealedAnswer,
};
use crate::store::StoreError;

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
    async fn renew(&mut self, operation: OperationId, until: DateTime<Utc>) -> Result<bool, StoreError>;

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
