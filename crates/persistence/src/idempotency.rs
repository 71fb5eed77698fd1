//! Idempotency keys. That a scope has a key once is the primary key's doing; everything else is an update of the
//! row that an attempt holds.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use onefold_service::operation::{
    Fingerprint, IdempotencyKey, IdempotencyRecord, IdempotencyScope, OperationId, OperationSubject,
    SealedAnswer,
};
use onefold_service::store::{IdempotencyRepository, StoreError};
use sea_orm::sea_query::{Expr, OnConflict, Query};
use sea_orm::{ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, QueryFilter, UpdateMany};

use crate::entities::idempotency::{ActiveModel, Column, Entity, Model};
use crate::error::store_error;
use crate::store::SeaOrmTransaction;

impl SeaOrmTransaction {
    /// How many rows there were; at most one, since attempts are unique.
    async fn changed(&self, update: UpdateMany<Entity>) -> Result<bool, StoreError> {
        let done = update.exec(self.connection()?).await.map_err(store_error)?;
        Ok(done.rows_affected > 0)
    }
}

fn of(operation: OperationId) -> UpdateMany<Entity> {
    Entity::update_many().filter(Column::OperationId.eq(operation.0))
}

#[async_trait]
impl IdempotencyRepository for SeaOrmTransaction {
    async fn insert(&mut self, record: &IdempotencyRecord) -> Result<bool, StoreError> {
        let inserted = Entity::insert_many([row(record)])
            // Waits for the one who is just inserting it, and then finds it there.
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(inserted == 1)
    }

    async fn get(
        &mut self,
        scope: &IdempotencyScope,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        let place = (scope.as_str().to_owned(), key.as_str().to_owned());
        let found = Entity::find_by_id(place).one(self.connection()?).await.map_err(store_error)?;
        found.map(record).transpose().map_err(store_error)
    }

    async fn take_over(
        &mut self,
        from: &IdempotencyRecord,
        to: OperationId,
        until: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let update = of(from.operation)
            .col_expr(Column::OperationId, Expr::value(to.0))
            .col_expr(Column::LeaseUntil, Expr::value(until))
            .filter(Column::LeaseUntil.eq(from.lease_until))
            .filter(Column::SubjectKind.is_null())
            .filter(Column::Answer.is_null());
        if self.changed(update).await? { Ok(()) } else { Err(StoreError::Conflict) }
    }

    async fn renew(&mut self, operation: OperationId, until: DateTime<Utc>) -> Result<bool, StoreError> {
        self.changed(of(operation).col_expr(Column::LeaseUntil, Expr::value(until))).await
    }

    async fn carried_out(
        &mut self,
        operation: OperationId,
        subject: &OperationSubject,
    ) -> Result<(), StoreError> {
        // The row stays locked until the change is committed: nobody takes the key over or gives it up meanwhile.
        let update = of(operation)
            .col_expr(Column::SubjectKind, Expr::value(subject.kind.as_str()))
            .col_expr(Column::SubjectId, Expr::value(subject.id.as_str()));
        if self.changed(update).await? { Ok(()) } else { Err(StoreError::Conflict) }
    }

    async fn answer(&mut self, operation: OperationId, answer: &SealedAnswer) -> Result<(), StoreError> {
        self.changed(of(operation).col_expr(Column::Answer, Expr::value(answer.0.clone()))).await.map(drop)
    }

    async fn release(&mut self, operation: OperationId) -> Result<(), StoreError> {
        Entity::delete_many()
            .filter(Column::OperationId.eq(operation.0))
            .filter(Column::SubjectKind.is_null())
            .filter(Column::Answer.is_null())
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }

    async fn remove(&mut self, operation: OperationId) -> Result<(), StoreError> {
        Entity::delete_many()
            .filter(Column::OperationId.eq(operation.0))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }

    async fn remove_older(
        &mut self,
        moment: DateTime<Utc>,
        now: DateTime<Utc>,
        limit: usize,
    ) -> Result<usize, StoreError> {
        // Neither database has a limit for what is deleted.
        let old = Query::select()
            .column(Column::OperationId)
            .from(Entity)
            .and_where(Column::CreatedAt.lte(moment))
            .and_where(Column::LeaseUntil.lte(now))
            .limit(limit as u64)
            .to_owned();
        let removed = Entity::delete_many()
            .filter(Column::OperationId.in_subquery(old))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(usize::try_from(removed.rows_affected).unwrap_or(usize::MAX))
    }
}

fn record(model: Model) -> Result<IdempotencyRecord, DbErr> {
    let fingerprint = model.fingerprint.try_into().map(Fingerprint);
    let subject = model.subject_kind.zip(model.subject_id);
    Ok(IdempotencyRecord {
        scope: IdempotencyScope::from_stored(model.scope),
        key: IdempotencyKey::from_stored(model.idempotency_key),
        operation: OperationId(model.operation_id),
        fingerprint: fingerprint.map_err(|_| DbErr::Type("a stored fingerprint is none".to_owned()))?,
        lease_until: model.lease_until,
        subject: subject.map(|(kind, id)| OperationSubject { kind, id }),
        answer: model.answer.map(SealedAnswer),
        created_at: model.created_at,
    })
}

fn row(record: &IdempotencyRecord) -> ActiveModel {
    let subject = record.subject.clone();
    ActiveModel {
        scope: Set(record.scope.as_str().to_owned()),
        idempotency_key: Set(record.key.as_str().to_owned()),
        operation_id: Set(record.operation.0),
        fingerprint: Set(record.fingerprint.0.to_vec()),
        lease_until: Set(record.lease_until),
        subject_kind: Set(subject.as_ref().map(|subject| subject.kind.clone())),
        subject_id: Set(subject.map(|subject| subject.id)),
        answer: Set(record.answer.clone().map(|answer| answer.0)),
        created_at: Set(record.created_at),
    }
}
