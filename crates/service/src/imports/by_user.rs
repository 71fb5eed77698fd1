//! Rows that are matched by user: a user's record takes the row's values in place of those it has.

use super::parse::ImportRow;
use crate::contacts::{ContactChange, NewValue, apply, keep, merge, reread, step_back};
use crate::environment::Environment;
use crate::error::RecordError;
use crate::store::Transaction;
use crate::trail::Change;
use onefold_domain::contact::{ContactKind, ContactRecord};
use onefold_domain::id::{ImportId, UserId};

/// What became of a row.
pub(super) enum Stored {
    Created,
    Updated,
    Unchanged,
}

/// The most records of one user that are looked through for the one that a row means.
const MOST: usize = 1_000;

/// Stores one row inside an open transaction.
pub(super) async fn store(
    transaction: &mut dyn Transaction,
    env: &Environment,
    (import, twins): (ImportId, &[ImportId]),
    mut row: ImportRow,
) -> Result<Stored, RecordError> {
    let Some(user) = row.request.statement.user() else { return Err(RecordError::NoSuchUser) };
    let Some(before) = meant(transaction, user, &row).await? else {
        let mut kept = keep(transaction, env, &row.request).await?;
        kept.record.import = Some(import);
        transaction.contacts().update(&kept.record).await?;
        if kept.before.is_none() {
            // The contact itself says which import brought it.
            return Ok(Stored::Created);
        }
        env.record(transaction, kept.record.updated_at, Vec::from_iter(kept.change())).await?;
        return Ok(Stored::Updated);
    };
    if before.import.is_some_and(|import| twins.contains(&import)) {
        return Ok(Stored::Unchanged);
    }
    if !row.names_source {
        row.request.source = before.source;
    }
    let at = env.clock.now();
    let mut merged = before.clone();
    merge(&mut merged, &row.request, at)?;
    let same = ContactRecord {
        import: before.import,
        version: before.version,
        updated_at: before.updated_at,
        ..merged.clone()
    } == before;
    let values = new_values(&before, &row);
    if same && values.is_empty() {
        return Ok(Stored::Unchanged);
    }
    transaction.customers().advance(before.customer, before.customer_version, at).await?;
    if merged.details.is_primary && !before.details.is_primary {
        step_back(transaction, env, (user, merged.kind()), Some(merged.id), at).await?;
    }
    transaction.contacts().update(&merged).await?;
    for value in values {
        let mut record = reread(transaction, before.id).await?;
        let change = ContactChange { value: Some(value), ..ContactChange::default() };
        apply(transaction, env, &mut record, &change).await?;
    }
    let mut record = reread(transaction, before.id).await?;
    record.import = Some(import);
    transaction.contacts().update(&record).await?;
    let changed = Change::contact_updated(&before, &record);
    env.record(transaction, at, Vec::from_iter(changed)).await?;
    Ok(Stored::Updated)
}

/// The user's record of the row's kind: the one with its values, else the primary, else the oldest.
async fn meant(
    transaction: &mut dyn Transaction,
    user: UserId,
    row: &ImportRow,
) -> Result<Option<ContactRecord>, RecordError> {
    let statement = &row.request.statement;
    let kind = ContactKind::of(statement);
    let open = |record: &ContactRecord| record.kind() == kind && record.is_open_to(row.request.source);
    let records = transaction.contacts().of_user(user, MOST).await?;
    let rank = |record: &ContactRecord| {
        (!record.statement.says_the_same_as(statement), !record.details.is_primary, record.id)
    };
    Ok(records.into_iter().filter(open).min_by_key(rank))
}

/// The values of the row that the record does not have.
fn new_values(record: &ContactRecord, row: &ImportRow) -> Vec<NewValue> {
    let (statement, received) = (&row.request.statement, &row.request.received);
    let email = statement.email().filter(|email| record.statement.email() != Some(email)).map(|email| {
        let received = received.email.clone().unwrap_or_else(|| email.as_str().to_owned());
        NewValue::Email { value: email.clone(), received }
    });
    let phone = statement.phone().filter(|phone| record.statement.phone() != Some(phone)).map(|phone| {
        let received = received.phone.clone().unwrap_or_else(|| phone.as_str().to_owned());
        NewValue::Phone { value: phone.clone(), received }
    });
    email.into_iter().chain(phone).collect()
}
