//! Settling who belongs together when evidence was changed: verified, withdrawn, or stated anew. Everything that hangs
//! together with it is laid from nothing, in the transaction of the change, and what differs is written.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::hull::Hull;
use super::reread;
use crate::environment::Environment;
use crate::error::RecordError;
use crate::store::{LinkDraft, Transaction};
use crate::trail::Change;
use onefold_domain::contact::{ContactRecord, EvidenceOrder, Statement};
use onefold_domain::id::{ContactId, CustomerId};
use onefold_domain::link_key::{LinkKey, StatementKeys};
use onefold_domain::linking::{Arrangement, CustomerSnapshot, Verified, arrange, lay_part};
use onefold_domain::policy::LinkPolicy;

/// Lays anew all that hangs together with the customer of a changed contact, and with what that said before and says
/// now. The contact is stored already, as it is to be.
pub(crate) async fn settle(
    transaction: &mut dyn Transaction,
    env: &Environment,
    contact: ContactId,
    customer: CustomerId,
    said: &[Statement],
    at: DateTime<Utc>,
) -> Result<(), RecordError> {
    let hull = Hull::read(transaction, &env.policy, customer, said, at).await?;
    let (mut snapshots, verified) = hull.into_parts();
    let claims = judge_claims(&mut snapshots, &verified, &env.policy);
    // A user whose claim is void has no contact here any more, so that the user's key is to go as well.
    let gone: Vec<Statement> = said.iter().chain(&claims.ended).cloned().collect();
    let owners = owners(transaction, &snapshots, &gone, &env.policy).await?;
    let contacts: Vec<_> = snapshots.iter().flat_map(|snapshot| snapshot.contacts.iter().cloned()).collect();
    let joins: Vec<_> = snapshots.iter().flat_map(|snapshot| snapshot.joins.iter().cloned()).collect();
    let arrangement = arrange(&snapshots, &owners, &lay_part(&contacts, &joins, &verified, &env.policy));
    let before = records(transaction, &claims, &arrangement).await?;
    let ids = recompute(transaction, env, &snapshots, &arrangement, at).await?;
    // Customers that became one by what the contact says now: a merge on record, which goes when the contact goes.
    if let Some(statement) = said.last() {
        for (survivor, absorbed) in merged(&snapshots, &arrangement, &ids) {
            let (after, contact) = (EvidenceOrder(contact.0), Some(contact));
            let statement = statement.clone();
            let (beside, source, origin) = (None, None, None);
            let link =
                LinkDraft { survivor, absorbed, statement, beside, source, contact, after, at, origin };
            transaction.links().insert(&link).await?;
        }
    }
    note(transaction, env, &claims, &arrangement, before, at).await
}

/// Claims of guests' contacts that come to an end.
#[derive(Default)]
struct Claims {
    /// The contacts are guests' again: another user has verified the value, and what a guest left is its owner's.
    void: BTreeSet<ContactId>,
    /// What the contacts of void claims had stated as their users'.
    ended: Vec<Statement>,
    /// The contacts are their users' for good.
    proven: BTreeSet<ContactId>,
}

fn judge_claims(snapshots: &mut [CustomerSnapshot], verified: &Verified, policy: &LinkPolicy) -> Claims {
    let contacts = snapshots.iter_mut().flat_map(|snapshot| &mut snapshot.contacts);
    let mut claims = Claims::default();
    for contact in contacts.filter(|contact| contact.claimed_by.is_some()) {
        if verified.proves(contact, policy) {
            contact.claimed_by = None;
            claims.proven.insert(contact.id);
        } else if verified.voids(contact, policy) {
            claims.ended.push(contact.statement.clone());
            contact.statement = contact.statement.clone().of_guest();
            contact.claimed_by = None;
            claims.void.insert(contact.id);
        }
    }
    claims
}

/// The keys of all this evidence that lead to these customers, with the one that each is filed under.
async fn owners(
    transaction: &mut dyn Transaction,
    snapshots: &[CustomerSnapshot],
    said: &[Statement],
    policy: &LinkPolicy,
) -> Result<HashMap<LinkKey, CustomerId>, RecordError> {
    let members: BTreeSet<CustomerId> = snapshots
        .iter()
        .flat_map(|snapshot| snapshot.absorbed.iter().copied().chain([snapshot.id]))
        .collect();
    let contacts = || snapshots.iter().flat_map(|snapshot| &snapshot.contacts);
    let joins = snapshots.iter().flat_map(|snapshot| &snapshot.joins);
    let joins = joins.flat_map(|join| std::iter::once(&join.statement).chain(&join.beside));
    let statements = contacts().map(|contact| &contact.statement).chain(joins);
    let keys: BTreeSet<LinkKey> = statements
        .chain(said)
        .flat_map(|statement| StatementKeys::of(statement, policy).to_vec())
        .chain(contacts().map(|contact| LinkKey::of_contact(contact.id)))
        .collect();
    let keys: Vec<LinkKey> = keys.into_iter().collect();
    let mut owners = transaction.customers().key_owners(&keys).await?;
    // A value that a rule keeps from linking here may lead to somebody else's customer, who keeps it.
    owners.retain(|(_, owner)| members.contains(owner));
    Ok(owners.into_iter().collect())
}

/// The contacts of which more than their customer changes, as they are.
async fn records(
    transaction: &mut dyn Transaction,
    claims: &Claims,
    arrangement: &Arrangement,
) -> Result<Vec<ContactRecord>, RecordError> {
    let blocked = arrangement.blocked.iter().map(|(id, _)| *id);
    let ids: BTreeSet<ContactId> = claims.void.iter().chain(&claims.proven).copied().chain(blocked).collect();
    let ids: Vec<ContactId> = ids.into_iter().collect();
    Ok(transaction.contacts().get_many(&ids).await?)
}

/// Moves customers, keys, contacts and joins to where they belong.
async fn recompute(
    transaction: &mut dyn Transaction,
    env: &Environment,
    snapshots: &[CustomerSnapshot],
    arrangement: &Arrangement,
    at: DateTime<Utc>,
) -> Result<Vec<CustomerId>, RecordError> {
    if !arrangement.released.is_empty() {
        transaction.customers().release(&arrangement.released).await?;
    }
    if !arrangement.revoked.is_empty() {
        transaction.links().revoke(&arrangement.revoked, at).await?;
    }
    let ids = lead(transaction, env, snapshots, arrangement, at).await?;
    env.record(transaction, at, moves(arrangement, &ids)).await?;
    for id in &arrangement.left {
        transaction.customers().set_primary(*id, None).await?;
    }
    for (part, id) in arrangement.parts.iter().zip(&ids) {
        if !part.contacts.is_empty() {
            transaction.contacts().refile(&part.contacts, *id).await?;
        }
        if !part.refiled.is_empty() {
            transaction.customers().refile(&part.refiled, *id).await?;
        }
        if !part.joins.is_empty() {
            transaction.links().refile(&part.joins, *id).await?;
        }
        transaction.customers().set_primary(*id, part.primary).await?;
    }
    let mut claims: Vec<_> = arrangement
        .parts
        .iter()
        .zip(&ids)
        .flat_map(|(part, id)| part.claims.iter().map(|key| (key, *id)))
        .collect();
    // Ascending, as all writers claim, or two could wait for each other.
    claims.sort_unstable();
    for (key, id) in claims {
        transaction.customers().claim(std::slice::from_ref(key), id).await?;
    }
    Ok(ids)
}

/// The customers that lead to another one than before: for the record of merges.
fn merged<'a>(
    snapshots: &'a [CustomerSnapshot],
    arrangement: &'a Arrangement,
    ids: &'a [CustomerId],
) -> impl Iterator<Item = (CustomerId, CustomerId)> + 'a {
    let led = snapshots.iter().flat_map(|snapshot| {
        let members = snapshot.absorbed.iter().copied().chain([snapshot.id]);
        members.map(|member| (member, snapshot.id))
    });
    led.filter_map(|(member, root)| {
        let survivor = ids[*arrangement.led.get(&member)?];
        (survivor != member && survivor != root).then_some((survivor, member))
    })
}

/// Sees to a customer for every part, and lets the others lead to it. Returns the customers of the parts.
async fn lead(
    transaction: &mut dyn Transaction,
    env: &Environment,
    snapshots: &[CustomerSnapshot],
    arrangement: &Arrangement,
    at: DateTime<Utc>,
) -> Result<Vec<CustomerId>, RecordError> {
    let mut ids = Vec::with_capacity(arrangement.parts.len());
    for part in &arrangement.parts {
        let id = match part.id {
            Some(id) => id,
            None => {
                let id = CustomerId(env.randomness.uuid(at));
                transaction.customers().insert(id, at).await?;
                id
            }
        };
        ids.push(id);
    }
    let target = |member: CustomerId| arrangement.led.get(&member).map(|part| ids[*part]);
    let mut absorbed = Vec::new();
    for snapshot in snapshots {
        let root = target(snapshot.id).unwrap_or(snapshot.id);
        for member in &snapshot.absorbed {
            // Whoever goes where its root goes is taken along by it.
            let Some(to) = target(*member).filter(|to| *to != root) else { continue };
            transaction.customers().restore(*member, at).await?;
            absorbed.push((to, *member));
        }
        absorbed.push((root, snapshot.id));
    }
    for (survivor, member) in absorbed.into_iter().filter(|(survivor, member)| survivor != member) {
        transaction.customers().absorb(survivor, member, at).await?;
    }
    Ok(ids)
}

/// Who was merged with whom and who was split from whom, for the audit trail.
fn moves(arrangement: &Arrangement, ids: &[CustomerId]) -> Vec<Change> {
    let told = arrangement.moved.iter().map(|moved| {
        if moved.is_all {
            Change::merged(ids[moved.to], moved.from, &moved.contacts)
        } else {
            Change::split(moved.from, ids[moved.to], &moved.contacts)
        }
    });
    told.collect()
}

/// Stores which values link now, and whose the contacts are.
async fn note(
    transaction: &mut dyn Transaction,
    env: &Environment,
    claims: &Claims,
    arrangement: &Arrangement,
    before: Vec<ContactRecord>,
    at: DateTime<Utc>,
) -> Result<(), RecordError> {
    let blocks: HashMap<_, _> = arrangement.blocked.iter().copied().collect();
    let mut changes = Vec::with_capacity(before.len());
    for before in before {
        let mut record = before.clone();
        if claims.void.contains(&record.id) {
            record.statement = record.statement.of_guest();
            record.details.is_primary = false;
        }
        if claims.void.contains(&record.id) || claims.proven.contains(&record.id) {
            record.claimed_by = None;
            record.touch(at);
        } else {
            // It is shown otherwise, and says what it said.
            record.version += 1;
        }
        if let Some([email, phone]) = blocks.get(&record.id) {
            record.email_blocked_by = *email;
            record.phone_blocked_by = *phone;
        }
        transaction.contacts().update(&record).await?;
        // It may have found its way to another customer.
        changes.extend(Change::contact_updated(&before, &reread(transaction, record.id).await?));
    }
    Ok(env.record(transaction, at, changes).await?)
}
