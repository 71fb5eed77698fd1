//! An open transaction: how it begins and ends on each database.

use async_trait::async_trait;
use onefold_service::store::{
    AuditRepository, ContactRepository, CustomerRepository, DeliveryRepository, IdempotencyRepository,
    ImportRepository, LinkRepository, OriginRepository, OutboxRepository, StoreError, SyncPromise,
    TokenRepository, Transaction, UserRepository,
};
use onefold_sync::store::{
    ConflictRepository, JobRepository, MappingRepository, PaceRepository, PartnerIndexRepository,
    RunRepository, SyncLogRepository, SyncRulesRepository, SyncTransaction,
};
use sea_orm::{DbErr, TransactionTrait};

use crate::begun::Begun;
use crate::error::store_error;
use crate::reader::Reader;
use crate::sqlite_writer::Lease;
use crate::watched::Watched;
use crate::write_health::WriteHealth;

/// An open transaction; implements every repository.
pub(crate) struct SeaOrmTransaction {
    pub(crate) work: Work,
    pub(crate) health: WriteHealth,
}

/// The database transaction that carries it.
pub(crate) enum Work {
    Sqlite(Lease),
    Postgres(Watched),
    Reading(Watched),
}

impl SeaOrmTransaction {
    pub(crate) fn connection(&self) -> Result<&Watched, StoreError> {
        match &self.work {
            Work::Postgres(transaction) | Work::Reading(transaction) => Ok(transaction),
            Work::Sqlite(lease) => {
                lease.savepoint().ok_or_else(|| StoreError::Backend("the transaction has ended".into()))
            }
        }
    }

    /// Whether other writers can be at work at the same time, so that rows need locking.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.work, Work::Postgres(_))
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

    fn origins(&mut self) -> &mut dyn OriginRepository {
        self
    }

    fn outbox(&mut self) -> &mut dyn OutboxRepository {
        self
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let Self { work, health } = *self;
        match work {
            Work::Sqlite(lease) => lease.commit().await,
            Work::Postgres(transaction) => commit(transaction, &health).await.map_err(store_error),
            Work::Reading(transaction) => transaction.end().0.rollback().await.map_err(store_error),
        }
    }
}

impl SyncTransaction for SeaOrmTransaction {
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

    fn pace(&mut self) -> &mut dyn PaceRepository {
        self
    }
}

#[async_trait]
impl OutboxRepository for SeaOrmTransaction {
    async fn promise(&mut self, promise: &SyncPromise) -> Result<(), StoreError> {
        onefold_sync::outbox::promise(self, promise).await
    }
}

async fn commit(transaction: Watched, health: &WriteHealth) -> Result<(), DbErr> {
    let (transaction, state) = transaction.end();
    let wrote = state?;
    transaction.commit().await.inspect_err(|error| health.failed(error))?;
    if wrote {
        health.wrote();
    }
    Ok(())
}

/// Begins in a task that nobody cancels. Were a caller cut off here, sqlx would hand the connection
/// to the next one with a transaction open that neither knows of.
pub(crate) async fn begin(connections: Reader, health: WriteHealth) -> Result<Watched, StoreError> {
    let begun = tokio::spawn(async move {
        match connections {
            Reader::Direct(connection) => connection.begin().await.map(Begun::Own),
            Reader::Pooled(pooled) => pooled.begin().await.map(Begun::Pooled),
        }
    });
    let begun = begun.await.map_err(|error| StoreError::Unavailable(error.into()))?;
    let begun = begun.inspect_err(|error| health.failed(error)).map_err(store_error)?;
    Ok(Watched::new(begun, health))
}
