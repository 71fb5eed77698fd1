//! Mappings. Which contact a mapping hangs on is stored; which customer has it is looked up, since merges and
//! splits move contacts without a word to sync.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use onefold_domain::id::CustomerId;
use onefold_service::store::StoreError;
use onefold_service::system::SyncSystem;
use onefold_sync::mapping::{DetachReason, Mapping, MappingId, MappingStatus, PlacedMapping};
use onefold_sync::partner::PartnerId;
use onefold_sync::store::{MappingReader, MappingRepository};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::NotSet, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait,
    QueryFilter, QueryOrder, QuerySelect, Select,
};
use uuid::Uuid;

use crate::entities::sync_mapping::{ActiveModel, Column, Entity};
use crate::error::{store_error, unless_taken};
use crate::mapping_rows::{fetch, hanging_on, listed, mapping, of_these, row};
use crate::records::known;
use crate::store::{SeaOrmStore, SeaOrmTransaction};
use crate::sync_rows::unsigned;

/// How many ids go into one statement, whose parameters are limited.
const PIECE: usize = 1_000;

#[async_trait]
impl MappingReader for SeaOrmStore {
    async fn get(&self, id: MappingId) -> Result<Option<Mapping>, StoreError> {
        one(self.reader(), Entity::find_by_id(id.0)).await
    }

    async fn of_customer(
        &self,
        system: SyncSystem,
        customer: CustomerId,
    ) -> Result<Vec<Mapping>, StoreError> {
        oldest_first(self.reader(), filed_under(system, customer)).await
    }

    async fn of_customers(
        &self,
        system: SyncSystem,
        customers: &[CustomerId],
    ) -> Result<Vec<Mapping>, StoreError> {
        let mut found = Vec::new();
        for customers in customers.chunks(PIECE) {
            let some = Entity::find()
                .filter(Column::CustomerId.is_in(customers.iter().map(|customer| customer.0)))
                .filter(Column::System.eq(system.as_str()));
            found.extend(oldest_first(self.reader(), some).await?);
        }
        Ok(found)
    }

    async fn of_partner(
        &self,
        system: SyncSystem,
        external: &PartnerId,
    ) -> Result<Option<Mapping>, StoreError> {
        one(self.reader(), of_record(system, external)).await
    }

    async fn of_partners(
        &self,
        system: SyncSystem,
        externals: &[PartnerId],
    ) -> Result<Vec<PlacedMapping>, StoreError> {
        let mut found = Vec::new();
        for externals in externals.chunks(PIECE) {
            found.extend(fetch(self.reader(), &of_these(system, externals)).await?);
        }
        Ok(found)
    }

    async fn list(
        &self,
        system: SyncSystem,
        after: Option<MappingId>,
        limit: usize,
    ) -> Result<Vec<PlacedMapping>, StoreError> {
        fetch(self.reader(), &listed(system, after, limit)).await
    }

    async fn counts(&self, system: SyncSystem) -> Result<Vec<(MappingStatus, u64)>, StoreError> {
        let found: Vec<(String, i64)> = Entity::find()
            .select_only()
            .column(Column::Status)
            .column_as(Column::Id.count(), "mappings")
            .filter(Column::System.eq(system.as_str()))
            .group_by(Column::Status)
            .into_tuple()
            .all(self.reader())
            .await
            .map_err(store_error)?;
        let count = |(status, mappings): (String, i64)| {
            Ok((known(MappingStatus::parse(&status), "status")?, unsigned(mappings)))
        };
        found.into_iter().map(count).collect::<Result<_, DbErr>>().map_err(store_error)
    }
}

#[async_trait]
impl MappingRepository for SeaOrmTransaction {
    async fn get(&mut self, id: MappingId) -> Result<Option<Mapping>, StoreError> {
        one(self.connection()?, Entity::find_by_id(id.0)).await
    }

    async fn of_customer(
        &mut self,
        system: SyncSystem,
        customer: CustomerId,
    ) -> Result<Vec<Mapping>, StoreError> {
        oldest_first(self.connection()?, filed_under(system, customer)).await
    }

    async fn of_partner(
        &mut self,
        system: SyncSystem,
        external: &PartnerId,
    ) -> Result<Option<Mapping>, StoreError> {
        one(self.connection()?, of_record(system, external)).await
    }

    async fn hanging_on(
        &mut self,
        system: SyncSystem,
        customer: CustomerId,
    ) -> Result<Vec<Mapping>, StoreError> {
        let hanging = Entity::find().filter(Column::Id.in_subquery(hanging_on(customer)));
        let mut found = oldest_first(self.connection()?, hanging).await?;
        found.retain(|mapping| mapping.system == system);
        Ok(found)
    }

    async fn mapped(
        &mut self,
        system: SyncSystem,
        customers: &[CustomerId],
    ) -> Result<Vec<CustomerId>, StoreError> {
        // One that stepped aside for the customer's other record may lead again; one that is gone or withdrawn may not.
        let may_come_back = Condition::any()
            .add(Column::DetachReason.is_null())
            .add(Column::DetachReason.eq(DetachReason::Merged.as_str()));
        let mut mapped = Vec::new();
        for customers in customers.chunks(PIECE) {
            let found: Vec<Uuid> = Entity::find()
                .select_only()
                .column(Column::CustomerId)
                .distinct()
                .filter(Column::System.eq(system.as_str()))
                .filter(Column::CustomerId.is_in(customers.iter().map(|customer| customer.0)))
                .filter(may_come_back.clone())
                .into_tuple()
                .all(self.connection()?)
                .await
                .map_err(store_error)?;
            mapped.extend(found.into_iter().map(CustomerId));
        }
        Ok(mapped)
    }

    async fn insert(&mut self, mapping: &Mapping) -> Result<bool, StoreError> {
        let inserted = Entity::insert_many([row(mapping)])
            // A caught violation would spoil a PostgreSQL transaction; a row that is missing does not.
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(inserted == 1)
    }

    async fn update(&mut self, mapping: &Mapping) -> Result<(), StoreError> {
        let changed = ActiveModel {
            id: NotSet,
            lease_owner: NotSet,
            lease_until: NotSet,
            version: Set(mapping.version + 1),
            ..row(mapping)
        };
        let updated = Entity::update_many()
            .set(changed)
            .filter(Column::Id.eq(mapping.id.0))
            .filter(Column::Version.eq(mapping.version))
            .exec(self.connection()?)
            .await
            .map_err(unless_taken)?;
        if updated.rows_affected == 1 { Ok(()) } else { Err(StoreError::Conflict) }
    }

    async fn lease(
        &mut self,
        id: MappingId,
        owner: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Mapping>, StoreError> {
        let free = Condition::any()
            .add(Column::LeaseOwner.is_null())
            .add(Column::LeaseOwner.eq(owner))
            .add(Column::LeaseUntil.lte(now));
        // The condition is part of the update: of two who read a free lease, both would write theirs.
        let taken = Entity::update_many()
            .col_expr(Column::LeaseOwner, Expr::value(owner))
            .col_expr(Column::LeaseUntil, Expr::value(until))
            .filter(Column::Id.eq(id.0))
            .filter(free)
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        if taken.rows_affected == 0 {
            return Ok(None);
        }
        one(self.connection()?, Entity::find_by_id(id.0)).await
    }

    async fn release(&mut self, id: MappingId, owner: Uuid) -> Result<(), StoreError> {
        Entity::update_many()
            .col_expr(Column::LeaseOwner, Expr::value(Option::<Uuid>::None))
            .col_expr(Column::LeaseUntil, Expr::value(Option::<DateTime<Utc>>::None))
            .filter(Column::Id.eq(id.0))
            .filter(Column::LeaseOwner.eq(owner))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }
}

fn filed_under(system: SyncSystem, customer: CustomerId) -> Select<Entity> {
    Entity::find().filter(Column::System.eq(system.as_str())).filter(Column::CustomerId.eq(customer.0))
}

fn of_record(system: SyncSystem, external: &PartnerId) -> Select<Entity> {
    Entity::find().filter(Column::System.eq(system.as_str())).filter(Column::ExternalId.eq(external.as_str()))
}

async fn one(connection: &impl ConnectionTrait, of: Select<Entity>) -> Result<Option<Mapping>, StoreError> {
    let found = of.one(connection).await.map_err(store_error)?;
    found.map(mapping).transpose().map_err(store_error)
}

async fn oldest_first(
    connection: &impl ConnectionTrait,
    of: Select<Entity>,
) -> Result<Vec<Mapping>, StoreError> {
    let ordered = of.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id);
    let found = ordered.all(connection).await.map_err(store_error)?;
    found.into_iter().map(mapping).collect::<Result<_, _>>().map_err(store_error)
}
