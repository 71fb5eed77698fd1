//! A value that is a customer's because something else than a statement says so: a record of another system is kept the
//! same as the customer, and got another email. The value becomes a contact, and a join says beside which value it belongs.

use chrono::{DateTime, Utc};

use super::create::draft;
use super::{ContactRequest, reread};
use crate::environment::Environment;
use crate::error::RecordError;
use crate::store::{LinkDraft, Transaction};
use crate::trail::Change;
use onefold_domain::contact::{ContactRecord, Statement};
use onefold_domain::customer::CustomerRecord;
use onefold_domain::link_key::StatementKeys;

/// Adds the request's one value to this customer, joined to a value that links it. `None`, and nothing done, if a rule
/// keeps the value from linking or the customer from growing, or if somebody is known by it.
pub async fn join(
    transaction: &mut dyn Transaction,
    env: &Environment,
    request: &ContactRequest,
    customer: &CustomerRecord,
    beside: &Statement,
    at: DateTime<Utc>,
) -> Result<Option<ContactRecord>, RecordError> {
    let keys = StatementKeys::of(&request.statement, &env.policy);
    let known = transaction.customers().lock_candidates(&keys.to_vec()).await?;
    let is_free = known.customers.is_empty() && env.policy.may_link(&request.statement);
    if !is_free || customer.points(&env.policy) >= env.policy.max_contact_points() {
        return Ok(None);
    }
    let (id, source) = (customer.id, request.source);
    transaction.customers().advance(id, customer.version, at).await?;
    let claims: Vec<_> = keys.values().cloned().collect();
    transaction.customers().claim(&claims, id).await?;
    let contact = transaction.contacts().insert(&draft(request, at)?, id, at).await?;
    // Behind all evidence, so that laid from nothing it finds both values where they are.
    let link = LinkDraft {
        survivor: id,
        absorbed: id,
        statement: request.statement.clone(),
        beside: Some(beside.clone()),
        source: Some(source),
        contact: None,
        after: transaction.contacts().last_order().await?,
        at,
        origin: None,
    };
    transaction.links().insert(&link).await?;
    let record = reread(transaction, contact).await?;
    env.record(transaction, at, vec![Change::contact_created(&record)]).await?;
    Ok(Some(record))
}
