//! PostgreSQL behind a pooler that may give each transaction another connection, such as PgBouncer in transaction
//! mode.
//!
//! Nothing may outlive a transaction there. What is usually said once for a connection, its time limits, is said at the
//! beginning of each transaction, in the same message as `BEGIN`; so nothing has to be arranged for the role. And a
//! statement has no name: the pooler would leave it on a connection that the next transaction does not get, where
//! somebody else's statement of that name is. sqlx sends even a statement without a name in two messages, so that
//! only a transaction keeps both on one connection: a single read is a transaction as well.
//!
//! This is sqlx without sea-orm's connection, which names all statements. A cache of no statements, which sqlx can be
//! told to have, does not change that: it names them and forgets the names.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::sqlx::query::Query;
use sea_orm::sqlx::{self, AssertSqlSafe, Error as SqlxError};
use sea_orm::sqlx::{PgPool, Postgres};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement};
use sea_query_sqlx::SqlxValues;
use tokio::sync::Mutex;

/// Connections to the pooler, for single statements and for transactions.
#[derive(Clone)]
pub(crate) struct Pooled {
    pool: PgPool,
    begin: Arc<str>,
}

/// A transaction, during which the pooler lends one connection.
pub(crate) struct PooledTransaction {
    transaction: Mutex<sqlx::Transaction<'static, Postgres>>,
}

impl Pooled {
    /// `settings` hold in each transaction.
    pub(crate) fn new(pool: PgPool, settings: &[(&str, String)]) -> Self {
        let set = |(name, value): &(&str, String)| format!("; SET LOCAL {name} = {value}");
        let begin = format!("BEGIN{}", settings.iter().map(set).collect::<String>());
        Self { pool, begin: begin.into() }
    }

    /// Begins in a task that nobody cancels. Were a caller cut off here, sqlx would hand the connection to the next
    /// one with a transaction open that neither knows of.
    pub(crate) async fn begin(&self) -> Result<PooledTransaction, DbErr> {
        let (pool, begin) = (self.pool.clone(), self.begin.to_string());
        let begun = tokio::spawn(async move { pool.begin_with(AssertSqlSafe(begin)).await });
        let begun = begun.await.map_err(|_| connecting(SqlxError::WorkerCrashed))?;
        Ok(PooledTransaction { transaction: Mutex::new(begun.map_err(connecting)?) })
    }
}

impl PooledTransaction {
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        self.transaction.into_inner().commit().await.map_err(executing)
    }

    pub(crate) async fn rollback(self) -> Result<(), DbErr> {
        self.transaction.into_inner().rollback().await.map_err(executing)
    }
}

#[async_trait]
impl ConnectionTrait for Pooled {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let transaction = self.begin().await?;
        let result = transaction.execute_raw(statement).await?;
        transaction.commit().await?;
        Ok(result)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let transaction = self.begin().await?;
        let result = transaction.execute_unprepared(sql).await?;
        transaction.commit().await?;
        Ok(result)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let transaction = self.begin().await?;
        let row = transaction.query_one_raw(statement).await?;
        transaction.commit().await?;
        Ok(row)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let transaction = self.begin().await?;
        let rows = transaction.query_all_raw(statement).await?;
        transaction.commit().await?;
        Ok(rows)
    }
}

#[async_trait]
impl ConnectionTrait for PooledTransaction {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let mut transaction = self.transaction.lock().await;
        let done = unnamed(statement).execute(&mut **transaction).await.map_err(executing)?;
        Ok(done.into())
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut transaction = self.transaction.lock().await;
        let sql = AssertSqlSafe(sql.to_owned());
        let done = sqlx::Executor::execute(&mut **transaction, sql).await.map_err(executing)?;
        Ok(done.into())
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut transaction = self.transaction.lock().await;
        let row = unnamed(statement).fetch_optional(&mut **transaction).await.map_err(querying)?;
        Ok(row.map(Into::into))
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut transaction = self.transaction.lock().await;
        let rows = unnamed(statement).fetch_all(&mut **transaction).await.map_err(querying)?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}

/// The statement without a name on the server.
fn unnamed(statement: Statement) -> Query<'static, Postgres, SqlxValues> {
    let values = statement.values.unwrap_or_else(|| sea_orm::sea_query::Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql), SqlxValues(values)).persistent(false)
}

fn connecting(error: SqlxError) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}

fn executing(error: SqlxError) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error)))
}

fn querying(error: SqlxError) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}
