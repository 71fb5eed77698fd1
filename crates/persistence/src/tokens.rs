//! Access tokens.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use onefold_domain::id::UserId;
use onefold_service::store::{StoreError, TokenReader, TokenRepository};
use onefold_service::token::{
    Abilities, Ability, AccessToken, NewToken, TokenExpiry, TokenHash, TokenId, TokenName,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::NotSet, ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use crate::entities::access_token::{ActiveModel, Column, Entity, Model};
use crate::error::store_error;
use crate::records::known;
use crate::store::{SeaOrmStore, SeaOrmTransaction};

#[async_trait]
impl TokenReader for SeaOrmStore {
    async fn get(&self, id: TokenId) -> Result<Option<(AccessToken, TokenHash)>, StoreError> {
        let found = Entity::find_by_id(id.0).filter(Column::RevokedAt.is_null()).one(self.reader()).await;
        found.and_then(|row| row.map(with_hash).transpose()).map_err(store_error)
    }

    async fn by_hash(&self, hash: &TokenHash) -> Result<Option<(AccessToken, TokenHash)>, StoreError> {
        let found = Entity::find()
            .filter(Column::Hash.eq(hash.to_hex()))
            .filter(Column::RevokedAt.is_null())
            .one(self.reader())
            .await;
        found.and_then(|row| row.map(with_hash).transpose()).map_err(store_error)
    }

    async fn list(&self, after: Option<TokenId>, limit: usize) -> Result<Vec<AccessToken>, StoreError> {
        let found = Entity::find()
            .filter(Column::RevokedAt.is_null())
            .filter(Column::Id.gt(after.map_or(0, |id| id.0)))
            .order_by_asc(Column::Id)
            .limit(limit as u64)
            .all(self.reader())
            .await
            .map_err(store_error)?;
        found.into_iter().map(token).collect::<Result<_, _>>().map_err(store_error)
    }
}

#[async_trait]
impl TokenRepository for SeaOrmTransaction {
    async fn insert(
        &mut self,
        new: &NewToken,
        hash: &TokenHash,
        at: DateTime<Utc>,
    ) -> Result<AccessToken, StoreError> {
        let row = ActiveModel {
            id: NotSet,
            name: Set(new.name.as_str().to_owned()),
            hash: Set(hash.to_hex()),
            abilities: Set(names(&new.abilities)),
            user_id: Set(new.user.map(|user| user.0)),
            expires_at: Set(new.expires_at.map(TokenExpiry::moment)),
            last_used_at: Set(None),
            created_at: Set(at),
            revoked_at: Set(None),
        };
        let row = row.insert(self.connection()?).await.map_err(store_error)?;
        token(row).map_err(store_error)
    }

    async fn by_hash(&mut self, hash: &TokenHash) -> Result<Option<AccessToken>, StoreError> {
        let found = Entity::find().filter(Column::Hash.eq(hash.to_hex())).one(self.connection()?).await;
        found.and_then(|row| row.map(token).transpose()).map_err(store_error)
    }

    async fn exist(&mut self) -> Result<bool, StoreError> {
        let found = Entity::find().filter(Column::RevokedAt.is_null()).one(self.connection()?).await;
        Ok(found.map_err(store_error)?.is_some())
    }

    async fn revoke(&mut self, id: TokenId, at: DateTime<Utc>) -> Result<Option<AccessToken>, StoreError> {
        let revoked = Entity::update_many()
            .set(ActiveModel { revoked_at: Set(Some(at)), ..Default::default() })
            .filter(Column::Id.eq(id.0))
            .filter(Column::RevokedAt.is_null())
            .exec_with_returning(self.connection()?)
            .await
            .map_err(store_error)?;
        revoked.into_iter().next().map(token).transpose().map_err(store_error)
    }

    async fn touch(&mut self, id: TokenId, at: DateTime<Utc>) -> Result<(), StoreError> {
        Entity::update_many()
            .set(ActiveModel { last_used_at: Set(Some(at)), ..Default::default() })
            .filter(Column::Id.eq(id.0))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }
}

fn with_hash(row: Model) -> Result<(AccessToken, TokenHash), DbErr> {
    let hash = known(TokenHash::from_hex(&row.hash), "hash of a token")?;
    Ok((token(row)?, hash))
}

fn token(row: Model) -> Result<AccessToken, DbErr> {
    Ok(AccessToken {
        id: TokenId(row.id),
        name: TokenName::from_stored(row.name),
        abilities: abilities(&row.abilities)?,
        user: row.user_id.map(UserId),
        expires_at: row.expires_at,
        last_used_at: row.last_used_at,
        created_at: row.created_at,
    })
}

/// Names that only a later version knows permit nothing here.
fn abilities(text: &str) -> Result<Abilities, DbErr> {
    let names: Option<Vec<String>> = serde_json::from_str(text).ok();
    let names = known(names, "list of abilities")?;
    Ok(names.iter().filter_map(|name| Ability::parse(name)).collect())
}

fn names(abilities: &Abilities) -> String {
    let names: Vec<_> = abilities.iter().map(Ability::as_str).collect();
    serde_json::json!(names).to_string()
}
