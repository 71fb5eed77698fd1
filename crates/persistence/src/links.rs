//! The record of merges.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use onefold_domain::contact::Statement;
use onefold_domain::id::{ContactId, CustomerId, LinkId};
use onefold_service::store::{LinkDraft, LinkRepository, StoreError};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::NotSet, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use crate::entities::link;
use crate::error::{store_error, unless_taken};
use crate::store::SeaOrmTransaction;

#[async_trait]
impl LinkRepository for SeaOrmTransaction {
    async fn insert(&mut self, draft: &LinkDraft) -> Result<(), StoreError> {
        let (statement, beside) = (&draft.statement, draft.beside.as_ref());
        let row = link::ActiveModel {
            id: NotSet,
            survivor_id: Set(draft.survivor.0),
            absorbed_id: Set(draft.absorbed.0),
            email: Set(statement.email().map(|email| email.as_str().to_owned())),
            phone: Set(statement.phone().map(|phone| phone.as_stored().to_owned())),
            user_id: Set(statement.user().map(|user| user.0)),
            contact_id: Set(draft.contact.map(|contact| contact.0)),
            after_contact_id: Set(draft.after.0),
            created_at: Set(draft.at),
            revoked_at: Set(None),
            customer_id: Set(draft.survivor.0),
            origin_hub: Set(draft.origin.map(|origin| origin.hub.0)),
            origin_number: Set(draft.origin.map(|origin| origin.number)),
            beside_email: Set(beside.and_then(Statement::email).map(|email| email.as_str().to_owned())),
            beside_phone: Set(beside.and_then(Statement::phone).map(|phone| phone.as_stored().to_owned())),
            source: Set(draft.source.map(|source| source.as_str().to_owned())),
        };
        // A join that comes from elsewhere may come with another file this moment.
        link::Entity::insert(row).exec_without_returning(self.connection()?).await.map_err(unless_taken)?;
        Ok(())
    }

    async fn revoke_of(&mut self, contact: ContactId, at: DateTime<Utc>) -> Result<(), StoreError> {
        link::Entity::update_many()
            .col_expr(link::Column::RevokedAt, Expr::value(at))
            .filter(link::Column::ContactId.eq(contact.0))
            .filter(link::Column::RevokedAt.is_null())
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }

    async fn revoke(&mut self, ids: &[LinkId], at: DateTime<Utc>) -> Result<(), StoreError> {
        link::Entity::update_many()
            .col_expr(link::Column::RevokedAt, Expr::value(at))
            .filter(link::Column::Id.is_in(ids.iter().map(|id| id.0)))
            .filter(link::Column::RevokedAt.is_null())
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }

    async fn refile(&mut self, ids: &[LinkId], customer: CustomerId) -> Result<(), StoreError> {
        link::Entity::update_many()
            .col_expr(link::Column::CustomerId, Expr::value(customer.0))
            .filter(link::Column::Id.is_in(ids.iter().map(|id| id.0)))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }
}
