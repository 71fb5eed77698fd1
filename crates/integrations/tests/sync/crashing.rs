//! A process that dies at a chosen step. Steps are the moments around every commit and every call to the other
//! system; at the chosen one nothing goes on, and whoever waits drops everything, as a killed process would.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use onefold_domain::id::CustomerId;
use onefold_domain::link_key::LinkKey;
use onefold_domain::linking::Candidates;
use onefold_service::store::{
    AuditReader, AuditRepository, ContactReader, ContactRepository, CustomerReader, CustomerRepository,
    DeliveryRepository, IdempotencyRepository, ImportReader, ImportRepository, LinkRepository, OriginReader,
    OriginRepository, OutboxRepository, Store, StoreError, TokenReader, TokenRepository, Transaction,
    UserReader, UserRepository,
};
use onefold_sync::partner::{
    PartnerAbilities, PartnerChange, PartnerDirectory, PartnerError, PartnerFields, PartnerId, PartnerLookup,
    PartnerParts, PartnerPull, PartnerWritten, RemotePartner,
};
use onefold_sync::store::{
    ConflictReader, ConflictRepository, JobReader, JobRepository, MappingReader, MappingRepository,
    PaceRepository, PartnerIndexReader, PartnerIndexRepository, RunReader, RunRepository, SyncLogReader,
    SyncLogRepository, SyncRulesReader, SyncRulesRepository, SyncStore, SyncTransaction,
};
use tokio::sync::Notify;

/// Counts steps and ends the process at one of them.
#[derive(Default)]
pub(crate) struct Fate {
    steps: AtomicUsize,
    last: AtomicUsize,
    died: Notify,
}

impl Fate {
    /// Dies at this step, counted from 1.
    pub(crate) fn at(step: usize) -> Arc<Self> {
        let fate = Self::default();
        fate.last.store(step, Ordering::SeqCst);
        Arc::new(fate)
    }

    async fn step(&self) {
        if self.is_last() {
            self.die().await;
        }
    }

    fn is_last(&self) -> bool {
        self.steps.fetch_add(1, Ordering::SeqCst) + 1 >= self.last.load(Ordering::SeqCst)
    }

    async fn die(&self) {
        self.died.notify_one();
        std::future::pending::<()>().await;
    }

    /// Lets the work go on until it is done (`true`) or dies.
    pub(crate) async fn live(&self, work: impl Future<Output = ()>) -> bool {
        tokio::select! {
            () = work => true,
            () = self.died.notified() => false,
        }
    }
}

pub(crate) struct MortalStore {
    pub(crate) inner: Arc<dyn SyncStore>,
    pub(crate) fate: Arc<Fate>,
}

struct MortalTransaction {
    inner: Box<dyn SyncTransaction>,
    fate: Arc<Fate>,
}

macro_rules! pass_on {
    (&self: $($name:ident -> $what:ident),+ $(,)?) => { $(fn $name(&self) -> &dyn $what { self.inner.$name() })+ };
    (&mut self: $($name:ident -> $what:ident),+ $(,)?) => {
        $(fn $name(&mut self) -> &mut dyn $what { self.inner.$name() })+
    };
}

#[async_trait]
impl Store for MortalStore {
    async fn candidates(&self, keys: &[LinkKey]) -> Result<Candidates, StoreError> {
        self.inner.candidates(keys).await
    }

    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError> {
        Ok(self.begin_sync().await?)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }

    pass_on!(&self: contacts -> ContactReader, customers -> CustomerReader, users -> UserReader,
        imports -> ImportReader, tokens -> TokenReader, audit -> AuditReader, origins -> OriginReader);
}

#[async_trait]
impl SyncStore for MortalStore {
    async fn begin_sync(&self) -> Result<Box<dyn SyncTransaction>, StoreError> {
        Ok(Box::new(MortalTransaction {
            inner: self.inner.begin_sync().await?,
            fate: Arc::clone(&self.fate),
        }))
    }

    pass_on!(&self: jobs -> JobReader, mappings -> MappingReader, conflicts -> ConflictReader, runs -> RunReader,
        sync_log -> SyncLogReader, sync_rules -> SyncRulesReader, partner_index -> PartnerIndexReader);
}

#[async_trait]
impl Transaction for MortalTransaction {
    pass_on!(&mut self: customers -> CustomerRepository, contacts -> ContactRepository, links -> LinkRepository,
        users -> UserRepository, imports -> ImportRepository, deliveries -> DeliveryRepository,
        tokens -> TokenRepository, idempotency -> IdempotencyRepository, audit -> AuditRepository,
        origins -> OriginRepository, outbox -> OutboxRepository);

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let Self { inner, fate } = *self;
        if fate.is_last() {
            // A task of its own is not dropped with whoever waited for it, and would hold its locks for ever.
            drop(inner);
            fate.die().await;
            return Err(StoreError::Conflict);
        }
        let committed = inner.commit().await;
        fate.step().await;
        committed
    }
}

impl SyncTransaction for MortalTransaction {
    pass_on!(&mut self: jobs -> JobRepository, mappings -> MappingRepository, conflicts -> ConflictRepository,
        runs -> RunRepository, sync_log -> SyncLogRepository, sync_rules -> SyncRulesRepository,
        partner_index -> PartnerIndexRepository, pace -> PaceRepository);
}

pub(crate) struct MortalDirectory<D> {
    pub(crate) inner: D,
    pub(crate) fate: Arc<Fate>,
}

#[async_trait]
impl<D: PartnerDirectory> PartnerDirectory for MortalDirectory<D> {
    fn abilities(&self) -> PartnerAbilities {
        self.inner.abilities()
    }

    fn configured(&self) -> Result<(), PartnerError> {
        self.inner.configured()
    }

    fn as_kept(&self, fields: &PartnerFields) -> PartnerFields {
        self.inner.as_kept(fields)
    }

    fn check(&self, fields: &PartnerFields) -> Result<(), PartnerError> {
        self.inner.check(fields)
    }

    async fn get(&self, id: &PartnerId) -> Result<RemotePartner, PartnerError> {
        self.fate.step().await;
        self.inner.get(id).await
    }

    async fn add(&self, fields: &PartnerFields, whose: CustomerId) -> Result<PartnerWritten, PartnerError> {
        self.fate.step().await;
        let added = self.inner.add(fields, whose).await;
        self.fate.step().await;
        added
    }

    async fn update(
        &self,
        id: &PartnerId,
        change: &PartnerChange,
        parts: &PartnerParts,
    ) -> Result<PartnerWritten, PartnerError> {
        self.fate.step().await;
        let updated = self.inner.update(id, change, parts).await;
        self.fate.step().await;
        updated
    }

    async fn find_by(&self, lookup: &PartnerLookup) -> Result<Vec<RemotePartner>, PartnerError> {
        self.fate.step().await;
        self.inner.find_by(lookup).await
    }

    fn list(&self) -> Box<dyn PartnerPull> {
        self.inner.list()
    }
}
