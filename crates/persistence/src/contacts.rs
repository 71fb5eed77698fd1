//! Contacts.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use onefold_domain::{BlockRule, ContactDraft, ContactId, ContactRepository, CustomerId, StoreError};
use sea_orm::{ActiveValue::NotSet, ActiveValue::Set, EntityTrait};

use crate::entities::contact;
use crate::error::store_error;
use crate::store::SeaOrmTransaction;

#[async_trait]
impl ContactRepository for SeaOrmTransaction {
    async fn insert(
        &mut self,
        draft: &ContactDraft,
        customer: CustomerId,
        at: DateTime<Utc>,
    ) -> Result<ContactId, StoreError> {
        let ContactDraft { statement, .. } = draft;
        let rule = |rule: Option<BlockRule>| rule.map(|rule| rule.as_str().to_owned());
        let row = contact::ActiveModel {
            id: NotSet,
            customer_id: Set(customer.0),
            email: Set(statement.email().map(|email| email.as_str().to_owned())),
            phone: Set(statement.phone().map(|phone| phone.as_str().to_owned())),
            email_blocked_by: Set(rule(draft.email_blocked_by)),
            phone_blocked_by: Set(rule(draft.phone_blocked_by)),
            user_id: Set(statement.user().map(|user| user.0)),
            source: Set(draft.source.as_str().to_owned()),
            received_email: Set(draft.received.email.clone()),
            received_phone: Set(draft.received.phone.clone()),
            created_at: Set(at),
        };
        let inserted = contact::Entity::insert(row).exec(self.connection()?).await.map_err(store_error)?;
        Ok(ContactId(inserted.last_insert_id))
    }
}
