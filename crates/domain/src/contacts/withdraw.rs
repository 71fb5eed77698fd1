//! Withdrawing a contact: it stays on record, but what it said no longer links anybody, and its customer
//! is computed anew from what is left.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::change::open;
use super::{Contacts, Expectation, RecordError, rejudge};
use crate::link_key::LinkKey;
use crate::linking::{keys_of_picture, regroup};
use crate::{
    BlockRule, ContactId, CustomerId, CustomerPicture, Environment, Regrouping, Statement, StoreError,
    Transaction,
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
    transaction.links().revoke_of(id, at).await?;
    rearrange(transaction, env, record.customer, &record.statement, None, at).await?;
    free(transaction, env, &record.statement, at).await
}

/// Computes a customer anew from the evidence that is left. `withdrawn` is what is said no more. `changed`
/// is a contact that says something else now, and whose values are still to be judged: until then it links
/// by its user only.
pub(crate) async fn rearrange(
    transaction: &mut dyn Transaction,
    env: &Environment,
    customer: CustomerId,
    withdrawn: &Statement,
    changed: Option<ContactId>,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut picture = transaction.customers().picture(customer).await?;
    let keys = keys_of_picture(&picture, withdrawn, &env.policy);
    let owners: HashMap<LinkKey, CustomerId> =
        transaction.customers().key_owners(&keys).await?.into_iter().collect();
    let mut owned: Vec<LinkKey> = keys
        .into_iter()
        .filter(|key| owners.get(key).is_some_and(|owner| picture.is_member(*owner)))
        .collect();
    if let Some(id) = changed {
        keep_apart(&mut picture, id);
        let key = LinkKey::of_contact(id);
        if !owned.contains(&key) {
            transaction.customers().claim(std::slice::from_ref(&key), customer).await?;
            owned.push(key);
        }
    }
    let regrouping = regroup(&picture, &owned, &env.policy);
    carry_out(transaction, env, &picture, &regrouping, &owners, at).await
}

/// Lets a value that has become free link those of whom a rule had kept it. The oldest comes first, as
/// it would have if the withdrawn contact had never been there; the others find the value taken again.
pub(super) async fn free(
    transaction: &mut dyn Transaction,
    env: &Environment,
    statement: &Statement,
    at: DateTime<Utc>,
) -> Result<(), RecordError> {
    let mut waiting = Vec::new();
    if let Some(email) = statement.email() {
        waiting.extend(transaction.contacts().oldest_blocked_email(email).await?);
    }
    if let Some(phone) = statement.phone() {
        waiting.extend(transaction.contacts().oldest_blocked_phone(phone).await?);
    }
    for mut record in waiting {
        rejudge(transaction, env, &mut record, at).await?;
        record.touch(at);
        transaction.contacts().update(&record).await?;
    }
    Ok(())
}

/// Until its values are judged, a changed contact must not be joined with anybody by them.
fn keep_apart(picture: &mut CustomerPicture, id: ContactId) {
    for contact in picture.contacts.iter_mut().filter(|contact| contact.id == id) {
        contact.email_blocked_by = Some(BlockRule::NeverLinks);
        contact.phone_blocked_by = Some(BlockRule::NeverLinks);
    }
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
    if regrouping.parts.is_empty() {
        return transaction.customers().set_primary(picture.id, None).await;
    }
    let ids = found(transaction, env, picture, regrouping, at).await?;
    // Where each filed contact and key now leads by itself; the others have to be filed anew.
    let leads_to = |filed: CustomerId| if ids.contains(&filed) { filed } else { picture.id };
    let filed: HashMap<ContactId, CustomerId> =
        picture.contacts.iter().map(|contact| (contact.id, contact.filed_under)).collect();
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
