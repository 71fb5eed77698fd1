#![doc = include_str!("../README.md")]

mod audit;
mod contacts;
mod customers;
mod idempotency;
mod imports;
mod jobs;
mod mappings;
mod origins;
mod pace;
mod partner_index;
mod runs;
mod state;
mod sync_conflicts;
mod sync_log;
mod tokens;
mod users;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{Mutex, MutexGuard, OwnedMutexGuard};

use onefold_domain::link_key::LinkKey;
use onefold_domain::linking::Candidates;
use onefold_service::store::{
    AuditReader, AuditRepository, ContactReader, ContactRepository, CustomerReader, CustomerRepository,
    DeliveryRepository, IdempotencyRepository, ImportReader, ImportRepository, LinkRepository, OriginReader,
    OriginRepository, OutboxRepository, Store, StoreError, SyncPromise, TokenReader, TokenRepository,
    Transaction, UserReader, UserRepository,
};
use onefold_sync::store::{
    ConflictReader, ConflictRepository, JobReader, JobRepository, MappingReader, MappingRepository,
    PaceRepository, PartnerIndexReader, PartnerIndexRepository, RunReader, RunRepository, SyncLogReader,
    SyncLogRepository, SyncRulesReader, SyncRulesRepository, SyncStore, SyncTransaction,
};
use state::State;

/// Keeps everything in memory and loses it with the process.
///
/// ```
/// use std::sync::Arc;
/// use onefold_domain::contact::{Received, Statement};
/// use onefold_domain::email::EmailAddress;
/// use onefold_domain::linking::Outcome;
/// use onefold_domain::policy::LinkPolicy;
/// use onefold_memory::MemoryStore;
/// use onefold_service::clock::{SystemClock, SystemRandomness};
/// use onefold_service::environment::Environment;
/// use onefold_service::identify::{Identify, IdentifyRequest};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let identify = Identify::new(Environment::new(
///     Arc::new(MemoryStore::default()),
///     Arc::new(LinkPolicy::shipped()),
///     Arc::new(SystemClock),
///     Arc::new(SystemRandomness),
/// ));
/// let email = EmailAddress::parse("doc@hillvalley.edu")?;
/// let statement = Statement::new(Some(email), None).ok_or("nothing stated")?;
/// let request = IdentifyRequest { statement, received: Received::default() };
///
/// assert_eq!(identify.run(&request).await?.outcome, Outcome::Created);
/// assert_eq!(identify.run(&request).await?.outcome, Outcome::Known);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

impl MemoryStore {
    async fn read(&self) -> MutexGuard<'_, State> {
        self.state.lock().await
    }

    async fn open(&self) -> MemoryTransaction {
        let original = Arc::clone(&self.state).lock_owned().await;
        let state = original.clone();
        MemoryTransaction { original, state }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn candidates(&self, keys: &[LinkKey]) -> Result<Candidates, StoreError> {
        Ok(self.read().await.candidates(keys))
    }

    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError> {
        Ok(Box::new(self.open().await))
    }

    async fn ping(&self) -> Result<(), StoreError> {
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

    fn origins(&self) -> &dyn OriginReader {
        self
    }
}

#[async_trait]
impl SyncStore for MemoryStore {
    async fn begin_sync(&self) -> Result<Box<dyn SyncTransaction>, StoreError> {
        Ok(Box::new(self.open().await))
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

struct MemoryTransaction {
    original: OwnedMutexGuard<State>,
    state: State,
}

#[async_trait]
impl Transaction for MemoryTransaction {
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

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        *self.original = self.state;
        Ok(())
    }
}

impl SyncTransaction for MemoryTransaction {
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
impl OutboxRepository for MemoryTransaction {
    async fn promise(&mut self, promise: &SyncPromise) -> Result<(), StoreError> {
        onefold_sync::outbox::promise(self, promise).await
    }
}
