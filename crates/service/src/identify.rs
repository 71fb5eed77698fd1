//! The use case `identify`: which customer is meant, and what is thereby learned.
//!
//! Linearizable with any number of callers and processes. A plan rests on versions; it is carried out
//! in one transaction only if none of them has moved, otherwise everything starts over. After a first
//! lost race the customers are locked before they are read, so that a hot value makes a queue and not
//! a storm.

use std::sync::Arc;

use async_trait::async_trait;

use crate::actor::Acting;
use crate::clock::{Clock, Randomness};
use crate::contacts::{Row, carry_out, placed};
use crate::environment::Environment;
use crate::retry::{Failure, Patience};
use crate::store::{Carried, Decide, Decided, IdentifyStore, StoreError, Transaction, Turn};
use crate::trail::Change;
use onefold_domain::block::Block;
use onefold_domain::contact::{
    ContactDetails, ContactDraft, EvidenceOrder, KnownContact, Received, Statement,
};
use onefold_domain::customer::KnownCustomer;
use onefold_domain::id::{ContactId, CustomerId};
use onefold_domain::link_key::{LinkKey, StatementKeys};
use onefold_domain::linking::{Candidates, LinkPlan, Outcome, decide};
use onefold_domain::policy::LinkPolicy;
use onefold_domain::source::ContactSource;

/// Answers `identify` on a store: one for all use cases, or one for `identify` alone.
#[derive(Clone)]
pub struct Identify<S = Environment> {
    store: S,
    policy: Arc<LinkPolicy>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    patience: Patience,
}

/// A statement with the values as they came, which are kept as evidence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdentifyRequest {
    pub statement: Statement,
    pub received: Received,
}

/// What `identify` answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identified {
    pub customer: KnownCustomer,
    pub outcome: Outcome,
    /// The values that did not link, and why.
    pub blocked: Vec<Block>,
}

impl Identify {
    /// Beside the other use cases: what is learned goes into the audit trail.
    pub fn new(env: Environment) -> Self {
        let Environment { policy, clock, randomness, patience, .. } = env.clone();
        Self { store: env, policy, clock, randomness, patience }
    }

    /// What it works with.
    pub fn environment(&self) -> &Environment {
        &self.store
    }

    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self::new(self.store.with_patience(patience))
    }

    /// Links on behalf of whoever acts, as the audit trail tells it.
    #[must_use]
    pub fn acting(&self, acting: &Acting) -> Self {
        Self::new(self.store.clone().acting(acting.clone()))
    }
}

impl<S: IdentifyStore> Identify<S> {
    /// On a store for `identify` alone, with the default patience.
    pub fn on(
        store: S,
        policy: Arc<LinkPolicy>,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        Self { store, policy, clock, randomness, patience: Patience::default() }
    }

    /// Links the request's values and returns the customer they belong to. A request that says
    /// nothing new changes nothing.
    ///
    /// A request whose commit was interrupted may have been carried out; trying again then finds
    /// nothing new. That is why a lost connection is a reason to start over, like a lost race.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] and [`Failure::TimedOut`] when it is worth trying later.
    pub async fn run(&self, request: &IdentifyRequest) -> Result<Identified, Failure> {
        let keys = StatementKeys::of(&request.statement, &self.policy).to_vec();
        let keys = &keys[..];
        self.patience
            .keep_trying(self.randomness.as_ref(), |attempt| async move {
                match attempt {
                    0 => Ok(self.attempt_optimistic(request, keys).await?),
                    _ => Ok(self.attempt_in_turn(request, keys).await?),
                }
            })
            .await
    }

    async fn attempt_optimistic(
        &self,
        request: &IdentifyRequest,
        keys: &[LinkKey],
    ) -> Result<Identified, StoreError> {
        let candidates = self.store.candidates(keys).await?;
        let plan = decide(&request.statement, &candidates, &self.policy);
        // Most requests end here: nothing is drawn, copied or looked up for them that is not answered.
        if let Some(customer) = plan.known() {
            return Ok(answer(candidates, plan, Carried { customer, added: None }));
        }
        let decided = self.decided(request, plan);
        let carried = self.store.carry_out(&decided, &candidates).await?;
        Ok(answer(candidates, decided.plan, carried))
    }

    async fn attempt_in_turn(
        &self,
        request: &IdentifyRequest,
        keys: &[LinkKey],
    ) -> Result<Identified, StoreError> {
        let judge =
            |found: &Candidates| self.decided(request, decide(&request.statement, found, &self.policy));
        let Turn { candidates, decided, carried } = self.store.in_turn(keys, &judge).await?;
        Ok(answer(candidates, decided.plan, carried))
    }

    fn decided(&self, request: &IdentifyRequest, plan: LinkPlan) -> Decided {
        let at = self.clock.now();
        Decided {
            plan,
            received: request.received.clone(),
            new_customer: CustomerId(self.randomness.uuid(at)),
            at,
        }
    }
}

/// Every store for all use cases answers `identify`, by a transaction that also tells the audit trail.
#[async_trait]
impl IdentifyStore for Environment {
    async fn candidates(&self, keys: &[LinkKey]) -> Result<Candidates, StoreError> {
        self.store.candidates(keys).await
    }

    async fn carry_out(&self, decided: &Decided, candidates: &Candidates) -> Result<Carried, StoreError> {
        let transaction = self.begin().await?;
        write(self, transaction, decided, candidates).await
    }

    async fn in_turn(&self, keys: &[LinkKey], decide: Decide<'_>) -> Result<Turn, StoreError> {
        let mut transaction = self.begin().await?;
        let candidates = transaction.customers().lock_candidates(keys).await?;
        let decided = decide(&candidates);
        let carried = match decided.plan.known() {
            Some(customer) => {
                // What was read may be the work of a writer whose commit is still under way: ours ends
                // after it, so an answer never speaks of what a crash could still undo.
                transaction.commit().await?;
                Carried { customer, added: None }
            }
            None => write(self, transaction, &decided, &candidates).await?,
        };
        Ok(Turn { candidates, decided, carried })
    }
}

async fn write(
    env: &Environment,
    mut transaction: Box<dyn Transaction>,
    decided: &Decided,
    candidates: &Candidates,
) -> Result<Carried, StoreError> {
    let (plan, at) = (&decided.plan, decided.at);
    let draft = draft(decided);
    let row = Row::Insert(&draft);
    let carried =
        carry_out(transaction.as_mut(), env, plan, row, candidates, (decided.new_customer, at)).await?;
    if let (Some(id), Some(blocked)) = (carried.added, plan.contact) {
        let added = Change::contact_added(id, carried.customer, &placed(&draft, blocked));
        env.record(transaction.as_mut(), at, vec![added]).await?;
    }
    transaction.commit().await?;
    Ok(carried)
}

fn draft(decided: &Decided) -> ContactDraft {
    ContactDraft {
        statement: decided.plan.statement.clone(),
        claimed_by: None,
        // The plan says what does not link.
        email_blocked_by: None,
        phone_blocked_by: None,
        source: ContactSource::Identify,
        details: ContactDetails::default(),
        received: decided.received.clone(),
        import: None,
        origin: None,
    }
}

fn known(id: ContactId, statement: &Statement) -> KnownContact {
    KnownContact {
        id,
        order: EvidenceOrder(id.0),
        email: statement.email().cloned(),
        phone: statement.phone().cloned(),
        user: statement.user(),
        is_verified: false,
    }
}

/// The customer as it is once the plan has been carried out. Reading it again would cost another
/// round trip and tell nothing else: its version was ours.
fn answer(candidates: Candidates, plan: LinkPlan, carried: Carried) -> Identified {
    let id = carried.customer;
    let added = carried.added.map(|contact| known(contact, &plan.statement));
    let mut version = 0;
    let mut contacts = Vec::new();
    for customer in candidates.customers {
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
    let LinkPlan { outcome, blocked, .. } = plan;
    Identified { customer: KnownCustomer { id, version, contacts }, outcome, blocked }
}
