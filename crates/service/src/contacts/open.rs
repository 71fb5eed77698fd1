//! Getting hold of a record that is to be changed.

use chrono::{DateTime, Utc};

use super::Expectation;
use crate::error::RecordError;
use crate::store::{StoreError, Transaction};
use onefold_domain::contact::ContactRecord;
use onefold_domain::id::ContactId;

/// Finds a record that is to be changed, and locks its customer.
pub(super) async fn open(
    transaction: &mut dyn Transaction,
    id: ContactId,
    expected: &Expectation,
    at: DateTime<Utc>,
) -> Result<ContactRecord, RecordError> {
    let record = find(transaction, id, expected).await?;
    lock(transaction, &record, at).await?;
    Ok(record)
}

pub(super) async fn find(
    transaction: &mut dyn Transaction,
    id: ContactId,
    expected: &Expectation,
) -> Result<ContactRecord, RecordError> {
    let record = transaction.contacts().get(id).await?.ok_or(RecordError::NoSuchContact)?;
    if expected.is_met(&record.revision()) { Ok(record) } else { Err(RecordError::Stale) }
}

/// Locks the record's customer; `Conflict` if it has moved since the record was read.
pub(super) async fn lock(
    transaction: &mut dyn Transaction,
    record: &ContactRecord,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    transaction.customers().advance(record.customer, record.customer_version, at).await
}
