//! What has to be read before rows can be judged.

use std::collections::HashSet;

use super::parse::ImportRow;
use crate::link_key::StatementKeys;
use crate::{ContactId, LinkKey, LinkPolicy, Neighbourhood};

/// The keys of all rows, each once.
pub(super) fn keys_of(rows: &[&ImportRow], policy: &LinkPolicy) -> Vec<LinkKey> {
    let mut keys: Vec<LinkKey> =
        rows.iter().flat_map(|row| StatementKeys::of(&row.request.statement, policy).to_vec()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The stored contacts that rows may mean: those of letter by letter the same values.
pub(super) fn candidates(rows: &[&ImportRow], neighbourhood: &Neighbourhood) -> Vec<ContactId> {
    let wanted: HashSet<_> = rows
        .iter()
        .map(|row| (row.request.statement.email().cloned(), row.request.statement.phone().cloned()))
        .collect();
    neighbourhood
        .customers
        .iter()
        .flat_map(|customer| &customer.contacts)
        .filter(|contact| wanted.contains(&(contact.email.clone(), contact.phone.clone())))
        .map(|contact| contact.id)
        .collect()
}
