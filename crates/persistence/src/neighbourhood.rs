//! The one read of identify: everything about a few keys, in one statement.
//!
//! It is SQL of our own because it must be a single snapshot and a single round trip: most requests
//! are answered from it and nothing else. Query builders would need one query per step. The statement
//! is the same for both databases.

use std::collections::HashMap;
use std::fmt::Write as _;

use onefold_domain::{
    ContactId, CustomerId, EmailAddress, KeyKind, KnownContact, KnownCustomer, LinkKey, Neighbourhood,
    PhoneNumber, StoreError, UserId,
};
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};
use uuid::Uuid;

use crate::error::store_error;
use crate::records::order;

/// Keys, then contacts, in one result. Contacts of the root and of those it absorbed are two parts, so
/// that the index on absorbed customers can be a partial one. `IN` and `CROSS JOIN` leave SQLite, which
/// has no statistics on a young database, no choice but to go from the root to its contacts; as plain
/// joins it read that index from end to end. A test looks at the plans.
const SELECT: &str = "
), root AS (SELECT DISTINCT id FROM found)
SELECT CAST(0 AS BIGINT), CAST(kind AS BIGINT), value, NULL, id, NULL, version, FALSE FROM found
UNION ALL
SELECT 1, c.id, c.email, c.phone, c.customer_id, c.user_id, c.evidence_order,
c.user_id IS NOT NULL AND c.verified_at IS NOT NULL
FROM contact c WHERE c.customer_id IN (SELECT id FROM root) AND c.withdrawn_at IS NULL
UNION ALL
SELECT 1, c.id, c.email, c.phone, m.root_id, c.user_id, c.evidence_order,
c.user_id IS NOT NULL AND c.verified_at IS NOT NULL
FROM customer m CROSS JOIN contact c
WHERE m.root_id IN (SELECT id FROM root) AND m.root_id <> m.id AND c.customer_id = m.id
AND c.withdrawn_at IS NULL";

/// From a key to the customer it was born into to that customer's root. `MATERIALIZED`, or a database
/// might run it once for each of the three parts.
const FOUND: &str = "
WITH found AS MATERIALIZED (
SELECT p.kind, p.value, r.id, r.version
FROM contact_point p JOIN customer b ON b.id = p.customer_id JOIN customer r ON r.id = b.root_id
WHERE ";

/// The keys of a whole batch come as one text: a statement with thousands of parameters costs more to
/// prepare than to run. `CROSS JOIN` keeps SQLite from starting with the table.
const FOUND_MANY_SQLITE: &str = "
WITH key AS MATERIALIZED (SELECT value ->> 0 AS kind, value ->> 1 AS value FROM json_each($1)),
found AS MATERIALIZED (
SELECT p.kind, p.value, r.id, r.version
FROM key k CROSS JOIN contact_point p ON p.kind = k.kind AND p.value = k.value
JOIN customer b ON b.id = p.customer_id JOIN customer r ON r.id = b.root_id";

const FOUND_MANY_POSTGRES: &str = "
WITH key AS MATERIALIZED (
SELECT CAST(k ->> 0 AS smallint) AS kind, k ->> 1 AS value FROM jsonb_array_elements(CAST($1 AS jsonb)) AS t(k)),
found AS MATERIALIZED (
SELECT p.kind, p.value, r.id, r.version
FROM key k JOIN contact_point p ON p.kind = k.kind AND p.value = k.value
JOIN customer b ON b.id = p.customer_id JOIN customer r ON r.id = b.root_id";

/// As `read`, for any number of keys.
pub(crate) async fn read_many(
    connection: &impl ConnectionTrait,
    keys: &[LinkKey],
) -> Result<Neighbourhood, StoreError> {
    let backend = connection.get_database_backend();
    let found = match backend {
        DbBackend::Sqlite => FOUND_MANY_SQLITE,
        _ => FOUND_MANY_POSTGRES,
    };
    let statement =
        Statement::from_sql_and_values(backend, format!("{found}{SELECT}"), [keys_as_json(keys).into()]);
    let rows = connection.query_all_raw(statement).await.map_err(store_error)?;
    collect(&rows).map_err(store_error)
}

/// The customers that keys are filed under.
pub(crate) async fn owners(
    connection: &impl ConnectionTrait,
    keys: &[LinkKey],
) -> Result<Vec<(LinkKey, CustomerId)>, StoreError> {
    let backend = connection.get_database_backend();
    let sql = match backend {
        DbBackend::Sqlite => {
            "SELECT CAST(p.kind AS BIGINT), p.value, p.customer_id
             FROM json_each($1) k CROSS JOIN contact_point p ON p.kind = k.value ->> 0 AND p.value = k.value ->> 1"
        }
        _ => {
            "SELECT CAST(p.kind AS BIGINT), p.value, p.customer_id
             FROM jsonb_array_elements(CAST($1 AS jsonb)) AS t(k)
             JOIN contact_point p ON p.kind = CAST(k ->> 0 AS smallint) AND p.value = k ->> 1"
        }
    };
    let statement = Statement::from_sql_and_values(backend, sql, [keys_as_json(keys).into()]);
    let rows = connection.query_all_raw(statement).await.map_err(store_error)?;
    rows.iter().map(owner).collect::<Result<_, _>>().map_err(store_error)
}

fn owner(row: &QueryResult) -> Result<(LinkKey, CustomerId), DbErr> {
    let kind = key_kind(row.try_get_by_index(0)?)?;
    let key = LinkKey { kind, value: row.try_get_by_index(1)? };
    Ok((key, CustomerId(row.try_get_by_index(2)?)))
}

fn keys_as_json(keys: &[LinkKey]) -> String {
    let pairs: Vec<_> = keys.iter().map(|key| (key.kind as i16, key.value.as_str())).collect();
    // Numbers and strings cannot fail to be written.
    serde_json::to_string(&pairs).unwrap_or_default()
}

pub(crate) async fn read(
    connection: &impl ConnectionTrait,
    keys: &[LinkKey],
) -> Result<Neighbourhood, StoreError> {
    let statement = statement(connection.get_database_backend(), keys);
    let rows = connection.query_all_raw(statement).await.map_err(store_error)?;
    collect(&rows).map_err(store_error)
}

fn statement(backend: sea_orm::DbBackend, keys: &[LinkKey]) -> Statement {
    let mut sql = String::from(FOUND);
    let mut values: Vec<Value> = Vec::with_capacity(keys.len() * 2);
    for (index, key) in keys.iter().enumerate() {
        let or = if index == 0 { "" } else { " OR " };
        // Writing to a string does not fail.
        let _ = write!(sql, "{or}(p.kind = ${} AND p.value = ${})", index * 2 + 1, index * 2 + 2);
        values.push((key.kind as i16).into());
        values.push(key.value.clone().into());
    }
    sql.push_str(SELECT);
    Statement::from_sql_and_values(backend, sql, values)
}

fn collect(rows: &[QueryResult]) -> Result<Neighbourhood, DbErr> {
    let mut neighbourhood = Neighbourhood::default();
    let mut places = HashMap::new();
    for row in rows {
        let root = CustomerId(row.try_get_by_index::<Uuid>(4)?);
        let customers = &mut neighbourhood.customers;
        let place = *places.entry(root).or_insert_with(|| {
            customers.push(KnownCustomer { id: root, version: 0, contacts: Vec::new() });
            customers.len() - 1
        });
        if row.try_get_by_index::<i64>(0)? == 0 {
            let kind = key_kind(row.try_get_by_index(1)?)?;
            let value = row.try_get_by_index(2)?;
            neighbourhood.found.push((LinkKey { kind, value }, root));
            customers[place].version = row.try_get_by_index(6)?;
        } else {
            let contact = contact(row)?;
            customers[place].contacts.push(contact);
        }
    }
    for customer in &mut neighbourhood.customers {
        customer.contacts.sort_unstable_by_key(|contact| contact.id);
    }
    Ok(neighbourhood)
}

fn contact(row: &QueryResult) -> Result<KnownContact, DbErr> {
    let email: Option<String> = row.try_get_by_index(2)?;
    let phone: Option<String> = row.try_get_by_index(3)?;
    let user: Option<Uuid> = row.try_get_by_index(5)?;
    let id = row.try_get_by_index(1)?;
    Ok(KnownContact {
        id: ContactId(id),
        order: order(id, row.try_get_by_index(6)?),
        email: email.map(EmailAddress::from_canonical),
        phone: phone.map(PhoneNumber::from_canonical),
        user: user.map(UserId),
        is_verified: row.try_get_by_index(7)?,
    })
}

fn key_kind(number: i64) -> Result<KeyKind, DbErr> {
    KeyKind::ALL
        .into_iter()
        .find(|kind| *kind as i64 == number)
        .ok_or_else(|| DbErr::Type(format!("no key kind has the number {number}")))
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::SeaOrmStore;
    use crate::testing::TestDatabase;

    /// Each line of the database's plan for the read of two keys.
    async fn plan(store: &SeaOrmStore, explain: &str, column: usize) -> Vec<String> {
        let keys = [KeyKind::Email, KeyKind::Phone].map(|kind| LinkKey { kind, value: "x".to_owned() });
        let connection = store.reader();
        let mut statement = statement(connection.get_database_backend(), &keys);
        statement.sql.insert_str(0, explain);
        let rows = connection.query_all_raw(statement).await.expect("a plan");
        rows.iter().map(|row| row.try_get_by_index(column).expect("a line of text")).collect()
    }

    #[tokio::test]
    async fn sqlite_goes_from_keys_to_contacts_without_statistics() {
        let database = TestDatabase::sqlite();
        let lines = plan(&database.store().await, "EXPLAIN QUERY PLAN", 3).await;
        let walks =
            |line: &&String| line.starts_with("SCAN") && !line.contains("found") && !line.contains("root");
        assert!(lines.len() > 5);
        assert_eq!(lines.iter().find(walks), None, "{lines:#?}");
        // A filter on a table is filled by walking it; one on the few roots is not.
        assert!(!lines.iter().any(|line| line.contains("BLOOM FILTER ON")), "{lines:#?}");
    }

    #[tokio::test]
    async fn postgres_goes_from_keys_to_contacts_without_statistics() {
        let database = TestDatabase::postgres().await;
        let lines = plan(&database.store().await, "EXPLAIN", 0).await;
        assert!(lines.len() > 5);
        assert!(!lines.iter().any(|line| line.contains("Seq Scan")), "{lines:#?}");
    }
}
