//! The index of metadata: a row for each member by which a contact is found, clustered by name and value. It is
//! written with the contact, in the same transaction, and holds nothing of one that was withdrawn.
//!
//! Rejected: an index of PostgreSQL's over the JSON itself, since SQLite has none like it and PostgreSQL's refuses a
//! zero character; and a second index by contact, which would double what an import writes: what a contact had before
//! a change is read from the contact.

use std::collections::BTreeSet;

use onefold_domain::id::ContactId;
use onefold_domain::metadata::{Metadata, MetadataFilter};
use onefold_service::store::{ContactFilter, FiledDraft, StoreError};
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, QuerySelect};

use crate::batch::{self, Kind, Unpacked};
use crate::entities::contact;
use crate::entities::contact_metadata::{self, Column};
use crate::error::store_error;
use crate::records::{col, stored_metadata};

/// The columns, in the order of [`Row`].
const COLUMNS: [(&str, Kind); 3] =
    [("name", Kind::Text), ("value", Kind::Text), ("contact_id", Kind::Integer)];

/// A row: name, value and contact.
type Row = (String, String, i64);

/// Adds the members of a new contact.
pub(crate) async fn add(
    connection: &impl ConnectionTrait,
    id: ContactId,
    metadata: &Metadata,
) -> Result<(), StoreError> {
    insert(connection, rows(metadata, id).collect()).await
}

/// Adds the members of many new contacts.
pub(crate) async fn add_many(
    connection: &impl ConnectionTrait,
    contacts: &[FiledDraft],
) -> Result<(), StoreError> {
    let rows = contacts.iter().flat_map(|filed| rows(&filed.draft.details.metadata, filed.id));
    insert(connection, rows.collect()).await
}

/// Brings the members of a stored contact into step with what its metadata is about to be; to be called before the
/// contact itself is written. `None` for one that is withdrawn.
pub(crate) async fn replace(
    connection: &impl ConnectionTrait,
    id: ContactId,
    metadata: Option<&Metadata>,
) -> Result<(), StoreError> {
    let stored: Option<Option<String>> = contact::Entity::find_by_id(id.0)
        .select_only()
        .column(contact::Column::Metadata)
        .into_tuple()
        .one(connection)
        .await
        .map_err(store_error)?;
    let before = stored_metadata(stored.flatten().as_deref()).map_err(store_error)?;
    let before: BTreeSet<Row> = rows(&before, id).collect();
    let after: BTreeSet<Row> = metadata.into_iter().flat_map(|metadata| rows(metadata, id)).collect();
    for gone in before.difference(&after) {
        contact_metadata::Entity::delete_by_id(gone.clone()).exec(connection).await.map_err(store_error)?;
    }
    insert(connection, after.difference(&before).cloned().collect()).await
}

/// Keeps of a list what has these members.
pub(crate) fn narrow(
    list: &mut SelectStatement,
    filter: &ContactFilter,
    (after, limit): (Option<ContactId>, usize),
    backend: DbBackend,
) {
    // The rarest first, which as a rule is the longest: its contacts are collected, and the others asked for each.
    let mut wanted: Vec<_> = filter.metadata.iter().collect();
    wanted.sort_by_key(|member| std::cmp::Reverse(member.value().len()));
    let Some((first, others)) = wanted.split_first() else { return };
    if backend == DbBackend::Sqlite {
        // The sign has no other effect than to hide that contacts lie in this order: without statistics SQLite would
        // rather walk through all of them than sort the few that have the member.
        list.clear_order_by().order_by_expr(Expr::cust("+\"contact\".\"id\""), Order::Asc);
    }
    let mut found = having(first);
    found.and_where(Expr::col(Column::ContactId).gt(after.map_or(0, |after| after.0)));
    let alone = ContactFilter { metadata: filter.metadata.clone(), ..ContactFilter::default() };
    if others.is_empty() && *filter == alone {
        // Nothing else is asked for, so that what many contacts have need not be collected as a whole for each page.
        found.order_by(Column::ContactId, Order::Asc).limit(limit as u64);
    }
    list.and_where(col(contact::Column::Id).in_subquery(found));
    for other in others {
        let mut of_contact = having(other);
        of_contact.and_where(
            Expr::col((contact_metadata::Entity, Column::ContactId))
                .equals((contact::Entity, contact::Column::Id)),
        );
        list.and_where(Expr::exists(of_contact));
    }
}

/// The contacts that have this member.
fn having(member: &MetadataFilter) -> SelectStatement {
    Query::select()
        .column(Column::ContactId)
        .from(contact_metadata::Entity)
        .and_where(Expr::col(Column::Name).eq(member.name()))
        .and_where(Expr::col(Column::Value).eq(member.value()))
        .to_owned()
}

fn rows(metadata: &Metadata, id: ContactId) -> impl Iterator<Item = Row> {
    metadata.terms().map(move |(name, value)| (name.to_owned(), value.into_owned(), id.0))
}

async fn insert(connection: &impl ConnectionTrait, mut rows: Vec<Row>) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    // In the order of the index, which is then gone through once.
    rows.sort_unstable();
    let unpacked = Unpacked::of(connection.get_database_backend());
    let (columns, values) = unpacked.columns(&COLUMNS);
    let sql = format!(
        "INSERT INTO contact_metadata ({columns}) SELECT {values} FROM {rows}",
        rows = unpacked.rows()
    );
    batch::write(connection, sql, &rows, Vec::new()).await?;
    Ok(())
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use sea_orm::Statement;

    use super::*;
    use crate::SeaOrmStore;
    use crate::contacts::filtered;
    use crate::testing::TestDatabase;

    /// Contacts of one customer, of which a few have the members.
    const FILLED: [&str; 4] = [
        "INSERT INTO customer (id, root_id, version, created_at, updated_at)
         VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000001', 1, now(), now())",
        "INSERT INTO contact (customer_id, email, source, created_at, updated_at)
         SELECT '00000000-0000-0000-0000-000000000001', 'p' || n || '@x.example', 'order', now(), now()
         FROM generate_series(1, 5000) n",
        "INSERT INTO contact_metadata (name, value, contact_id)
         SELECT name, CASE WHEN n % 1000 = 0 THEN 'x' ELSE 'y' END, n
         FROM generate_series(1, 5000) n, (VALUES ('a'), ('b')) names (name)",
        "ANALYZE",
    ];

    /// Each line of the database's plans: for one member, for two, and for one with a filter of another kind.
    async fn plans(store: &SeaOrmStore, explain: &str, column: usize) -> [Vec<String>; 3] {
        let member = |name: &str| MetadataFilter::parse(name, "x").expect("a filter");
        let one = ContactFilter { metadata: vec![member("a")], ..ContactFilter::default() };
        let two = ContactFilter { metadata: vec![member("a"), member("b")], ..ContactFilter::default() };
        let kind = Some(onefold_domain::contact::ContactKind::Email);
        let mut plans = Vec::new();
        for filter in [&one, &two, &ContactFilter { kind, ..one.clone() }] {
            let mut list = filtered(filter);
            list.limit(50);
            let connection = store.reader();
            narrow(&mut list, filter, (None, 50), connection.get_database_backend());
            let statement: Statement = connection.get_database_backend().build(&list);
            let statement = Statement { sql: format!("{explain} {}", statement.sql), ..statement };
            let rows = connection.query_all_raw(statement).await.expect("a plan");
            plans
                .push(rows.iter().map(|row| row.try_get_by_index(column).expect("a line of text")).collect());
        }
        plans.try_into().expect("three plans")
    }

    #[tokio::test]
    async fn sqlite_goes_from_a_member_to_contacts() {
        let database = TestDatabase::sqlite();
        for lines in plans(&database.store().await, "EXPLAIN QUERY PLAN", 3).await {
            assert!(!lines.iter().any(|line| line.starts_with("SCAN")), "{lines:#?}");
            let member = "SEARCH contact_metadata USING PRIMARY KEY (name=? AND value=? AND contact_id";
            assert!(lines.iter().any(|line| line.starts_with(member)), "{lines:#?}");
        }
    }

    #[tokio::test]
    async fn postgres_goes_from_a_member_to_contacts() {
        let database = TestDatabase::postgres().await;
        let store = database.store().await;
        // A table of a page is quickest read as a whole, and rightly so.
        for sql in FILLED {
            database.query(sql).await;
        }
        for lines in plans(&store, "EXPLAIN", 0).await {
            assert!(!lines.iter().any(|line| line.contains("Seq Scan on contact")), "{lines:#?}");
            assert!(lines.iter().any(|line| line.contains("contact_metadata_pkey")), "{lines:#?}");
        }
    }
}
