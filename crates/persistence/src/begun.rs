//! A transaction that has begun, on a connection of the program's own or on one that a pooler lends.

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement};

use crate::pooled::PooledTransaction;

pub(crate) enum Begun {
    Own(DatabaseTransaction),
    Pooled(PooledTransaction),
}

impl Begun {
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        match self {
            Self::Own(transaction) => transaction.commit().await,
            Self::Pooled(transaction) => transaction.commit().await,
        }
    }

    pub(crate) async fn rollback(self) -> Result<(), DbErr> {
        match self {
            Self::Own(transaction) => transaction.rollback().await,
            Self::Pooled(transaction) => transaction.rollback().await,
        }
    }
}

#[async_trait]
impl ConnectionTrait for Begun {
    fn get_database_backend(&self) -> DbBackend {
        match self {
            Self::Own(transaction) => transaction.get_database_backend(),
            Self::Pooled(transaction) => transaction.get_database_backend(),
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self {
            Self::Own(transaction) => transaction.execute_raw(statement).await,
            Self::Pooled(transaction) => transaction.execute_raw(statement).await,
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self {
            Self::Own(transaction) => transaction.execute_unprepared(sql).await,
            Self::Pooled(transaction) => transaction.execute_unprepared(sql).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match self {
            Self::Own(transaction) => transaction.query_one_raw(statement).await,
            Self::Pooled(transaction) => transaction.query_one_raw(statement).await,
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::Own(transaction) => transaction.query_all_raw(statement).await,
            Self::Pooled(transaction) => transaction.query_all_raw(statement).await,
        }
    }
}
