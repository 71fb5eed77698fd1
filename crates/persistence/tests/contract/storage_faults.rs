//! Storage that fails while callers write. Whoever is told that something is stored can rely on it, the others are
//! told what is wrong, readiness says so as long as it lasts, and the first write afterwards succeeds: on the same
//! store, without a restart.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use onefold_persistence::testing::{PostgresCluster, SmallDisk, TestDatabase, WriterFault, arrange};
use onefold_persistence::{Config, DatabaseUrl, SeaOrmStore};
use onefold_service::identify::Identify;
use onefold_service::retry::Failure;
use onefold_service::store::{StorageFault, Store, StoreError};
use onefold_sync::store::SyncStore;
use tokio::time::{interval, timeout};

use crate::scene::{in_time, recall, request, service, statement, tell};

/// Far more than fit into what is left of a page or a disk.
const MANY: usize = 3_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_may_not_grow_loses_nothing() {
    on_sqlite(WriterFault::Full, StorageFault::Full).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_be_written_to_loses_nothing() {
    on_sqlite(WriterFault::ReadOnly, StorageFault::ReadOnly).await;
}

async fn on_sqlite(fault: WriterFault, told: StorageFault) {
    let database = TestDatabase::sqlite();
    let store = database.store().await;
    let customers = Customers::of(&store);
    for _ in 0..3 {
        arrange(&store, Some(fault)).await;
        customers.write_until_refused(told).await;
        assert_told(&store, told).await;
        customers.write_at_once(40, told).await;
        arrange(&store, None).await;
        customers.write_one().await.expect("the first write afterwards");
        ready_again(&store).await;
    }
    customers.are_all_in(&database).await;
}

/// With space again nobody may come and write, so readiness finds out by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_comes_back_by_itself() {
    let database = TestDatabase::sqlite();
    let store = database.store().await;
    arrange(&store, Some(WriterFault::ReadOnly)).await;
    Customers::of(&store).write_until_refused(StorageFault::ReadOnly).await;
    assert_told(&store, StorageFault::ReadOnly).await;
    arrange(&store, None).await;
    ready_again(&store).await;
}

/// The file is moved away: the next connection must not begin a new one in its place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_gone_is_not_replaced_by_an_empty_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("onefold.db");
    let url = DatabaseUrl::parse(&format!("sqlite://{}?mode=rwc", file.display())).expect("an address");
    let store = SeaOrmStore::connect(&Config { url, ..Config::default() }).await.expect("a store");
    store.migrate().await.expect("migrations");
    let customers = Customers::of(&store);
    customers.write_one().await.expect("a write");

    arrange(&store, Some(WriterFault::ReadOnly)).await;
    // The connection that fails is closed, and the next one finds no file.
    std::fs::rename(&file, folder.path().join("elsewhere")).expect("a move");
    customers.write_until_refused(StorageFault::ReadOnly).await;
    arrange_without_connection(&store).await;
    let refused = customers.write_one().await;
    assert!(matches!(fault(&refused), Some(StorageFault::Broken)), "{refused:?}");
    assert!(!file.exists(), "a new database was begun");

    std::fs::rename(folder.path().join("elsewhere"), &file).expect("a move");
    arrange(&store, None).await;
    customers.write_one().await.expect("the first write afterwards");
}

async fn arrange_without_connection(store: &SeaOrmStore) {
    // Nothing can be set on a connection that cannot be opened.
    let store = store.clone();
    let arranged = tokio::spawn(async move { arrange(&store, None).await }).await;
    assert!(arranged.is_err(), "there is no file to open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_loses_nothing_on_sqlite() {
    let Some(disk) = SmallDisk::mount(24) else {
        return on_sqlite(WriterFault::Full, StorageFault::Full).await;
    };
    let database = TestDatabase::sqlite_on(&disk);
    full_disk(&database, &disk).await;
}

/// A tablespace of its own: on a disk without space for its log PostgreSQL stops, which is another test.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_on_postgres() {
    // Elsewhere the table of SQLSTATEs in `error.rs` has to do.
    let Some(disk) = SmallDisk::mount(40) else { return };
    let cluster = PostgresCluster::start();
    let database = TestDatabase::postgres_on(&cluster, &disk).await;
    full_disk(&database, &disk).await;
}

async fn full_disk(database: &TestDatabase, disk: &SmallDisk) {
    let store = database.store().await;
    let customers = Customers::of(&store);
    customers.write_one().await.expect("a write");
    for _ in 0..2 {
        disk.fill();
        customers.write_until_refused(StorageFault::Full).await;
        assert_told(&store, StorageFault::Full).await;
        customers.write_at_once(40, StorageFault::Full).await;
        disk.free();
        ready_again(&store).await;
        customers.write_one().await.expect("a write afterwards");
    }
    customers.are_all_in(database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_created_is_for_nobody_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("new folder/below/onefold.db");
    // As an address spells it.
    let url = format!("sqlite://{}?mode=rwc", file.display().to_string().replace(' ', "%20"));
    let config = Config { url: DatabaseUrl::parse(&url).expect("an address"), ..Config::default() };
    let store = SeaOrmStore::connect(&config).await.expect("a store");
    store.migrate().await.expect("migrations");
    let mode = |path: &Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(file.parent().expect("a folder")), 0o700);
    assert_eq!(mode(&folder.path().join("new folder")), 0o700);
    for suffix in ["", "-wal", "-shm"] {
        let file = file.with_file_name(format!("onefold.db{suffix}"));
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }

    // What somebody arranged stays so.
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).expect("rights");
    store.close().await.expect("an end");
    SeaOrmStore::connect(&config).await.expect("a store");
    assert_eq!(mode(&file), 0o640);
}

/// Callers who each state something new, and what they were told.
#[derive(Clone)]
struct Customers {
    service: Identify,
    stored: Arc<std::sync::Mutex<Vec<String>>>,
    next: Arc<std::sync::atomic::AtomicUsize>,
}

impl Customers {
    fn of(store: &SeaOrmStore) -> Self {
        let store: Arc<dyn SyncStore> = Arc::new(store.clone());
        Self { service: service(&store), stored: Arc::default(), next: Arc::default() }
    }

    async fn write_one(&self) -> Result<(), Failure> {
        let number = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let email = format!("m{number}@hillvalley.edu");
        in_time(self.service.run(&request(statement(&email, "")))).await?;
        self.stored.lock().expect("nobody panicked").push(email);
        Ok(())
    }

    /// A little may still fit.
    async fn write_until_refused(&self, expected: StorageFault) {
        for _ in 0..MANY {
            let written = self.write_one().await;
            if written.is_err() {
                assert_eq!(fault(&written), Some(expected), "{written:?}");
                return;
            }
        }
        panic!("nothing was refused");
    }

    /// Many at once, who share commits; each is told the truth.
    async fn write_at_once(&self, callers: usize, expected: StorageFault) {
        let writes = (0..callers).map(|_| {
            let customers = self.clone();
            tokio::spawn(async move { customers.write_one().await })
        });
        for write in writes.collect::<Vec<_>>() {
            let written = write.await.expect("a caller should end");
            assert!(written.is_ok() || fault(&written) == Some(expected), "{written:?}");
        }
    }

    /// Another process, as after a restart, finds everything that was told to be stored.
    async fn are_all_in(&self, database: &TestDatabase) {
        database.assert_invariants().await;
        let restarted: Arc<dyn SyncStore> = Arc::new(database.store().await);
        let service = service(&restarted);
        let stored = self.stored.lock().expect("nobody panicked").clone();
        assert!(!stored.is_empty());
        for email in stored {
            recall(&service, &email, "").await;
        }
        tell(&service, "last@hillvalley.edu", "").await;
    }
}

fn fault(result: &Result<(), Failure>) -> Option<StorageFault> {
    match result {
        Err(Failure::Store(StoreError::Storage { fault, .. })) => Some(*fault),
        _ => None,
    }
}

async fn assert_told(store: &SeaOrmStore, expected: StorageFault) {
    // Asked again and again, also when it tries by itself.
    for _ in 0..3 {
        let told = in_time(store.ping()).await;
        assert!(matches!(told, Err(StoreError::Storage { fault, .. }) if fault == expected), "{told:?}");
    }
}

async fn ready_again(store: &SeaOrmStore) {
    let ready = async {
        let mut pace = interval(Duration::from_millis(50));
        while store.ping().await.is_err() {
            pace.tick().await;
        }
    };
    timeout(Duration::from_secs(20), ready).await.expect("readiness should come back by itself");
}
