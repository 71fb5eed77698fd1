//! Customers and the keys that lead to them.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use onefold_domain::customer::CustomerRecord;
use onefold_domain::id::{ContactId, CustomerId};
use onefold_domain::link_key::LinkKey;
use onefold_domain::linking::{Candidates, CustomerSnapshot};
use onefold_service::search::SearchQuery;
use onefold_service::store::{CustomerBatch, CustomerReader, CustomerRepository, ListedCustomer, StoreError};
use sea_orm::sea_query::{Expr, ExprTrait, LockType, OnConflict, Query};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::entities::{contact_point, customer};
use crate::error::store_error;
use crate::families::root_of;
use crate::records::later;
use crate::store::{SeaOrmStore, SeaOrmTransaction};
use crate::{batch, candidates, contacts, customer_snapshots, listed, search};

#[async_trait]
impl CustomerRepository for SeaOrmTransaction {
    async fn lock_candidates(&mut self, keys: &[LinkKey]) -> Result<Candidates, StoreError> {
        let connection = self.connection()?;
        let seen = candidates::read(connection, keys).await?;
        if !self.is_shared() || seen.customers.is_empty() {
            return Ok(seen);
        }
        // The lock may have to wait for a writer that changes what was just read, so it is read again.
        let mut roots: Vec<_> = seen.customers.iter().map(|customer| customer.id).collect();
        roots.sort_unstable();
        lock(connection, &roots).await?;
        let locked = candidates::read(connection, keys).await?;
        if locked.customers.iter().all(|customer| roots.contains(&customer.id)) {
            Ok(locked)
        } else {
            Err(StoreError::Conflict)
        }
    }

    async fn candidates_of_many(&mut self, keys: &[LinkKey]) -> Result<Candidates, StoreError> {
        candidates::read_many(self.connection()?, keys).await
    }

    async fn advance_many(
        &mut self,
        guards: &[(CustomerId, i64)],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        batch::advance(self.connection()?, guards, at).await
    }

    async fn advance(&mut self, id: CustomerId, version: i64, at: DateTime<Utc>) -> Result<(), StoreError> {
        let advanced = customer::Entity::update_many()
            .col_expr(customer::Column::Version, Expr::value(version + 1))
            .col_expr(customer::Column::UpdatedAt, later(customer::Column::UpdatedAt, at))
            .filter(customer::Column::Id.eq(id.0))
            .filter(customer::Column::RootId.eq(id.0))
            .filter(customer::Column::Version.eq(version))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        if advanced.rows_affected == 1 { Ok(()) } else { Err(StoreError::Conflict) }
    }

    async fn insert(&mut self, id: CustomerId, at: DateTime<Utc>) -> Result<(), StoreError> {
        let row = customer::ActiveModel {
            id: Set(id.0),
            root_id: Set(id.0),
            version: Set(1),
            primary_contact_id: Set(None),
            created_at: Set(at),
            updated_at: Set(at),
        };
        customer::Entity::insert(row)
            .exec_without_returning(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }

    async fn set_primary(&mut self, id: CustomerId, primary: Option<ContactId>) -> Result<(), StoreError> {
        customer::Entity::update_many()
            .col_expr(customer::Column::PrimaryContactId, Expr::value(primary.map(|primary| primary.0)))
            .filter(customer::Column::Id.eq(id.0))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }

    async fn absorb(
        &mut self,
        survivor: CustomerId,
        absorbed: CustomerId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        // The absorbed root itself, found by its own id, and those that lead to it, found by the
        // index of absorbed customers, which holds no roots.
        let itself = customer::Column::Id.eq(absorbed.0);
        let led = customer::Column::RootId
            .eq(absorbed.0)
            .and(Expr::col(customer::Column::RootId).ne(Expr::col(customer::Column::Id)));
        customer::Entity::update_many()
            .col_expr(customer::Column::RootId, Expr::value(survivor.0))
            .col_expr(customer::Column::UpdatedAt, later(customer::Column::UpdatedAt, at))
            .filter(itself.or(led))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }

    async fn claim(&mut self, keys: &[LinkKey], id: CustomerId) -> Result<(), StoreError> {
        let rows = keys.iter().map(|key| contact_point::ActiveModel {
            kind: Set(key.kind as i16),
            value: Set(key.value.clone()),
            customer_id: Set(id.0),
        });
        // A caught violation would spoil a PostgreSQL transaction; a row that is missing does not.
        let claimed = contact_point::Entity::insert_many(rows)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(self.connection()?)
            .await
            .map_err(store_error)?;
        if claimed == keys.len() as u64 { Ok(()) } else { Err(StoreError::Conflict) }
    }

    async fn restore(&mut self, id: CustomerId, at: DateTime<Utc>) -> Result<(), StoreError> {
        customer::Entity::update_many()
            .col_expr(customer::Column::RootId, Expr::value(id.0))
            .col_expr(customer::Column::Version, Expr::col(customer::Column::Version).add(1))
            .col_expr(customer::Column::UpdatedAt, later(customer::Column::UpdatedAt, at))
            .filter(customer::Column::Id.eq(id.0))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }

    async fn key_owners(&mut self, keys: &[LinkKey]) -> Result<Vec<(LinkKey, CustomerId)>, StoreError> {
        candidates::owners(self.connection()?, keys).await
    }

    async fn release(&mut self, keys: &[LinkKey]) -> Result<(), StoreError> {
        for key in keys {
            contact_point::Entity::delete_by_id((key.kind as i16, key.value.clone()))
                .exec(self.connection()?)
                .await
                .map_err(store_error)?;
        }
        Ok(())
    }

    async fn refile(&mut self, keys: &[LinkKey], id: CustomerId) -> Result<(), StoreError> {
        for key in keys {
            contact_point::Entity::update_many()
                .col_expr(contact_point::Column::CustomerId, Expr::value(id.0))
                .filter(contact_point::Column::Kind.eq(key.kind as i16))
                .filter(contact_point::Column::Value.eq(key.value.as_str()))
                .exec(self.connection()?)
                .await
                .map_err(store_error)?;
        }
        Ok(())
    }

    async fn snapshot(&mut self, id: CustomerId) -> Result<CustomerSnapshot, StoreError> {
        customer_snapshots::read(self.connection()?, id).await
    }

    async fn get(&mut self, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError> {
        get(self.connection()?, id).await
    }

    async fn write_batch(&mut self, batch: &CustomerBatch, at: DateTime<Utc>) -> Result<(), StoreError> {
        batch::insert_customers(self.connection()?, &batch.new, at).await?;
        batch::claim(self.connection()?, &batch.claims).await?;
        for (survivor, absorbed) in &batch.absorbed {
            self.absorb(*survivor, *absorbed, at).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl CustomerReader for SeaOrmStore {
    async fn get(&self, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError> {
        get(self.reader(), id).await
    }

    async fn list(&self, after: Option<ContactId>, limit: usize) -> Result<Vec<ListedCustomer>, StoreError> {
        listed::page(self.reader(), after, limit).await
    }

    async fn search(
        &self,
        query: &SearchQuery,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<(ContactId, CustomerId)>, StoreError> {
        search::find(self.reader(), query, after, limit).await
    }
}

async fn get(
    connection: &impl ConnectionTrait,
    id: CustomerId,
) -> Result<Option<CustomerRecord>, StoreError> {
    let Some(root) = root_of(connection, id).await? else { return Ok(None) };
    let found = customer::Entity::find_by_id(root.0).one(connection).await.map_err(store_error)?;
    let Some(row) = found else { return Ok(None) };
    let contacts = contacts::of_customer(connection, root).await?;
    Ok((!contacts.is_empty()).then_some(CustomerRecord {
        id: root,
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
        contacts,
    }))
}

/// Locks roots in ascending order, as every writer does, and one at a time. A customer that is a root
/// no more is left at once: who absorbs its root waits for its row, and would wait for us while we wait
/// for that root.
async fn lock(connection: &impl ConnectionTrait, roots: &[CustomerId]) -> Result<(), StoreError> {
    for root in roots {
        let select = Query::select()
            .column(customer::Column::Id)
            .from(customer::Entity)
            .and_where(Expr::col(customer::Column::Id).eq(root.0))
            .and_where(Expr::col(customer::Column::RootId).eq(root.0))
            .lock(LockType::NoKeyUpdate)
            .to_owned();
        if connection.query_all(&select).await.map_err(store_error)?.is_empty() {
            return Err(StoreError::Conflict);
        }
    }
    Ok(())
}
