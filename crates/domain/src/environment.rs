//! What every use case works with: the ports, the policy, and how long to try.

use std::sync::Arc;

use crate::{
    Acting, Clock, LinkPolicy, Patience, Randomness, Statement, Store, StoreError, SyncSystem, SyncTrigger,
    Transaction,
};

/// A store, the link policy, time and randomness, and who acts. Clones share them.
#[derive(Clone)]
pub struct Environment {
    pub store: Arc<dyn Store>,
    pub policy: Arc<LinkPolicy>,
    pub clock: Arc<dyn Clock>,
    pub randomness: Arc<dyn Randomness>,
    pub patience: Patience,
    /// For the audit trail.
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

    /// The same, on behalf of somebody else.
    #[must_use]
    pub fn acting(self, acting: Acting) -> Self {
        Self { acting, ..self }
    }

    /// The same for work of which much is to come and for which nobody waits.
    pub(crate) fn in_bulk(self) -> Self {
        Self { bulk: true, ..self }
    }

    /// Opens a transaction for writing.
    pub(crate) async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError> {
        if self.bulk { self.store.begin_bulk().await } else { self.store.begin().await }
    }

    /// The same; changes promise a sync with these systems.
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

    /// The same for what comes from this system itself.
    pub(crate) fn without_trigger(self, system: SyncSystem) -> Self {
        let others = self.triggers.iter().filter(|trigger| trigger.system != system).copied();
        Self { triggers: others.collect(), ..self }
    }
}
