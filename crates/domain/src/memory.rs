//! A store in memory: for embedders that keep contacts elsewhere, and the yardstick for the others.
//! One transaction at a time; what a dropped one did is undone step by step.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::{
    ContactDraft, ContactId, ContactRepository, CustomerId, CustomerRepository, KnownContact, KnownCustomer,
    LinkDraft, LinkKey, LinkRepository, Neighbourhood, Store, StoreError, Transaction,
};

/// Keeps everything in memory and loses it with the process.
///
/// ```
/// use std::sync::Arc;
/// use onefold_domain::{
///     EmailAddress, Identify, IdentifyRequest, LinkPolicy, MemoryStore, Outcome, Received,
///     Statement, SystemClock, SystemRandomness,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let identify = Identify::new(
///     Arc::new(MemoryStore::default()),
///     Arc::new(LinkPolicy::shipped()),
///     Arc::new(SystemClock),
///     Arc::new(SystemRandomness),
/// );
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

#[async_trait]
impl Store for MemoryStore {
    async fn neighbourhood(&self, keys: &[LinkKey]) -> Result<Neighbourhood, StoreError> {
        Ok(self.state.lock().await.neighbourhood(keys))
    }

    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError> {
        let state = Arc::clone(&self.state).lock_owned().await;
        Ok(Box::new(MemoryTransaction { state, undo: Vec::new() }))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[derive(Default)]
struct State {
    customers: HashMap<CustomerId, Customer>,
    /// The customers that lead to a root, itself included.
    members: HashMap<CustomerId, Vec<CustomerId>>,
    points: HashMap<LinkKey, CustomerId>,
    links: Vec<LinkDraft>,
    last_contact: i64,
}

struct Customer {
    root: CustomerId,
    version: i64,
    primary: Option<ContactId>,
    /// Those that were added to this customer, before or after it was absorbed.
    contacts: Vec<KnownContact>,
}

impl State {
    fn neighbourhood(&self, keys: &[LinkKey]) -> Neighbourhood {
        let mut neighbourhood = Neighbourhood::default();
        for key in keys {
            let Some(born) = self.points.get(key) else { continue };
            let Some(root) = self.customers.get(born).map(|customer| customer.root) else { continue };
            neighbourhood.found.push((key.clone(), root));
            if neighbourhood.customers.iter().all(|known| known.id != root) {
                neighbourhood.customers.extend(self.known(root));
            }
        }
        neighbourhood
    }

    fn known(&self, root: CustomerId) -> Option<KnownCustomer> {
        let version = self.customers.get(&root)?.version;
        let members = self.members.get(&root)?;
        let mut contacts: Vec<_> = members
            .iter()
            .filter_map(|member| self.customers.get(member))
            .flat_map(|member| member.contacts.iter().cloned())
            .collect();
        contacts.sort_unstable_by_key(|contact| contact.id);
        Some(KnownCustomer { id: root, version, contacts })
    }

    fn undo(&mut self, step: Undo) {
        match step {
            Undo::Version(id, version) => {
                self.customers.entry(id).and_modify(|customer| customer.version = version);
            }
            Undo::Primary(id, primary) => {
                self.customers.entry(id).and_modify(|customer| customer.primary = primary);
            }
            Undo::Customer(id) => {
                self.customers.remove(&id);
                self.members.remove(&id);
            }
            Undo::Point(key) => {
                self.points.remove(&key);
            }
            Undo::Contact(id) => {
                self.customers.entry(id).and_modify(|customer| {
                    customer.contacts.pop();
                });
            }
            Undo::Link => {
                self.links.pop();
            }
            Undo::Absorb { survivor, absorbed, moved } => {
                self.members.entry(survivor).and_modify(|members| {
                    members.retain(|member| !moved.contains(member));
                });
                for member in &moved {
                    self.customers.entry(*member).and_modify(|customer| customer.root = absorbed);
                }
                self.members.insert(absorbed, moved);
            }
        }
    }
}

/// How to take one step back.
enum Undo {
    Version(CustomerId, i64),
    Primary(CustomerId, Option<ContactId>),
    Customer(CustomerId),
    Point(LinkKey),
    Contact(CustomerId),
    Link,
    Absorb { survivor: CustomerId, absorbed: CustomerId, moved: Vec<CustomerId> },
}

struct MemoryTransaction {
    state: OwnedMutexGuard<State>,
    undo: Vec<Undo>,
}

impl Drop for MemoryTransaction {
    fn drop(&mut self) {
        while let Some(step) = self.undo.pop() {
            self.state.undo(step);
        }
    }
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

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        self.undo.clear();
        Ok(())
    }
}

#[async_trait]
impl CustomerRepository for MemoryTransaction {
    async fn lock_neighbourhood(&mut self, keys: &[LinkKey]) -> Result<Neighbourhood, StoreError> {
        Ok(self.state.neighbourhood(keys))
    }

    async fn advance(&mut self, id: CustomerId, version: i64, _at: DateTime<Utc>) -> Result<(), StoreError> {
        match self.state.customers.get_mut(&id) {
            Some(customer) if customer.version == version && customer.root == id => {
                customer.version += 1;
                self.undo.push(Undo::Version(id, version));
                Ok(())
            }
            _ => Err(StoreError::Conflict),
        }
    }

    async fn insert(&mut self, id: CustomerId, _at: DateTime<Utc>) -> Result<(), StoreError> {
        if self.state.customers.contains_key(&id) {
            return Err(StoreError::Backend("the customer exists".into()));
        }
        let customer = Customer { root: id, version: 1, primary: None, contacts: Vec::new() };
        self.state.customers.insert(id, customer);
        self.state.members.insert(id, vec![id]);
        self.undo.push(Undo::Customer(id));
        Ok(())
    }

    async fn set_primary(&mut self, id: CustomerId, primary: ContactId) -> Result<(), StoreError> {
        let customer = self.state.customers.get_mut(&id).ok_or(StoreError::Conflict)?;
        let before = customer.primary.replace(primary);
        self.undo.push(Undo::Primary(id, before));
        Ok(())
    }

    async fn absorb(
        &mut self,
        survivor: CustomerId,
        absorbed: CustomerId,
        _at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let moved = self.state.members.remove(&absorbed).ok_or(StoreError::Conflict)?;
        for member in &moved {
            self.state.customers.entry(*member).and_modify(|customer| customer.root = survivor);
        }
        self.state.members.entry(survivor).or_default().extend(&moved);
        self.undo.push(Undo::Absorb { survivor, absorbed, moved });
        Ok(())
    }

    async fn claim(&mut self, keys: &[LinkKey], id: CustomerId) -> Result<(), StoreError> {
        if !self.state.customers.contains_key(&id) {
            return Err(StoreError::Backend("there is no such customer".into()));
        }
        for key in keys {
            if self.state.points.contains_key(key) {
                return Err(StoreError::Conflict);
            }
            self.state.points.insert(key.clone(), id);
            self.undo.push(Undo::Point(key.clone()));
        }
        Ok(())
    }
}

#[async_trait]
impl ContactRepository for MemoryTransaction {
    async fn insert(
        &mut self,
        contact: &ContactDraft,
        customer: CustomerId,
        _at: DateTime<Utc>,
    ) -> Result<ContactId, StoreError> {
        self.state.last_contact += 1;
        let id = ContactId(self.state.last_contact);
        let known = KnownContact {
            id,
            email: contact.statement.email().cloned(),
            phone: contact.statement.phone().cloned(),
            user: contact.statement.user(),
        };
        let customer_row = self.state.customers.get_mut(&customer).ok_or(StoreError::Conflict)?;
        customer_row.contacts.push(known);
        self.undo.push(Undo::Contact(customer));
        Ok(id)
    }
}

#[async_trait]
impl LinkRepository for MemoryTransaction {
    async fn insert(&mut self, link: &LinkDraft) -> Result<(), StoreError> {
        self.state.links.push(link.clone());
        self.undo.push(Undo::Link);
        Ok(())
    }
}
