//! What is to be done elsewhere because of a change: written in the transaction of the change, done afterwards by a worker.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::store::StoreError;
use crate::system::SyncSystem;
use onefold_domain::id::CustomerId;

/// Customers that are to be brought into step with another system.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyncPromise {
    pub system: SyncSystem,
    pub customers: Vec<CustomerId>,
    /// Whether this is also promised for customers of which that system has no record.
    pub new_customers: bool,
    /// The worker leaves it alone until then.
    pub not_before: DateTime<Utc>,
    pub at: DateTime<Utc>,
}

/// The transactional outbox. A store without sync keeps nothing of it: it is asked only where a system is to be told.
#[async_trait]
pub trait OutboxRepository: Send {
    /// Keeps the promise with the transaction. What is promised twice is done once, at the earlier moment.
    async fn promise(&mut self, promise: &SyncPromise) -> Result<(), StoreError>;
}
