//! What has to be read before rows can be judged.

use std::collections::HashSet;

use super::step::Step;
use onefold_domain::id::ContactId;
use onefold_domain::link_key::{LinkKey, StatementKeys};
use onefold_domain::linking::Candidates;
use onefold_domain::policy::LinkPolicy;

/// The keys of all rows, each once.
pub(super) fn keys_of(rows: &[Step<'_>], policy: &LinkPolicy) -> Vec<LinkKey> {
    let statements = rows.iter().flat_map(Step::statements);
    let mut keys: Vec<LinkKey> =
        statements.flat_map(|statement| StatementKeys::of(statement, policy).to_vec()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The stored contacts that rows may mean: those of letter by letter the same values.
pub(super) fn possible(rows: &[Step<'_>], candidates: &Candidates) -> Vec<ContactId> {
    let wanted: HashSet<_> = rows
        .iter()
        .filter_map(Step::sought)
        .map(|statement| (statement.email().cloned(), statement.phone().cloned()))
        .collect();
    candidates
        .customers
        .iter()
        .flat_map(|customer| &customer.contacts)
        .filter(|contact| wanted.contains(&(contact.email.clone(), contact.phone.clone())))
        .map(|contact| contact.id)
        .collect()
}
