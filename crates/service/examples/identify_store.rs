//! A store of your own for `identify` alone, complete: a map in memory behind a lock. A database does the same in a
//! transaction: `UPDATE … SET version = version + 1 WHERE id = $1 AND version = $2` for a guard, a unique key for a claim.
//!
//! `cargo run -p onefold-service --example identify_store --features testing`

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use onefold_domain::contact::{EvidenceOrder, KnownContact, Received, Statement};
use onefold_domain::customer::KnownCustomer;
use onefold_domain::email::EmailAddress;
use onefold_domain::id::{ContactId, CustomerId};
use onefold_domain::link_key::LinkKey;
use onefold_domain::linking::Candidates;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::policy::LinkPolicy;
use onefold_service::clock::{SystemClock, SystemRandomness};
use onefold_service::identify::{Identify, IdentifyRequest};
use onefold_service::store::{Carried, Decided, IdentifyStore, StoreError};
use onefold_service::testing::check_identify_store;

#[derive(Clone, Default)]
struct MapStore(Arc<Mutex<Map>>);

#[derive(Clone, Default)]
struct Map {
    keys: HashMap<LinkKey, CustomerId>,
    /// Those that were not absorbed.
    customers: HashMap<CustomerId, KnownCustomer>,
    last_contact: i64,
}

impl MapStore {
    fn lock(&self) -> MutexGuard<'_, Map> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl IdentifyStore for MapStore {
    async fn candidates(&self, keys: &[LinkKey]) -> Result<Candidates, StoreError> {
        let map = self.lock();
        let mut candidates = Candidates::default();
        for key in keys {
            let Some(id) = map.keys.get(key) else { continue };
            candidates.found.push((key.clone(), *id));
            if candidates.customers.iter().all(|customer| customer.id != *id) {
                candidates.customers.extend(map.customers.get(id).cloned());
            }
        }
        Ok(candidates)
    }

    async fn carry_out(&self, decided: &Decided, _: &Candidates) -> Result<Carried, StoreError> {
        let mut stored = self.lock();
        // All of it or nothing: the copy takes the place of the original at the end.
        let mut map = stored.clone();
        let carried = map.apply(decided)?;
        *stored = map;
        Ok(carried)
    }
}

impl Map {
    fn apply(&mut self, decided: &Decided) -> Result<Carried, StoreError> {
        let plan = &decided.plan;
        for (id, version) in &plan.guards {
            let customer = self.customers.get_mut(id).filter(|customer| customer.version == *version);
            customer.ok_or(StoreError::Conflict)?.version += 1;
        }
        let id = plan.customer.unwrap_or(decided.new_customer);
        if plan.customer.is_none() {
            self.customers.insert(id, KnownCustomer { id, version: 1, contacts: Vec::new() });
        }
        for key in &plan.claims {
            if self.keys.insert(key.clone(), id).is_some() {
                return Err(StoreError::Conflict);
            }
        }
        let mut moved = Vec::new();
        for absorbed in &plan.absorbed {
            let absorbed = self.customers.remove(absorbed).ok_or(StoreError::Conflict)?;
            moved.extend(absorbed.contacts);
            for owner in self.keys.values_mut().filter(|owner| **owner == absorbed.id) {
                *owner = id;
            }
        }
        let added = plan.contact.map(|_| {
            self.last_contact += 1;
            let statement = &plan.statement;
            moved.push(KnownContact {
                id: ContactId(self.last_contact),
                order: EvidenceOrder(self.last_contact),
                email: statement.email().cloned(),
                phone: statement.phone().cloned(),
                user: statement.user(),
                is_verified: false,
            });
            ContactId(self.last_contact)
        });
        let customer = self.customers.get_mut(&id).ok_or(StoreError::Conflict)?;
        customer.contacts.extend(moved);
        customer.contacts.sort_unstable_by_key(|contact| contact.id);
        Ok(Carried { customer: id, added })
    }
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // What every such store has to keep; yours calls this in a test.
    check_identify_store(MapStore::default).await;

    let store = MapStore::default();
    let policy = Arc::new(LinkPolicy::shipped());
    let identify = Identify::on(store, policy, Arc::new(SystemClock), Arc::new(SystemRandomness));
    for (email, phone) in [("lorraine@hillvalley.edu", "123456"), ("mcfly@hillvalley.edu", "123456")] {
        let (email, phone) = (EmailAddress::parse(email)?, PhoneNumber::parse(phone, None)?);
        let statement = Statement::new(Some(email), Some(phone)).ok_or("nothing stated")?;
        let answer = identify.run(&IdentifyRequest { statement, received: Received::default() }).await?;
        let emails: Vec<_> =
            answer.customer.summary().emails.iter().map(|email| email.as_str().to_owned()).collect();
        println!("{}: {} is {}", answer.outcome.as_str(), answer.customer.id.0, emails.join(", "));
    }
    Ok(())
}
