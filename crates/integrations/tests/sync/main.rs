//! Sync from end to end: the synchroniser and the worker on every store, against the stateful double over HTTP.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

/// Makes `memory::x`, `sqlite::x` and `postgres::x` of each `async fn x(scene: Scene)`, or of another scene that is named
/// first.
macro_rules! on_every_store {
    ($($case:ident),+ $(,)?) => { on_every_store!(crate::scene::Scene: $($case),+); };
    ($scene:ty: $($case:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let store = std::sync::Arc::new(onefold_memory::MemoryStore::default());
                super::$case(<$scene>::on(store).await).await;
            })+
        }
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let database = onefold_persistence::testing::TestDatabase::sqlite();
                let store = std::sync::Arc::new(database.store().await);
                super::$case(<$scene>::on(store).await).await;
                database.assert_invariants().await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let database = onefold_persistence::testing::TestDatabase::postgres().await;
                let store = std::sync::Arc::new(database.store().await);
                super::$case(<$scene>::on(store).await).await;
                database.assert_invariants().await;
            })+
        }
    };
}

mod adoption;
mod both_systems;
mod both_ways;
mod company;
mod conflicts;
mod crash;
mod crashing;
mod edits;
mod everyone;
mod gone;
mod missing;
mod model;
mod openphone;
mod recomputing;
mod registration;
mod reports;
mod runs;
mod scene;
mod waiting;
mod worker;
