//! What `identify` alone asks of a store. Whoever only wants to know which customer is meant writes these methods and
//! nothing else; a store for all use cases has them by its transactions.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use onefold_domain::contact::Received;
use onefold_domain::id::{ContactId, CustomerId};
use onefold_domain::link_key::LinkKey;
use onefold_domain::linking::{Candidates, LinkPlan};

/// A place that remembers which values belong to whom.
#[async_trait]
pub trait IdentifyStore: Send + Sync {
    /// The customers that these keys lead to, whole, as of one moment and with all that is committed. A customer that was
    /// absorbed is given as its survivor.
    async fn candidates(&self, keys: &[LinkKey]) -> Result<Candidates, StoreError>;

    /// Carries a plan out, all of it or nothing, so that it survives a crash when this returns:
    ///
    /// 1. each customer of `plan.guards` must still have that version and not be absorbed, and moves to the next one;
    /// 2. without `plan.customer` there is a new one, `new_customer`, of version 1;
    /// 3. `plan.claims` lead to the customer from now on; none of them may have an owner;
    /// 4. those of `plan.absorbed`, and all that they absorbed before, lead to the customer;
    /// 5. with `plan.contact` a contact is added, whose id is larger than that of every other.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if a version has moved or a key is taken: everything is read and decided anew.
    async fn carry_out(&self, decided: &Decided, candidates: &Candidates) -> Result<Carried, StoreError>;

    /// Reads, decides and carries out while nobody else changes these customers; asked for after a lost race. A store that
    /// cannot lock leaves this as it is: callers then try until they are first, as long as their patience lasts.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if somebody was faster all the same.
    async fn in_turn(&self, keys: &[LinkKey], decide: Decide<'_>) -> Result<Turn, StoreError> {
        let candidates = self.candidates(keys).await?;
        let decided = decide(&candidates);
        let carried = match decided.plan.known() {
            Some(customer) => Carried { customer, added: None },
            None => self.carry_out(&decided, &candidates).await?,
        };
        Ok(Turn { candidates, decided, carried })
    }
}

/// Judges a statement by what a store knows.
pub type Decide<'a> = &'a (dyn Fn(&Candidates) -> Decided + Send + Sync);

/// What is to become of a statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decided {
    /// It names the statement.
    pub plan: LinkPlan,
    /// The values as they came, which are kept with a contact that is added.
    pub received: Received,
    /// The id of a customer that the plan asks for.
    pub new_customer: CustomerId,
    pub at: DateTime<Utc>,
}

/// What carrying out came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Carried {
    pub customer: CustomerId,
    /// The contact that was added.
    pub added: Option<ContactId>,
}

/// A statement that had its turn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Turn {
    pub candidates: Candidates,
    pub decided: Decided,
    pub carried: Carried,
}
