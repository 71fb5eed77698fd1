//! The use case `identify`: which customer is meant, and what is thereby learned.
//!
//! Linearizable with any number of callers and processes. A plan rests on versions; it is carried out
//! in one transaction only if none of them has moved, otherwise everything starts over. After a first
//! lost race the customers are locked before they are read, so that a hot value makes a queue and not
//! a storm.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::{sleep, timeout};

use crate::link_key::StatementKeys;
use crate::{
    Block, Clock, ContactDraft, ContactId, ContactSource, CustomerId, KnownContact, KnownCustomer, LinkDraft,
    LinkKey, LinkPlan, LinkPolicy, Neighbourhood, NewContact, Outcome, Randomness, Received, Statement,
    Store, StoreError, Transaction, decide,
};

/// Answers `identify` on a store.
#[derive(Clone)]
pub struct Identify {
    store: Arc<dyn Store>,
    policy: Arc<LinkPolicy>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    patience: Patience,
}

/// How long to try before giving up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// The most times that the work is started.
    pub attempts: u32,
    /// The longest pause before starting over; the first is at most 1 ms and each doubles the last.
    pub longest_pause: Duration,
    /// The longest time for everything together.
    pub deadline: Duration,
}

impl Default for Patience {
    /// 64 attempts within 10 s, at most 100 ms apart.
    fn default() -> Self {
        Self { attempts: 64, longest_pause: Duration::from_millis(100), deadline: Duration::from_secs(10) }
    }
}

/// A statement with the values as they came, which are kept as evidence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdentifyRequest {
    pub statement: Statement,
    pub received: Received,
}

/// The answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identified {
    pub customer: KnownCustomer,
    pub outcome: Outcome,
    /// The values that did not link, and why.
    pub blocked: Vec<Block>,
}

#[derive(Debug, thiserror::Error)]
pub enum IdentifyError {
    /// Too many callers at once for these values, or the database does not answer. Nothing was
    /// stored, and repeating the request is harmless.
    #[error("identify gave up after {attempts} attempts")]
    Unavailable { attempts: u32, source: StoreError },
    /// The time was up while the store was at work.
    #[error("identify took longer than its deadline")]
    TimedOut,
    #[error(transparent)]
    Store(StoreError),
}

impl Identify {
    pub fn new(
        store: Arc<dyn Store>,
        policy: Arc<LinkPolicy>,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        Self { store, policy, clock, randomness, patience: Patience::default() }
    }

    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// Links the request's values and returns the customer they belong to. A request that says
    /// nothing new changes nothing.
    ///
    /// # Errors
    /// [`IdentifyError::Unavailable`] and [`IdentifyError::TimedOut`] when it is worth trying later.
    pub async fn run(&self, request: &IdentifyRequest) -> Result<Identified, IdentifyError> {
        timeout(self.patience.deadline, self.keep_trying(request))
            .await
            .map_err(|_| IdentifyError::TimedOut)?
    }

    /// A request whose commit was interrupted may have been carried out; trying again then finds
    /// nothing new. That is why a lost connection is a reason to start over, like a lost race.
    async fn keep_trying(&self, request: &IdentifyRequest) -> Result<Identified, IdentifyError> {
        let keys = StatementKeys::of(&request.statement, &self.policy).to_vec();
        let mut attempts = 0;
        loop {
            let attempt = match attempts {
                0 => self.attempt_optimistic(request, &keys).await,
                _ => self.attempt_locked(request, &keys).await,
            };
            attempts += 1;
            match attempt {
                Ok(identified) => return Ok(identified),
                Err(error @ StoreError::Backend(_)) => return Err(IdentifyError::Store(error)),
                Err(source) if attempts >= self.patience.attempts => {
                    return Err(IdentifyError::Unavailable { attempts, source });
                }
                Err(_) => sleep(self.pause(attempts)).await,
            }
        }
    }

    async fn attempt_optimistic(
        &self,
        request: &IdentifyRequest,
        keys: &[LinkKey],
    ) -> Result<Identified, StoreError> {
        let neighbourhood = self.store.neighbourhood(keys).await?;
        let plan = decide(&request.statement, &neighbourhood, &self.policy);
        if let (Outcome::Known, Some(id)) = (plan.outcome, plan.customer) {
            return Ok(answer(id, plan, neighbourhood, None));
        }
        let transaction = self.store.begin().await?;
        self.carry_out(transaction, request, plan, neighbourhood).await
    }

    async fn attempt_locked(
        &self,
        request: &IdentifyRequest,
        keys: &[LinkKey],
    ) -> Result<Identified, StoreError> {
        let mut transaction = self.store.begin().await?;
        let neighbourhood = transaction.customers().lock_neighbourhood(keys).await?;
        let plan = decide(&request.statement, &neighbourhood, &self.policy);
        if let (Outcome::Known, Some(id)) = (plan.outcome, plan.customer) {
            // What was read may be the work of a writer whose commit is still under way: ours ends
            // after it, so an answer never speaks of what a crash could still undo.
            transaction.commit().await?;
            return Ok(answer(id, plan, neighbourhood, None));
        }
        self.carry_out(transaction, request, plan, neighbourhood).await
    }

    /// The order of the steps is that of `Transaction`.
    async fn carry_out(
        &self,
        mut transaction: Box<dyn Transaction>,
        request: &IdentifyRequest,
        plan: LinkPlan,
        neighbourhood: Neighbourhood,
    ) -> Result<Identified, StoreError> {
        let at = self.clock.now();
        let customers = transaction.customers();
        for (id, version) in &plan.guards {
            customers.advance(*id, *version, at).await?;
        }
        let id = match plan.customer {
            Some(id) => id,
            None => {
                let id = CustomerId(self.randomness.uuid(at));
                customers.insert(id, at).await?;
                id
            }
        };
        if !plan.claims.is_empty() {
            customers.claim(&plan.claims, id).await?;
        }
        for absorbed in &plan.absorbed {
            customers.absorb(id, *absorbed, at).await?;
        }
        let added = match plan.contact {
            None => None,
            Some(contact) => {
                let draft = draft(request, contact);
                let contact_id = transaction.contacts().insert(&draft, id, at).await?;
                Some(known(contact_id, &request.statement))
            }
        };
        if let (None, Some(first)) = (plan.customer, &added) {
            transaction.customers().set_primary(id, first.id).await?;
        }
        let contact = added.as_ref().map(|contact| contact.id);
        for link in links(&plan, id, request, &neighbourhood, contact, at) {
            transaction.links().insert(&link).await?;
        }
        transaction.commit().await?;
        Ok(answer(id, plan, neighbourhood, added))
    }

    fn pause(&self, attempts: u32) -> Duration {
        let limit = Duration::from_millis(1) * 2_u32.saturating_pow(attempts.saturating_sub(1).min(16));
        self.randomness.up_to(limit.min(self.patience.longest_pause))
    }
}

fn draft(request: &IdentifyRequest, contact: NewContact) -> ContactDraft {
    ContactDraft {
        statement: request.statement.clone(),
        email_blocked_by: contact.email_blocked_by,
        phone_blocked_by: contact.phone_blocked_by,
        source: ContactSource::Identify,
        received: request.received.clone(),
    }
}

fn known(id: ContactId, statement: &Statement) -> KnownContact {
    KnownContact {
        id,
        email: statement.email().cloned(),
        phone: statement.phone().cloned(),
        user: statement.user(),
    }
}

fn links(
    plan: &LinkPlan,
    survivor: CustomerId,
    request: &IdentifyRequest,
    neighbourhood: &Neighbourhood,
    contact: Option<ContactId>,
    at: DateTime<Utc>,
) -> Vec<LinkDraft> {
    let youngest = neighbourhood
        .customers
        .iter()
        .filter_map(|customer| customer.contacts.last())
        .map(|contact| contact.id)
        .max();
    let Some(after) = youngest else { return Vec::new() };
    plan.absorbed
        .iter()
        .map(|absorbed| LinkDraft {
            survivor,
            absorbed: *absorbed,
            statement: request.statement.clone(),
            contact,
            after,
            at,
        })
        .collect()
}

/// The customer as it is once the plan has been carried out. Reading it again would cost another
/// round trip and tell nothing else: its version was ours.
fn answer(
    id: CustomerId,
    plan: LinkPlan,
    neighbourhood: Neighbourhood,
    added: Option<KnownContact>,
) -> Identified {
    let mut version = 0;
    let mut contacts = Vec::new();
    for customer in neighbourhood.customers {
        if customer.id == id || plan.absorbed.contains(&customer.id) {
            version = if customer.id == id { customer.version } else { version };
            contacts.extend(customer.contacts);
        }
    }
    if plan.outcome == Outcome::Merged {
        contacts.sort_unstable_by_key(|contact| contact.id);
    }
    if plan.outcome != Outcome::Known {
        version += 1;
    }
    contacts.extend(added);
    Identified {
        customer: KnownCustomer { id, version, contacts },
        outcome: plan.outcome,
        blocked: plan.blocked,
    }
}
