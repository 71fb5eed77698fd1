//! Users, and webhook calls that were handled.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use onefold_domain::id::UserId;
use onefold_service::store::{DeliveryRepository, StoreError, UserReader, UserRepository};
use onefold_service::user::{ExternalId, User};
use sea_orm::sea_query::{OnConflict, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::entities::{user_account, webhook_delivery};
use crate::error::store_error;
use crate::records::{profile, profile_text};
use crate::store::{SeaOrmStore, SeaOrmTransaction};

#[async_trait]
impl UserReader for SeaOrmStore {
    async fn get(&self, id: UserId) -> Result<Option<User>, StoreError> {
        get(self.reader(), id).await
    }

    async fn by_external_id(&self, id: &ExternalId) -> Result<Option<User>, StoreError> {
        by_external_id(self.reader(), id).await
    }

    async fn get_many(&self, ids: &[UserId]) -> Result<Vec<User>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = user_account::Column::Id.is_in(ids.iter().map(|id| id.0));
        let found = user_account::Entity::find().filter(wanted).all(self.reader()).await;
        users(found.map_err(store_error)?)
    }

    async fn list(&self, after: Option<UserId>, limit: usize) -> Result<Vec<User>, StoreError> {
        let mut list = user_account::Entity::find();
        if let Some(after) = after {
            list = list.filter(user_account::Column::Id.gt(after.0));
        }
        let list = list.order_by_asc(user_account::Column::Id).limit(limit as u64);
        users(list.all(self.reader()).await.map_err(store_error)?)
    }
}

async fn get(connection: &impl ConnectionTrait, id: UserId) -> Result<Option<User>, StoreError> {
    let found = user_account::Entity::find_by_id(id.0).one(connection).await.map_err(store_error)?;
    found.map(user).transpose().map_err(store_error)
}

async fn by_external_id(
    connection: &impl ConnectionTrait,
    id: &ExternalId,
) -> Result<Option<User>, StoreError> {
    let found = user_account::Entity::find()
        .filter(user_account::Column::ExternalId.eq(id.as_str()))
        .one(connection)
        .await
        .map_err(store_error)?;
    found.map(user).transpose().map_err(store_error)
}

fn users(models: Vec<user_account::Model>) -> Result<Vec<User>, StoreError> {
    models.into_iter().map(user).collect::<Result<_, _>>().map_err(store_error)
}

fn user(model: user_account::Model) -> Result<User, DbErr> {
    Ok(User {
        id: UserId(model.id),
        external_id: model.external_id.map(ExternalId::from_stored),
        profile: profile(model.profile.as_deref())?,
        created_at: model.created_at,
        updated_at: model.updated_at,
    })
}

#[async_trait]
impl UserRepository for SeaOrmTransaction {
    async fn get(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        get(self.connection()?, id).await
    }

    async fn by_external_id(&mut self, id: &ExternalId) -> Result<Option<User>, StoreError> {
        by_external_id(self.connection()?, id).await
    }

    async fn insert(&mut self, user: &User) -> Result<bool, StoreError> {
        let row = user_account::ActiveModel {
            id: Set(user.id.0),
            external_id: Set(user.external_id.as_ref().map(|id| id.as_str().to_owned())),
            profile: Set(profile_text(user.profile.as_ref())),
            created_at: Set(user.created_at),
            updated_at: Set(user.updated_at),
        };
        let inserted = user_account::Entity::insert_many([row])
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(inserted == 1)
    }

    async fn update(&mut self, user: &User) -> Result<(), StoreError> {
        let row = user_account::ActiveModel {
            id: Set(user.id.0),
            external_id: Set(user.external_id.as_ref().map(|id| id.as_str().to_owned())),
            profile: Set(profile_text(user.profile.as_ref())),
            created_at: Set(user.created_at),
            // As it is told: a file may know of an earlier moment than that at which its user came here. But no
            // record changes before it was made.
            updated_at: Set(user.updated_at.max(user.created_at)),
        };
        if let Some(external) = &user.external_id {
            let holder = by_external_id(self.connection()?, external).await?;
            if holder.is_some_and(|holder| holder.id != user.id) {
                return Err(StoreError::Conflict);
            }
        }
        let updated = user_account::Entity::update_many()
            .set(row)
            .filter(user_account::Column::Id.eq(user.id.0))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        if updated.rows_affected == 1 { Ok(()) } else { Err(StoreError::Conflict) }
    }

    async fn existing(&mut self, ids: &[UserId]) -> Result<Vec<UserId>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found: Vec<Uuid> = user_account::Entity::find()
            .select_only()
            .column(user_account::Column::Id)
            .filter(user_account::Column::Id.is_in(ids.iter().map(|id| id.0)))
            .into_tuple()
            .all(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(found.into_iter().map(UserId).collect())
    }

    async fn by_external_ids(&mut self, ids: &[ExternalId]) -> Result<Vec<(ExternalId, UserId)>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = user_account::Column::ExternalId.is_in(ids.iter().map(ExternalId::as_str));
        let found = user_account::Entity::find().filter(wanted).all(self.connection()?).await;
        let named = |user: User| user.external_id.map(|external| (external, user.id));
        Ok(users(found.map_err(store_error)?)?.into_iter().filter_map(named).collect())
    }
}

#[async_trait]
impl DeliveryRepository for SeaOrmTransaction {
    async fn remember(&mut self, source: &str, id: &str, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let row = webhook_delivery::ActiveModel {
            source: Set(source.to_owned()),
            id: Set(id.to_owned()),
            created_at: Set(at),
        };
        let inserted = webhook_delivery::Entity::insert_many([row])
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(inserted == 1)
    }

    async fn forget_before(
        &mut self,
        source: &str,
        moment: DateTime<Utc>,
        limit: usize,
    ) -> Result<(), StoreError> {
        use webhook_delivery::Column;
        // Neither database has a limit for what is deleted.
        let old = Query::select()
            .column(Column::Id)
            .from(webhook_delivery::Entity)
            .and_where(Column::Source.eq(source))
            .and_where(Column::CreatedAt.lt(moment))
            .limit(limit as u64)
            .to_owned();
        webhook_delivery::Entity::delete_many()
            .filter(Column::Source.eq(source))
            .filter(Column::Id.in_subquery(old))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }
}
