//! `create_or_update_contact`: one record for each kind, value and user. A guest's record becomes the
//! user's when the user turns up.

use chrono::{DateTime, Utc};

use super::claim::claimed;
use super::create::{insert, weighed};
use super::{ContactRequest, Contacts, Row, carry_out, require_user, reread, settle, step_back};
use crate::environment::Environment;
use crate::error::RecordError;
use crate::store::Transaction;
use crate::trail::Change;
use onefold_domain::contact::{ClaimedBy, ContactKind, ContactRecord, KnownContact, Statement};
use onefold_domain::id::{ContactId, CustomerId, UserId};
use onefold_domain::link_key::StatementKeys;
use onefold_domain::linking::{Candidates, decide_record, decide_stored};
use onefold_domain::profile::Attribution;
use onefold_domain::source::ContactSource;

/// What an upsert did.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Upserted {
    Created,
    Updated,
    /// A guest's record became the user's.
    Claimed,
}

impl Contacts {
    /// Updates the record of this kind, canonical value and user, or adds it. With a user and no such
    /// record, the oldest guest's record of the value becomes the user's, unless a rule keeps that guest's
    /// customer and the user apart.
    ///
    /// Metadata merges by RFC 7396. A verification is never taken back. What a person entered
    /// (source `manual`) or corrected is updated by that source only.
    ///
    /// # Errors
    /// [`RecordError::NoSuchUser`], metadata that grows too large, a store that does not answer.
    pub async fn create_or_update_contact(
        &self,
        request: &ContactRequest,
    ) -> Result<(ContactRecord, Upserted), RecordError> {
        let env = &self.env;
        env.in_transaction(move |mut transaction| {
            Box::pin(async move { Ok((upsert(transaction.as_mut(), env, request).await?, transaction)) })
        })
        .await
    }
}

/// Updates, claims or adds a record inside an open transaction, which the caller commits, and tells the audit trail.
pub async fn upsert(
    transaction: &mut dyn Transaction,
    env: &Environment,
    request: &ContactRequest,
) -> Result<(ContactRecord, Upserted), RecordError> {
    let kept = keep(transaction, env, request).await?;
    env.record(transaction, kept.record.updated_at, Vec::from_iter(kept.change())).await?;
    Ok((kept.record, kept.upserted))
}

/// What an upsert came to, before the audit trail is told.
pub(crate) struct Kept {
    /// The record as it was; `None` for one that is new.
    pub(crate) before: Option<ContactRecord>,
    pub(crate) record: ContactRecord,
    pub(crate) upserted: Upserted,
}

impl Kept {
    /// What it changed, for the audit trail; `None` if that is nothing.
    pub(crate) fn change(&self) -> Option<Change> {
        match (&self.before, self.upserted) {
            (None, _) => Some(Change::contact_created(&self.record)),
            (Some(before), Upserted::Claimed) => Change::contact_claimed(before, &self.record),
            (Some(before), _) => Change::contact_updated(before, &self.record),
        }
    }
}

/// Updates, claims or adds the record, and leaves it to the caller to tell the audit trail.
pub(crate) async fn keep(
    transaction: &mut dyn Transaction,
    env: &Environment,
    request: &ContactRequest,
) -> Result<Kept, RecordError> {
    require_user(transaction, &request.statement).await?;
    let request = &weighed(env, request);
    let keys = StatementKeys::of(&request.statement, &env.policy).to_vec();
    let candidates = transaction.customers().lock_candidates(&keys).await?;
    let at = env.clock.now();
    match find(transaction, env, request, &candidates).await? {
        Some((before, upserted)) => {
            let mut record = before.clone();
            merge(&mut record, request, at)?;
            match upserted {
                Upserted::Claimed => {
                    claim(transaction, env, request, &mut record, &candidates, at).await?;
                }
                _ => {
                    // Nothing links anew, so there is no plan to carry out: the version alone keeps others off.
                    transaction.customers().advance(record.customer, record.customer_version, at).await?;
                    vouch(transaction, &mut record, request).await?;
                }
            }
            write(transaction, env, &record, request, at).await?;
            if gained(&before, &record) {
                let said = [before.statement.clone(), record.statement.clone()];
                // A claim may have made its customer part of another one.
                let customer = reread(transaction, record.id).await?.customer;
                settle(transaction, env, record.id, customer, &said, at).await?;
            }
            let record = reread(transaction, record.id).await?;
            Ok(Kept { before: Some(before), record, upserted })
        }
        None => {
            let plan = decide_record(&request.statement, &candidates, &env.policy);
            let id = insert(transaction, env, request, &plan, &candidates, at).await?;
            let record = reread(transaction, id).await?;
            Ok(Kept { before: None, record, upserted: Upserted::Created })
        }
    }
}

/// The contacts that an upsert may mean, in the order in which they are to be considered.
pub(crate) struct Matched {
    /// Of the statement's own user, or guests' if it has none.
    pub(crate) own: Vec<ContactId>,
    /// Guests' records that the statement's user may claim.
    pub(crate) claimable: Vec<ContactId>,
}

/// Finds the contacts that an upsert of this statement may mean, among those of the customers that its keys lead to: every
/// record of its values is there, except those that a rule keeps elsewhere.
pub(crate) fn matching<'a>(
    statement: &Statement,
    contacts: impl Iterator<Item = &'a KnownContact>,
) -> Matched {
    let same = |contact: &KnownContact| {
        contact.email.as_ref() == statement.email() && contact.phone.as_ref() == statement.phone()
    };
    let mut matched = Matched { own: Vec::new(), claimable: Vec::new() };
    for contact in contacts.filter(|contact| same(contact)) {
        if contact.user == statement.user() {
            matched.own.push(contact.id);
        } else if contact.user.is_none() {
            matched.claimable.push(contact.id);
        }
    }
    matched.own.sort_unstable();
    matched.claimable.sort_unstable();
    matched
}

/// Takes over into the record what the request says beside values and user: metadata, verification, preference, profile.
pub(crate) fn merge(
    record: &mut ContactRecord,
    request: &ContactRequest,
    at: DateTime<Utc>,
) -> Result<(), RecordError> {
    record.details.metadata = record.details.metadata.merge_patch(&request.metadata)?;
    record.touch_as(request.source, at);
    record.import = None;
    let details = &mut record.details;
    if request.is_verified == Some(true) {
        details.verified_at = details.verified_at.or(Some(at));
    }
    details.is_primary = request.is_primary.unwrap_or(details.is_primary);
    details.channel = request.channel.or(details.channel);
    if let Some(newer) = &request.profile {
        let before = details.profile.take().unwrap_or_default();
        let set = Attribution::statement(record.source, record.updated_at);
        let profile = before.restated(newer, set);
        details.profile = Some(profile).filter(|profile| !profile.is_empty());
    }
    Ok(())
}

async fn find(
    transaction: &mut dyn Transaction,
    env: &Environment,
    request: &ContactRequest,
    candidates: &Candidates,
) -> Result<Option<(ContactRecord, Upserted)>, RecordError> {
    let contacts = candidates.customers.iter().flat_map(|customer| &customer.contacts);
    let matched = matching(&request.statement, contacts);
    if let Some(record) = first_open(transaction, &matched.own, request.source).await? {
        return Ok(Some((record, Upserted::Updated)));
    }
    if matched.claimable.is_empty() {
        return Ok(None);
    }
    let plan = decide_stored(&request.statement, candidates, &env.policy);
    let record = first_open(transaction, &matched.claimable, request.source).await?;
    // A rule may keep the guest's customer and the user apart.
    let joined = |record: &ContactRecord| {
        plan.customer == Some(record.customer) || plan.absorbed.contains(&record.customer)
    };
    Ok(record.filter(joined).map(|record| (record, Upserted::Claimed)))
}

/// The oldest of these that the source may change.
async fn first_open(
    transaction: &mut dyn Transaction,
    ids: &[ContactId],
    source: ContactSource,
) -> Result<Option<ContactRecord>, RecordError> {
    for id in ids {
        let record = transaction.contacts().get(*id).await?;
        if let Some(record) = record.filter(|record| record.is_open_to(source)) {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

/// Makes a guest's stored record the request's user's; `false`, and nothing done, if a rule keeps the two apart. The
/// record is left to the caller to store.
pub(crate) async fn claim_record(
    transaction: &mut dyn Transaction,
    env: &Environment,
    request: &ContactRequest,
    record: &mut ContactRecord,
    at: DateTime<Utc>,
) -> Result<bool, RecordError> {
    let keys = StatementKeys::of(&request.statement, &env.policy).to_vec();
    let candidates = transaction.customers().lock_candidates(&keys).await?;
    let plan = decide_stored(&request.statement, &candidates, &env.policy);
    if plan.customer != Some(record.customer) && !plan.absorbed.contains(&record.customer) {
        return Ok(false);
    }
    claim(transaction, env, request, record, &candidates, at).await?;
    Ok(true)
}

async fn claim(
    transaction: &mut dyn Transaction,
    env: &Environment,
    request: &ContactRequest,
    record: &mut ContactRecord,
    candidates: &Candidates,
    at: DateTime<Utc>,
) -> Result<(), RecordError> {
    let plan = decide_stored(&request.statement, candidates, &env.policy);
    carry_out(
        transaction,
        env,
        &plan,
        Row::Stored(record.id),
        candidates,
        (CustomerId(env.randomness.uuid(at)), at),
    )
    .await?;
    let by = Some(request.claims_by).filter(|_| !has_proven(&request.statement, candidates));
    claimed(record, &request.statement, by, &plan);
    if request.claims_by == ClaimedBy::Registration && request.is_verified != Some(true) {
        // Whoever verified the guest's address did not verify this user.
        record.details.verified_at = None;
    }
    record.details.is_primary = request.is_primary.unwrap_or(false);
    Ok(())
}

/// Whether the statement's user has verified one of its values.
fn has_proven(statement: &Statement, candidates: &Candidates) -> bool {
    let contacts = candidates.customers.iter().flat_map(|customer| &customer.contacts);
    contacts.filter(|contact| contact.is_verified && contact.user == statement.user()).any(|contact| {
        let same_email = contact.email.is_some() && contact.email.as_ref() == statement.email();
        same_email || (contact.phone.is_some() && contact.phone.as_ref() == statement.phone())
    })
}

/// What only the user had said of itself counts in full from the moment that somebody trusted says it, too.
async fn vouch(
    transaction: &mut dyn Transaction,
    record: &mut ContactRecord,
    request: &ContactRequest,
) -> Result<(), RecordError> {
    if record.statement.is_self_stated() && !request.statement.is_self_stated() {
        record.statement = request.statement.clone();
        record.order = transaction.contacts().next_order().await?;
    }
    Ok(())
}

/// Whether values may link from now on that did not, or be another's that were not.
fn gained(before: &ContactRecord, record: &ContactRecord) -> bool {
    // A claim makes an old statement a user's, which may have kept others out had it been one from the start.
    before.statement != record.statement || before.verifier() != record.verifier()
}

/// Stores a changed record; a user's other contacts of the kind step back if it has become the primary.
pub(super) async fn write(
    transaction: &mut dyn Transaction,
    env: &Environment,
    record: &ContactRecord,
    request: &ContactRequest,
    at: DateTime<Utc>,
) -> Result<(), RecordError> {
    let user: Option<UserId> = request.statement.user();
    let kind = ContactKind::of(&request.statement);
    if let (true, Some(user)) = (record.details.is_primary, user) {
        step_back(transaction, env, (user, kind), Some(record.id), at).await?;
    }
    Ok(transaction.contacts().update(record).await?)
}
