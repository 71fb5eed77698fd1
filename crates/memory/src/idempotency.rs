//! Idempotency keys in memory.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::MemoryTransaction;
use onefold_service::operation::{
    IdempotencyKey, IdempotencyRecord, IdempotencyScope, OperationId, OperationSubject, SealedAnswer,
};
use onefold_service::store::{IdempotencyRepository, StoreError};

impl MemoryTransaction {
    fn held(&mut self, operation: OperationId) -> Option<&mut IdempotencyRecord> {
        let found = self.state.idempotency.iter().find(|(_, record)| record.operation == operation);
        let place = found.map(|(place, _)| place.clone())?;
        self.state.idempotency.get_mut(&place)
    }
}

#[async_trait]
impl IdempotencyRepository for MemoryTransaction {
    async fn insert(&mut self, record: &IdempotencyRecord) -> Result<bool, StoreError> {
        let place = (record.scope.clone(), record.key.clone());
        if self.state.idempotency.contains_key(&place) {
            return Ok(false);
        }
        self.state.idempotency.insert(place, record.clone());
        Ok(true)
    }

    async fn get(
        &mut self,
        scope: &IdempotencyScope,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        Ok(self.state.idempotency.get(&(scope.clone(), key.clone())).cloned())
    }

    async fn take_over(
        &mut self,
        from: &IdempotencyRecord,
        to: OperationId,
        until: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let free = |record: &&mut IdempotencyRecord| {
            record.subject.is_none() && record.answer.is_none() && record.lease_until == from.lease_until
        };
        let record = self.held(from.operation).filter(free).ok_or(StoreError::Conflict)?;
        record.operation = to;
        record.lease_until = until;
        Ok(())
    }

    async fn renew(&mut self, operation: OperationId, until: DateTime<Utc>) -> Result<bool, StoreError> {
        let held = self.held(operation);
        Ok(held.map(|record| record.lease_until = until).is_some())
    }

    async fn carried_out(
        &mut self,
        operation: OperationId,
        subject: &OperationSubject,
    ) -> Result<(), StoreError> {
        self.held(operation).ok_or(StoreError::Conflict)?.subject = Some(subject.clone());
        Ok(())
    }

    async fn answer(&mut self, operation: OperationId, answer: &SealedAnswer) -> Result<(), StoreError> {
        if let Some(record) = self.held(operation) {
            record.answer = Some(answer.clone());
        }
        Ok(())
    }

    async fn release(&mut self, operation: OperationId) -> Result<(), StoreError> {
        match self.held(operation) {
            Some(record) if record.subject.is_none() && record.answer.is_none() => {
                self.remove(operation).await
            }
            _ => Ok(()),
        }
    }

    async fn remove(&mut self, operation: OperationId) -> Result<(), StoreError> {
        self.state.idempotency.retain(|_, record| record.operation != operation);
        Ok(())
    }

    async fn remove_older(
        &mut self,
        moment: DateTime<Utc>,
        now: DateTime<Utc>,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let old = |record: &&IdempotencyRecord| record.created_at <= moment && record.lease_until <= now;
        let old: Vec<_> =
            self.state.idempotency.values().filter(old).take(limit).map(|record| record.operation).collect();
        for operation in &old {
            self.remove(*operation).await?;
        }
        Ok(old.len())
    }
}
