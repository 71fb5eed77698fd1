//! Emails and phones of a record that its customer does not have yet. That the two are kept the same is evidence that
//! the value is the customer's; that somebody else is known by it is a question for a person. Nothing is merged here.

use super::Synchroniser;
use crate::partner::{PartnerField, PartnerFields};
use crate::store::SyncTransaction;
use onefold_domain::contact::{ContactRecord, Received, Statement};
use onefold_domain::customer::CustomerRecord;
use onefold_domain::link_key::StatementKeys;
use onefold_domain::linking::decide_record;
use onefold_service::contacts::{ContactRequest, join, upsert};
use onefold_service::error::RecordError;

impl Synchroniser {
    /// Gives the customer the email or the phone that its record has; `false`, and nothing done, if it belongs to somebody
    /// else or a rule keeps it from this customer.
    pub(super) async fn take_point(
        &self,
        transaction: &mut dyn SyncTransaction,
        record: &CustomerRecord,
        theirs: &PartnerFields,
        field: PartnerField,
    ) -> Result<bool, RecordError> {
        let value = match field {
            PartnerField::Email => Statement::new(theirs.email.clone(), None),
            _ => Statement::new(None, theirs.phone.clone()),
        };
        let Some(value) = value else { return Ok(false) };
        let keys = StatementKeys::of(&value, &self.env.base.policy).to_vec();
        let known = transaction.customers().lock_candidates(&keys).await?;
        if known.customers.iter().any(|customer| customer.id != record.id) {
            return Ok(false);
        }
        let source = self.system.source();
        // Best a statement as any caller could make it, which links by itself wherever it is exported to.
        if let Some(statement) = joining(record, theirs, field) {
            let keys = StatementKeys::of(&statement, &self.env.base.policy).to_vec();
            let known = transaction.customers().lock_candidates(&keys).await?;
            let plan = decide_record(&statement, &known, &self.env.base.policy);
            if plan.customer == Some(record.id) && plan.absorbed.is_empty() {
                let request = ContactRequest::new(statement, Received::default(), source);
                upsert(transaction, &self.env.base, &request).await?;
                return Ok(true);
            }
        }
        let Some(beside) = linking(record).next() else { return Ok(false) };
        let request = ContactRequest::new(value, Received::default(), source);
        let at = self.env.base.clock.now();
        Ok(join(transaction, &self.env.base, &request, record, &beside, at).await?.is_some())
    }
}

/// The values by which the customer is known, each as a statement of its own, oldest first.
fn linking(record: &CustomerRecord) -> impl Iterator<Item = Statement> + '_ {
    record.contacts.iter().flat_map(|contact| {
        let email = contact.statement.email().filter(|_| contact.email_blocked_by.is_none());
        let phone = contact.statement.phone().filter(|_| contact.phone_blocked_by.is_none());
        [Statement::new(email.cloned(), None), Statement::new(None, phone.cloned())].into_iter().flatten()
    })
}

/// A statement that joins the new value to the customer as any caller's would: beside a value of the other kind, or as
/// its user's. `None` if there is neither.
fn joining(record: &CustomerRecord, theirs: &PartnerFields, field: PartnerField) -> Option<Statement> {
    let user = record.contacts.iter().find_map(ContactRecord::user);
    let statement = match field {
        PartnerField::Email => {
            let mut phones = linking(record).filter_map(|value| value.phone().cloned()).collect::<Vec<_>>();
            phones.sort_by_key(|phone| Some(phone) != theirs.phone.as_ref());
            let phone = phones.into_iter().next();
            (phone.is_some() || user.is_some()).then(|| Statement::new(theirs.email.clone(), phone))?
        }
        _ => {
            let mut emails = linking(record).filter_map(|value| value.email().cloned()).collect::<Vec<_>>();
            emails.sort_by_key(|email| Some(email) != theirs.email.as_ref());
            let email = emails.into_iter().next();
            (email.is_some() || user.is_some()).then(|| Statement::new(email, theirs.phone.clone()))?
        }
    };
    match user {
        Some(user) => statement.map(|statement| statement.of_user(user)),
        None => statement,
    }
}
