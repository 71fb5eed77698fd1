//! The store: its connections, and how transactions are opened.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use onefold_domain::link_key::LinkKey;
use onefold_domain::linking::Candidates;
use onefold_service::store::{
    AuditReader, ContactReader, CustomerReader, ImportReader, OriginReader, Store, StoreError, TokenReader,
    Transaction, UserReader,
};
use onefold_sync::store::{
    ConflictReader, JobReader, MappingReader, PartnerIndexReader, RunReader, SyncLogReader, SyncRulesReader,
    SyncStore, SyncTransaction,
};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use tokio::time::Instant;

use crate::connect::{Connections, connect, migrate, pending};
use crate::error::{ConnectError, store_error};
use crate::reader::Reader;
use crate::sqlite_writer::{SqliteWriter, Urgency};
pub(crate) use crate::transaction::SeaOrmTransaction;
use crate::transaction::{Work, begin};
use crate::write_health::WriteHealth;
use crate::{Config, candidates, write_probe};

/// How long work in bulk may hold the one writer while callers use it. A caller waits for the rest of it and for the
/// commit; much less, and an import would do little but commit.
const BULK_LIMIT: TimeDelta = TimeDelta::milliseconds(6);

/// How long work in bulk may hold the one writer while nobody calls: what the first who does may have to wait.
const ALONE_LIMIT: TimeDelta = TimeDelta::milliseconds(40);

/// Contacts in SQLite or PostgreSQL. Clones share the connections.
#[derive(Clone)]
pub struct SeaOrmStore {
    read: Reader,
    write: DatabaseConnection,
    config: Arc<Config>,
    writer: Option<SqliteWriter>,
    health: WriteHealth,
}

/// The state of the connection pool, for metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PoolStatus {
    pub open: u32,
    pub idle: u32,
}

impl SeaOrmStore {
    /// Opens the database; an SQLite file is created if the address says so (`mode=rwc`).
    ///
    /// # Errors
    /// A database that cannot be opened or reached.
    pub async fn connect(config: &Config) -> Result<Self, ConnectError> {
        let Connections { read, write } = connect(config).await?;
        let health = WriteHealth::default();
        let writer = match &read {
            Reader::Direct(readers) if config.url.is_sqlite() => {
                Some(SqliteWriter::start(write.clone(), readers.clone(), health.clone()))
            }
            Reader::Direct(_) | Reader::Pooled(_) => None,
        };
        Ok(Self { read, write, config: Arc::new(config.clone()), writer, health })
    }

    /// Brings the schema up to date. Safe to call from several programs at once.
    ///
    /// # Errors
    /// A database that refuses, for instance for want of rights.
    pub async fn migrate(&self) -> Result<(), ConnectError> {
        migrate(&self.write, &self.config).await
    }

    /// How many migrations the database still lacks.
    ///
    /// # Errors
    /// A database that does not answer.
    pub async fn pending_migrations(&self) -> Result<usize, ConnectError> {
        pending(&self.write, &self.config).await
    }

    pub fn pool_status(&self) -> PoolStatus {
        let (open, idle) = match &self.read {
            Reader::Direct(read) if self.config.url.is_sqlite() => {
                let pool = read.get_sqlite_connection_pool();
                (pool.size(), pool.num_idle())
            }
            Reader::Direct(_) | Reader::Pooled(_) => {
                let pool = self.write.get_postgres_connection_pool();
                (pool.size(), pool.num_idle())
            }
        };
        PoolStatus { open, idle: u32::try_from(idle).unwrap_or(u32::MAX) }
    }

    pub(crate) async fn open(&self, urgency: Urgency) -> Result<SeaOrmTransaction, StoreError> {
        let work = match &self.writer {
            Some(writer) => Work::Sqlite(writer.lease(urgency).await?),
            None => Work::Postgres(begin(self.read.clone(), self.health.clone()).await?),
        };
        Ok(SeaOrmTransaction { work, health: self.health.clone() })
    }

    /// SQLite's writing connection, past the one who hands it out.
    #[cfg(feature = "testing")]
    pub(crate) fn writing_connection(&self) -> &DatabaseConnection {
        &self.write
    }

    /// The connections for reading what is committed.
    pub(crate) fn reader(&self) -> &Reader {
        &self.read
    }

    /// Waits for what runs and closes the connections; SQLite then tidies its file.
    ///
    /// # Errors
    /// Connections that do not close in order.
    pub async fn close(self) -> Result<(), StoreError> {
        drop(self.writer);
        if let (Reader::Direct(read), true) = (self.read, self.config.url.is_sqlite()) {
            read.close().await.map_err(store_error)?;
        }
        self.write.close().await.map_err(store_error)
    }
}

#[async_trait]
impl Store for SeaOrmStore {
    async fn candidates(&self, keys: &[LinkKey]) -> Result<Candidates, StoreError> {
        candidates::read(&self.read, keys).await
    }

    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError> {
        Ok(Box::new(self.open(Urgency::Interactive).await?))
    }

    async fn begin_bulk(&self) -> Result<Box<dyn Transaction>, StoreError> {
        Ok(Box::new(self.open(Urgency::Bulk).await?))
    }

    /// Others wait for the one writer of SQLite.
    fn bulk_limit(&self) -> Option<TimeDelta> {
        let writer = self.writer.as_ref()?;
        Some(if writer.is_called() { BULK_LIMIT } else { ALONE_LIMIT })
    }

    async fn begin_reading(&self) -> Result<Box<dyn Transaction>, StoreError> {
        let work = Work::Reading(begin(self.read.clone(), self.health.clone()).await?);
        Ok(Box::new(SeaOrmTransaction { work, health: self.health.clone() }))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.read.execute_unprepared("SELECT 1").await.map_err(store_error)?;
        if self.health.standing().is_err() && self.health.may_try(Instant::now()) {
            write_probe::fill(self.open(Urgency::Interactive).await?).await?;
            write_probe::clear(self.open(Urgency::Interactive).await?).await?;
        }
        self.health.standing()
    }

    fn contacts(&self) -> &dyn ContactReader {
        self
    }

    fn customers(&self) -> &dyn CustomerReader {
        self
    }

    fn users(&self) -> &dyn UserReader {
        self
    }

    fn imports(&self) -> &dyn ImportReader {
        self
    }

    fn tokens(&self) -> &dyn TokenReader {
        self
    }

    fn audit(&self) -> &dyn AuditReader {
        self
    }

    fn origins(&self) -> &dyn OriginReader {
        self
    }
}

#[async_trait]
impl SyncStore for SeaOrmStore {
    async fn begin_sync(&self) -> Result<Box<dyn SyncTransaction>, StoreError> {
        Ok(Box::new(self.open(Urgency::Interactive).await?))
    }

    async fn begin_sync_bulk(&self) -> Result<Box<dyn SyncTransaction>, StoreError> {
        Ok(Box::new(self.open(Urgency::Bulk).await?))
    }

    fn jobs(&self) -> &dyn JobReader {
        self
    }

    fn mappings(&self) -> &dyn MappingReader {
        self
    }

    fn conflicts(&self) -> &dyn ConflictReader {
        self
    }

    fn runs(&self) -> &dyn RunReader {
        self
    }

    fn sync_log(&self) -> &dyn SyncLogReader {
        self
    }

    fn sync_rules(&self) -> &dyn SyncRulesReader {
        self
    }

    fn partner_index(&self) -> &dyn PartnerIndexReader {
        self
    }
}
