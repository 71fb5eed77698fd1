//! Conflicts of sync.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use onefold_domain::id::CustomerId;
use onefold_service::store::StoreError;
use onefold_sync::conflict::{
    Conflict, ConflictDraft, ConflictFilter, ConflictId, ConflictStatus, ConflictSubject,
};
use onefold_sync::mapping::MappingId;
use onefold_sync::rules::FieldRule;
use onefold_sync::store::{ConflictReader, ConflictRepository};
use onefold_sync::view::SyncText;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::NotSet, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use crate::entities::sync_conflict::{ActiveModel, Column, Entity, Model};
use crate::error::store_error;
use crate::records::known;
use crate::store::{SeaOrmStore, SeaOrmTransaction};
use crate::sync_rows::system;

#[async_trait]
impl ConflictReader for SeaOrmStore {
    async fn get(&self, id: ConflictId) -> Result<Option<Conflict>, StoreError> {
        get(self.reader(), id).await
    }

    async fn list(
        &self,
        filter: &ConflictFilter,
        after: Option<ConflictId>,
        limit: usize,
    ) -> Result<Vec<Conflict>, StoreError> {
        let mut list = Entity::find()
            .filter(Column::Id.gt(after.map_or(0, |id| id.0)))
            .order_by_asc(Column::Id)
            .limit(limit as u64);
        if let Some(system) = filter.system {
            list = list.filter(Column::System.eq(system.as_str()));
        }
        if let Some(status) = filter.status {
            list = list.filter(Column::Status.eq(status.as_str()));
        }
        if let Some(customer) = filter.customer {
            list = list.filter(Column::CustomerId.eq(customer.0));
        }
        if let Some(mapping) = filter.mapping {
            list = list.filter(Column::MappingId.eq(mapping.0));
        }
        conflicts(list.all(self.reader()).await)
    }
}

#[async_trait]
impl ConflictRepository for SeaOrmTransaction {
    async fn get(&mut self, id: ConflictId) -> Result<Option<Conflict>, StoreError> {
        get(self.connection()?, id).await
    }

    async fn open_of(&mut self, mapping: MappingId) -> Result<Vec<Conflict>, StoreError> {
        let open = Entity::find()
            .filter(Column::MappingId.eq(mapping.0))
            .filter(Column::Status.eq(ConflictStatus::Open.as_str()))
            .order_by_asc(Column::Id);
        conflicts(open.all(self.connection()?).await)
    }

    async fn put(&mut self, draft: &ConflictDraft) -> Result<ConflictId, StoreError> {
        // Only those that are open are in that index, so that all others are added. Its condition is a part of
        // the text: PostgreSQL recognizes the index by it before it knows any parameter.
        let instead = OnConflict::columns([Column::MappingId, Column::Subject])
            .target_and_where(Expr::cust("status = 'open'"))
            .update_columns([
                Column::System,
                Column::CustomerId,
                Column::BaseValue,
                Column::LocalValue,
                Column::RemoteValue,
                Column::Rule,
            ])
            .to_owned();
        let stored = Entity::insert(row(draft))
            .on_conflict(instead)
            .exec_with_returning(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(ConflictId(stored.id))
    }

    async fn resolve(
        &mut self,
        id: ConflictId,
        resolution: &str,
        by: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let resolved = Entity::update_many()
            .col_expr(Column::Status, Expr::value(ConflictStatus::Resolved.as_str()))
            .col_expr(Column::Resolution, Expr::value(resolution))
            .col_expr(Column::ResolvedBy, Expr::value(by))
            .col_expr(Column::ResolvedAt, Expr::value(at))
            .filter(Column::Id.eq(id.0))
            .filter(Column::Status.ne(ConflictStatus::Resolved.as_str()))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        if resolved.rows_affected == 1 { Ok(()) } else { Err(StoreError::Conflict) }
    }
}

async fn get(connection: &impl ConnectionTrait, id: ConflictId) -> Result<Option<Conflict>, StoreError> {
    let found = Entity::find_by_id(id.0).one(connection).await.map_err(store_error)?;
    found.map(conflict).transpose().map_err(store_error)
}

fn conflicts(found: Result<Vec<Model>, DbErr>) -> Result<Vec<Conflict>, StoreError> {
    found.and_then(|rows| rows.into_iter().map(conflict).collect()).map_err(store_error)
}

fn conflict(model: Model) -> Result<Conflict, DbErr> {
    let text = |text: Option<String>| text.as_deref().and_then(SyncText::new);
    let rule = |name: &str| known(FieldRule::parse(name), "rule");
    Ok(Conflict {
        id: ConflictId(model.id),
        mapping: MappingId(model.mapping_id),
        system: system(&model.system)?,
        customer: CustomerId(model.customer_id),
        subject: known(ConflictSubject::parse(&model.subject), "subject")?,
        base: text(model.base_value),
        local: text(model.local_value),
        remote: text(model.remote_value),
        status: known(ConflictStatus::parse(&model.status), "status")?,
        rule: model.rule.as_deref().map(rule).transpose()?,
        resolution: model.resolution,
        resolved_by: model.resolved_by,
        created_at: model.created_at,
        resolved_at: model.resolved_at,
    })
}

fn row(draft: &ConflictDraft) -> ActiveModel {
    let text = |text: &Option<SyncText>| text.as_ref().map(|text| text.as_str().to_owned());
    ActiveModel {
        id: NotSet,
        mapping_id: Set(draft.mapping.0),
        system: Set(draft.system.as_str().to_owned()),
        customer_id: Set(draft.customer.0),
        subject: Set(draft.subject.as_str().to_owned()),
        base_value: Set(text(&draft.base)),
        local_value: Set(text(&draft.local)),
        remote_value: Set(text(&draft.remote)),
        status: Set(draft.status.as_str().to_owned()),
        rule: Set(draft.rule.map(|rule| rule.as_str().to_owned())),
        resolution: Set(None),
        resolved_by: Set(None),
        created_at: Set(draft.at),
        resolved_at: Set(None),
    }
}
