//! The verdict on a run: the tables as they were read, and what clients saw. Every fault is a line; a
//! run is right if there is none.

use std::collections::{BTreeMap, BTreeSet};

use onefold_domain::contact::Statement;
use onefold_domain::email::EmailAddress;
use onefold_domain::linking::resolve;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::policy::LinkPolicy;

use crate::history::{Attempt, End, View};
use crate::model::components;
use crate::order::{describe, unexplained};
use crate::replay::{Replay, replay};
use crate::request::{Key, Request};
use crate::tables::{Customer, Tables};

pub(crate) fn check(tables: &Tables, attempts: &[Attempt]) -> Vec<String> {
    let mut faults = structure(tables);
    if !faults.is_empty() {
        // The rest looks rows up by what they name.
        return faults;
    }
    faults.extend(partition(tables, attempts));
    faults.extend(attempts.iter().filter_map(|attempt| view_of(attempt, tables)));
    match replay(tables) {
        Err(fault) => faults.push(fault),
        Ok(replay) => {
            faults.extend(rows(tables, &replay));
            faults.extend(lost(attempts, &replay));
            faults.extend(unexplained(&replay, attempts));
        }
    }
    faults
}

/// One primary per customer and it is the oldest; nothing leads nowhere.
fn structure(tables: &Tables) -> Vec<String> {
    let mut faults = Vec::new();
    let roots = roots(tables);
    let mut oldest: BTreeMap<Customer, i64> = BTreeMap::new();
    for contact in tables.contacts.iter().rev() {
        match roots.get(&contact.customer) {
            Some(root) => oldest.insert(*root, contact.id),
            None => {
                faults.push(format!("contact {} has no customer", contact.id));
                None
            }
        };
    }
    for customer in &tables.customers {
        let (id, root) = (customer.id, customer.root);
        if roots.get(&root) != Some(&root) {
            faults.push(format!("customer {id:x} leads to {root:x}, which is no root"));
        } else if id == root && customer.primary != oldest.get(&id).copied() {
            let (is, should) = (customer.primary, oldest.get(&id));
            faults.push(format!("customer {id:x} has the primary {is:?}, not {should:?}"));
        }
    }
    for point in tables.points.iter().filter(|point| !roots.contains_key(&point.customer)) {
        faults.push(format!("{:?} leads to no customer", point.key));
    }
    let contacts: BTreeSet<_> = tables.contacts.iter().map(|contact| contact.id).collect();
    for link in &tables.links {
        let customers = [link.survivor, link.absorbed];
        // Its place among evidence is a number that was used, though perhaps by a contact that was not stored in the end.
        if link.contact.is_some_and(|contact| !contacts.contains(&contact))
            || link.after < 1
            || customers.iter().any(|customer| !roots.contains_key(customer))
        {
            faults.push(format!("link {} names what is not there", link.id));
        }
    }
    faults
}

/// The customers in the tables, the connected components and the domain's own resolver agree. Requests
/// that may have been carried out count if they left a row.
fn partition(tables: &Tables, attempts: &[Attempt]) -> Vec<String> {
    let answered = attempts.iter().filter(|attempt| matches!(attempt.end, End::Answered { .. }));
    let mut requests: BTreeSet<_> = answered.map(|attempt| attempt.request.clone()).collect();
    requests.extend(tables.contacts.iter().map(|contact| contact.request.clone()));
    requests.extend(tables.links.iter().map(|link| link.request.clone()));
    let requests: Vec<_> = requests.into_iter().collect();

    let roots = roots(tables);
    let points: BTreeMap<_, _> =
        tables.points.iter().map(|point| (&point.key, roots[&point.customer])).collect();
    let mut faults = Vec::new();
    let mut customers = Vec::new();
    for request in &requests {
        let led: BTreeSet<_> = request.keys().iter().map(|key| points.get(key).copied()).collect();
        match led.first() {
            Some(Some(root)) if led.len() == 1 => customers.push(*root),
            _ => faults.push(format!("{request} does not lead to one customer but to {led:x?}")),
        }
    }
    let keys: BTreeSet<Key> = requests.iter().flat_map(Request::keys).collect();
    for stray in points.keys().filter(|key| !keys.contains(key)) {
        faults.push(format!("{stray:?} leads to a customer, but no request needs it"));
    }
    if !faults.is_empty() {
        return faults;
    }
    let expected = parts(components(&requests));
    for (name, found) in [("the tables", parts(customers)), ("`resolve`", parts(resolved(&requests)))] {
        for part in expected.symmetric_difference(&found) {
            let whose = if expected.contains(part) { "only the components" } else { name };
            let part: Vec<_> = part.iter().map(|index| requests[*index].to_string()).collect();
            faults.push(format!("{name}: {whose} have the customer {}", part.join(" ")));
        }
    }
    faults
}

/// The rows are those that the replayed changes leave, and no others.
fn rows(tables: &Tables, replay: &Replay) -> Vec<String> {
    let mut faults = Vec::new();
    if roots(tables) != replay.model.roots {
        faults.push(format!("customers are {:x?}, not {:x?}", roots(tables), replay.model.roots));
    }
    let points: BTreeMap<_, _> =
        tables.points.iter().map(|point| (point.key.clone(), point.customer)).collect();
    if points != replay.model.keys {
        faults.push(format!("keys are {points:x?}, not {:x?}", replay.model.keys));
    }
    faults
}

/// What was answered with 200 is there.
fn lost(attempts: &[Attempt], replay: &Replay) -> Vec<String> {
    let answered = attempts.iter().filter(|attempt| matches!(attempt.end, End::Answered { .. }));
    answered
        .filter(|attempt| !replay.model.judge(&attempt.request).changes_nothing())
        .map(|attempt| format!("{}: answered, and lost", describe(attempt)))
        .collect()
}

/// Whether an answer, taken by itself, is one customer's contacts with their values, in order.
fn view_of(attempt: &Attempt, tables: &Tables) -> Option<String> {
    let End::Answered { view, .. } = &attempt.end else { return None };
    let fault = |what: &str| Some(format!("{}: {what} ({view:?})", describe(attempt)));
    let shown = view.contacts();
    if !shown.is_sorted_by(|older, younger| older < younger) {
        return fault("the primary is not the oldest, or contacts are out of order");
    }
    let contacts = tables.contacts.iter().filter(|contact| shown.contains(&contact.id));
    let requests: Vec<_> = contacts.clone().map(|contact| &contact.request).collect();
    let roots = roots(tables);
    let customers: BTreeSet<_> = contacts.map(|contact| roots[&contact.customer]).collect();
    if requests.len() != shown.len() || customers.len() != 1 {
        return fault("these are not contacts of one customer");
    }
    let emails = requests.iter().filter_map(|request| request.email.as_ref());
    let phones = requests.iter().filter_map(|request| request.phone.as_ref());
    if distinct(emails) != view.emails || distinct(phones) != view.phone_numbers {
        return fault("the values are not those of the contacts, by age");
    }
    if !shows(view, &attempt.request) {
        return fault("the request's own values are missing");
    }
    None
}

fn shows(view: &View, request: &Request) -> bool {
    request.email.as_ref().is_none_or(|email| view.emails.contains(email))
        && request.phone.as_ref().is_none_or(|phone| view.phone_numbers.contains(phone))
}

fn distinct<'a>(values: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    values.filter(|value| seen.insert(*value)).cloned().collect()
}

fn roots(tables: &Tables) -> BTreeMap<Customer, Customer> {
    tables.customers.iter().map(|customer| (customer.id, customer.root)).collect()
}

fn resolved(requests: &[Request]) -> Vec<u32> {
    let statements: Vec<_> = requests
        .iter()
        .filter_map(|request| {
            let email = request.email.as_deref().map(|email| EmailAddress::parse(email).unwrap());
            let phone = request.phone.as_deref().map(|phone| PhoneNumber::parse(phone, None).unwrap());
            Statement::new(email, phone)
        })
        .collect();
    resolve(&statements, &LinkPolicy::shipped()).customers().to_vec()
}

/// A partition as the set of its parts, whatever they are called.
fn parts<K: Ord>(names: impl IntoIterator<Item = K>) -> BTreeSet<Vec<usize>> {
    let mut parts: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (index, name) in names.into_iter().enumerate() {
        parts.entry(name).or_default().push(index);
    }
    parts.into_values().collect()
}
