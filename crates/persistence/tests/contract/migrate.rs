//! The schema at the start of programs, of which several may start at once.

use onefold_persistence::SeaOrmStore;
use onefold_persistence::testing::TestDatabase;
use tokio::task::JoinSet;

on_both_databases!(a_migrated_database_lacks_nothing, programs_may_migrate_at_the_same_time);

async fn a_migrated_database_lacks_nothing(database: &TestDatabase) {
    let store = SeaOrmStore::connect(&database.config()).await.expect("a store should connect");
    assert!(store.pending_migrations().await.expect("a number") > 0);
    for _ in 0..2 {
        store.migrate().await.expect("a store should migrate");
        assert_eq!(store.pending_migrations().await.expect("a number"), 0);
    }
    assert_eq!(database.count("SELECT COUNT(*) FROM customer").await, 0);
}

async fn programs_may_migrate_at_the_same_time(database: &TestDatabase) {
    let mut programs = JoinSet::new();
    for _ in 0..4 {
        let config = database.config();
        programs.spawn(async move {
            let store = SeaOrmStore::connect(&config).await.expect("a store should connect");
            store.migrate().await.expect("a store should migrate");
            store.pending_migrations().await.expect("a number")
        });
    }
    assert_eq!(programs.join_all().await, [0; 4]);
}
