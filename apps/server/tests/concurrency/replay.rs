//! The history of the data, read from the tables alone, and compared step by step with the model.
//!
//! Each change leaves exactly one mark that is never altered: the contact that it added (a merge that
//! brings something new as well names it in its link), or else the link of the merge. Their order is
//! on record too. Whoever adds to a customer holds it locked when the contact gets its number, so of
//! the contacts of one customer the smaller is the earlier; and a link names the youngest contact of
//! both sides before it. Sorting all marks by that gives an order in which every customer's changes
//! stand as they happened; changes of different customers do not depend on each other.

use std::collections::BTreeMap;

use crate::model::Model;
use crate::request::Request;
use crate::tables::{ContactRow, Customer, LinkRow, Tables};

/// An order of changes that leads from nothing to the tables.
pub(crate) struct Replay {
    pub(crate) model: Model,
    pub(crate) changes: Vec<Change>,
}

/// A request that changed the data, and the customer as it was from then on.
pub(crate) struct Change {
    pub(crate) request: Request,
    /// The contacts of the customer afterwards, ascending. No two changes leave the same.
    pub(crate) contacts: Vec<i64>,
    /// The change that ended this, by its index.
    pub(crate) ended_by: Option<usize>,
}

/// What the tables keep of one change.
struct Mark<'a> {
    request: &'a Request,
    contact: Option<&'a ContactRow>,
    links: Vec<&'a LinkRow>,
}

/// # Errors
/// The first mark that the model, given the same request at that point, would not have left: a row for
/// nothing new, a merge that did not happen, a row in the wrong customer.
pub(crate) fn replay(tables: &Tables) -> Result<Replay, String> {
    let mut replay = Replay { model: Model::default(), changes: Vec::new() };
    let mut latest: BTreeMap<Customer, usize> = BTreeMap::new();
    for mark in marks(tables) {
        let verdict = replay.model.judge(mark.request);
        if verdict.changes_nothing() {
            return Err(format!("{} says nothing new", mark.describe()));
        }
        let survivor = mark.survivor(verdict.found.first().copied(), &replay.model)?;
        if mark.contact.is_some() != verdict.news {
            return Err(format!("{}: a contact is added if and only if there is news", mark.describe()));
        }
        let absorbed = verdict.found.iter().skip(1).copied();
        let expected: Vec<_> = absorbed.map(|absorbed| (survivor, absorbed)).collect();
        let found: Vec<_> = mark.links.iter().map(|link| (link.survivor, link.absorbed)).collect();
        if found != expected {
            return Err(format!("{}: its merges are {found:x?}, not {expected:x?}", mark.describe()));
        }
        let contact = mark.contact.map(|contact| contact.id);
        replay.model.carry_out(mark.request, &verdict, survivor, contact);
        for root in verdict.found {
            if let Some(ended) = latest.remove(&root) {
                replay.changes[ended].ended_by = Some(replay.changes.len());
            }
        }
        latest.insert(survivor, replay.changes.len());
        let contacts = replay.model.contacts_of(survivor);
        replay.changes.push(Change { request: mark.request.clone(), contacts, ended_by: None });
    }
    Ok(replay)
}

/// In the order of the module's comment.
fn marks(tables: &Tables) -> Vec<Mark<'_>> {
    let mut marks = BTreeMap::new();
    for contact in &tables.contacts {
        let links = tables.links.iter().filter(|link| link.contact == Some(contact.id)).collect();
        let mark = Mark { request: &contact.request, contact: Some(contact), links };
        marks.insert((contact.id, 0), mark);
    }
    for link in tables.links.iter().filter(|link| link.contact.is_none()) {
        let mark = Mark { request: &link.request, contact: None, links: vec![link] };
        marks.insert((link.after, link.id), mark);
    }
    marks.into_values().collect()
}

impl Mark<'_> {
    /// The customer that the tables say the change was made to, if the model agrees.
    fn survivor(&self, oldest: Option<Customer>, model: &Model) -> Result<Customer, String> {
        let recorded = self
            .contact
            .map(|contact| contact.customer)
            .or_else(|| self.links.first().map(|link| link.survivor))
            .ok_or_else(|| format!("{} left nothing", self.describe()))?;
        match oldest {
            Some(oldest) if oldest != recorded => {
                Err(format!("{} belongs to {oldest:x}, not {recorded:x}", self.describe()))
            }
            None if model.roots.contains_key(&recorded) => {
                Err(format!("{} should be a new customer's, not {recorded:x}'s", self.describe()))
            }
            _ => Ok(recorded),
        }
    }

    fn describe(&self) -> String {
        match (self.contact, self.links.first()) {
            (Some(contact), _) => format!("contact {} {}", contact.id, self.request),
            (None, Some(link)) => format!("link {} {}", link.id, self.request),
            (None, None) => "a change".to_owned(),
        }
    }
}
