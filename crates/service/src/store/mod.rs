//! What the use cases ask of a store: a reader for what is committed, and a transaction whose repositories write. An open
//! transaction is the object that gives access to the repositories, so nobody passes connections about and nothing is stored
//! before `commit`.

mod audit;
mod contacts;
mod customers;
mod deliveries;
mod error;
mod idempotency;
mod identify;
mod imports;
mod links;
mod origins;
mod outbox;
mod tokens;
mod users;

use async_trait::async_trait;
use chrono::TimeDelta;

use onefold_domain::link_key::LinkKey;
use onefold_domain::linking::Candidates;

pub use audit::{AuditReader, AuditRepository};
pub use contacts::{BlockedValues, ContactFilter, ContactReader, ContactRepository, FiledDraft};
pub use customers::{CustomerBatch, CustomerReader, CustomerRepository, ListedCustomer};
pub use deliveries::DeliveryRepository;
pub use error::{Source, StorageFault, StoreError};
pub use idempotency::IdempotencyRepository;
pub use identify::{Carried, Decide, Decided, IdentifyStore, Turn};
pub use imports::{ImportReader, ImportRepository};
pub use links::{LinkDraft, LinkRepository};
pub use origins::{OriginReader, OriginRepository, Originated, StoredJoin};
pub use outbox::{OutboxRepository, SyncPromise};
pub use tokens::{TokenReader, TokenRepository};
pub use users::{UserReader, UserRepository};

/// A place where contacts are kept.
#[async_trait]
pub trait Store: Send + Sync {
    /// What is known about these keys, as of one moment, with all that is committed.
    async fn candidates(&self, keys: &[LinkKey]) -> Result<Candidates, StoreError>;

    /// Opens a transaction for writing. Dropping it undoes what was not committed.
    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError>;

    /// Opens a transaction for writing, for work of which much is to come and for which nobody waits: imports, sealing, tidying
    /// up. A store that has one writer lets the others go first, within bounds. Not for much at a time: see
    /// [`bulk_limit`](Self::bulk_limit).
    async fn begin_bulk(&self) -> Result<Box<dyn Transaction>, StoreError> {
        self.begin().await
    }

    /// How long a transaction of [`begin_bulk`](Self::begin_bulk) should last at most; `None` if nobody is kept waiting by it.
    /// It is asked again and again, and may be less while somebody calls.
    fn bulk_limit(&self) -> Option<TimeDelta> {
        None
    }

    /// Opens a transaction that may only read, and is undone in any case. No writer waits for it.
    async fn begin_reading(&self) -> Result<Box<dyn Transaction>, StoreError> {
        self.begin().await
    }

    /// Asks the database for a sign of life. A store whose last write failed with [`StoreError::Storage`] says
    /// so until one succeeds, and tries by itself, now and then, whether it does.
    async fn ping(&self) -> Result<(), StoreError>;
    fn contacts(&self) -> &dyn ContactReader;
    fn customers(&self) -> &dyn CustomerReader;
    fn users(&self) -> &dyn UserReader;
    fn imports(&self) -> &dyn ImportReader;
    fn tokens(&self) -> &dyn TokenReader;
    fn audit(&self) -> &dyn AuditReader;
    fn origins(&self) -> &dyn OriginReader;
}

/// An open transaction.
///
/// Writers keep one order, so that no two of them wait for each other: first the customers that a
/// plan rests on, ascending (`lock_candidates` or `advance`), then link keys, ascending (`claim`),
/// then everything else. A use case that has to lock more in between may meet another one head-on; the
/// database then ends one of the two with `Conflict`.
#[async_trait]
pub trait Transaction: Send {
    fn customers(&mut self) -> &mut dyn CustomerRepository;
    fn contacts(&mut self) -> &mut dyn ContactRepository;
    fn links(&mut self) -> &mut dyn LinkRepository;
    fn users(&mut self) -> &mut dyn UserRepository;
    fn imports(&mut self) -> &mut dyn ImportRepository;
    fn deliveries(&mut self) -> &mut dyn DeliveryRepository;
    fn tokens(&mut self) -> &mut dyn TokenRepository;
    fn idempotency(&mut self) -> &mut dyn IdempotencyRepository;
    fn audit(&mut self) -> &mut dyn AuditRepository;
    fn origins(&mut self) -> &mut dyn OriginRepository;
    fn outbox(&mut self) -> &mut dyn OutboxRepository;

    /// Makes everything permanent. When this returns, the data survives a crash of the machine.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// A transaction that is passed on.
pub type Open = Box<dyn Transaction>;
