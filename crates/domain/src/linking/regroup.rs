//! What is left of one customer when evidence is withdrawn or changed: which of its contacts still belong
//! together, which part keeps the id, and which keys nobody stands behind any more.

use std::collections::HashMap;

use crate::link_key::StatementKeys;
use crate::{BlockRule, ContactId, CustomerId, LinkId, LinkKey, LinkPolicy, Statement, UserId};

/// Everything that links one customer, seen at one moment in one transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CustomerPicture {
    pub id: CustomerId,
    pub version: i64,
    /// The customers that it absorbed and that lead to it. Without itself.
    pub absorbed: Vec<CustomerId>,
    /// Ascending, without those that were withdrawn.
    pub contacts: Vec<DetailedContact>,
    /// The merges that made it and that nobody revoked.
    pub joins: Vec<JoinRecord>,
}

/// A contact with what decides whether it links.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DetailedContact {
    pub id: ContactId,
    /// The customer it is filed under: the root, or one that the root absorbed.
    pub filed_under: CustomerId,
    pub statement: Statement,
    pub email_blocked_by: Option<BlockRule>,
    pub phone_blocked_by: Option<BlockRule>,
}

/// A statement that joined two customers without becoming a contact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JoinRecord {
    pub id: LinkId,
    /// As with contacts: the root, or one that the root absorbed.
    pub filed_under: CustomerId,
    pub statement: Statement,
}

/// How a customer falls apart, or stays whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Regrouping {
    /// Never empty unless the customer has no contact left. The first part holds the oldest contact and
    /// keeps the customer's id.
    pub parts: Vec<RegroupedPart>,
    /// Keys that lead to the customer although no contact stands behind them.
    pub dropped_keys: Vec<LinkKey>,
    /// Joins that no contact stands behind, neither by value nor of their user: they are evidence no more.
    pub dropped_joins: Vec<LinkId>,
}

/// Contacts that belong together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RegroupedPart {
    /// The id that it gets: the customer's own for the first part, for others the one that its oldest
    /// contacts had before they were absorbed, if no other part has it; `None` asks for a new one.
    pub id: Option<CustomerId>,
    /// Ascending.
    pub contacts: Vec<ContactId>,
    /// The keys that lead to it.
    pub keys: Vec<LinkKey>,
    /// The joins that hold it together.
    pub joins: Vec<LinkId>,
}

impl CustomerPicture {
    /// Whether this is the customer or one that leads to it.
    pub(crate) fn is_member(&self, id: CustomerId) -> bool {
        self.id == id || self.absorbed.contains(&id)
    }

    fn has(&self, user: UserId) -> bool {
        self.contacts.iter().any(|contact| contact.statement.user() == Some(user))
    }
}

/// The keys under which the picture's evidence can be found, each once: those of its contacts, its joins,
/// and of what was withdrawn from it, with the `own` key of the contact that said so. Whether they lead to this customer is for the store to say.
pub(crate) fn keys_of_picture(
    picture: &CustomerPicture,
    withdrawn: &Statement,
    own: &LinkKey,
    policy: &LinkPolicy,
) -> Vec<LinkKey> {
    let statements = picture.contacts.iter().map(|contact| &contact.statement);
    let joins = picture.joins.iter().map(|join| &join.statement);
    let mut keys: Vec<_> = statements
        .chain(joins)
        .chain([withdrawn])
        .flat_map(|statement| StatementKeys::of(statement, policy).to_vec())
        .chain(picture.contacts.iter().map(|contact| LinkKey::of_contact(contact.id)))
        .chain([own.clone()])
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Groups the contacts of a picture anew. `owned` are the keys that lead to this customer.
///
/// What a rule kept from linking stays so: a block is lifted by new evidence or by a person, not by the
/// withdrawal of something else. So no rule has to be asked here, and the parts are plain components.
pub(crate) fn regroup(picture: &CustomerPicture, owned: &[LinkKey], policy: &LinkPolicy) -> Regrouping {
    let mut components = Components::new(picture.contacts.len() + owned.len());
    let key_nodes: HashMap<&LinkKey, usize> =
        owned.iter().enumerate().map(|(index, key)| (key, picture.contacts.len() + index)).collect();
    for (index, contact) in picture.contacts.iter().enumerate() {
        for key in linking_keys(contact, policy) {
            if let Some(node) = key_nodes.get(&key) {
                components.join(index, *node);
            }
        }
    }
    // A node of each join, to know its part by.
    let mut joins = Vec::with_capacity(picture.joins.len());
    for join in &picture.joins {
        // A user is never linked without a contact: nobody could tell that the customer has one.
        if join.statement.user().is_some_and(|user| !picture.has(user)) {
            joins.push((join.id, None));
            continue;
        }
        let keys = StatementKeys::of(&join.statement, policy);
        let nodes: Vec<usize> = keys.iter().filter_map(|key| key_nodes.get(key)).copied().collect();
        for pair in nodes.windows(2) {
            components.join(pair[0], pair[1]);
        }
        joins.push((join.id, nodes.first().copied()));
    }
    let mut regrouping = components.regrouping(picture, owned, &joins);
    name(&mut regrouping.parts, picture);
    regrouping
}

/// The keys by which a contact links.
fn linking_keys(contact: &DetailedContact, policy: &LinkPolicy) -> impl Iterator<Item = LinkKey> + use<> {
    let keys = StatementKeys::of(&contact.statement, policy);
    let email = keys.email.filter(|_| contact.email_blocked_by.is_none());
    let phone = keys.phone.filter(|_| contact.phone_blocked_by.is_none());
    let own = LinkKey::of_contact(contact.id);
    // Letter by letter the same guest's statement is the same evidence; a user's is found by the user.
    let exact = Some(keys.exact).filter(|_| keys.user.is_none());
    [email, phone, keys.user, exact, Some(own)].into_iter().flatten()
}

/// The first part keeps the customer's id. Each other part gets back the oldest id that one of its
/// contacts was filed under before the merge, unless an older part took it.
fn name(parts: &mut [RegroupedPart], picture: &CustomerPicture) {
    let filed: HashMap<ContactId, CustomerId> =
        picture.contacts.iter().map(|contact| (contact.id, contact.filed_under)).collect();
    let mut taken = vec![picture.id];
    for (index, part) in parts.iter_mut().enumerate() {
        if index == 0 {
            part.id = Some(picture.id);
            continue;
        }
        part.id = part
            .contacts
            .iter()
            .filter_map(|contact| filed.get(contact).copied())
            .find(|id| !taken.contains(id));
        taken.extend(part.id);
    }
}

/// A union-find over contacts, then keys.
struct Components {
    parents: Vec<usize>,
}

impl Components {
    fn new(nodes: usize) -> Self {
        Self { parents: (0..nodes).collect() }
    }

    fn find(&mut self, mut node: usize) -> usize {
        while self.parents[node] != node {
            self.parents[node] = self.parents[self.parents[node]];
            node = self.parents[node];
        }
        node
    }

    /// The smaller index leads, so a part is known by its oldest contact.
    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.find(one), self.find(other));
        self.parents[one.max(other)] = one.min(other);
    }

    fn regrouping(
        &mut self,
        picture: &CustomerPicture,
        owned: &[LinkKey],
        joins: &[(LinkId, Option<usize>)],
    ) -> Regrouping {
        let contacts = picture.contacts.len();
        let mut parts: Vec<RegroupedPart> = Vec::new();
        let mut part_of: HashMap<usize, usize> = HashMap::new();
        for (index, contact) in picture.contacts.iter().enumerate() {
            let leader = self.find(index);
            let part = *part_of.entry(leader).or_insert_with(|| {
                parts.push(RegroupedPart::default());
                parts.len() - 1
            });
            parts[part].contacts.push(contact.id);
        }
        let (mut dropped_keys, mut dropped_joins) = (Vec::new(), Vec::new());
        for (index, key) in owned.iter().enumerate() {
            match part_of.get(&self.find(contacts + index)) {
                Some(part) => parts[*part].keys.push(key.clone()),
                None => dropped_keys.push(key.clone()),
            }
        }
        for (join, node) in joins {
            match node.and_then(|node| part_of.get(&self.find(node))) {
                Some(part) => parts[*part].joins.push(*join),
                None => dropped_joins.push(*join),
            }
        }
        Regrouping { parts, dropped_keys, dropped_joins }
    }
}
