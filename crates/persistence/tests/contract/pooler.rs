//! A pooler in transaction mode before PostgreSQL. That everything works behind it is what `pooled::…` of every other
//! case shows; here is what is special to it.

use std::sync::Arc;

use onefold_persistence::testing::TestDatabase;
use onefold_persistence::{Config, ConnectError, Pooler, SeaOrmStore};
use onefold_sync::store::SyncStore;
use tokio::task::JoinSet;

use crate::by_hand::email_key;
use crate::scene::{in_time, service, tell};

/// Without the setting it is one line that names it, before anything was written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_told_which_setting_is_missing() {
    let database = TestDatabase::pooled().await;
    let config = Config { pooler: Pooler::None, ..database.config() };
    let error = in_time(SeaOrmStore::connect(&config)).await.err().expect("a refusal");
    assert!(matches!(error, ConnectError::Pooler), "{error}");
    let line = error.to_string();
    assert!(line.contains("database.pooler = \"transaction\"") && !line.contains('\n'), "{line}");
}

/// More programs with more callers than the pooler has connections, so that transactions of all of them meet on each.
/// Nothing of one may be there for the next: no prepared statement of any name, no time limit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_on_its_connections() {
    let database = TestDatabase::pooled().await;
    let mut callers = JoinSet::new();
    for program in 0..4 {
        let store: Arc<dyn SyncStore> = Arc::new(database.store().await);
        for caller in 0..8 {
            let store = Arc::clone(&store);
            callers.spawn(async move {
                for call in 0..5 {
                    let email = format!("{program}-{caller}-{call}@hillvalley.edu");
                    tell(&service(&store), &email, "").await;
                    store.candidates(&[email_key(&email)]).await.expect("a read");
                }
            });
        }
    }
    in_time(callers.join_all()).await;
    assert_eq!(database.count("SELECT COUNT(*) FROM contact").await, 160);
    database.assert_invariants().await;
}

/// The limits that PostgreSQL would be told once for a connection are told it for each transaction.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_is_given_up_in_time() {
    let database = TestDatabase::pooled().await;
    let config = Config { statement_timeout_ms: 100, ..database.config() };
    let store: Arc<dyn SyncStore> = Arc::new(SeaOrmStore::connect(&config).await.expect("a store"));
    database.store().await;
    database.query("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NEW; END'").await;
    database.query("CREATE TRIGGER slow BEFORE INSERT ON contact FOR EACH ROW EXECUTE FUNCTION slow()").await;
    let patience =
        onefold_service::retry::Patience { attempts: 1, ..onefold_service::retry::Patience::default() };
    let asked = crate::scene::request(crate::scene::statement("doc@hillvalley.edu", ""));
    let refused = in_time(service(&store).with_patience(patience).run(&asked)).await;
    assert!(matches!(refused, Err(onefold_service::retry::Failure::Unavailable { .. })), "{refused:?}");
}
