//! Databases for single tests, and what must hold in every database after whatever a test did.

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, QueryResult, Statement};
use tempfile::TempDir;
use uuid::Uuid;

use super::PostgresCluster;
use crate::{Config, DatabaseUrl, SeaOrmStore};

/// An empty database that belongs to one test and goes away with this value. Keep it until the end
/// of the test: `let database = …`, not `let _ = …`.
pub struct TestDatabase {
    url: String,
    place: Place,
}

enum Place {
    /// Removes its folder when dropped.
    Sqlite { _folder: TempDir },
    Postgres { cluster: PostgresCluster, name: String },
}

impl TestDatabase {
    /// A file in a folder of its own.
    ///
    /// # Panics
    /// Without a folder for temporary files.
    #[must_use]
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}/onefold.db?mode=rwc", folder.path().display());
        Self { url, place: Place::Sqlite { _folder: folder } }
    }

    /// A database in the server that the tests of this process share.
    ///
    /// # Panics
    /// Without PostgreSQL on this machine.
    pub async fn postgres() -> Self {
        Self::on(PostgresCluster::shared()).await
    }

    /// A database in this server.
    ///
    /// # Panics
    /// If the server is not running.
    pub async fn on(cluster: &PostgresCluster) -> Self {
        let name = format!("onefold_{}", Uuid::now_v7().simple());
        let server = connect(&cluster.url("postgres")).await;
        let create = format!("CREATE DATABASE {name}");
        server.execute_unprepared(&create).await.expect("a database should be created");
        server.close().await.expect("a connection should close");
        Self { url: cluster.url(&name), place: Place::Postgres { cluster: cluster.clone(), name } }
    }

    /// In the form that the configuration takes.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The default configuration for this database, with few connections.
    ///
    /// # Panics
    /// Never: the address is one of the two kinds.
    #[must_use]
    pub fn config(&self) -> Config {
        let url = DatabaseUrl::parse(&self.url).expect("the address of a test database");
        Config { url, max_connections: 8, ..Config::default() }
    }

    /// A new store, connected and migrated. Every call is one more, as if from another process.
    ///
    /// # Panics
    /// If the database does not answer.
    pub async fn store(&self) -> SeaOrmStore {
        let store = SeaOrmStore::connect(&self.config()).await.expect("a store should connect");
        store.migrate().await.expect("a store should migrate");
        store
    }

    /// Rows of plain SQL, past the store.
    ///
    /// # Panics
    /// If the statement fails.
    pub async fn query(&self, sql: &str) -> Vec<QueryResult> {
        query(&self.url, sql).await
    }

    /// The number in the first column of the only row, for `SELECT COUNT(*) …`.
    ///
    /// # Panics
    /// If the statement fails or gives something else.
    pub async fn count(&self, sql: &str) -> i64 {
        first_number(&self.query(sql).await)
    }

    /// See [`assert_invariants`].
    ///
    /// # Panics
    /// If one does not hold.
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

/// Each counts the rows that break a rule. Both databases understand them.
const INVARIANTS: [(&str, &str); 8] = [
    (
        "a customer leads to a root, which leads to itself",
        "SELECT COUNT(*) FROM customer c LEFT JOIN customer r ON r.id = c.root_id
         WHERE r.id IS NULL OR r.root_id <> r.id",
    ),
    (
        "the primary of a root is the oldest contact of all that lead to it",
        "SELECT COUNT(*) FROM customer r WHERE r.root_id = r.id AND COALESCE(r.primary_contact_id, 0)
         <> COALESCE((SELECT MIN(c.id) FROM contact c JOIN customer m ON m.id = c.customer_id
                      WHERE m.root_id = r.id), -1)",
    ),
    (
        "a contact belongs to a customer",
        "SELECT COUNT(*) FROM contact c WHERE NOT EXISTS
         (SELECT 1 FROM customer m WHERE m.id = c.customer_id)",
    ),
    (
        "a key leads to a customer",
        "SELECT COUNT(*) FROM contact_point p WHERE NOT EXISTS
         (SELECT 1 FROM customer m WHERE m.id = p.customer_id)",
    ),
    (
        "a root can be found by a key",
        "SELECT COUNT(*) FROM customer r WHERE r.root_id = r.id AND NOT EXISTS
         (SELECT 1 FROM contact_point p JOIN customer m ON m.id = p.customer_id
          WHERE m.root_id = r.id)",
    ),
    (
        "a value that links leads to the customer whose contacts show it",
        "SELECT COUNT(*) FROM contact c JOIN customer born ON born.id = c.customer_id
         JOIN contact_point p ON (p.kind = 1 AND p.value = c.email AND c.email_blocked_by IS NULL)
                              OR (p.kind = 2 AND p.value = c.phone AND c.phone_blocked_by IS NULL)
         JOIN customer claimed ON claimed.id = p.customer_id
         WHERE claimed.root_id <> born.root_id",
    ),
    (
        "a merge is on record",
        "SELECT COUNT(*) FROM customer c WHERE c.root_id <> c.id AND NOT EXISTS
         (SELECT 1 FROM link l WHERE l.absorbed_id = c.id)",
    ),
    (
        "a record of a merge names customers and contacts that exist",
        "SELECT COUNT(*) FROM link l WHERE l.survivor_id = l.absorbed_id
         OR NOT EXISTS (SELECT 1 FROM customer c WHERE c.id = l.survivor_id)
         OR NOT EXISTS (SELECT 1 FROM customer c WHERE c.id = l.absorbed_id)
         OR NOT EXISTS (SELECT 1 FROM contact c WHERE c.id = l.after_contact_id)
         OR (l.contact_id IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM contact c WHERE c.id = l.contact_id))",
    ),
];

/// Reads the tables and checks what holds in them whatever happened. Do so before asking the service
/// anything: an answer may heal what was broken.
///
/// # Panics
/// With all the rules that are broken.
pub async fn assert_invariants(url: &str) {
    let connection = connect(url).await;
    let mut broken = Vec::new();
    for (rule, sql) in INVARIANTS {
        let rows = run(&connection, sql).await;
        match first_number(&rows) {
            0 => {}
            count => broken.push(format!("{rule} (broken by {count})")),
        }
    }
    connection.close().await.expect("a connection should close");
    assert!(broken.is_empty(), "the data is not sound: {broken:#?}");
}

async fn query(url: &str, sql: &str) -> Vec<QueryResult> {
    let connection = connect(url).await;
    let rows = run(&connection, sql).await;
    connection.close().await.expect("a connection should close");
    rows
}

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = sea_orm::ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.expect("the test's database should answer")
}

async fn run(connection: &DatabaseConnection, sql: &str) -> Vec<QueryResult> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_all_raw(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

fn first_number(rows: &[QueryResult]) -> i64 {
    let row = rows.first().expect("one row");
    row.try_get_by_index(0).expect("a number")
}
