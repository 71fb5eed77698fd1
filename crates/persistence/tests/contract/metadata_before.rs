//! Contacts that were stored before there was an index of metadata.

use std::sync::Arc;

use onefold_persistence::testing::TestDatabase;
use onefold_sync::store::SyncStore;
use serde_json::json;

use crate::metadata::{found, import, with};
use crate::use_cases::{UseCases, order};

on_both_databases!(contacts_from_before_the_index_are_found);

/// Takes the index away, as it was not there before its migration, and has that run again.
async fn contacts_from_before_the_index_are_found(database: &TestDatabase) {
    let store: Arc<dyn SyncStore> = Arc::new(database.store().await);
    let use_cases = UseCases::new(&store);
    let told = json!({"orderId": "Ordér_123", "items": 3, "vip": true, "zero": "\u{0}", "list": [1]});
    let id = use_cases.create(&with(order("marty@hillvalley.edu", ""), &told)).await.id;
    let gone =
        use_cases.create(&with(order("doc@hillvalley.edu", ""), &json!({"orderId": "gone_1"}))).await.id;
    use_cases.create(&order("biff@hillvalley.edu", "")).await;
    let mut file = String::from("email,tier\n");
    (0..1_500).for_each(|number| file.push_str(&format!("p{number}@x.example,gold\n")));
    import(&store, &use_cases, &file).await;
    use_cases.withdraw(gone).await;
    let before = rows(database).await;
    for sql in [
        "DROP TABLE contact_metadata",
        "DELETE FROM seaql_migrations WHERE version LIKE '%000012_metadata'",
        "UPDATE contact SET search = email WHERE withdrawn_at IS NULL",
        "UPDATE contact SET created_at = updated_at, updated_at = '2020-01-01T00:00:00+00:00' WHERE id = 3",
    ] {
        database.query(sql).await;
    }
    database.store().await;
    assert_eq!(rows(database).await, before);
    assert_eq!(found(&use_cases, &[("orderId", "Ordér_123"), ("items", "3"), ("vip", "true")]).await, [id]);
    assert!(found(&use_cases, &[("orderId", "gone_1")]).await.is_empty());
    assert_eq!(use_cases.find("order_123").await, [use_cases.record(id).await.customer]);
    assert_eq!(database.count("SELECT COUNT(*) FROM contact WHERE updated_at < created_at").await, 0);
}

/// The index, and the lines of search that hold more than an address.
async fn rows(database: &TestDatabase) -> Vec<String> {
    let mut rows = Vec::new();
    for sql in [
        "SELECT name || '=' || value || '=' || CAST(contact_id AS text) FROM contact_metadata ORDER BY 1",
        "SELECT search FROM contact WHERE metadata IS NOT NULL AND withdrawn_at IS NULL ORDER BY id",
    ] {
        let found = database.query(sql).await;
        rows.extend(found.iter().map(|row| row.try_get_by_index::<String>(0).expect("a text")));
    }
    assert!(rows.len() > 3_000);
    rows
}
