//! The use case `identify`: which customer is meant, and what is thereby learned.
//!
//! Linearizable with any number of callers and processes. A plan rests on versions; it is carried out
//! in one transaction only if none of them has moved, otherwise everything starts over. After a first
//! lost race the customers are locked before they are read, so that a hot value makes a queue and not
//! a storm.

use crate::actor::Acting;
use crate::contacts::{Row, carry_out, placed};
use crate::environment::Environment;
use crate::retry::{Failure, Patience};
use crate::store::{StoreError, Transaction};
use crate::trail::Change;
use onefold_domain::block::Block;
use onefold_domain::contact::{
    ContactDetails, ContactDraft, EvidenceOrder, KnownContact, Received, Statement,
};
use onefold_domain::customer::KnownCustomer;
use onefold_domain::id::{ContactId, CustomerId};
use onefold_domain::link_key::{LinkKey, StatementKeys};
use onefold_domain::linking::{Candidates, LinkPlan, Outcome, decide};
use onefold_domain::source::ContactSource;

/// Answers `identify` on a store.
#[derive(Clone)]
pub struct Identify {
    env: Environment,
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
    pub fn new(env: Environment) -> Self {
        Self { env }
    }

    /// What it works with.
    pub fn environment(&self) -> &Environment {
        &self.env
    }

    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { env: self.env.with_patience(patience) }
    }

    /// Links on behalf of whoever acts, as the audit trail tells it.
    #[must_use]
    pub fn acting(&self, acting: &Acting) -> Self {
        Self { env: self.env.clone().acting(acting.clone()) }
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
        let keys = StatementKeys::of(&request.statement, &self.env.policy).to_vec();
        let keys = &keys[..];
        self.env
            .patience
            .keep_trying(self.env.randomness.as_ref(), |attempt| async move {
                match attempt {
                    0 => Ok(self.attempt_optimistic(request, keys).await?),
                    _ => Ok(self.attempt_locked(request, keys).await?),
                }
            })
            .await
    }

    async fn attempt_optimistic(
        &self,
        request: &IdentifyRequest,
        keys: &[LinkKey],
    ) -> Result<Identified, StoreError> {
        let candidates = self.env.store.candidates(keys).await?;
        let plan = decide(&request.statement, &candidates, &self.env.policy);
        if let (Outcome::Known, Some(id)) = (plan.outcome, plan.customer) {
            return Ok(answer(id, plan, candidates, None));
        }
        let transaction = self.env.begin().await?;
        self.carry_out(transaction, request, plan, candidates).await
    }

    async fn attempt_locked(
        &self,
        request: &IdentifyRequest,
        keys: &[LinkKey],
    ) -> Result<Identified, StoreError> {
        let mut transaction = self.env.begin().await?;
        let candidates = transaction.customers().lock_candidates(keys).await?;
        let plan = decide(&request.statement, &candidates, &self.env.policy);
        if let (Outcome::Known, Some(id)) = (plan.outcome, plan.customer) {
            // What was read may be the work of a writer whose commit is still under way: ours ends
            // after it, so an answer never speaks of what a crash could still undo.
            transaction.commit().await?;
            return Ok(answer(id, plan, candidates, None));
        }
        self.carry_out(transaction, request, plan, candidates).await
    }

    async fn carry_out(
        &self,
        mut transaction: Box<dyn Transaction>,
        request: &IdentifyRequest,
        plan: LinkPlan,
        candidates: Candidates,
    ) -> Result<Identified, StoreError> {
        let at = self.env.clock.now();
        let draft = draft(request);
        let row = Row::Insert(&draft);
        let carried = carry_out(transaction.as_mut(), &self.env, &plan, row, &candidates, at).await?;
        if let (Some(id), Some(blocked)) = (carried.added, plan.contact) {
            let added = Change::contact_added(id, carried.customer, &placed(&draft, blocked));
            self.env.record(transaction.as_mut(), at, vec![added]).await?;
        }
        transaction.commit().await?;
        let added = carried.added.map(|id| known(id, &request.statement));
        Ok(answer(carried.customer, plan, candidates, added))
    }
}

fn draft(request: &IdentifyRequest) -> ContactDraft {
    ContactDraft {
        statement: request.statement.clone(),
        claimed_by: None,
        // The plan says what does not link.
        email_blocked_by: None,
        phone_blocked_by: None,
        source: ContactSource::Identify,
        details: ContactDetails::default(),
        received: request.received.clone(),
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
fn answer(id: CustomerId, plan: LinkPlan, candidates: Candidates, added: Option<KnownContact>) -> Identified {
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
    Identified {
        customer: KnownCustomer { id, version, contacts },
        outcome: plan.outcome,
        blocked: plan.blocked,
    }
}
