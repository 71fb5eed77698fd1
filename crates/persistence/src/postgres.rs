//! How PostgreSQL is reached, with a pooler in between or without.

use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::{self, ConnectOptions, Connection, Error as SqlxError, PgConnection, PgPool, Row};
use tokio::time::{sleep, timeout};

use crate::config::{Config, Pooler};
use crate::error::ConnectError;
use crate::refusal::{self, PostgresPlace};

/// How long a server may take to end what a request left behind.
const LETTING_GO: Duration = Duration::from_secs(1);

/// How long to wait before a server that is coming up is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// Connections that are made when they are needed; one was made, so that what keeps the server away is told now.
pub(crate) async fn open(config: &Config) -> Result<PgPool, ConnectError> {
    let place = PostgresPlace::of(config)?;
    let options = options(place.options.clone(), config);
    if place.ignored {
        tracing::warn!(
            "`database.url` has parameters that are not known here; they count for nothing, and are not shown, since \
             one could be a password"
        );
    }
    let patience = Duration::from_millis(config.acquire_timeout_ms);
    let mut last = None;
    let found = timeout(patience, first(&options, &mut last)).await;
    let error = match found {
        Ok(Ok(limit)) => return checked(limit, config).map(|()| pool(options, config)),
        Ok(Err(error)) => Some(error),
        Err(_) => last,
    };
    Err(place.refusal(error.as_ref(), patience))
}

/// What holds on every connection, or where nothing outlives a transaction, in each of those.
pub(crate) fn settings(config: &Config) -> [(&'static str, String); 3] {
    [
        ("statement_timeout", config.statement_timeout_ms.to_string()),
        ("idle_in_transaction_session_timeout", "30000".to_owned()),
        // Every statement here finds its rows by key. The planner learns a table's size minutes
        // after it grew; until then it must not choose to read all of it.
        ("enable_seqscan", "off".to_owned()),
    ]
}

fn options(options: PgConnectOptions, config: &Config) -> PgConnectOptions {
    // Logging statements costs, and it would print personal data.
    let options = options.application_name("onefold").disable_statement_logging();
    match config.pooler {
        Pooler::None => options.options(settings(config)),
        // A pooler refuses what it cannot keep for a connection that it shares. Names of statements are for
        // migrations alone, and none is remembered.
        Pooler::Transaction => options.extra_float_digits(None).statement_cache_capacity(0),
    }
}

fn pool(options: PgConnectOptions, config: &Config) -> PgPool {
    PgPoolOptions::new()
        .min_connections(1)
        .max_connections(config.max_connections)
        .acquire_timeout(Duration::from_millis(config.acquire_timeout_ms))
        // A connection that broke while idle fails the first attempt, and identify starts over.
        .test_before_acquire(false)
        // Nobody goes over idle connections: sqlx counts them beside the queue, and who reads the count between the two
        // meets a number without end and a thread that never comes back.
        .idle_timeout(None)
        .max_lifetime(None)
        .after_release(|connection, _| Box::pin(async { let_go(connection).await }))
        .connect_lazy_with(options)
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

/// Connects once, and says how long a statement may take there, in milliseconds. A server that is coming up is tried
/// until it is; `last` is what it said last.
async fn first(options: &PgConnectOptions, last: &mut Option<SqlxError>) -> Result<u64, SqlxError> {
    loop {
        match PgConnection::connect_with(options).await {
            Ok(mut connection) => {
                let limit = "SELECT setting FROM pg_settings WHERE name = 'statement_timeout'";
                let row = sqlx::Executor::fetch_one(&mut connection, sqlx::raw_sql(limit)).await?;
                let limit: String = row.try_get(0)?;
                connection.close().await?;
                return Ok(limit.parse().unwrap_or_default());
            }
            Err(error) if refusal::passes(&error) => *last = Some(error),
            Err(error) => return Err(error),
        }
        sleep(PAUSE).await;
    }
}

/// A pooler may take settings and not pass them on. Nothing would be limited, and statements would fail now and then
/// by each other's names.
fn checked(limit: u64, config: &Config) -> Result<(), ConnectError> {
    match config.pooler {
        Pooler::None if limit != config.statement_timeout_ms => Err(ConnectError::Pooler),
        Pooler::None | Pooler::Transaction => Ok(()),
    }
}
