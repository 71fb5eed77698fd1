//! The checks that follow every case, checked: they must find what they are there for.

use std::sync::Arc;

use onefold_persistence::testing::{TestDatabase, broken_invariants};
use onefold_sync::store::SyncStore;

use crate::scene::{seen, service, tell};

/// What to break, and a word of the rule that must notice.
const DAMAGES: [(&str, &str); 8] = [
    ("UPDATE customer SET primary_contact_id = 0", "oldest contact"),
    ("UPDATE customer SET primary_contact_id = NULL WHERE root_id = id", "oldest contact"),
    ("UPDATE customer SET root_id = (SELECT absorbed_id FROM link) WHERE root_id = id", "itself"),
    ("DELETE FROM contact", "oldest contact"),
    ("DELETE FROM contact_point", "found by a key"),
    ("UPDATE contact_point SET customer_id = (SELECT MAX(survivor_id) FROM link)", "show it"),
    ("DELETE FROM link", "on record"),
    ("UPDATE link SET after_contact_id = 0", "names two customers"),
];

/// Only on SQLite: the checks are the same text for both.
#[tokio::test]
async fn damage_is_noticed() {
    for (damage, expected) in DAMAGES {
        let database = TestDatabase::sqlite();
        let store: Arc<dyn SyncStore> = Arc::new(database.store().await);
        let service = service(&store);
        tell(&service, "george@hillvalley.edu", "919191").await;
        tell(&service, "biffsucks@hillvalley.edu", "717171").await;
        let joined = tell(&service, "george@hillvalley.edu", "717171").await;
        assert_eq!(seen(&joined).contacts(), 2);
        tell(&service, "doc@hillvalley.edu", "").await;
        database.assert_invariants().await;

        database.query(damage).await;
        let broken = broken_invariants(&database.url()).await;
        assert!(broken.iter().any(|(rule, _)| rule.contains(expected)), "{damage}: {broken:?}");
    }
}
