//! Withdrawing a contact: it stays on record, but what it said no longer links anybody, and its customer
//! is computed anew from what is left.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::open::open;
use super::{Contacts, Expectation, RecordError, rejudge, reread};
use crate::audit::Change;
use crate::link_key::{LinkKey, StatementKeys};
use crate::linking::{keys_of_picture, regroup};
use crate::{
    BlockRule, ContactId, CustomerId, CustomerPicture, Environment, LinkId, LinkPolicy, Regrouping,
    Statement, StoreError, Transaction,
};

impl Contacts {
    /// Withdraws a contact. The part of its customer that holds the oldest contact keeps the customer's id;
    /// parts that fall off get back the id they had, or a new one.
    ///
    /// # Errors
    /// [`RecordError::NoSuchContact`], [`RecordError::Stale`], a store that does not answer.
    pub async fn withdraw_contact(&self, id: ContactId, expected: &Expectation) -> Result<(), RecordError> {
        let env = &self.env;
        env.in_transaction(move |mut transaction| {
            Box::pin(async move {
                withdraw(transaction.as_mut(), env, id, expected).await?;
                Ok(((), transaction))
            })
        })
        .await
    }
}

async fn withdraw(
    transaction: &mut dyn Transaction,
    env: &Environment,
    id: ContactId,
    expected: &Expectation,
) -> Result<(), RecordError> {
    let at = env.clock.now();
    let record = open(transaction, id, expected, at).await?;
    transaction.contacts().withdraw(id, at).await?;
    env.record(transaction, at, vec![Change::contact_withdrawn(&record)]).await?;
    transaction.links().revoke_of(id, at).await?;
    let gone = rearrange(transaction, env, record.customer, id, &record.statement, at).await?;
    free(transaction, env, &gone, at).await
}

/// Computes a customer anew from the evidence that is left. `withdrawn` is what `contact` says no more. If
/// it is still there it says something else now, and its values are still to be judged: until then it
/// links by its user, and by what leads to its customer anyway. Returns all that is evidence no more.
pub(crate) async fn rearrange(
    transaction: &mut dyn Transaction,
    env: &Environment,
    customer: CustomerId,
    contact: ContactId,
    withdrawn: &Statement,
    at: DateTime<Utc>,
) -> Result<Vec<Statement>, StoreError> {
    let mut picture = transaction.customers().picture(customer).await?;
    let own = LinkKey::of_contact(contact);
    let keys = keys_of_picture(&picture, withdrawn, &own, &env.policy);
    let owners: HashMap<LinkKey, CustomerId> =
        transaction.customers().key_owners(&keys).await?.into_iter().collect();
    let mut owned: Vec<LinkKey> = keys
        .into_iter()
        .filter(|key| owners.get(key).is_some_and(|owner| picture.is_member(*owner)))
        .collect();
    if keep_apart(&mut picture, contact, &owned, &env.policy) && !owned.contains(&own) {
        transaction.customers().claim(std::slice::from_ref(&own), customer).await?;
        owned.push(own);
    }
    let regrouping = regroup(&picture, &owned, &env.policy);
    carry_out(transaction, env, &picture, &regrouping, &owners, at).await?;
    let dropped = picture.joins.into_iter().filter(|join| regrouping.dropped_joins.contains(&join.id));
    Ok([withdrawn.clone()].into_iter().chain(dropped.map(|join| join.statement)).collect())
}

/// Lets values that have become free link those of whom a rule had kept them. The oldest comes first, as
/// it would have if the withdrawn contact had never been there; the others find the value taken again.
pub(super) async fn free(
    transaction: &mut dyn Transaction,
    env: &Environment,
    gone: &[Statement],
    at: DateTime<Utc>,
) -> Result<(), RecordError> {
    let mut waiting = Vec::new();
    for email in gone.iter().filter_map(Statement::email) {
        waiting.extend(transaction.contacts().oldest_blocked_email(email).await?.map(|record| record.id));
    }
    for phone in gone.iter().filter_map(Statement::phone) {
        waiting.extend(transaction.contacts().oldest_blocked_phone(phone).await?.map(|record| record.id));
    }
    waiting.sort_unstable();
    waiting.dedup();
    for id in waiting {
        // Read when its turn has come: serving the one before may have moved it.
        let before = reread(transaction, id).await?;
        let mut record = before.clone();
        rejudge(transaction, env, &mut record, at).await?;
        if record != before {
            record.touch(at);
            transaction.contacts().update(&record).await?;
            // It may have found its way to another customer.
            let after = reread(transaction, id).await?;
            let freed = Change::contact_updated(&before, &after);
            env.record(transaction, at, Vec::from_iter(freed)).await?;
        }
    }
    Ok(())
}

/// Until its values are judged, a changed contact must not be joined with anybody by them but its own
/// customer. `false` if it is not there.
fn keep_apart(picture: &mut CustomerPicture, id: ContactId, owned: &[LinkKey], policy: &LinkPolicy) -> bool {
    let Some(contact) = picture.contacts.iter_mut().find(|contact| contact.id == id) else { return false };
    let keys = StatementKeys::of(&contact.statement, policy);
    let rule = |key: Option<LinkKey>| key.filter(|key| !owned.contains(key)).map(|_| BlockRule::NeverLinks);
    contact.email_blocked_by = rule(keys.email);
    contact.phone_blocked_by = rule(keys.phone);
    true
}

async fn carry_out(
    transaction: &mut dyn Transaction,
    env: &Environment,
    picture: &CustomerPicture,
    regrouping: &Regrouping,
    owners: &HashMap<LinkKey, CustomerId>,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    if !regrouping.dropped_keys.is_empty() {
        transaction.customers().release(&regrouping.dropped_keys).await?;
    }
    if !regrouping.dropped_joins.is_empty() {
        transaction.links().revoke(&regrouping.dropped_joins, at).await?;
    }
    if regrouping.parts.is_empty() {
        return transaction.customers().set_primary(picture.id, None).await;
    }
    let ids = found(transaction, env, picture, regrouping, at).await?;
    let fallen = regrouping.parts.iter().zip(&ids).filter(|(_, id)| **id != picture.id);
    let fallen = fallen.map(|(part, id)| Change::split(picture.id, *id, &part.contacts)).collect();
    env.record(transaction, at, fallen).await?;
    // Where each contact, key and join now leads by itself; the others have to be filed anew.
    let leads_to = |filed: CustomerId| if ids.contains(&filed) { filed } else { picture.id };
    let filed: HashMap<ContactId, CustomerId> =
        picture.contacts.iter().map(|contact| (contact.id, contact.filed_under)).collect();
    let joined: HashMap<LinkId, CustomerId> =
        picture.joins.iter().map(|join| (join.id, join.filed_under)).collect();
    for (part, id) in regrouping.parts.iter().zip(&ids) {
        let strays = |filed: Option<&CustomerId>| filed.is_some_and(|filed| leads_to(*filed) != *id);
        let contacts: Vec<ContactId> =
            part.contacts.iter().filter(|contact| strays(filed.get(contact))).copied().collect();
        if !contacts.is_empty() {
            transaction.contacts().refile(&contacts, *id).await?;
        }
        let keys: Vec<LinkKey> =
            part.keys.iter().filter(|key| strays(owners.get(*key).or(Some(&picture.id)))).cloned().collect();
        if !keys.is_empty() {
            transaction.customers().refile(&keys, *id).await?;
        }
        let joins: Vec<LinkId> = part.joins.iter().filter(|join| strays(joined.get(join))).copied().collect();
        if !joins.is_empty() {
            transaction.links().refile(&joins, *id).await?;
        }
        transaction.customers().set_primary(*id, part.contacts.first().copied()).await?;
    }
    Ok(())
}

/// Sees to a customer for every part: the one it was, one that it had absorbed, or a new one.
async fn found(
    transaction: &mut dyn Transaction,
    env: &Environment,
    picture: &CustomerPicture,
    regrouping: &Regrouping,
    at: DateTime<Utc>,
) -> Result<Vec<CustomerId>, StoreError> {
    let mut ids = Vec::with_capacity(regrouping.parts.len());
    for part in &regrouping.parts {
        let id = match part.id {
            Some(id) if id == picture.id => id,
            Some(id) => {
                transaction.customers().restore(id, at).await?;
                id
            }
            None => {
                let id = CustomerId(env.randomness.uuid(at));
                transaction.customers().insert(id, at).await?;
                id
            }
        };
        ids.push(id);
    }
    Ok(ids)
}
