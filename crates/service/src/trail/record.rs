//! Changes go into the trail, and to whoever waits for them, in the transaction that makes them.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::Change;
use crate::audit::{AuditDraft, AuditSubject, Snapshot};
use crate::environment::Environment;
use crate::operation::OperationSubject;
use crate::store::{StoreError, SyncPromise, Transaction};
use onefold_domain::id::CustomerId;

impl Environment {
    /// Appends changes to the trail, in the transaction that makes them: both are stored, or neither is. If they
    /// are the work of a request with an idempotency key, the key learns in the same transaction that it was
    /// carried out; a server that had lost the key meanwhile stores nothing.
    pub async fn record(
        &self,
        transaction: &mut dyn Transaction,
        at: DateTime<Utc>,
        changes: Vec<Change>,
    ) -> Result<(), StoreError> {
        let made = changes.iter().find(|change| change.makes_its_subject());
        if let (Some(operation), Some(made)) = (self.acting.operation, made) {
            let subject = OperationSubject { kind: made.subject.kind().to_owned(), id: made.subject.id() };
            transaction.idempotency().carried_out(operation, &subject).await?;
        }
        self.promise_sync(transaction, at, changed_customers(&changes)).await?;
        let draft = |change: Change| AuditDraft {
            at,
            acting: self.acting.clone(),
            action: change.action,
            subject: change.subject,
            customer: change.customer,
            before: change.before.as_ref().map(Snapshot::of),
            after: change.after.as_ref().map(Snapshot::of),
        };
        let drafts: Vec<_> = changes.into_iter().map(draft).collect();
        if drafts.is_empty() {
            return Ok(());
        }
        transaction.audit().append(&drafts).await
    }

    /// Promises a sync of the customers that this transaction changes, with every system that wants to know.
    pub(crate) async fn promise_sync(
        &self,
        transaction: &mut dyn Transaction,
        at: DateTime<Utc>,
        customers: BTreeSet<CustomerId>,
    ) -> Result<(), StoreError> {
        if self.triggers.is_empty() || customers.is_empty() {
            return Ok(());
        }
        let customers: Vec<_> = customers.into_iter().collect();
        for trigger in &*self.triggers {
            let promise = SyncPromise {
                system: trigger.system,
                customers: customers.clone(),
                new_customers: trigger.new_customers,
                not_before: at,
                at,
            };
            transaction.outbox().promise(&promise).await?;
        }
        Ok(())
    }
}

/// The customers that changes are about, those on both sides of a merge or a split included.
fn changed_customers(changes: &[Change]) -> BTreeSet<CustomerId> {
    let subject = |change: &Change| match change.subject {
        AuditSubject::Customer(customer) => Some(customer),
        _ => None,
    };
    changes.iter().flat_map(|change| [change.customer, subject(change)]).flatten().collect()
}
