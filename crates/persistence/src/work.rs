//! What an open transaction writes through.

use async_trait::async_trait;
use onefold_domain::StoreError;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement};

use crate::error::store_error;
use crate::pooled::PooledTransaction;
use crate::sqlite_writer::Lease;

pub(crate) enum Work {
    Sqlite(Lease),
    Postgres(DatabaseTransaction),
    Pooled(PooledTransaction),
}

impl Work {
    /// Whether other writers can be at work at the same time, so that rows need locking.
    pub(crate) fn is_shared(&self) -> bool {
        !matches!(self, Self::Sqlite(_))
    }

    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(lease) => lease.commit().await,
            Self::Postgres(transaction) => transaction.commit().await.map_err(store_error),
            Self::Pooled(transaction) => transaction.commit().await.map_err(store_error),
        }
    }

    /// One of the two kinds of transactions, unless it has ended.
    fn open(&self) -> Result<Open<'_>, DbErr> {
        match self {
            Self::Postgres(transaction) => Ok(Open::Own(transaction)),
            Self::Pooled(transaction) => Ok(Open::Pooled(transaction)),
            Self::Sqlite(lease) => match lease.savepoint() {
                Some(savepoint) => Ok(Open::Own(savepoint)),
                None => Err(DbErr::Custom("the transaction has ended".to_owned())),
            },
        }
    }
}

enum Open<'a> {
    Own(&'a DatabaseTransaction),
    Pooled(&'a PooledTransaction),
}

#[async_trait]
impl ConnectionTrait for Work {
    fn get_database_backend(&self) -> DbBackend {
        if self.is_shared() { DbBackend::Postgres } else { DbBackend::Sqlite }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self.open()? {
            Open::Own(transaction) => transaction.execute_raw(statement).await,
            Open::Pooled(transaction) => transaction.execute_raw(statement).await,
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self.open()? {
            Open::Own(transaction) => transaction.execute_unprepared(sql).await,
            Open::Pooled(transaction) => transaction.execute_unprepared(sql).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match self.open()? {
            Open::Own(transaction) => transaction.query_one_raw(statement).await,
            Open::Pooled(transaction) => transaction.query_one_raw(statement).await,
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self.open()? {
            Open::Own(transaction) => transaction.query_all_raw(statement).await,
            Open::Pooled(transaction) => transaction.query_all_raw(statement).await,
        }
    }
}
