//! The sequential model: what one request after the other makes of the data, the slow and obvious way.

use std::collections::{BTreeMap, BTreeSet};

use crate::request::{Key, Request};
use crate::tables::Customer;

#[derive(Default)]
pub(crate) struct Model {
    /// The customer that each key was born into.
    pub(crate) keys: BTreeMap<Key, Customer>,
    /// Where each customer leads to: itself, or the one that absorbed it.
    pub(crate) roots: BTreeMap<Customer, Customer>,
    /// All contacts of each root, ascending.
    contacts: BTreeMap<Customer, BTreeMap<i64, Request>>,
}

/// What a request means at one moment.
pub(crate) struct Verdict {
    /// The roots that its keys lead to, the oldest first: that one survives.
    pub(crate) found: Vec<Customer>,
    /// Whether it shows a value that no contact of theirs shows.
    pub(crate) news: bool,
}

impl Verdict {
    pub(crate) fn changes_nothing(&self) -> bool {
        self.found.len() == 1 && !self.news
    }
}

impl Model {
    pub(crate) fn judge(&self, request: &Request) -> Verdict {
        let keys = request.keys();
        let roots: BTreeSet<_> = keys.iter().filter_map(|key| self.root_of(key)).collect();
        let mut found: Vec<_> = roots.into_iter().collect();
        found.sort_by_key(|root| self.contacts_of(*root).first().copied());
        let shown = |value: &Option<String>, of: fn(&Request) -> &Option<String>| {
            let mut contacts = found.iter().flat_map(|root| self.contacts[root].values());
            value.is_none() || contacts.any(|contact| of(contact) == value)
        };
        let news = !shown(&request.email, |contact| &contact.email)
            || !shown(&request.phone, |contact| &contact.phone);
        Verdict { found, news }
    }

    /// Makes the change that a verdict calls for. `survivor` is a new customer if none was found.
    pub(crate) fn carry_out(
        &mut self,
        request: &Request,
        verdict: &Verdict,
        survivor: Customer,
        contact: Option<i64>,
    ) {
        self.roots.entry(survivor).or_insert(survivor);
        for absorbed in verdict.found.iter().filter(|root| **root != survivor) {
            for root in self.roots.values_mut().filter(|root| **root == *absorbed) {
                *root = survivor;
            }
            let contacts = self.contacts.remove(absorbed).unwrap_or_default();
            self.contacts.entry(survivor).or_default().extend(contacts);
        }
        for key in request.keys() {
            self.keys.entry(key).or_insert(survivor);
        }
        if let Some(contact) = contact {
            self.contacts.entry(survivor).or_default().insert(contact, request.clone());
        }
    }

    /// Ascending.
    pub(crate) fn contacts_of(&self, root: Customer) -> Vec<i64> {
        self.contacts.get(&root).map(|contacts| contacts.keys().copied().collect()).unwrap_or_default()
    }

    fn root_of(&self, key: &Key) -> Option<Customer> {
        Some(self.roots[self.keys.get(key)?])
    }
}

/// The connected components of requests over their keys, without any order: a name for each request,
/// the same for the same component.
pub(crate) fn components(requests: &[Request]) -> Vec<usize> {
    let mut names: Vec<usize> = (0..requests.len()).collect();
    let mut owners: BTreeMap<Key, usize> = BTreeMap::new();
    for (index, request) in requests.iter().enumerate() {
        for key in request.keys() {
            let owner = *owners.entry(key).or_insert(index);
            let (keep, drop) = (names[owner], names[index]);
            for name in names.iter_mut().filter(|name| **name == drop) {
                *name = keep;
            }
        }
    }
    names
}
