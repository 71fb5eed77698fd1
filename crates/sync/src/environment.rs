//! What sync works with.

use std::sync::Arc;

use futures_core::future::BoxFuture;

use crate::store::{Open, SyncStore, SyncTransaction};
use onefold_domain::policy::LinkPolicy;
use onefold_service::actor::Acting;
use onefold_service::clock::{Clock, Randomness};
use onefold_service::environment::{Environment, SyncTrigger};
use onefold_service::retry::{Attempted, Patience};
use onefold_service::store::StoreError;
use onefold_service::system::SyncSystem;

/// What the other use cases work with, on a store that knows of sync. Clones share it.
#[derive(Clone)]
pub struct SyncEnvironment {
    pub store: Arc<dyn SyncStore>,
    /// What the other use cases work with, on the same store.
    pub base: Environment,
}

impl SyncEnvironment {
    /// With the default patience; the program acts.
    pub fn new(
        store: Arc<dyn SyncStore>,
        policy: Arc<LinkPolicy>,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        Self { base: Environment::new(store.clone(), policy, clock, randomness), store }
    }

    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { base: self.base.with_patience(patience), ..self }
    }

    /// On behalf of whoever acts, as the audit trail tells it.
    #[must_use]
    pub fn acting(self, acting: Acting) -> Self {
        Self { base: self.base.acting(acting), ..self }
    }

    /// With these systems, with which every change of a customer promises a sync.
    #[must_use]
    pub fn with_triggers(self, triggers: impl IntoIterator<Item = SyncTrigger>) -> Self {
        Self { base: self.base.with_triggers(triggers), ..self }
    }

    /// For changes that come from this system: they promise no sync with it, or they would go back to it.
    pub(crate) fn without_trigger(self, system: SyncSystem) -> Self {
        Self { base: self.base.without_trigger(system), ..self }
    }

    /// For work of which much is to come and for which nobody waits, such as an import: its transactions let others go first.
    pub(crate) fn in_bulk(self) -> Self {
        Self { base: self.base.in_bulk(), ..self }
    }

    /// Opens a transaction for writing.
    pub(crate) async fn begin(&self) -> Result<Box<dyn SyncTransaction>, StoreError> {
        if self.base.is_bulk() { self.store.begin_sync_bulk().await } else { self.store.begin_sync().await }
    }

    /// Runs `work` in a transaction, which it hands back, and commits it; starts over as long as it is worth
    /// it. What `work` does must find out by itself whether an earlier try was carried out after all.
    pub(crate) async fn transact<'a, T: Send, E: Attempted + From<StoreError>>(
        &'a self,
        work: impl Fn(Open) -> BoxFuture<'a, Result<(T, Open), E>> + Send + Sync,
    ) -> Result<T, E> {
        let work = &work;
        self.base
            .patience
            .keep_trying(self.base.randomness.as_ref(), |_| async move {
                let transaction = self.begin().await?;
                let (done, transaction) = work(transaction).await?;
                transaction.commit().await?;
                Ok(done)
            })
            .await
    }
}
