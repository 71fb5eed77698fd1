//! How connections are set up. The settings are the ones that were measured; each says why.

use std::time::Duration;

use onefold_migrations::Migrator;
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{Connection, Error as SqlxError, PgConnection};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use tokio::time::timeout;

use crate::Config;
use crate::config::Backend;
use crate::error::{ConnectError, is_busy};
use crate::sqlite_file;

/// Held by the server that migrates, so that several may start at once. The number only has to be
/// the same in all of them.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(7150021)";

/// How long a server may take to end what a request left behind.
const LETTING_GO: Duration = Duration::from_secs(1);

/// The connections of one database: for SQLite a pool of readers and one writer, for PostgreSQL the
/// same pool twice.
pub(crate) struct Connections {
    pub(crate) read: DatabaseConnection,
    pub(crate) write: DatabaseConnection,
}

pub(crate) async fn connect(config: &Config) -> Result<Connections, ConnectError> {
    let open = |source| ConnectError::Open { database: config.url.to_string(), source };
    match config.url.backend() {
        Backend::Postgres => {
            let pool = Database::connect(postgres(config)).await.map_err(open)?;
            Ok(Connections { read: pool.clone(), write: pool })
        }
        Backend::Sqlite => {
            sqlite_file::prepare(&config.url)?;
            // The writer first: it creates the file.
            let write = open_sqlite(config).await.map_err(open)?;
            sqlite_file::only_this_one(&write);
            let read = Database::connect(sqlite(config, Access::Read)).await.map_err(open)?;
            Ok(Connections { read, write })
        }
    }
}

/// Several programs may open one new file at the same moment. Who switches it to WAL then needs it alone,
/// and SQLite reports busy at once instead of waiting.
async fn open_sqlite(config: &Config) -> Result<DatabaseConnection, DbErr> {
    const ATTEMPTS: u32 = 100;
    const PAUSE: Duration = Duration::from_millis(50);
    let mut attempt = 1;
    loop {
        match Database::connect(sqlite(config, Access::Write)).await {
            Err(error) if attempt < ATTEMPTS && is_busy(&error) => {
                attempt += 1;
                tokio::time::sleep(PAUSE).await;
            }
            result => return result,
        }
    }
}

/// Brings the schema up to date. All of it or nothing, and once, whoever else starts now.
pub(crate) async fn migrate(write: &DatabaseConnection, backend: Backend) -> Result<(), ConnectError> {
    let run = async {
        let transaction = write.begin_with_options(to_write()).await?;
        // SQLite's transaction has the whole file already.
        if backend == Backend::Postgres {
            // Not part of identify's locking: it guards the schema, at start only.
            transaction.execute_unprepared(MIGRATION_LOCK).await?;
            // A migration takes as long as the tables are large.
            transaction.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
        }
        Migrator::up(&transaction, None).await?;
        transaction.commit().await
    };
    run.await.map_err(ConnectError::Migrate)
}

/// How a transaction that writes begins.
pub(crate) fn to_write() -> TransactionOptions {
    TransactionOptions {
        // Takes the file's write lock now, not at the first write, when it could be too late.
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

fn sqlite(config: &Config, access: Access) -> ConnectOptions {
    let mut options = basics(config);
    options.max_connections(match access {
        // SQLite has one writer at a time; waiting for it in the process is cheaper than in the file.
        Access::Write => 1,
        Access::Read => config.max_connections,
    });
    options.map_sqlx_sqlite_opts(move |sqlite| {
        let sqlite = sqlite
            .journal_mode(SqliteJournalMode::Wal)
            // A commit survives a power cut. Writers share commits, so it costs little.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // Other processes may use the file too.
            .busy_timeout(Duration::from_secs(5))
            .pragma("temp_store", "memory");
        match access {
            // A page that many commits change goes from the log to the file once in 64 MiB: a third of the time
            // of an import went there.
            Access::Write => sqlite
                .pragma("cache_size", "-65536")
                .pragma("wal_autocheckpoint", "16384")
                .optimize_on_close(true, None),
            // What is mapped is shared by all of them; a cache is each connection's own.
            Access::Read => sqlite
                .create_if_missing(false)
                .pragma("mmap_size", "67108864")
                .pragma("cache_size", "-8192")
                .pragma("query_only", "on"),
        }
    });
    // Should anything have gone past the writer's care, a connection inside a transaction is not used again.
    options.map_sqlx_sqlite_pool_opts(|pool| {
        pool.before_acquire(|connection, _| {
            let outside = !connection.is_in_transaction();
            Box::pin(async move { Ok(outside) })
        })
    });
    options
}

fn postgres(config: &Config) -> ConnectOptions {
    let mut options = basics(config);
    options.max_connections(config.max_connections);
    let statement_timeout = config.statement_timeout_ms.to_string();
    options.map_sqlx_postgres_opts(move |postgres| {
        postgres.application_name("onefold").options([
            ("statement_timeout", statement_timeout.as_str()),
            ("idle_in_transaction_session_timeout", "30000"),
            // Every statement here finds its rows by key. The planner learns a table's size minutes
            // after it grew; until then it must not choose to read all of it.
            ("enable_seqscan", "off"),
        ])
    });
    options.map_sqlx_postgres_pool_opts(|pool| {
        pool.after_release(|connection, _| Box::pin(async { let_go(connection).await }))
    });
    options
}

/// What a request that was cancelled left unread is read before others get the connection. sqlx would
/// wait for it without end, and a server that vanished would keep every connection for the quarter of
/// an hour that TCP takes to notice. Without anything unread this does nothing.
async fn let_go(connection: &mut PgConnection) -> Result<bool, SqlxError> {
    match timeout(LETTING_GO, connection.flush()).await {
        Ok(done) => done.map(|()| true),
        // An error has the connection closed without a word to the server.
        Err(_) => Err(SqlxError::PoolTimedOut),
    }
}

fn basics(config: &Config) -> ConnectOptions {
    let mut options = ConnectOptions::new(config.url.expose());
    options
        .min_connections(1)
        .acquire_timeout(Duration::from_millis(config.acquire_timeout_ms))
        // A connection that broke while idle fails the first attempt, and identify starts over.
        .test_before_acquire(false)
        // It costs, and it would print personal data.
        .sqlx_logging(false);
    options
}

/// The migrations that the database still lacks.
pub(crate) async fn pending(write: &DatabaseConnection) -> Result<usize, DbErr> {
    Ok(Migrator::get_pending_migrations(write).await?.len())
}
