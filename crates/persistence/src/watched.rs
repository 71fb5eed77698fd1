//! A transaction that knows whether it can still be believed.
//!
//! When the disk is full or fails in the middle of a transaction, SQLite may undo all of it at once and tell only by
//! the error of that one statement. What came after would be stored by itself, outside any transaction, and a commit
//! would find nothing to commit. So nothing passes after such a failure, whatever the use case made of it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};

use crate::begun::Begun;
use crate::error::storage_fault;
use crate::write_health::WriteHealth;

pub(crate) struct Watched {
    transaction: Begun,
    health: WriteHealth,
    broken: OnceLock<DbErr>,
    wrote: AtomicBool,
}

impl Watched {
    pub(crate) fn new(transaction: Begun, health: WriteHealth) -> Self {
        Self { transaction, health, broken: OnceLock::new(), wrote: AtomicBool::new(false) }
    }

    /// The transaction, and whether there is anything to commit or what forbids it.
    pub(crate) fn end(self) -> (Begun, Result<bool, DbErr>) {
        let wrote = self.wrote.into_inner();
        (self.transaction, self.broken.into_inner().map_or(Ok(wrote), Err))
    }

    fn admit(&self) -> Result<(), DbErr> {
        self.broken.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    fn check<T>(&self, result: Result<T, DbErr>, changed: impl Fn(&T) -> bool) -> Result<T, DbErr> {
        match &result {
            Ok(done) if changed(done) => self.wrote.store(true, Ordering::Relaxed),
            Ok(_) => {}
            Err(error) if storage_fault(error).is_some() => {
                self.health.failed(error);
                let _ = self.broken.set(error.clone());
            }
            Err(_) => {}
        }
        result
    }
}

/// Whether a statement returns rows and changes none. Those that begin with a `WITH` here only read.
fn reads(sql: &str) -> bool {
    let sql = sql.trim_start();
    sql.starts_with("SELECT") || sql.starts_with("WITH")
}

#[async_trait]
impl ConnectionTrait for Watched {
    fn get_database_backend(&self) -> DbBackend {
        self.transaction.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.admit()?;
        let result = self.transaction.execute_raw(statement).await;
        self.check(result, |done| done.rows_affected() > 0)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.admit()?;
        let result = self.transaction.execute_unprepared(sql).await;
        self.check(result, |done| done.rows_affected() > 0)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.admit()?;
        let reads = reads(&statement.sql);
        let result = self.transaction.query_one_raw(statement).await;
        self.check(result, |row| row.is_some() && !reads)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.admit()?;
        let reads = reads(&statement.sql);
        let result = self.transaction.query_all_raw(statement).await;
        self.check(result, |rows| !rows.is_empty() && !reads)
    }
}
