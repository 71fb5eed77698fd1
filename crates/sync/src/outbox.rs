//! How a store keeps the promise of a sync: as a job for each customer.

use crate::job::JobKind;
use crate::store::SyncTransaction;
use onefold_service::store::{StoreError, SyncPromise};

/// Adds a job for each of the customers, or for each that the system has a record of. What
/// [`OutboxRepository::promise`](onefold_service::store::OutboxRepository::promise) of every store with sync does.
///
/// # Errors
/// A store that does not answer.
pub async fn promise(transaction: &mut dyn SyncTransaction, promise: &SyncPromise) -> Result<(), StoreError> {
    let mapped;
    let meant = if promise.new_customers {
        &promise.customers
    } else {
        mapped = transaction.mappings().mapped(promise.system, &promise.customers).await?;
        &mapped
    };
    let jobs: Vec<_> =
        meant.iter().map(|customer| JobKind::SyncCustomer(promise.system, *customer)).collect();
    if jobs.is_empty() {
        return Ok(());
    }
    transaction.jobs().enqueue(&jobs, promise.not_before, promise.at).await
}
