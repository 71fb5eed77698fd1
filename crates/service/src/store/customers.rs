//! Customers in a store: versions, keys, and who leads to whom.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::search::SearchQuery;
use crate::store::StoreError;
use onefold_domain::customer::CustomerRecord;
use onefold_domain::id::{ContactId, CustomerId};
use onefold_domain::link_key::LinkKey;
use onefold_domain::linking::{Candidates, CustomerSnapshot};

#[async_trait]
pub trait CustomerReader: Send + Sync {
    /// The customer of this id, or the one that absorbed it; `None` also without a contact that is left.
    async fn get(&self, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError>;

    /// Customers with a contact, in the order of their oldest ones: those behind `after`, at most `limit`.
    async fn list(&self, after: Option<ContactId>, limit: usize) -> Result<Vec<ListedCustomer>, StoreError>;

    /// The contacts that match, in ascending order of their ids, with their customers.
    async fn search(
        &self,
        query: &SearchQuery,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<(ContactId, CustomerId)>, StoreError>;
}

#[async_trait]
pub trait CustomerRepository: Send {
    /// What is known about these keys, with the customers they lead to locked until the end of the
    /// transaction. `Conflict` if they changed while waiting for the lock.
    async fn lock_candidates(&mut self, keys: &[LinkKey]) -> Result<Candidates, StoreError>;

    /// What is known about any number of keys, nothing locked: whoever rests on it must `advance`.
    async fn candidates_of_many(&mut self, keys: &[LinkKey]) -> Result<Candidates, StoreError>;

    /// Moves a customer to its next version, and so locks it. `Conflict` unless it still has this
    /// version and was not absorbed.
    async fn advance(&mut self, id: CustomerId, version: i64, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Adds a customer. Its primary is set when its first contact has an id.
    async fn insert(&mut self, id: CustomerId, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// `None` for a customer whose last contact was withdrawn.
    async fn set_primary(&mut self, id: CustomerId, primary: Option<ContactId>) -> Result<(), StoreError>;

    /// Lets `absorbed`, and all that it absorbed before, lead to `survivor`.
    async fn absorb(
        &mut self,
        survivor: CustomerId,
        absorbed: CustomerId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Makes an absorbed customer one of its own again. What it had absorbed stays where it is.
    async fn restore(&mut self, id: CustomerId, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Lets these keys, which are in ascending order, lead to this customer. `Conflict` if one of them
    /// is taken.
    async fn claim(&mut self, keys: &[LinkKey], id: CustomerId) -> Result<(), StoreError>;

    /// The customers that these keys are filed under, absorbed or not. Keys that nobody claimed are left out.
    async fn key_owners(&mut self, keys: &[LinkKey]) -> Result<Vec<(LinkKey, CustomerId)>, StoreError>;

    /// Gives keys up, which lead nowhere from then on.
    async fn release(&mut self, keys: &[LinkKey]) -> Result<(), StoreError>;

    /// Files claimed keys under another customer.
    async fn refile(&mut self, keys: &[LinkKey], id: CustomerId) -> Result<(), StoreError>;

    /// All that links a customer, which is locked and is no absorbed one.
    async fn snapshot(&mut self, id: CustomerId) -> Result<CustomerSnapshot, StoreError>;

    /// The customer that this one leads to, with its contacts, as this transaction sees it.
    async fn get(&mut self, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError>;

    /// Raises the versions of many customers, as `advance` does, in one statement.
    async fn advance_many(
        &mut self,
        guards: &[(CustomerId, i64)],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// `insert`, `claim` and `absorb` for many.
    async fn write_batch(&mut self, batch: &CustomerBatch, at: DateTime<Utc>) -> Result<(), StoreError>;
}

/// A customer in the list of all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ListedCustomer {
    /// Its oldest contact, which is its place in the list.
    pub oldest: ContactId,
    pub id: CustomerId,
    pub version: i64,
}

/// The customers' part of many contacts that are written together.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct CustomerBatch {
    /// New customers with their oldest contacts.
    pub new: Vec<(CustomerId, ContactId)>,
    /// Keys, ascending, and the customers that they lead to from now on.
    pub claims: Vec<(LinkKey, CustomerId)>,
    /// Survivor and absorbed, in the order in which it happened.
    pub absorbed: Vec<(CustomerId, CustomerId)>,
}
