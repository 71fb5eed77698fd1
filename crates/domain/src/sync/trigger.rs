//! Which changes here promise a sync: the job is written in the transaction of the change.

use chrono::{DateTime, Utc};

use super::SyncSystem;
use crate::{CustomerId, JobKind, StoreError, Transaction};

/// A system that customers are synced with when they change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SyncTrigger {
    pub system: SyncSystem,
    /// Whether customers that have no record there get one.
    pub new_customers: bool,
}

/// Promises a sync of these customers with every system that wants to know.
pub(crate) async fn promise(
    transaction: &mut dyn Transaction,
    triggers: &[SyncTrigger],
    customers: &[CustomerId],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    for trigger in triggers {
        let meant = match trigger.new_customers {
            true => customers.to_vec(),
            false => transaction.mappings().mapped(trigger.system, customers).await?,
        };
        let job = |customer: &CustomerId| JobKind::SyncCustomer(trigger.system, *customer);
        let jobs: Vec<_> = meant.iter().map(job).collect();
        if !jobs.is_empty() {
            transaction.jobs().enqueue(&jobs, at, at).await?;
        }
    }
    Ok(())
}
