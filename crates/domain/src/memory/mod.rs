//! A store in memory: for embedders that keep contacts elsewhere, and the yardstick for the others.
//! One transaction at a time works on a copy, which takes the place of the original when it commits. The
//! maps share what did not change, so a copy costs next to nothing.

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

use crate::audit::{AuditReader, AuditRepository};
use crate::idempotency::IdempotencyRepository;
use crate::import::{ImportReader, ImportRepository};
use crate::{
    ConflictReader, ConflictRepository, ContactReader, ContactRepository, CustomerReader, CustomerRepository,
    DeliveryRepository, JobReader, JobRepository, LinkKey, LinkRepository, MappingReader, MappingRepository,
    Neighbourhood, OriginReader, OriginRepository, PaceRepository, PartnerIndexReader,
    PartnerIndexRepository, RunReader, RunRepository, Store, StoreError, SyncLogReader, SyncLogRepository,
    SyncRulesReader, SyncRulesRepository, TokenReader, TokenRepository, Transaction, UserReader,
    UserRepository,
};
use state::State;

/// Keeps everything in memory and loses it with the process.
///
/// ```
/// use std::sync::Arc;
/// use onefold_domain::{
///     EmailAddress, Environment, Identify, IdentifyRequest, LinkPolicy, MemoryStore, Outcome, Received,
///     Statement, SystemClock, SystemRandomness,
/// };
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
}

#[async_trait]
impl Store for MemoryStore {
    async fn neighbourhood(&self, keys: &[LinkKey]) -> Result<Neighbourhood, StoreError> {
        Ok(self.read().await.neighbourhood(keys))
    }

    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError> {
        let original = Arc::clone(&self.state).lock_owned().await;
        let state = original.clone();
        Ok(Box::new(MemoryTransaction { original, state }))
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

    fn origins(&self) -> &dyn OriginReader {
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

    fn origins(&mut self) -> &mut dyn OriginRepository {
        self
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        *self.original = self.state;
        Ok(())
    }
}
