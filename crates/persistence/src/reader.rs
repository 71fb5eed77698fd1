//! The connections that read what is committed.

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, Statement};

use crate::pooled::Pooled;

/// Each statement by itself, on whichever connection is free.
#[derive(Clone)]
pub(crate) enum Reader {
    Direct(DatabaseConnection),
    Pooled(Pooled),
}

#[async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DbBackend {
        match self {
            Self::Direct(connection) => connection.get_database_backend(),
            Self::Pooled(pooled) => pooled.get_database_backend(),
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self {
            Self::Direct(connection) => connection.execute_raw(statement).await,
            Self::Pooled(pooled) => pooled.execute_raw(statement).await,
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self {
            Self::Direct(connection) => connection.execute_unprepared(sql).await,
            Self::Pooled(pooled) => pooled.execute_unprepared(sql).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match self {
            Self::Direct(connection) => connection.query_one_raw(statement).await,
            Self::Pooled(pooled) => pooled.query_one_raw(statement).await,
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::Direct(connection) => connection.query_all_raw(statement).await,
            Self::Pooled(pooled) => pooled.query_all_raw(statement).await,
        }
    }
}
