//! The store, and the transaction that gives access to its repositories.

use std::sync::Arc;

use async_trait::async_trait;
use onefold_domain::{
    AuditReader, AuditRepository, ConflictReader, ConflictRepository, ContactReader, ContactRepository,
    CustomerReader, CustomerRepository, DeliveryRepository, IdempotencyRepository, ImportReader,
    ImportRepository, JobReader, JobRepository, LinkKey, LinkRepository, MappingReader, MappingRepository,
    Neighbourhood, PartnerIndexReader, PartnerIndexRepository, RunReader, RunRepository, Store, StoreError,
    SyncLogReader, SyncLogRepository, SyncRulesReader, SyncRulesRepository, TokenReader, TokenRepository,
    Transaction, UserReader, UserRepository,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, TransactionTrait};

use crate::Config;
use crate::connect::{Connections, connect, migrate, pending};
use crate::error::{ConnectError, store_error};
use crate::neighbourhood;
use crate::reader::Reader;
use crate::sqlite_writer::SqliteWriter;
use crate::work::Work;

/// Contacts in SQLite or PostgreSQL. Clones share the connections.
#[derive(Clone)]
pub struct SeaOrmStore {
    read: Reader,
    write: DatabaseConnection,
    config: Arc<Config>,
    writer: Option<SqliteWriter>,
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
        let writer = config.url.is_sqlite().then(|| SqliteWriter::start(write.clone()));
        Ok(Self { read, write, config: Arc::new(config.clone()), writer })
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
    async fn neighbourhood(&self, keys: &[LinkKey]) -> Result<Neighbourhood, StoreError> {
        neighbourhood::read(&self.read, keys).await
    }

    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError> {
        let work = match (&self.writer, &self.read) {
            (Some(writer), _) => Work::Sqlite(writer.lease().await?),
            (None, Reader::Direct(_)) => Work::Postgres(begin(self.write.clone()).await?),
            (None, Reader::Pooled(pooled)) => Work::Pooled(pooled.begin().await.map_err(store_error)?),
        };
        Ok(Box::new(SeaOrmTransaction { work }))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.read.execute_unprepared("SELECT 1").await.map_err(store_error)?;
        Ok(())
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

/// Begins in a task that nobody cancels. Were a caller cut off here, sqlx would hand the connection
/// to the next one with a transaction open that neither knows of.
async fn begin(connection: DatabaseConnection) -> Result<DatabaseTransaction, StoreError> {
    let begun = tokio::spawn(async move { connection.begin().await });
    begun.await.map_err(|error| StoreError::Unavailable(error.into()))?.map_err(store_error)
}

/// An open transaction; implements every repository.
pub(crate) struct SeaOrmTransaction {
    work: Work,
}

impl SeaOrmTransaction {
    pub(crate) fn connection(&self) -> Result<&Work, StoreError> {
        Ok(&self.work)
    }

    /// Whether other writers can be at work at the same time, so that rows need locking.
    pub(crate) fn is_shared(&self) -> bool {
        self.work.is_shared()
    }
}

#[async_trait]
impl Transaction for SeaOrmTransaction {
    fn customers(&mut self) -> &mut dyn CustomerRepository {
        self
    }

    fn contacts(&mut self) -> &mut dyn ContactRepository {
        self
    }

    fn links(&mut self) -> &mut dyn LinkRepository {
        self
    }

    fn users(&mut self) -> &mut dyn UserRepository {
        self
    }

    fn imports(&mut self) -> &mut dyn ImportRepository {
        self
    }

    fn deliveries(&mut self) -> &mut dyn DeliveryRepository {
        self
    }

    fn tokens(&mut self) -> &mut dyn TokenRepository {
        self
    }

    fn idempotency(&mut self) -> &mut dyn IdempotencyRepository {
        self
    }

    fn audit(&mut self) -> &mut dyn AuditRepository {
        self
    }

    fn jobs(&mut self) -> &mut dyn JobRepository {
        self
    }

    fn mappings(&mut self) -> &mut dyn MappingRepository {
        self
    }

    fn conflicts(&mut self) -> &mut dyn ConflictRepository {
        self
    }

    fn runs(&mut self) -> &mut dyn RunRepository {
        self
    }

    fn sync_log(&mut self) -> &mut dyn SyncLogRepository {
        self
    }

    fn sync_rules(&mut self) -> &mut dyn SyncRulesRepository {
        self
    }

    fn partner_index(&mut self) -> &mut dyn PartnerIndexRepository {
        self
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.work.commit().await
    }
}
