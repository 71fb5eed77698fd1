//! What the use cases ask of a store. An open transaction is the object that gives access to the
//! repositories, so nobody passes connections about and nothing is stored before `commit`.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{ContactDraft, ContactId, CustomerId, LinkKey, Neighbourhood, Statement};

/// A failure of a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else was faster, or the database asks to start over. Nothing was stored: read again,
    /// decide again.
    #[error("the data changed in between")]
    Conflict,
    /// The database cannot be reached or gives no answer in time. It may do so later.
    #[error("the database is not available")]
    Unavailable(#[source] Source),
    /// Everything else: a defect, or a database that is not what it should be.
    #[error("the database failed")]
    Backend(#[source] Source),
}

/// The error beneath, for the log.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// A place where contacts are kept.
#[async_trait]
pub trait Store: Send + Sync {
    /// What is known about these keys, as of one moment, with all that is committed.
    async fn neighbourhood(&self, keys: &[LinkKey]) -> Result<Neighbourhood, StoreError>;

    /// Opens a transaction for writing. Dropping it undoes what was not committed.
    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError>;

    /// Asks the database for a sign of life.
    async fn ping(&self) -> Result<(), StoreError>;
}

/// An open transaction.
///
/// Writers keep one order, so that no two of them wait for each other: first the customers that a
/// plan rests on, ascending (`lock_neighbourhood` or `advance`), then link keys, ascending (`claim`),
/// then everything else.
#[async_trait]
pub trait Transaction: Send {
    fn customers(&mut self) -> &mut dyn CustomerRepository;

    fn contacts(&mut self) -> &mut dyn ContactRepository;

    fn links(&mut self) -> &mut dyn LinkRepository;

    /// Makes everything permanent. When this returns, the data survives a crash of the machine.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

#[async_trait]
pub trait CustomerRepository: Send {
    /// What is known about these keys, with the customers they lead to locked until the end of the
    /// transaction. `Conflict` if they changed while waiting for the lock.
    async fn lock_neighbourhood(&mut self, keys: &[LinkKey]) -> Result<Neighbourhood, StoreError>;

    /// Moves a customer to its next version, and so locks it. `Conflict` unless it still has this
    /// version and was not absorbed.
    async fn advance(&mut self, id: CustomerId, version: i64, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Adds a customer. Its primary is set when its first contact has an id.
    async fn insert(&mut self, id: CustomerId, at: DateTime<Utc>) -> Result<(), StoreError>;

    async fn set_primary(&mut self, id: CustomerId, primary: ContactId) -> Result<(), StoreError>;

    /// Lets `absorbed`, and all that it absorbed before, lead to `survivor`.
    async fn absorb(
        &mut self,
        survivor: CustomerId,
        absorbed: CustomerId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Lets these keys, which are in ascending order, lead to this customer. `Conflict` if one of them
    /// is taken.
    async fn claim(&mut self, keys: &[LinkKey], id: CustomerId) -> Result<(), StoreError>;
}

#[async_trait]
pub trait ContactRepository: Send {
    /// Adds a contact to a customer. Its id is larger than that of every contact of this customer.
    async fn insert(
        &mut self,
        contact: &ContactDraft,
        customer: CustomerId,
        at: DateTime<Utc>,
    ) -> Result<ContactId, StoreError>;
}

#[async_trait]
pub trait LinkRepository: Send {
    /// Adds the record of a merge.
    async fn insert(&mut self, link: &LinkDraft) -> Result<(), StoreError>;
}

/// Two customers became one: who, when, and because of what. Records are only added.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkDraft {
    pub survivor: CustomerId,
    pub absorbed: CustomerId,
    /// The statement that joined them.
    pub statement: Statement,
    /// The contact that holds the statement, if it brought anything else that was new.
    pub contact: Option<ContactId>,
    /// The youngest contact of either side at the time: links take their place among contacts by it
    /// when a customer is computed anew.
    pub after: ContactId,
    pub at: DateTime<Utc>,
}
