//! What every use case works with: the ports, the policy, and how long to try.

use std::sync::Arc;

use futures_core::future::BoxFuture;

use crate::actor::Acting;
use crate::clock::{Clock, Randomness};
use crate::error::RecordError;
use crate::retry::{Attempted, Patience};
use crate::store::Open;
use crate::store::{Store, StoreError, Transaction};
use crate::system::SyncSystem;
use onefold_domain::contact::Statement;
use onefold_domain::policy::LinkPolicy;

/// A system that customers are synced with when they change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SyncTrigger {
    pub system: SyncSystem,
    /// Whether customers that have no record there get one.
    pub new_customers: bool,
}

/// A store, the link policy, time and randomness, and who acts. Clones share them.
#[derive(Clone)]
pub struct Environment {
    pub store: Arc<dyn Store>,
    pub policy: Arc<LinkPolicy>,
    pub clock: Arc<dyn Clock>,
    pub randomness: Arc<dyn Randomness>,
    pub patience: Patience,
    /// Who acts, and in the course of what; the audit trail names it.
    pub acting: Acting,
    /// The other systems that are told of changes; none unless they are named.
    pub triggers: Arc<[SyncTrigger]>,
    /// Whether transactions are opened by [`Store::begin_bulk`].
    bulk: bool,
}

impl Environment {
    /// With the default patience; the program acts.
    pub fn new(
        store: Arc<dyn Store>,
        policy: Arc<LinkPolicy>,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        Self {
            store,
            policy,
            clock,
            randomness,
            patience: Patience::default(),
            acting: Acting::default(),
            triggers: Arc::default(),
            bulk: false,
        }
    }

    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// On behalf of whoever acts, as the audit trail tells it.
    #[must_use]
    pub fn acting(self, acting: Acting) -> Self {
        Self { acting, ..self }
    }

    /// For work of which much is to come and for which nobody waits, such as an import: its transactions let others go first.
    pub fn in_bulk(self) -> Self {
        Self { bulk: true, ..self }
    }

    /// Whether its transactions let others go first; see [`Self::in_bulk`].
    pub fn is_bulk(&self) -> bool {
        self.bulk
    }

    /// Opens a transaction for writing.
    pub(crate) async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError> {
        if self.bulk { self.store.begin_bulk().await } else { self.store.begin().await }
    }

    /// With these systems, with which every change of a customer promises a sync.
    #[must_use]
    pub fn with_triggers(self, triggers: impl IntoIterator<Item = SyncTrigger>) -> Self {
        Self { triggers: triggers.into_iter().collect(), ..self }
    }

    /// A statement as it counts when it is made by whoever acts: with a user's own token there is only the user's
    /// word for it.
    pub(crate) fn weighed(&self, statement: Statement) -> Statement {
        match (self.acting.actor.user(), statement.user()) {
            (Some(own), Some(user)) if own == user => statement.stated_by(user),
            _ => statement,
        }
    }

    /// For changes that come from this system: they promise no sync with it, or they would go back to it.
    pub fn without_trigger(self, system: SyncSystem) -> Self {
        let others = self.triggers.iter().filter(|trigger| trigger.system != system).copied();
        Self { triggers: others.collect(), ..self }
    }
}

impl Environment {
    /// Runs `work` in a transaction, which it hands back, and commits it; starts over as long as it is worth
    /// it. What `work` does must find out by itself whether an earlier try was carried out after all.
    ///
    /// The transaction is passed on and handed back, in a boxed future. An async closure that borrows it was tried: of its future
    /// Rust cannot say yet that it may move between threads, whatever it borrows.
    pub(crate) async fn in_transaction<'a, T: Send>(
        &'a self,
        work: impl Fn(Open) -> BoxFuture<'a, Result<(T, Open), RecordError>> + Send + Sync,
    ) -> Result<T, RecordError> {
        self.transact(work).await
    }

    /// Runs `work` in a transaction as `in_transaction` does, for use cases with an error of their own. It starts over
    /// when the error is a store's that is worth another try.
    pub async fn transact<'a, T: Send, E: Attempted + From<StoreError>>(
        &'a self,
        work: impl Fn(Open) -> BoxFuture<'a, Result<(T, Open), E>> + Send + Sync,
    ) -> Result<T, E> {
        let work = &work;
        self.patience
            .keep_trying(self.randomness.as_ref(), |_| async move {
                let transaction = self.begin().await?;
                let (done, transaction) = work(transaction).await?;
                transaction.commit().await?;
                Ok(done)
            })
            .await
    }
}
