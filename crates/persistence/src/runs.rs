//! Runs of sync and their items.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use onefold_domain::id::CustomerId;
use onefold_service::store::StoreError;
use onefold_sync::mapping::MappingId;
use onefold_sync::partner::PartnerId;
use onefold_sync::run::{ItemOutcome, Run, RunCounts, RunId, RunItem, RunKind, RunStatus};
use onefold_sync::store::{RunReader, RunRepository};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::NotSet, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::entities::sync_run::{self, Column};
use crate::entities::sync_run_item;
use crate::error::store_error;
use crate::records::known;
use crate::store::{SeaOrmStore, SeaOrmTransaction};
use crate::sync_rows::{external, fault, fault_columns, signed, system, unsigned};

/// Few enough at a time for the parameters that a statement may have.
const PIECE: usize = 1_000;

#[async_trait]
impl RunReader for SeaOrmStore {
    async fn get(&self, id: RunId) -> Result<Option<Run>, StoreError> {
        get(self.reader(), id).await
    }

    async fn list(&self, before: Option<RunId>, limit: usize) -> Result<Vec<Run>, StoreError> {
        // Ids begin with the moment they were made at.
        let mut list = sync_run::Entity::find().order_by_desc(Column::Id).limit(limit as u64);
        if let Some(before) = before {
            list = list.filter(Column::Id.lt(before.0));
        }
        let found = list.all(self.reader()).await.map_err(store_error)?;
        found.into_iter().map(run).collect::<Result<_, _>>().map_err(store_error)
    }

    async fn items(
        &self,
        id: RunId,
        from: u64,
        limit: usize,
        waiting: bool,
    ) -> Result<Vec<RunItem>, StoreError> {
        let mut list = sync_run_item::Entity::find()
            .filter(sync_run_item::Column::RunId.eq(id.0))
            .filter(sync_run_item::Column::Position.gte(signed(from)))
            .order_by_asc(sync_run_item::Column::Position)
            .limit(limit as u64);
        if waiting {
            list = list.filter(sync_run_item::Column::Action.is_null());
        }
        let found = list.all(self.reader()).await.map_err(store_error)?;
        found.into_iter().map(item).collect::<Result<_, _>>().map_err(store_error)
    }
}

#[async_trait]
impl RunRepository for SeaOrmTransaction {
    async fn get(&mut self, id: RunId) -> Result<Option<Run>, StoreError> {
        get(self.connection()?, id).await
    }

    async fn insert(&mut self, run: &Run, subjects: &[String]) -> Result<(), StoreError> {
        sync_run::Entity::insert(row(run))
            .exec_without_returning(self.connection()?)
            .await
            .map_err(store_error)?;
        let item = |(position, subject): (u64, &String)| RunItem {
            position,
            subject: subject.clone(),
            outcome: None,
        };
        let items: Vec<_> = (0..).zip(subjects).map(item).collect();
        self.put_items(run.id, &items).await
    }

    async fn update(&mut self, run: &Run) -> Result<(), StoreError> {
        let updated = sync_run::Entity::update_many()
            .set(sync_run::ActiveModel { id: NotSet, ..row(run) })
            .filter(Column::Id.eq(run.id.0))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        if updated.rows_affected == 1 { Ok(()) } else { Err(StoreError::Conflict) }
    }

    async fn put_items(&mut self, id: RunId, items: &[RunItem]) -> Result<(), StoreError> {
        use sync_run_item::Column;
        let instead = OnConflict::columns([Column::RunId, Column::Position])
            .update_columns([
                Column::Subject,
                Column::Action,
                Column::CustomerId,
                Column::MappingId,
                Column::ExternalId,
                Column::ErrorCode,
                Column::ErrorMessage,
                Column::Plan,
            ])
            .to_owned();
        for items in items.chunks(PIECE) {
            sync_run_item::Entity::insert_many(items.iter().map(|item| item_row(id, item)))
                .on_conflict(instead.clone())
                .exec_without_returning(self.connection()?)
                .await
                .map_err(store_error)?;
        }
        Ok(())
    }

    async fn forget_before(&mut self, moment: DateTime<Utc>, limit: usize) -> Result<(), StoreError> {
        let old: Vec<Uuid> = sync_run::Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::FinishedAt.lt(moment))
            .order_by_asc(Column::FinishedAt)
            .limit(limit as u64)
            .into_tuple()
            .all(self.connection()?)
            .await
            .map_err(store_error)?;
        for id in old {
            sync_run_item::Entity::delete_many()
                .filter(sync_run_item::Column::RunId.eq(id))
                .exec(self.connection()?)
                .await
                .map_err(store_error)?;
            sync_run::Entity::delete_by_id(id).exec(self.connection()?).await.map_err(store_error)?;
        }
        Ok(())
    }
}

async fn get(connection: &impl ConnectionTrait, id: RunId) -> Result<Option<Run>, StoreError> {
    let found = sync_run::Entity::find_by_id(id.0).one(connection).await.map_err(store_error)?;
    found.map(run).transpose().map_err(store_error)
}

fn run(model: sync_run::Model) -> Result<Run, DbErr> {
    Ok(Run {
        id: RunId(model.id),
        system: system(&model.system)?,
        kind: known(RunKind::parse(&model.kind), "kind")?,
        dry_run: model.dry_run,
        approved: model.approved,
        status: known(RunStatus::parse(&model.status), "status")?,
        counts: RunCounts {
            total: unsigned(model.items_total),
            succeeded: unsigned(model.items_succeeded),
            failed: unsigned(model.items_failed),
            skipped: unsigned(model.items_skipped),
            created: unsigned(model.items_created),
            pushed: unsigned(model.items_pushed),
            pulled: unsigned(model.items_pulled),
            unchanged: unsigned(model.items_unchanged),
            conflicts: unsigned(model.items_conflicts),
            stale: unsigned(model.items_stale),
            detached: unsigned(model.items_detached),
        },
        message: model.message,
        requested_by: model.requested_by,
        created_at: model.created_at,
        started_at: model.started_at,
        updated_at: model.updated_at,
        finished_at: model.finished_at,
    })
}

fn row(run: &Run) -> sync_run::ActiveModel {
    sync_run::ActiveModel {
        id: Set(run.id.0),
        system: Set(run.system.as_str().to_owned()),
        kind: Set(run.kind.as_str().to_owned()),
        dry_run: Set(run.dry_run),
        approved: Set(run.approved),
        status: Set(run.status.as_str().to_owned()),
        items_total: Set(signed(run.counts.total)),
        items_succeeded: Set(signed(run.counts.succeeded)),
        items_failed: Set(signed(run.counts.failed)),
        items_skipped: Set(signed(run.counts.skipped)),
        items_created: Set(signed(run.counts.created)),
        items_pushed: Set(signed(run.counts.pushed)),
        items_pulled: Set(signed(run.counts.pulled)),
        items_unchanged: Set(signed(run.counts.unchanged)),
        items_conflicts: Set(signed(run.counts.conflicts)),
        items_stale: Set(signed(run.counts.stale)),
        items_detached: Set(signed(run.counts.detached)),
        message: Set(run.message.clone()),
        requested_by: Set(run.requested_by.clone()),
        created_at: Set(run.created_at),
        started_at: Set(run.started_at),
        updated_at: Set(run.updated_at),
        finished_at: Set(run.finished_at),
    }
}

fn item(model: sync_run_item::Model) -> Result<RunItem, DbErr> {
    let plan = model.plan.as_deref().map(serde_json::from_str).transpose();
    let plan = plan.map_err(|_| DbErr::Type("a stored plan is none".to_owned()))?;
    let external = external(model.external_id)?;
    let outcome = model.action.map(|action| ItemOutcome {
        customer: model.customer_id.map(CustomerId),
        mapping: model.mapping_id.map(MappingId),
        external,
        action,
        error: fault(model.error_code, model.error_message),
        plan,
    });
    Ok(RunItem { position: unsigned(model.position), subject: model.subject, outcome })
}

fn item_row(run: RunId, item: &RunItem) -> sync_run_item::ActiveModel {
    let outcome = item.outcome.as_ref();
    let (error_code, error_message) = fault_columns(outcome.and_then(|outcome| outcome.error.as_ref()));
    let external = outcome.and_then(|outcome| outcome.external.as_ref()).map(PartnerId::as_str);
    sync_run_item::ActiveModel {
        run_id: Set(run.0),
        position: Set(signed(item.position)),
        subject: Set(item.subject.clone()),
        action: Set(outcome.map(|outcome| outcome.action.clone())),
        customer_id: Set(outcome.and_then(|outcome| outcome.customer).map(|customer| customer.0)),
        mapping_id: Set(outcome.and_then(|outcome| outcome.mapping).map(|mapping| mapping.0)),
        external_id: Set(external.map(str::to_owned)),
        error_code: Set(error_code),
        error_message: Set(error_message),
        plan: Set(outcome.and_then(|outcome| outcome.plan.as_ref()).map(ToString::to_string)),
    }
}
