//! What every use case works with: the ports, the policy, and how long to try.

use std::sync::Arc;

use crate::{Clock, LinkPolicy, Patience, Randomness, Store};

/// A store, the link policy, time and randomness. Clones share them.
#[derive(Clone)]
pub struct Environment {
    pub store: Arc<dyn Store>,
    pub policy: Arc<LinkPolicy>,
    pub clock: Arc<dyn Clock>,
    pub randomness: Arc<dyn Randomness>,
    pub patience: Patience,
}

impl Environment {
    /// With the default patience.
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
}
