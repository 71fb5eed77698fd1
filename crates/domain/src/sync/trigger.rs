//! Which changes here promise a sync: the job is written in the transaction of the change.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::SyncSystem;
use crate::{CustomerId, Environment, JobKind, StoreError, Transaction};

/// A system that customers are synced with when they change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SyncTrigger {
    pub system: SyncSystem,
    /// Whether customers that have no record there get one.
    pub new_customers: bool,
}

impl Environment {
    /// Promises a sync of customers that this transaction changes, with every system that wants to know.
    pub(crate) async fn promise_sync(
        &self,
        transaction: &mut dyn Transaction,
        at: DateTime<Utc>,
        customers: &BTreeSet<CustomerId>,
    ) -> Result<(), StoreError> {
        let customers: Vec<_> = customers.iter().copied().collect();
        for trigger in &*self.triggers {
            let meant = match trigger.new_customers {
                true => customers.clone(),
                false => transaction.mappings().mapped(trigger.system, &customers).await?,
            };
            let job = |customer: &CustomerId| JobKind::SyncCustomer(trigger.system, *customer);
            let jobs: Vec<_> = meant.iter().map(job).collect();
            if !jobs.is_empty() {
                transaction.jobs().enqueue(&jobs, at, at).await?;
            }
        }
        Ok(())
    }
}
