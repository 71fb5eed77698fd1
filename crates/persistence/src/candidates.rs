//! The one read of identify: everything about a few keys, in one statement.
//!
//! It is SQL of our own because it must be a single snapshot and a single round trip: most requests
//! are answered from it and nothing else. Query builders would need one query per step. The statement
//! is the same for both databases.

use std::collections::HashMap;
use std::fmt::Write as _;

use onefold_domain::contact::KnownContact;
use onefold_domain::customer::KnownCustomer;
use onefold_domain::email::EmailAddress;
use onefold_domain::id::{ContactId, CustomerId, UserId};
use onefold_domain::link_key::{KeyKind, LinkKey};
use onefold_domain::linking::Candidates;
use onefold_domain::phone::PhoneNumber;
use onefold_service::store::StoreError;
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

/// Reads everything about any number of keys, in one statement.
pub(crate) async fn read_many(
    connection: &impl ConnectionTrait,
    keys: &[LinkKey],
) -> Result<Candidates, StoreError> {
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
) -> Result<Candidates, StoreError> {
    let statement = statement(connection.get_database_backend(), keys);
    let rows = connection.query_all_raw(statement).await.map_err(store_error)?;
    collect(&rows).map_err(store_error)
}

/// The kinds are part of the text, and only the values are parameters. PostgreSQL keeps a plan if it promises to be as
/// cheap as one made for the values at hand. Of a value it knows as much without having it, but not of a kind, few as
/// they are: with kinds as parameters it planned every read anew on many a database, which took four times as long
/// as the read itself. `plan_cache_mode` would do as well, but it would also bind those statements that a plan made
/// for their parameters suits better, such as a search.
fn statement(backend: sea_orm::DbBackend, keys: &[LinkKey]) -> Statement {
    let mut sql = String::from(FOUND);
    let mut values: Vec<Value> = Vec::with_capacity(keys.len());
    for (index, key) in keys.iter().enumerate() {
        let or = if index == 0 { "" } else { " OR " };
        // Writing to a string does not fail.
        let _ = write!(sql, "{or}(p.kind = {} AND p.value = ${})", key.kind as i16, index + 1);
        values.push(key.value.clone().into());
    }
    sql.push_str(SELECT);
    Statement::from_sql_and_values(backend, sql, values)
}

fn collect(rows: &[QueryResult]) -> Result<Candidates, DbErr> {
    let mut candidates = Candidates::default();
    let mut places = HashMap::new();
    for row in rows {
        let root = CustomerId(row.try_get_by_index::<Uuid>(4)?);
        let customers = &mut candidates.customers;
        let place = *places.entry(root).or_insert_with(|| {
            customers.push(KnownCustomer { id: root, version: 0, contacts: Vec::new() });
            customers.len() - 1
        });
        if row.try_get_by_index::<i64>(0)? == 0 {
            let kind = key_kind(row.try_get_by_index(1)?)?;
            let value = row.try_get_by_index(2)?;
            candidates.found.push((LinkKey { kind, value }, root));
            customers[place].version = row.try_get_by_index(6)?;
        } else {
            let contact = contact(row)?;
            customers[place].contacts.push(contact);
        }
    }
    for customer in &mut candidates.customers {
        customer.contacts.sort_unstable_by_key(|contact| contact.id);
    }
    Ok(candidates)
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

    /// 100,000 contacts in customers of two, with statistics that make a value seem to have many rows: then the guess
    /// for any kind and the one for this kind are far apart. Left alone, `ANALYZE` makes them so on some databases.
    const ANALYSED: [&str; 6] = [
        "INSERT INTO customer SELECT lpad(to_hex(i), 32, '0')::uuid, lpad(to_hex(i), 32, '0')::uuid, 1, i * 2, now(), now()
         FROM generate_series(1, 50000) i",
        "INSERT INTO contact (id, customer_id, email, phone, source, created_at, updated_at)
         SELECT i, lpad(to_hex(i / 2), 32, '0')::uuid, i / 2 || '@example.com', '+1' || i, 'identify', now(), now()
         FROM generate_series(2, 100001) i",
        "INSERT INTO contact_point SELECT DISTINCT 1, email, customer_id FROM contact",
        "INSERT INTO contact_point SELECT 2, phone, customer_id FROM contact",
        "ALTER TABLE contact_point ALTER value SET (n_distinct = 20000)",
        "ANALYZE",
    ];

    #[tokio::test]
    async fn postgres_keeps_the_plan_of_the_read() {
        const READS: i64 = 30;
        /// So many times it tries what a plan for the values at hand would cost.
        const TRIED: i64 = 5;
        let database = TestDatabase::postgres().await;
        // Plans belong to a connection.
        let config = crate::Config { max_connections: 1, ..database.config() };
        let store = SeaOrmStore::connect(&config).await.expect("a store");
        store.migrate().await.expect("a schema");
        for sql in ANALYSED {
            database.query(sql).await;
        }
        let keys = |number: i64| {
            let (email, phone) = (format!("{number}@example.com"), format!("+1{}", number * 2));
            let exact = LinkKey { kind: KeyKind::Exact, value: format!("{email}\t{phone}") };
            [(KeyKind::Email, email), (KeyKind::Phone, phone)]
                .map(|(kind, value)| LinkKey { kind, value })
                .into_iter()
                .chain([exact])
                .collect::<Vec<_>>()
        };
        for number in 1..=READS {
            let known = read(store.reader(), &keys(number)).await.expect("a read");
            assert_eq!((known.found.len(), known.customers[0].contacts.len()), (2, 2));
        }
        let counted = "SELECT generic_plans, custom_plans FROM pg_prepared_statements \
                       WHERE statement LIKE '%WITH found AS MATERIALIZED%' AND statement NOT LIKE '%pg_prepared%'";
        let counted = Statement::from_string(DbBackend::Postgres, counted);
        let rows = store.reader().query_all_raw(counted).await.expect("the plans");
        let counts: Vec<(i64, i64)> = rows
            .iter()
            .map(|row| (row.try_get_by_index(0).expect("a count"), row.try_get_by_index(1).expect("a count")))
            .collect();
        assert_eq!(counts, [(READS - TRIED, TRIED)], "plans that were kept, and that were made anew");
    }
}
