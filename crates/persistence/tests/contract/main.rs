//! What every store must do, as one suite for all of them: each case runs on the store in memory, on
//! SQLite and on PostgreSQL, in a database of its own that is checked for soundness afterwards. Cases
//! that need a real database, or take it away, say so.

#![expect(clippy::expect_used, reason = "a test that cannot go on should say why and fail")]

/// Makes `memory::x`, `sqlite::x`, `postgres::x` and `pooled::x` (PostgreSQL behind PgBouncer) of each
/// `async fn x(store: Arc<dyn SyncStore>)`.
macro_rules! on_every_store {
    ($($case:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let store = std::sync::Arc::new(onefold_memory::MemoryStore::default());
                crate::scene::in_time(super::$case(store)).await;
            })+
        }
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let database = onefold_persistence::testing::TestDatabase::sqlite();
                let store = std::sync::Arc::new(database.store().await);
                crate::scene::in_time(super::$case(store)).await;
                database.assert_invariants().await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let database = onefold_persistence::testing::TestDatabase::postgres().await;
                let store = std::sync::Arc::new(database.store().await);
                crate::scene::in_time(super::$case(store)).await;
                database.assert_invariants().await;
            })+
        }
        mod pooled {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let database = onefold_persistence::testing::TestDatabase::pooled().await;
                let store = std::sync::Arc::new(database.store().await);
                crate::scene::in_time(super::$case(store)).await;
                database.assert_invariants().await;
            })+
        }
    };
}

/// Makes `sqlite::x`, `postgres::x` and `pooled::x` of each `async fn x(database: &TestDatabase)`.
macro_rules! on_both_databases {
    ($($case:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let database = onefold_persistence::testing::TestDatabase::sqlite();
                crate::scene::in_time(super::$case(&database)).await;
                database.assert_invariants().await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let database = onefold_persistence::testing::TestDatabase::postgres().await;
                crate::scene::in_time(super::$case(&database)).await;
                database.assert_invariants().await;
            })+
        }
        mod pooled {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let database = onefold_persistence::testing::TestDatabase::pooled().await;
                crate::scene::in_time(super::$case(&database)).await;
                database.assert_invariants().await;
            })+
        }
    };
}

mod agreement;
mod audit;
mod audit_of_imports;
mod blocking;
mod by_hand;
mod cancellation;
mod changes;
mod clock_back;
mod cluster;
mod conflicts;
mod contacts;
mod customers;
mod deliveries;
mod exports;
mod failed_jobs;
mod gateway;
mod idempotency;
mod identify;
mod imports;
mod invariant_checks;
mod jobs;
mod mappings;
mod metadata;
mod metadata_before;
mod migrate;
mod outage;
mod pace;
mod parallel;
mod partner_index;
mod phones;
mod placed_mappings;
mod pooler;
mod processes;
mod records;
mod replaced_values;
mod runs;
mod scene;
mod storage_faults;
mod store;
mod survivors;
mod sync_conflicts;
mod sync_log;
mod sync_rules;
mod sync_scene;
mod tampering;
mod tokens;
mod upsert;
mod use_cases;
mod users;
mod verification;
mod withdraw;
mod workers;
