//! The writing connection, which must be outside any transaction when the next one begins.
//!
//! sqlx counts how deep in transactions a connection is, and counts wrongly after a failure: a commit that fails on
//! a full disk ends SQLite's transaction and not sqlx's. From then on what looks like a transaction is a savepoint,
//! what looks like a commit releases it, and nothing that was answered with success is ever stored. Mending the
//! count from here would need a look into SQLite's own state, and an undo that can fail as well. So a connection on
//! which anything failed is closed, which ends whatever was open on it, and another one is opened.

use sea_orm::sqlx::Connection;
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr, TransactionTrait};

use crate::connect::to_write;

/// A pool of one connection.
pub(super) struct WritingConnection {
    pool: DatabaseConnection,
    doubtful: bool,
}

impl WritingConnection {
    pub(super) fn new(pool: DatabaseConnection) -> Self {
        Self { pool, doubtful: false }
    }

    /// Begins a transaction of SQLite's own. Beginning one inside of another is an error to SQLite, so if this
    /// succeeds, the connection was outside.
    pub(super) async fn begin(&mut self) -> Result<DatabaseTransaction, DbErr> {
        if self.doubtful {
            self.close().await?;
        }
        let begun = self.pool.begin_with_options(to_write()).await;
        if begun.is_err() {
            self.replace().await;
        }
        begun
    }

    /// Closes the connection. If even that fails, it is tried again before the next transaction.
    pub(super) async fn replace(&mut self) {
        self.doubtful = true;
        if let Err(error) = self.close().await {
            tracing::warn!(%error, "the connection that failed could not be closed yet");
        }
    }

    async fn close(&mut self) -> Result<(), DbErr> {
        // There is only one, so this is it; or a new one, if the pool has found it broken by itself.
        let acquired = self.pool.get_sqlite_connection_pool().acquire().await;
        let connection = acquired.map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(error.into())))?;
        // Without the statements that end a connection in order: they would run inside what is to be undone.
        let closed = connection.detach().close_hard().await;
        self.doubtful = false;
        closed.map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(error.into())))
    }
}
