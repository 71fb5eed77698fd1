//! A database that goes away. Callers are told so within their patience, as something that passes,
//! and the same store works again when the database is back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use onefold_domain::linking::Outcome;
use onefold_persistence::testing::{PostgresCluster, TestDatabase};
use onefold_persistence::{Config, DatabaseUrl, SeaOrmStore};
use onefold_service::retry::{Failure, Patience};
use onefold_service::store::StoreError;
use onefold_sync::store::SyncStore;

use crate::by_hand::email_key;
use crate::gateway::Gateway;
use crate::scene::{in_time, recall, request, service, statement, tell};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_is_unavailable_until_it_is_back() {
    let cluster = PostgresCluster::start();
    let database = TestDatabase::on(&cluster).await;
    let store = connect(database.config()).await;
    let patient = service(&store).with_patience(PATIENT);
    let told = tell(&patient, "marty@hillvalley.edu", "123456").await;

    cluster.stop();
    assert_unavailable(&store).await;
    assert_refused_in_time(&store).await;

    // A request that comes while the server is down lasts until it is up again.
    let restarting = tokio::task::spawn_blocking({
        let cluster = cluster.clone();
        move || cluster.restart()
    });
    let waited = in_time(tell(&patient, "doc@hillvalley.edu", "123456")).await;
    restarting.await.expect("the server should restart");
    assert_eq!(waited.outcome, Outcome::Attached);
    assert_eq!(waited.customer.id, told.customer.id);
    in_time(store.ping()).await.expect("a sign of life");
    database.assert_invariants().await;

    let folder = cluster.folder().to_path_buf();
    drop((database, cluster));
    assert!(!folder.exists(), "a server should take its folder with it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_refuses_connections_is_unavailable() {
    let database = TestDatabase::postgres().await;
    let (gateway, store) = behind_gateway(&database).await;
    gateway.refuse();
    assert_unavailable(&store).await;
    assert_refused_in_time(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_falls_silent_is_given_up_in_time() {
    let database = TestDatabase::postgres().await;
    let (gateway, store) = behind_gateway(&database).await;
    tell(&service(&store), "marty@hillvalley.edu", "123456").await;

    gateway.fall_silent();
    assert_refused_in_time(&store).await;
    gateway.open();
    let again = in_time(tell(&service(&store), "doc@hillvalley.edu", "123456")).await;
    assert_eq!(again.outcome, Outcome::Attached);
    database.assert_invariants().await;
}

/// A machine that vanishes says no good-bye, and TCP waits a quarter of an hour for it. The pool must
/// not: every connection of before is useless, and the server that took over is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_lost_are_replaced() {
    let database = TestDatabase::postgres().await;
    let (gateway, store) = behind_gateway(&database).await;
    let transactions: Vec<_> = (0..database.config().max_connections).map(|_| store.begin_sync()).collect();
    let mut open = Vec::new();
    for transaction in transactions {
        open.push(transaction.await.expect("a transaction"));
    }

    gateway.lose_connections();
    drop(open);
    let hasty = service(&store).with_patience(HASTY);
    let asked = request(statement("marty@hillvalley.edu", "123456"));
    in_time(async { while hasty.run(&asked).await.is_err() {} }).await;
    database.assert_invariants().await;
}

/// Another program that holds SQLite's only write lock for too long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_another_program_holds_is_given_up_in_time() {
    let database = TestDatabase::sqlite();
    let other = database.store().await;
    let store = connect(database.config()).await;
    let patient = service(&store);
    tell(&patient, "marty@hillvalley.edu", "123456").await;

    let held = other.begin_sync().await.expect("a transaction");
    // Readers are not disturbed, and what is known is answered.
    recall(&patient, "marty@hillvalley.edu", "").await;
    assert_refused_in_time(&store).await;
    drop(held);
    let again = in_time(tell(&patient, "doc@hillvalley.edu", "123456")).await;
    assert_eq!(again.outcome, Outcome::Attached);
    database.assert_invariants().await;
}

/// Gives up soon.
const HASTY: Patience =
    Patience { attempts: 4, longest_pause: Duration::from_millis(5), deadline: Duration::from_millis(800) };

/// Goes on for as long as a busy machine may take to start a server.
const PATIENT: Patience = Patience {
    attempts: u32::MAX,
    longest_pause: Duration::from_millis(100),
    deadline: Duration::from_secs(20),
};

async fn connect(config: Config) -> Arc<dyn SyncStore> {
    // A short wait for a connection, so that giving up is quick.
    let config = Config { acquire_timeout_ms: 500, ..config };
    let store = SeaOrmStore::connect(&config).await.expect("a store should connect");
    store.migrate().await.expect("a store should migrate");
    Arc::new(store)
}

async fn behind_gateway(database: &TestDatabase) -> (Gateway, Arc<dyn SyncStore>) {
    let gateway = Gateway::before(PostgresCluster::shared()).await;
    let name = database.name().expect("a PostgreSQL database has a name");
    let url = DatabaseUrl::parse(&gateway.url(name)).expect("an address");
    let store = connect(Config { url, ..database.config() }).await;
    (gateway, store)
}

async fn assert_unavailable(store: &Arc<dyn SyncStore>) {
    // The first finds the connection that was idle broken, the others can open none.
    let read = in_time(store.candidates(&[email_key("marty@hillvalley.edu")])).await;
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    let write = in_time(store.begin_sync()).await.map(drop);
    assert!(matches!(write, Err(StoreError::Unavailable(_))), "{write:?}");
    let ping = in_time(store.ping()).await;
    assert!(matches!(ping, Err(StoreError::Unavailable(_))), "{ping:?}");
}

/// What is asked is new, so that a reader alone cannot answer it.
async fn assert_refused_in_time(store: &Arc<dyn SyncStore>) {
    let service = service(store).with_patience(HASTY);
    let asked = request(statement("biff@hillvalley.edu", ""));
    let started = Instant::now();
    let refused = in_time(service.run(&asked)).await;
    assert!(matches!(refused, Err(Failure::Unavailable { .. } | Failure::TimedOut)), "{refused:?}");
    // The deadline, and time for a busy machine to notice.
    assert!(started.elapsed() < HASTY.deadline * 5, "{:?}", started.elapsed());
}
