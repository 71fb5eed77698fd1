//! Databases for single tests.

use std::sync::atomic::{AtomicU32, Ordering};

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, QueryResult, Statement};
use tempfile::TempDir;

use super::{PostgresCluster, SmallDisk, assert_invariants};
use crate::{Config, DatabaseUrl, Pooler, SeaOrmStore};

/// An empty database that belongs to one test and goes away with this value. Keep it until the end
/// of the test: `let database = …`, not `let _ = …`.
pub struct TestDatabase {
    url: String,
    /// Where a store goes, if that is another way.
    pooled_url: Option<String>,
    place: Place,
}

enum Place {
    /// Removes its folder when dropped.
    Sqlite {
        _folder: TempDir,
    },
    Postgres {
        cluster: PostgresCluster,
        name: String,
    },
}

impl TestDatabase {
    /// A file in a folder of its own.
    #[must_use]
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}/onefold.db?mode=rwc", folder.path().display());
        Self { url, pooled_url: None, place: Place::Sqlite { _folder: folder } }
    }

    /// A file in a folder of its own on this disk.
    #[must_use]
    pub fn sqlite_on(disk: &SmallDisk) -> Self {
        let folder = tempfile::tempdir_in(disk.folder()).expect("a temporary folder");
        let url = format!("sqlite://{}/onefold.db?mode=rwc", folder.path().display());
        Self { url, pooled_url: None, place: Place::Sqlite { _folder: folder } }
    }

    /// A database in the server that the tests of this process share.
    pub async fn postgres() -> Self {
        Self::on(PostgresCluster::shared()).await
    }

    /// A database in this server.
    pub async fn on(cluster: &PostgresCluster) -> Self {
        Self::create(cluster, "").await
    }

    /// A database of this server whose tables are on this disk.
    pub async fn postgres_on(cluster: &PostgresCluster, disk: &SmallDisk) -> Self {
        let server = connect(&cluster.url("postgres")).await;
        let folder = disk.folder_of("postgres");
        let create = format!("CREATE TABLESPACE small LOCATION '{}'", folder.display());
        server.execute_unprepared(&create).await.expect("a tablespace should be created");
        server.close().await.expect("a connection should close");
        Self::create(cluster, "TABLESPACE small").await
    }

    async fn create(cluster: &PostgresCluster, place: &str) -> Self {
        static CREATED: AtomicU32 = AtomicU32::new(0);
        // No server outlives this process, so a number is enough.
        let name = format!("onefold_{}", CREATED.fetch_add(1, Ordering::Relaxed));
        let server = connect(&cluster.url("postgres")).await;
        let create = format!("CREATE DATABASE {name} {place}");
        server.execute_unprepared(&create).await.expect("a database should be created");
        server.close().await.expect("a connection should close");
        let place = Place::Postgres { cluster: cluster.clone(), name: name.clone() };
        Self { url: cluster.url(&name), pooled_url: None, place }
    }

    /// One in the shared server, whose stores reach it by way of PgBouncer in transaction mode. What looks past the
    /// store goes straight to it.
    pub async fn pooled() -> Self {
        let cluster = PostgresCluster::shared();
        let mut database = Self::on(cluster).await;
        database.pooled_url = database.name().map(|name| cluster.pooled_url(name));
        database
    }

    /// In the form that the configuration takes.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// What PostgreSQL calls it.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match &self.place {
            Place::Sqlite { .. } => None,
            Place::Postgres { name, .. } => Some(name),
        }
    }

    /// The default configuration for this database, with few connections.
    #[must_use]
    pub fn config(&self) -> Config {
        let (url, pooler) = match &self.pooled_url {
            None => (&self.url, Pooler::None),
            Some(pooled) => (pooled, Pooler::Transaction),
        };
        let url = DatabaseUrl::parse(url).expect("the address of a test database");
        Config { url, pooler, max_connections: 8, ..Config::default() }
    }

    /// A new store, connected and migrated. Every call is one more, as if from another process.
    pub async fn store(&self) -> SeaOrmStore {
        let store = SeaOrmStore::connect(&self.config()).await.expect("a store should connect");
        store.migrate().await.expect("a store should migrate");
        store
    }

    /// Rows of plain SQL, past the store.
    pub async fn query(&self, sql: &str) -> Vec<QueryResult> {
        query(&self.url, sql).await
    }

    /// Rows of plain SQL, past the store, of a statement that the database may refuse.
    ///
    /// # Errors
    /// What the database says.
    pub async fn try_query(&self, sql: &str) -> Result<Vec<QueryResult>, sea_orm::DbErr> {
        let connection = connect(&self.url).await;
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        let rows = connection.query_all_raw(statement).await;
        connection.close().await.expect("a connection should close");
        rows
    }

    /// The number in the first column of the only row, for `SELECT COUNT(*) …`.
    pub async fn count(&self, sql: &str) -> i64 {
        first_number(&self.query(sql).await)
    }

    /// Fails if what is stored breaks a rule that holds at any time; see [`assert_invariants`].
    pub async fn assert_invariants(&self) {
        assert_invariants(&self.url).await;
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Place::Postgres { cluster, name } = &self.place {
            cluster.drop_database(name);
        }
    }
}

/// The number in the first column of the only row of a database that the test looks after itself.
pub async fn count(url: &str, sql: &str) -> i64 {
    first_number(&query(url, sql).await)
}

async fn query(url: &str, sql: &str) -> Vec<QueryResult> {
    let connection = connect(url).await;
    let rows = run(&connection, sql).await;
    connection.close().await.expect("a connection should close");
    rows
}

pub(super) async fn connect(url: &str) -> DatabaseConnection {
    let mut options = sea_orm::ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.expect("the test's database should answer")
}

pub(super) async fn run(connection: &DatabaseConnection, sql: &str) -> Vec<QueryResult> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_all_raw(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

pub(super) fn first_number(rows: &[QueryResult]) -> i64 {
    let row = rows.first().expect("one row");
    row.try_get_by_index(0).expect("a number")
}
