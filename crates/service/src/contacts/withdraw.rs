//! Withdrawing a contact: it stays on record, but what it said no longer links anybody, and all that hung together
//! with it is laid anew.

use super::open::open;
use super::{Contacts, Expectation, settle};
use crate::environment::Environment;
use crate::error::RecordError;
use crate::store::Transaction;
use crate::trail::Change;
use onefold_domain::id::ContactId;

impl Contacts {
    /// Withdraws a contact. What is left is what would be there if it had never said anything. The part of its
    /// customer that holds the oldest contact keeps the customer's id; parts that fall off get back the id they had,
    /// or a new one.
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
    settle(transaction, env, id, record.customer, &[record.statement], at).await
}
