//! Accounts that an identity provider keeps. What it tells of one becomes a user and that user's contacts,
//! in one transaction, once for each call; values that an account gave up stay on record, detached.

mod notice;

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

pub use notice::{
    IdentityAddress, IdentityEvent, IdentityFault, IdentityFaultReason, IdentityNotice, IdentityReader,
    IdentityValue, InvalidNotice,
};

use crate::actor::Acting;
use crate::contacts::{ContactRequest, upsert};
use crate::environment::Environment;
use crate::error::RecordError;
use crate::retry::{Failure, Patience};
use crate::store::{ContactFilter, StoreError, Transaction};
use crate::trail::Change;
use crate::users::keep_user;
use onefold_domain::contact::{ContactKind, ContactRecord};
use onefold_domain::link_key::{LinkKey, StatementKeys};
use onefold_domain::metadata::Metadata;
use onefold_domain::policy::LinkPolicy;
use onefold_domain::source::ContactSource;

/// Under which the calls of the one provider that there is are remembered, and its marks kept in metadata.
const PROVIDER: &str = "kratos";
const DETACHED_AT: &str = "detachedAt";

/// Nobody has as many contacts; those beyond are not looked at.
const MOST_CONTACTS: usize = 1_000;

/// A person waits at a form meanwhile, and the provider calls again by itself.
const DEADLINE: Duration = Duration::from_secs(3);

/// Keeps users and their contacts as an identity provider has them.
#[derive(Clone)]
pub struct Identities {
    env: Environment,
}

/// What became of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Applied {
    Stored,
    /// It was handled before; nothing changed.
    Repeated,
}

impl Identities {
    pub fn new(env: Environment) -> Self {
        let patience = Patience { deadline: env.patience.deadline.min(DEADLINE), ..env.patience };
        Self { env: env.with_patience(patience) }
    }

    /// Takes accounts in on behalf of whoever acts, as the audit trail tells it.
    #[must_use]
    pub fn acting(&self, acting: &Acting) -> Self {
        Self { env: self.env.clone().acting(acting.clone()) }
    }

    /// Adds the user, or brings it up to date; creates, updates or claims a contact for each address; and
    /// detaches contacts of source `auth` whose value the account has no longer. Verification is set and
    /// never taken back. The first email and the first phone become primary if the user has none.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn apply(&self, event: &IdentityEvent) -> Result<Applied, Failure> {
        let env = &self.env;
        let applied = env.in_transaction(move |mut transaction| {
            Box::pin(async move { Ok((apply(transaction.as_mut(), env, event).await?, transaction)) })
        });
        applied.await.map_err(|error| match error {
            RecordError::Failure(failure) => failure,
            // The user was added in the same transaction, and all values were judged before.
            other => StoreError::Backend(Box::new(other)).into(),
        })
    }

    /// The addresses that another account has verified and not given up. An address that others merely
    /// entered is no reason to keep it from its owner.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn taken(&self, event: &IdentityEvent) -> Result<Vec<IdentityFault>, Failure> {
        let mut faults = Vec::new();
        for address in &event.addresses {
            let filter = match &address.value {
                IdentityValue::Email(email) => ContactFilter { email: Some(email.clone()), ..<_>::default() },
                IdentityValue::Phone(phone) => ContactFilter { phone: Some(phone.clone()), ..<_>::default() },
            };
            let known = self.env.store.contacts().list(&filter, None, MOST_CONTACTS).await?;
            let of_another = |record: &ContactRecord| {
                record.user().is_some_and(|user| user != event.user)
                    && record.source == ContactSource::Auth
                    && record.details.verified_at.is_some()
                    && !is_detached(record)
            };
            if known.iter().any(of_another) {
                faults.push(IdentityFault { pointer: address.pointer, reason: IdentityFaultReason::Taken });
            }
        }
        Ok(faults)
    }
}

async fn apply(
    transaction: &mut dyn Transaction,
    env: &Environment,
    event: &IdentityEvent,
) -> Result<Applied, RecordError> {
    let at = env.clock.now();
    // First of all: a repetition waits here for the call that it repeats, and holds nothing meanwhile.
    if let Some(key) = &event.key
        && !transaction.deliveries().remember(PROVIDER, key, at).await?
    {
        return Ok(Applied::Repeated);
    }
    keep_user(transaction, env, event.user, event.profile.as_ref(), at).await?;
    // Each upsert locks its own; locked one after the other, two calls could wait for each other.
    transaction.customers().lock_candidates(&keys(event, &env.policy)).await?;
    let own = transaction.contacts().of_user(event.user, MOST_CONTACTS).await?;
    let requests = requests(event, &own);
    reconcile(transaction, env, event, own, at).await?;
    for request in &requests {
        upsert(transaction, env, request).await?;
    }
    Ok(Applied::Stored)
}

/// Every key that any of it could be found under, ascending.
fn keys(event: &IdentityEvent, policy: &LinkPolicy) -> Vec<LinkKey> {
    let statements = event.addresses.iter().filter_map(|address| address.statement(event.user));
    let mut keys: BTreeSet<_> =
        statements.flat_map(|statement| StatementKeys::of(&statement, policy).to_vec()).collect();
    keys.insert(LinkKey::of_user(event.user));
    keys.into_iter().collect()
}

/// An upsert for each address, emails first, as keys are claimed in that order.
fn requests(event: &IdentityEvent, own: &[ContactRecord]) -> Vec<ContactRequest> {
    let stays = |record: &&ContactRecord| !is_given_up(event, record);
    let has_primary =
        |kind| own.iter().filter(stays).any(|record| record.details.is_primary && shares(record, kind));
    let mut requests = Vec::with_capacity(event.addresses.len());
    for kind in [ContactKind::Email, ContactKind::Phone] {
        let mut wanted = !has_primary(kind);
        for address in event.addresses.iter().filter(|address| address.kind() == kind) {
            let Some(statement) = address.statement(event.user) else { continue };
            requests.push(ContactRequest {
                is_primary: std::mem::take(&mut wanted).then_some(true),
                is_verified: address.is_verified.then_some(true),
                profile: event.profile.clone(),
                ..ContactRequest::new(statement, address.received(), ContactSource::Auth)
            });
        }
    }
    requests
}

/// Detaches the contacts that the account gave up, and takes the mark from those that it has again.
async fn reconcile(
    transaction: &mut dyn Transaction,
    env: &Environment,
    event: &IdentityEvent,
    own: Vec<ContactRecord>,
    at: DateTime<Utc>,
) -> Result<(), RecordError> {
    let mut moved = HashSet::new();
    for mut record in own {
        let given_up = is_given_up(event, &record);
        let back = is_detached(&record) && is_named(event, &record);
        // Still named, or detached already and nobody's first choice: nothing to change.
        if !back && (!given_up || (is_detached(&record) && !record.details.is_primary)) {
            continue;
        }
        // Several of them may be one customer's, whose version counts once.
        if moved.insert(record.customer) {
            transaction.customers().advance(record.customer, record.customer_version, at).await?;
        }
        let before = record.clone();
        record.details.is_primary &= !given_up;
        mark(&mut record, given_up.then_some(at));
        record.touch(at);
        transaction.contacts().update(&record).await?;
        let changed = Change::contact_updated(&before, &record);
        env.record(transaction, at, Vec::from_iter(changed)).await?;
    }
    Ok(())
}

/// A contact that the account told of, and tells of no more.
fn is_given_up(event: &IdentityEvent, record: &ContactRecord) -> bool {
    event.is_complete && record.source == ContactSource::Auth && !is_named(event, record)
}

fn is_named(event: &IdentityEvent, record: &ContactRecord) -> bool {
    event.addresses.iter().any(|address| address.is_in(&record.statement))
}

fn shares(record: &ContactRecord, kind: ContactKind) -> bool {
    match kind {
        ContactKind::Email => record.statement.email().is_some(),
        ContactKind::Phone => record.statement.phone().is_some(),
        ContactKind::Both => true,
    }
}

pub fn is_detached(record: &ContactRecord) -> bool {
    let marks = record.details.metadata.as_map().get(PROVIDER);
    marks.is_some_and(|marks| marks.get(DETACHED_AT).is_some())
}

/// Writes when the contact was detached beside its metadata, or removes it.
fn mark(record: &mut ContactRecord, detached_at: Option<DateTime<Utc>>) {
    let metadata = &mut record.details.metadata;
    let marks = metadata.as_map().get(PROVIDER).and_then(Value::as_object);
    let patch = match detached_at {
        Some(at) => json!({PROVIDER: {DETACHED_AT: at.to_rfc3339_opts(SecondsFormat::AutoSi, true)}}),
        // Not even an empty object is left of our own.
        None if marks.is_some_and(|marks| marks.len() == 1) => json!({PROVIDER: null}),
        None => json!({PROVIDER: {DETACHED_AT: null}}),
    };
    // Metadata that is full to the brim has no room for the mark; the contact steps back all the same.
    if let Ok(marked) = Metadata::parse(&patch).and_then(|patch| metadata.merge_patch(&patch)) {
        *metadata = marked;
    }
}
