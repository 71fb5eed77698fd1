//! How connections are set up. The settings are the ones that were measured; each says why.

use std::io::ErrorKind;
use std::time::Duration;

use onefold_migrations::Migrator;
use sea_orm::sqlx::Connection;
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbErr,
    SqliteTransactionMode, SqlxPostgresConnector, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;

use crate::config::{Config, Pooler};
use crate::database_url::{Backend, DatabaseUrl};
use crate::error::{ConnectError, is_busy};
use crate::pooled::Pooled;
use crate::reader::Reader;
use crate::schema::{self, Misfit};
use crate::{postgres, refusal, sqlite_file};

/// Held by the server that migrates, so that several may start at once. The number only has to be
/// the same in all of them.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(7150021)";

/// sea-orm names the statements of migrations, and a pooler leaves them where the next migration finds them.
const FORGET_STATEMENTS: &str = "DEALLOCATE ALL";

/// The connections of one database: for SQLite a pool of readers and one writer, for PostgreSQL the
/// same pool twice.
pub(crate) struct Connections {
    pub(crate) read: Reader,
    pub(crate) write: DatabaseConnection,
}

pub(crate) async fn connect(config: &Config) -> Result<Connections, ConnectError> {
    match config.url.backend() {
        Backend::Postgres => {
            let pool = postgres::open(config).await?;
            let write = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
            let read = match config.pooler {
                Pooler::None => Reader::Direct(write.clone()),
                Pooler::Transaction => Reader::Pooled(Pooled::new(pool, &postgres::settings(config))),
            };
            Ok(Connections { read, write })
        }
        Backend::Sqlite => {
            let open = |source| refusal::of_file(config, source);
            check_file(&config.url)?;
            sqlite_file::prepare(&config.url)?;
            // The writer first: it creates the file.
            let write = open_sqlite(config).await.map_err(open)?;
            sqlite_file::only_this_one(&write);
            let read = Database::connect(sqlite(config, Access::Read)).await.map_err(open)?;
            Ok(Connections { read: Reader::Direct(read), write })
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
pub(crate) async fn migrate(write: &DatabaseConnection, config: &Config) -> Result<(), ConnectError> {
    let told = |error| refusal::of_schema(config, error);
    let transaction = begin_alone(write, config).await.map_err(told)?;
    let database = || config.url.to_string();
    match schema::misfit(&transaction).await.map_err(told)? {
        None => {}
        Some(Misfit::Newer(migration)) => {
            return Err(ConnectError::Newer { database: database(), migration });
        }
        Some(Misfit::Foreign(sign)) => return Err(ConnectError::Foreign { database: database(), sign }),
    }
    Migrator::up(&transaction, None).await.map_err(told)?;
    end(transaction, config).await.map_err(told)
}

/// The migrations that the database still lacks.
pub(crate) async fn pending(write: &DatabaseConnection, config: &Config) -> Result<usize, ConnectError> {
    let told = |error| refusal::of_schema(config, error);
    let transaction = begin_alone(write, config).await.map_err(told)?;
    let pending = Migrator::get_pending_migrations(&transaction).await.map_err(told)?;
    end(transaction, config).await.map_err(told)?;
    Ok(pending.len())
}

/// A transaction in which nobody else looks after the schema.
async fn begin_alone(write: &DatabaseConnection, config: &Config) -> Result<DatabaseTransaction, DbErr> {
    let transaction = write.begin_with_options(to_write()).await?;
    if config.pooler == Pooler::Transaction {
        transaction.execute_unprepared(FORGET_STATEMENTS).await?;
    }
    // SQLite's transaction has the whole file already.
    if config.url.backend() == Backend::Postgres {
        // A migration takes as long as the tables are large, and so does waiting for one.
        transaction.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
        // Not part of identify's locking: it guards the schema, at start only.
        transaction.execute_unprepared(MIGRATION_LOCK).await?;
    }
    Ok(transaction)
}

async fn end(transaction: DatabaseTransaction, config: &Config) -> Result<(), DbErr> {
    if config.pooler == Pooler::Transaction {
        transaction.execute_unprepared(FORGET_STATEMENTS).await?;
    }
    transaction.commit().await
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

fn basics(config: &Config) -> ConnectOptions {
    let mut options = ConnectOptions::new(config.url.expose());
    options
        .min_connections(1)
        .acquire_timeout(Duration::from_millis(config.acquire_timeout_ms))
        // A connection that broke while idle fails the first attempt, and identify starts over.
        .test_before_acquire(false)
        // As in `postgres.rs`.
        .idle_timeout(None)
        .max_lifetime(None)
        // It costs, and it would print personal data.
        .sqlx_logging(false);
    options
}

/// What SQLite would say in the same words of all of these.
fn check_file(url: &DatabaseUrl) -> Result<(), ConnectError> {
    let Some(file) = url.file() else { return Ok(()) };
    let refused = |reason: &str| {
        Err(ConnectError::Refused { database: format!("SQLite in {file}"), reason: reason.to_owned() })
    };
    match std::fs::metadata(file) {
        Ok(found) if found.is_dir() => refused("is a folder: name a file in `database.url`"),
        Err(error) if error.kind() == ErrorKind::NotFound && !url.creates() => refused(
            "is not there: correct the path in `database.url`, or have it made with `?mode=rwc` behind it",
        ),
        _ => Ok(()),
    }
}
