//! Changing one record: a merge patch over its details, or another value, which links it anew.

use std::convert::Infallible;

use chrono::{DateTime, Utc};

use super::open::{find, lock};
use super::{Contacts, Expectation, reread, settle, step_back};
use crate::environment::Environment;
use crate::error::RecordError;
use crate::store::Transaction;
use crate::trail::Change;
use onefold_domain::contact::{Channel, ContactKind, ContactRecord, Received, Statement};
use onefold_domain::email::EmailAddress;
use onefold_domain::id::ContactId;
use onefold_domain::metadata::Metadata;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::profile::Attribution;
use onefold_domain::source::ContactSource;

/// What is to be different; `None` leaves things as they are.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct ContactChange {
    pub value: Option<NewValue>,
    /// When it was changed, if not now: a file brings what was changed elsewhere.
    pub made_at: Option<DateTime<Utc>>,
    /// How the phone is reached; without a phone it means nothing.
    pub channel: Option<Channel>,
    pub source: Option<ContactSource>,
    pub is_primary: Option<bool>,
    /// A person may take a verification back.
    pub is_verified: Option<bool>,
    /// A merge patch; `Some(None)` removes everything.
    pub metadata: Option<Option<Metadata>>,
    /// A merge patch over the profile's JSON form; `Some(None)` removes it.
    pub profile: Option<Option<serde_json::Map<String, serde_json::Value>>>,
}

/// Another value in place of the contact's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NewValue {
    /// For a contact of kind `email`, or the email of one that holds both.
    Email { value: EmailAddress, received: String },
    /// For a contact of kind `phone`, or the phone of one that holds both.
    Phone { value: PhoneNumber, received: String },
    /// In place of all that the contact held, of whichever kind. The user stays.
    Instead { statement: Statement, received: Received },
}

impl Contacts {
    /// Changes a contact.
    ///
    /// # Errors
    /// [`RecordError::NoSuchContact`], [`RecordError::Stale`] if it is in another state than `expected`,
    /// [`RecordError::OtherKind`], metadata or a profile that cannot be kept, a store that does not answer.
    pub async fn change_contact(
        &self,
        id: ContactId,
        change: &ContactChange,
        expected: &Expectation,
    ) -> Result<ContactRecord, RecordError> {
        let decide = |_: &ContactRecord| Ok::<_, Infallible>(Some(change.clone()));
        match self.change_contact_by(id, expected, decide).await? {
            Ok(record) => Ok(record),
            Err(never) => match never {},
        }
    }

    /// Changes a contact as `decide` says when it sees what is stored, for a change that rests on it: nobody
    /// changes the contact between the two. `None` leaves it alone. It may be asked several times.
    ///
    /// # Errors
    /// Those of [`Self::change_contact`]; inside, those of `decide`.
    pub async fn change_contact_by<E: Send>(
        &self,
        id: ContactId,
        expected: &Expectation,
        decide: impl Fn(&ContactRecord) -> Result<Option<ContactChange>, E> + Send + Sync,
    ) -> Result<Result<ContactRecord, E>, RecordError> {
        let (env, decide) = (&self.env, &decide);
        env.in_transaction(move |mut transaction| {
            Box::pin(async move {
                let at = env.clock.now();
                let before = find(transaction.as_mut(), id, expected).await?;
                let change = match decide(&before) {
                    Ok(Some(change)) => change,
                    Ok(None) => return Ok((Ok(before), transaction)),
                    Err(error) => return Ok((Err(error), transaction)),
                };
                lock(transaction.as_mut(), &before, at).await?;
                apply(transaction.as_mut(), env, &mut before.clone(), &change).await?;
                let after = reread(transaction.as_mut(), id).await?;
                let changed = Change::contact_updated(&before, &after);
                env.record(transaction.as_mut(), at, Vec::from_iter(changed)).await?;
                Ok((Ok(after), transaction))
            })
        })
        .await
    }
}

/// Carries out a change of a record whose customer is locked.
pub(crate) async fn apply(
    transaction: &mut dyn Transaction,
    env: &Environment,
    record: &mut ContactRecord,
    change: &ContactChange,
) -> Result<(), RecordError> {
    let at = env.clock.now();
    let (kind, verifier, before) = (record.kind(), record.verifier(), record.statement.clone());
    patch(record, change, at)?;
    if let Some(value) = &change.value {
        restate(transaction, env, record, value).await?;
    }
    let moved = !record.statement.says_the_same_as(&before);
    if record.kind() != kind {
        // Neither the way to reach it nor being first among the emails carries over to a phone.
        record.details.channel = change.channel;
        record.details.is_primary = change.is_primary.unwrap_or_default();
    }
    if moved && change.is_verified.is_none() {
        // Another value has yet to be verified.
        record.details.verified_at = None;
    }
    if let (true, Some(user)) = (record.details.is_primary, record.user()) {
        step_back(transaction, env, (user, record.kind()), Some(record.id), at).await?;
    }
    if let Some(value) = &change.value {
        remember(&mut record.received, value);
    }
    transaction.contacts().update(record).await?;
    // The joins that it held rest on values which it no longer states.
    if moved {
        transaction.links().revoke_of(record.id, at).await?;
    }
    if record.statement != before || record.verifier() != verifier {
        let said = [before, record.statement.clone()];
        settle(transaction, env, record.id, record.customer, &said, at).await?;
    }
    Ok(())
}

/// Puts another value into the record. It counts from now on, not since the record was made.
async fn restate(
    transaction: &mut dyn Transaction,
    env: &Environment,
    record: &mut ContactRecord,
    value: &NewValue,
) -> Result<(), RecordError> {
    let restated = env.weighed(restated(record, value)?);
    // The user's own word takes nothing from what somebody trusted has said.
    let says_less = restated.is_self_stated() && restated.says_the_same_as(&record.statement);
    if restated != record.statement && !says_less {
        record.statement = restated;
        record.order = transaction.contacts().next_order().await?;
    }
    Ok(())
}

/// The record with everything but its value changed.
fn patch(record: &mut ContactRecord, change: &ContactChange, at: DateTime<Utc>) -> Result<(), RecordError> {
    record.touch_as(change.source.unwrap_or(record.source), change.made_at.unwrap_or(at));
    record.import = None;
    let details = &mut record.details;
    match &change.metadata {
        None => {}
        Some(None) => details.metadata = Metadata::default(),
        Some(Some(patch)) => details.metadata = details.metadata.merge_patch(patch)?,
    }
    match &change.profile {
        None => {}
        Some(None) => details.profile = None,
        Some(Some(patch)) => {
            let before = details.profile.take().unwrap_or_default();
            let set = Attribution::statement(record.source, record.updated_at);
            let profile = before.merge_patch(patch).map_err(RecordError::Profile)?;
            let profile = profile.correcting_as(&before, set);
            details.profile = Some(profile).filter(|profile| !profile.is_empty());
        }
    }
    match change.is_verified {
        None => {}
        Some(true) => details.verified_at = details.verified_at.or(Some(at)),
        Some(false) => details.verified_at = None,
    }
    details.is_primary = change.is_primary.unwrap_or(details.is_primary);
    details.channel = change.channel.or(details.channel);
    Ok(())
}

/// The contact's statement with the new value in its place.
fn restated(record: &ContactRecord, value: &NewValue) -> Result<Statement, RecordError> {
    let statement = &record.statement;
    let (email, phone) = match (value, record.kind()) {
        (NewValue::Email { value, .. }, ContactKind::Email | ContactKind::Both) => {
            (Some(value.clone()), statement.phone().cloned())
        }
        (NewValue::Phone { value, .. }, ContactKind::Phone | ContactKind::Both) => {
            (statement.email().cloned(), Some(value.clone()))
        }
        (NewValue::Instead { statement, .. }, _) => (statement.email().cloned(), statement.phone().cloned()),
        _ => return Err(RecordError::OtherKind),
    };
    let restated = Statement::new(email, phone).ok_or(RecordError::OtherKind)?;
    Ok(match statement.user() {
        Some(user) => restated.of_user(user),
        None => restated,
    })
}

fn remember(received: &mut Received, value: &NewValue) {
    match value {
        NewValue::Email { received: text, .. } => received.email = Some(text.clone()),
        NewValue::Phone { received: text, .. } => received.phone = Some(text.clone()),
        NewValue::Instead { received: texts, .. } => *received = texts.clone(),
    }
}
