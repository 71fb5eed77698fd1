//! The log of sync.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use onefold_domain::{
    CustomerId, LoggedAttempt, MappingId, PartnerField, RunId, StoreError, SyncAttempt, SyncLogFilter,
    SyncLogReader, SyncLogRepository, SyncOutcome,
};
use sea_orm::sea_query::Query;
use sea_orm::{
    ActiveValue::NotSet, ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, Order, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::entities::sync_log::{ActiveModel, Column, Entity, Model};
use crate::error::store_error;
use crate::records::known;
use crate::store::{SeaOrmStore, SeaOrmTransaction};
use crate::sync_rows::{external, fault, fault_columns, signed, system, unsigned};

/// Few enough at a time for the parameters that a statement may have.
const PIECE: usize = 1_000;

#[async_trait]
impl SyncLogReader for SeaOrmStore {
    async fn list(
        &self,
        filter: &SyncLogFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<LoggedAttempt>, StoreError> {
        let mut list = Entity::find().order_by_desc(Column::Id).limit(limit as u64);
        if let Some(before) = before {
            list = list.filter(Column::Id.lt(before));
        }
        if let Some(system) = filter.system {
            list = list.filter(Column::System.eq(system.as_str()));
        }
        if let Some(customer) = filter.customer {
            list = list.filter(Column::CustomerId.eq(customer.0));
        }
        if let Some(mapping) = filter.mapping {
            list = list.filter(Column::MappingId.eq(mapping.0));
        }
        if let Some(outcome) = filter.outcome {
            list = list.filter(Column::Outcome.eq(outcome.as_str()));
        }
        let found = list.all(self.reader()).await.map_err(store_error)?;
        found.into_iter().map(logged).collect::<Result<_, _>>().map_err(store_error)
    }
}

#[async_trait]
impl SyncLogRepository for SeaOrmTransaction {
    async fn append(&mut self, attempts: &[SyncAttempt]) -> Result<(), StoreError> {
        for attempts in attempts.chunks(PIECE) {
            Entity::insert_many(attempts.iter().map(row))
                .exec_without_returning(self.connection()?)
                .await
                .map_err(store_error)?;
        }
        Ok(())
    }

    async fn forget_before(&mut self, moment: DateTime<Utc>, limit: usize) -> Result<(), StoreError> {
        // Neither database has a limit for what is deleted.
        let old = Query::select()
            .column(Column::Id)
            .from(Entity)
            .and_where(Column::HappenedAt.lt(moment))
            .order_by(Column::HappenedAt, Order::Asc)
            .limit(limit as u64)
            .to_owned();
        Entity::delete_many()
            .filter(Column::Id.in_subquery(old))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }
}

fn logged(model: Model) -> Result<LoggedAttempt, DbErr> {
    let attempt = SyncAttempt {
        at: model.happened_at,
        system: system(&model.system)?,
        mapping: model.mapping_id.map(MappingId),
        customer: model.customer_id.map(CustomerId),
        external: external(model.external_id)?,
        run: model.run_id.map(RunId),
        by: model.actor,
        outcome: known(SyncOutcome::parse(&model.outcome), "outcome")?,
        pushed: fields(&model.pushed)?,
        pulled: fields(&model.pulled)?,
        error: fault(model.error_code, model.error_message),
        took_ms: unsigned(model.took_ms),
    };
    Ok(LoggedAttempt { number: model.id, attempt })
}

fn row(attempt: &SyncAttempt) -> ActiveModel {
    let (error_code, error_message) = fault_columns(attempt.error.as_ref());
    ActiveModel {
        id: NotSet,
        happened_at: Set(attempt.at),
        system: Set(attempt.system.as_str().to_owned()),
        mapping_id: Set(attempt.mapping.map(|mapping| mapping.0)),
        customer_id: Set(attempt.customer.map(|customer| customer.0)),
        external_id: Set(attempt.external.as_ref().map(|external| external.as_str().to_owned())),
        run_id: Set(attempt.run.map(|run| run.0)),
        actor: Set(attempt.by.clone()),
        outcome: Set(attempt.outcome.as_str().to_owned()),
        pushed: Set(names(&attempt.pushed)),
        pulled: Set(names(&attempt.pulled)),
        error_code: Set(error_code),
        error_message: Set(error_message),
        took_ms: Set(signed(attempt.took_ms)),
    }
}

/// Names that only a later version knows are left out.
fn fields(text: &str) -> Result<Vec<PartnerField>, DbErr> {
    let names: Option<Vec<String>> = serde_json::from_str(text).ok();
    let names = known(names, "list of fields")?;
    Ok(names.iter().filter_map(|name| PartnerField::parse(name)).collect())
}

fn names(fields: &[PartnerField]) -> String {
    let names: Vec<_> = fields.iter().map(|field| field.as_str()).collect();
    serde_json::json!(names).to_string()
}
