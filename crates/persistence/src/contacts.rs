//! Contacts.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use onefold_domain::block::BlockRule;
use onefold_domain::contact::{ClaimedBy, ContactDraft, ContactKind, ContactRecord, EvidenceOrder};
use onefold_domain::email::EmailAddress;
use onefold_domain::id::{ContactId, CustomerId, UserId};
use onefold_domain::phone::PhoneNumber;
use onefold_service::store::{
    BlockedValues, ContactFilter, ContactReader, ContactRepository, FiledDraft, StoreError,
};
use sea_orm::sea_query::{Expr, ExprTrait, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, Statement};

use crate::entities::contact::{self, Column};
use crate::error::store_error;
use crate::families::members;
use crate::records::{self, changed_row, col, fetch, later, row, select};
use crate::store::{SeaOrmStore, SeaOrmTransaction};
use crate::{batch, contact_metadata};

#[async_trait]
impl ContactReader for SeaOrmStore {
    async fn get(&self, id: ContactId) -> Result<Option<ContactRecord>, StoreError> {
        records::get(self.reader(), id).await
    }

    async fn list(
        &self,
        filter: &ContactFilter,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactRecord>, StoreError> {
        let mut list = filtered(filter);
        if let Some(after) = after {
            list.and_where(col(Column::Id).gt(after.0));
        }
        list.limit(limit as u64);
        if let Some(customer) = filter.customer {
            let root = crate::families::root_of(self.reader(), customer).await?;
            let Some(root) = root else { return Ok(Vec::new()) };
            list.and_where(col(Column::CustomerId).in_subquery(members(root)));
        }
        let backend = self.reader().get_database_backend();
        contact_metadata::narrow(&mut list, filter, (after, limit), backend);
        fetch(self.reader(), &list).await
    }

    async fn contested_verifications(&self) -> Result<u64, StoreError> {
        // The condition of an index, letter by letter.
        const SQL: &str =
            "SELECT COUNT(*) FROM contact WHERE verified_at IS NOT NULL AND withdrawn_at IS NULL
             AND (email_blocked_by = 'verified_elsewhere' OR phone_blocked_by = 'verified_elsewhere')";
        let connection = self.reader();
        let statement = Statement::from_string(connection.get_database_backend(), SQL);
        let row = connection.query_one_raw(statement).await.map_err(store_error)?;
        let count: Option<i64> = row.map(|row| row.try_get_by_index(0)).transpose().map_err(store_error)?;
        Ok(count.unwrap_or_default().unsigned_abs())
    }
}

/// The filter without its customer and its metadata.
pub(crate) fn filtered(filter: &ContactFilter) -> SelectStatement {
    let mut list = select();
    match filter.kind {
        None => {}
        Some(ContactKind::Email) => {
            list.and_where(col(Column::Email).is_not_null()).and_where(col(Column::Phone).is_null());
        }
        Some(ContactKind::Phone) => {
            list.and_where(col(Column::Phone).is_not_null()).and_where(col(Column::Email).is_null());
        }
        Some(ContactKind::Both) => {
            list.and_where(col(Column::Email).is_not_null()).and_where(col(Column::Phone).is_not_null());
        }
    }
    if let Some(email) = &filter.email {
        list.and_where(col(Column::Email).eq(email.as_str()));
    }
    if let Some(phone) = &filter.phone {
        list.and_where(col(Column::Phone).eq(phone.as_stored()));
    }
    if let Some(user) = filter.user {
        list.and_where(col(Column::UserId).eq(user.0));
    }
    if let Some(source) = filter.source {
        list.and_where(col(Column::Source).eq(source.as_str()));
    }
    if filter.is_proven {
        let other = col(Column::ClaimedBy).ne(ClaimedBy::Registration.as_str());
        list.and_where(col(Column::ClaimedBy).is_null().or(other));
    }
    list
}

/// The contacts of a root, ascending.
pub(crate) async fn of_customer(
    connection: &impl ConnectionTrait,
    root: CustomerId,
) -> Result<Vec<ContactRecord>, StoreError> {
    let mut list = select();
    list.and_where(col(Column::CustomerId).in_subquery(members(root)));
    fetch(connection, &list).await
}

/// The contacts that show one of these values and do not link by it, although the policy would let them.
fn blocked(values: &BlockedValues) -> SelectStatement {
    let waits = |rule: Column| {
        let rules = BlockRule::ALL.into_iter().filter(|rule| *rule != BlockRule::NeverLinks);
        col(rule).is_in(rules.map(BlockRule::as_str))
    };
    let emails = col(Column::Email).is_in(values.emails.iter().map(EmailAddress::as_str));
    let at_domains = values.email_domains.iter().map(|domain| {
        // Only letters, digits, dots and hyphens: nothing that a pattern would read otherwise.
        col(Column::Email).like(format!("%@{domain}"))
    });
    let emails = at_domains.fold(Condition::any().add(emails), Condition::add);
    let phones = col(Column::Phone).is_in(values.phones.iter().map(PhoneNumber::as_stored));
    let either = Condition::any()
        .add(Condition::all().add(emails).add(waits(Column::EmailBlockedBy)))
        .add(Condition::all().add(phones).add(waits(Column::PhoneBlockedBy)));
    select().cond_where(either).to_owned()
}

#[async_trait]
impl ContactRepository for SeaOrmTransaction {
    async fn insert(
        &mut self,
        draft: &ContactDraft,
        customer: CustomerId,
        at: DateTime<Utc>,
    ) -> Result<ContactId, StoreError> {
        let row = row(draft, customer, at);
        let inserted = contact::Entity::insert(row).exec(self.connection()?).await.map_err(store_error)?;
        let id = ContactId(inserted.last_insert_id);
        contact_metadata::add(self.connection()?, id, &draft.details.metadata).await?;
        Ok(id)
    }

    async fn reserve_ids(&mut self, count: usize) -> Result<Vec<ContactId>, StoreError> {
        let ids = batch::reserve_ids(self.connection()?, "contact", count).await?;
        Ok(ids.into_iter().map(ContactId).collect())
    }

    async fn insert_batch(&mut self, contacts: &[FiledDraft], at: DateTime<Utc>) -> Result<(), StoreError> {
        batch::insert_contacts(self.connection()?, contacts, at).await?;
        contact_metadata::add_many(self.connection()?, contacts).await
    }

    async fn get(&mut self, id: ContactId) -> Result<Option<ContactRecord>, StoreError> {
        records::get(self.connection()?, id).await
    }

    async fn get_many(&mut self, ids: &[ContactId]) -> Result<Vec<ContactRecord>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut many = select();
        many.and_where(col(Column::Id).is_in(ids.iter().map(|id| id.0)));
        fetch(self.connection()?, &many).await
    }

    async fn update(&mut self, record: &ContactRecord) -> Result<(), StoreError> {
        contact_metadata::replace(self.connection()?, record.id, Some(&record.details.metadata)).await?;
        contact::Entity::update_many()
            .set(changed_row(record))
            .col_expr(Column::UpdatedAt, later(Column::UpdatedAt, record.updated_at))
            .filter(Column::Id.eq(record.id.0))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }

    async fn clear_primary(
        &mut self,
        user: UserId,
        kind: ContactKind,
        except: Option<ContactId>,
        at: DateTime<Utc>,
    ) -> Result<Vec<ContactId>, StoreError> {
        let shares = match kind {
            ContactKind::Email => Condition::all().add(col(Column::Email).is_not_null()),
            ContactKind::Phone => Condition::all().add(col(Column::Phone).is_not_null()),
            ContactKind::Both => Condition::all(),
        };
        let mut chosen = select();
        chosen
            .and_where(col(Column::UserId).eq(user.0))
            .and_where(col(Column::IsPrimary).eq(true))
            .and_where(col(Column::Id).ne(except.map_or(0, |id| id.0)))
            .cond_where(shares);
        // Read first: what their profiles say keeps the moment at which it was said.
        let chosen = fetch(self.connection()?, &chosen).await?;
        let ids = chosen.iter().map(|record| record.id).collect();
        for mut record in chosen {
            record.step_back(at);
            self.update(&record).await?;
        }
        Ok(ids)
    }

    async fn withdraw(&mut self, id: ContactId, at: DateTime<Utc>) -> Result<(), StoreError> {
        contact_metadata::replace(self.connection()?, id, None).await?;
        contact::Entity::update_many()
            .col_expr(Column::WithdrawnAt, Expr::value(at))
            .col_expr(Column::UpdatedAt, later(Column::UpdatedAt, at))
            .col_expr(Column::Version, Expr::col(Column::Version).add(1))
            .col_expr(Column::IsPrimary, Expr::value(false))
            // No search finds it any more.
            .col_expr(Column::Search, Expr::value(Option::<String>::None))
            .filter(Column::Id.eq(id.0))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }

    async fn refile(&mut self, ids: &[ContactId], customer: CustomerId) -> Result<(), StoreError> {
        contact::Entity::update_many()
            .col_expr(Column::CustomerId, Expr::value(customer.0))
            .filter(Column::Id.is_in(ids.iter().map(|id| id.0)))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }

    async fn blocked(&mut self, values: &BlockedValues) -> Result<Vec<ContactRecord>, StoreError> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        fetch(self.connection()?, &blocked(values)).await
    }

    async fn last_order(&mut self) -> Result<EvidenceOrder, StoreError> {
        batch::last_id(self.connection()?, "contact").await.map(EvidenceOrder)
    }

    async fn next_order(&mut self) -> Result<EvidenceOrder, StoreError> {
        batch::use_up_id(self.connection()?, "contact").await.map(EvidenceOrder)
    }

    async fn primaries_of(&mut self, users: &[UserId]) -> Result<Vec<(UserId, ContactKind)>, StoreError> {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let mut primaries = select();
        primaries
            .and_where(col(Column::UserId).is_in(users.iter().map(|user| user.0)))
            .and_where(col(Column::IsPrimary).eq(true));
        let records = fetch(self.connection()?, &primaries).await?;
        Ok(records.iter().filter_map(|record| Some((record.user()?, record.kind()))).collect())
    }

    async fn of_user(&mut self, user: UserId, limit: usize) -> Result<Vec<ContactRecord>, StoreError> {
        let mut list = select();
        list.and_where(col(Column::UserId).eq(user.0)).limit(limit as u64);
        fetch(self.connection()?, &list).await
    }
}
