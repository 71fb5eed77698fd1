//! Carrying out a link plan: the one sequence of writes by which any contact, however it arrives, joins
//! the customers it belongs to.

use chrono::{DateTime, Utc};

use crate::environment::Environment;
use crate::store::{Carried, LinkDraft, StoreError, Transaction};
use crate::trail::Change;
use onefold_domain::block::{Block, BlockRule, Part};
use onefold_domain::contact::{ContactDraft, ContactRecord, EvidenceOrder};
use onefold_domain::id::{ContactId, CustomerId};
use onefold_domain::linking::{Candidates, LinkPlan, NewContact};

/// The contact that a plan is about.
pub(crate) enum Row<'a> {
    /// It is added, if the plan asks for it.
    Insert(&'a ContactDraft),
    /// It is stored already and belongs to the plan's customer.
    Stored(ContactId),
}

/// Writes what the plan says, in the order that `Transaction` asks for: guards, keys, then the rest. `new_customer` is
/// the id of a customer that the plan asks for.
pub(crate) async fn carry_out(
    transaction: &mut dyn Transaction,
    env: &Environment,
    plan: &LinkPlan,
    row: Row<'_>,
    candidates: &Candidates,
    (new_customer, at): (CustomerId, DateTime<Utc>),
) -> Result<Carried, StoreError> {
    let customers = transaction.customers();
    for (id, version) in &plan.guards {
        customers.advance(*id, *version, at).await?;
    }
    let customer = match plan.customer {
        Some(id) => id,
        None => {
            customers.insert(new_customer, at).await?;
            new_customer
        }
    };
    if !plan.claims.is_empty() {
        customers.claim(&plan.claims, customer).await?;
    }
    for absorbed in &plan.absorbed {
        customers.absorb(customer, *absorbed, at).await?;
    }
    let added = match (&plan.contact, &row) {
        (Some(blocked), Row::Insert(draft)) => {
            Some(transaction.contacts().insert(&placed(draft, *blocked), customer, at).await?)
        }
        _ => None,
    };
    if let (None, Some(first)) = (plan.customer, added) {
        transaction.customers().set_primary(customer, Some(first)).await?;
    }
    env.record(transaction, at, merges(plan, customer, candidates)).await?;
    let holds = match row {
        Row::Insert(_) => added,
        Row::Stored(id) => Some(id),
    };
    links(transaction, plan, customer, holds, at).await?;
    Ok(Carried { customer, added })
}

/// A draft with what a plan says of its values.
pub(crate) fn placed(draft: &ContactDraft, blocked: NewContact) -> ContactDraft {
    ContactDraft {
        email_blocked_by: blocked.email_blocked_by,
        phone_blocked_by: blocked.phone_blocked_by,
        ..draft.clone()
    }
}

/// Notes which values of a stored contact a plan keeps from linking.
pub fn note_blocks(record: &mut ContactRecord, plan: &LinkPlan) {
    record.email_blocked_by = rule_of(&plan.blocked, Part::Email);
    record.phone_blocked_by = rule_of(&plan.blocked, Part::Phone);
}

fn rule_of(blocked: &[Block], part: Part) -> Option<BlockRule> {
    blocked.iter().find(|block| block.part == part).map(|block| block.rule)
}

/// For the audit trail. A contact that is added is told of by whoever adds it.
fn merges(plan: &LinkPlan, survivor: CustomerId, candidates: &Candidates) -> Vec<Change> {
    let absorbed = candidates.customers.iter().filter(|customer| plan.absorbed.contains(&customer.id));
    absorbed
        .map(|customer| {
            let contacts: Vec<_> = customer.contacts.iter().map(|contact| contact.id).collect();
            Change::merged(survivor, customer.id, &contacts)
        })
        .collect()
}

/// The record of a merge. One that no contact holds has its place behind all evidence that there is.
async fn links(
    transaction: &mut dyn Transaction,
    plan: &LinkPlan,
    survivor: CustomerId,
    contact: Option<ContactId>,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    if plan.absorbed.is_empty() {
        return Ok(());
    }
    let after = match contact {
        Some(contact) => EvidenceOrder(contact.0),
        None => transaction.contacts().last_order().await?,
    };
    for absorbed in &plan.absorbed {
        let statement = plan.statement.clone();
        let (absorbed, beside, source, origin) = (*absorbed, None, None, None);
        let link = LinkDraft { survivor, absorbed, statement, beside, source, contact, after, at, origin };
        transaction.links().insert(&link).await?;
    }
    Ok(())
}
