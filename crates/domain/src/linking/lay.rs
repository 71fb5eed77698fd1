//! Evidence laid from nothing: which contacts are one customer, what keeps which value from linking, and which keys
//! lead where. What a store holds of the same evidence is the same, whatever the way in which it came there.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::matching::{EMAIL, Match, PHONE, Slot, World, find_match};
use super::verified::Verified;
use super::{DetailedContact, JoinRecord};
use crate::block::BlockRule;
use crate::contact::Statement;
use crate::id::{ContactId, LinkId, UserId};
use crate::link_key::{LinkKey, StatementKeys};
use crate::policy::LinkPolicy;

/// What evidence comes to.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Layout {
    /// By the oldest contact that each holds.
    pub groups: Vec<LaidGroup>,
    /// The rules that keep the email and the phone of a contact from linking; contacts of which all links are left
    /// out.
    pub blocked: BTreeMap<ContactId, [Option<BlockRule>; 2]>,
    /// Joins that nobody stands behind: neither a value's owner nor their user has a contact older than they.
    pub sleeping: Vec<LinkId>,
}

/// Contacts that are one customer.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct LaidGroup {
    /// The contacts of the group, ascending, never empty.
    pub contacts: Vec<ContactId>,
    /// The keys that lead to the group.
    pub keys: Vec<LinkKey>,
    /// The joins that hold the group together.
    pub joins: Vec<LinkId>,
}

/// Lays contacts and joins, oldest first.
///
/// A verified value belongs to the user who verified it last, whenever that was, so others' statements of it link
/// nobody, and what guests stated of it is that user's. Apart from that, and from values that nobody may link by,
/// older evidence comes first, as it would have in `identify`.
///
/// ```
/// use chrono::DateTime;
/// use onefold_domain::block::BlockRule;
/// use onefold_domain::contact::{EvidenceOrder, Statement};
/// use onefold_domain::email::EmailAddress;
/// use onefold_domain::id::{ContactId, CustomerId, UserId};
/// use onefold_domain::linking::{DetailedContact, lay};
/// use onefold_domain::policy::LinkPolicy;
/// use uuid::Uuid;
///
/// let email = EmailAddress::parse("mcfly@hillvalley.edu")?;
/// let statement = Statement::new(Some(email), None).ok_or("nothing stated")?;
/// let guest = DetailedContact {
///     id: ContactId(1),
///     order: EvidenceOrder(1),
///     filed_under: CustomerId(Uuid::nil()),
///     statement: statement.clone(),
///     verified_at: None,
///     claimed_by: None,
///     email_blocked_by: None,
///     phone_blocked_by: None,
/// };
/// let of_user = |number, verified_at| DetailedContact {
///     id: ContactId(number),
///     order: EvidenceOrder(number),
///     statement: statement.clone().of_user(UserId(Uuid::from_u128(number as u128))),
///     verified_at,
///     ..guest.clone()
/// };
/// let (said, verified) = (of_user(2, None), of_user(3, DateTime::from_timestamp(0, 0)));
///
/// let layout = lay(&[guest.clone(), said, verified], &[], &LinkPolicy::shipped());
/// let groups: Vec<_> = layout.groups.iter().map(|group| group.contacts.clone()).collect();
/// assert_eq!(groups, [vec![ContactId(1), ContactId(3)], vec![ContactId(2)]]);
/// assert_eq!(layout.blocked[&ContactId(2)], [Some(BlockRule::VerifiedElsewhere), None]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn lay(contacts: &[DetailedContact], joins: &[JoinRecord], policy: &LinkPolicy) -> Layout {
    lay_part(contacts, joins, &Verified::of(contacts, policy), policy)
}

/// Lays a part of all evidence that hangs together with nothing outside of it, oldest first. Who verified a value may be
/// outside, so that is told beside it.
pub fn lay_part(
    contacts: &[DetailedContact],
    joins: &[JoinRecord],
    verified: &Verified,
    policy: &LinkPolicy,
) -> Layout {
    let mut evidence: Vec<_> = contacts
        .iter()
        .map(|contact| ((contact.order, None), Source::Contact(contact.id), &contact.statement, None))
        .chain(joins.iter().map(|join| {
            ((join.after, Some(join.id)), Source::Join(join.id), &join.statement, join.beside.as_ref())
        }))
        .collect();
    evidence.sort_unstable_by_key(|(order, ..)| *order);
    let mut laying =
        Laying { policy, verified, groups: Vec::new(), keys: HashMap::new(), layout: Layout::default() };
    for (age, (_, source, statement, beside)) in evidence.into_iter().enumerate() {
        laying.add(source, statement, beside, age);
    }
    laying.finish()
}

#[derive(Clone, Copy)]
enum Source {
    Contact(ContactId),
    Join(LinkId),
}

struct Group {
    /// Itself, or the group that it was joined to.
    parent: usize,
    age: usize,
    user: Option<UserId>,
    /// The values that its contacts show, those that do not link included.
    points: HashSet<LinkKey>,
    contacts: Vec<ContactId>,
    joins: Vec<LinkId>,
}

struct Laying<'a> {
    policy: &'a LinkPolicy,
    verified: &'a Verified,
    groups: Vec<Group>,
    keys: HashMap<LinkKey, usize>,
    layout: Layout,
}

impl Laying<'_> {
    fn add(&mut self, source: Source, statement: &Statement, beside: Option<&Statement>, age: usize) {
        let keys = StatementKeys::of_join(statement, beside, self.policy);
        let slots = self.slots(self.verified.rules_of_join(statement, beside, self.policy), &keys);
        let exact = self.keys.get(&keys.exact).map(|group| self.root(*group));
        let world = Placing { groups: &self.groups, keys: &keys };
        let verdict = find_match(&slots, exact, &world, self.policy.max_contact_points());
        let home = match source {
            Source::Contact(contact) => self.found(contact, statement.user(), &keys, age),
            Source::Join(join) => match verdict.anchor {
                Some(anchor) => {
                    self.groups[anchor].joins.push(join);
                    anchor
                }
                None => return self.layout.sleeping.push(join),
            },
        };
        self.apply(home, source, &keys, &slots, &verdict);
    }

    fn slots(&mut self, [email, phone]: [Option<BlockRule>; 2], keys: &StatementKeys) -> [Slot<usize>; 3] {
        let rules = [email, phone, None];
        let mut slots = [Slot::Absent; 3];
        for (slot, key) in [&keys.email, &keys.phone, &keys.user].into_iter().enumerate() {
            let Some(key) = key else { continue };
            slots[slot] = match (rules[slot], self.verified.user(key)) {
                (Some(rule), _) => Slot::Blocked(rule),
                (None, Some(user)) => Slot::Verified(self.group_of(user)),
                (None, None) => self.keys.get(key).map_or(Slot::New, |group| Slot::Known(self.root(*group))),
            };
        }
        slots
    }

    /// The group of a user who has verified a value is there from the start, though nothing of it may be laid yet.
    fn group_of(&mut self, user: UserId) -> usize {
        let key = LinkKey::of_user(user);
        if let Some(group) = self.keys.get(&key) {
            return self.root(*group);
        }
        // As young as can be until its first contact is laid.
        let group = self.push(usize::MAX);
        self.groups[group].user = Some(user);
        self.keys.insert(key, group);
        group
    }

    fn found(&mut self, contact: ContactId, user: Option<UserId>, keys: &StatementKeys, age: usize) -> usize {
        let group = self.push(age);
        self.groups[group].user = user;
        self.groups[group].contacts.push(contact);
        self.groups[group].points.extend(keys.values().cloned());
        group
    }

    fn push(&mut self, age: usize) -> usize {
        self.groups.push(Group {
            parent: self.groups.len(),
            age,
            user: None,
            points: HashSet::new(),
            contacts: Vec::new(),
            joins: Vec::new(),
        });
        self.groups.len() - 1
    }

    fn apply(
        &mut self,
        home: usize,
        source: Source,
        keys: &StatementKeys,
        slots: &[Slot<usize>; 3],
        verdict: &Match<usize>,
    ) {
        let mut home = home;
        for other in verdict.anchor.into_iter().chain(verdict.joined.into_iter().flatten()) {
            home = self.union(home, other);
        }
        for (slot, key) in [&keys.email, &keys.phone].into_iter().enumerate() {
            let links =
                matches!(slots[slot], Slot::New | Slot::Verified(_)) && verdict.blocked[slot].is_none();
            if let Some(key) = key.as_ref().filter(|_| links) {
                self.keys.entry(key.clone()).or_insert(home);
            }
        }
        // A join shows nothing by itself: it neither makes a user known nor is it found by its exact values.
        let Source::Contact(contact) = source else { return };
        if let Some(user) = &keys.user {
            self.keys.entry(user.clone()).or_insert(home);
        }
        if verdict.exact {
            self.keys.entry(keys.exact.clone()).or_insert(home);
        }
        let rules = [verdict.blocked[EMAIL], verdict.blocked[PHONE]];
        if rules != [None, None] {
            self.layout.blocked.insert(contact, rules);
        }
    }

    fn root(&self, mut group: usize) -> usize {
        while self.groups[group].parent != group {
            group = self.groups[group].parent;
        }
        group
    }

    /// The one that shows more keeps its place.
    fn union(&mut self, one: usize, other: usize) -> usize {
        let (one, other) = (self.root(one), self.root(other));
        if one == other {
            return one;
        }
        let (keep, drop) = if self.groups[one].contacts.len() < self.groups[other].contacts.len() {
            (other, one)
        } else {
            (one, other)
        };
        let dropped = &mut self.groups[drop];
        dropped.parent = keep;
        let (age, user) = (dropped.age, dropped.user);
        let points = std::mem::take(&mut dropped.points);
        let contacts = std::mem::take(&mut dropped.contacts);
        let joins = std::mem::take(&mut dropped.joins);
        let kept = &mut self.groups[keep];
        kept.age = kept.age.min(age);
        kept.user = kept.user.or(user);
        kept.points.extend(points);
        kept.contacts.extend(contacts);
        kept.joins.extend(joins);
        keep
    }

    fn finish(mut self) -> Layout {
        let mut groups: HashMap<usize, LaidGroup> = HashMap::new();
        for (index, group) in self.groups.iter_mut().enumerate() {
            if !group.contacts.is_empty() {
                let mut contacts = std::mem::take(&mut group.contacts);
                contacts.sort_unstable();
                let joins = std::mem::take(&mut group.joins);
                groups.insert(index, LaidGroup { contacts, keys: Vec::new(), joins });
            }
        }
        let mut keys: Vec<_> = std::mem::take(&mut self.keys).into_iter().collect();
        keys.sort_unstable();
        for (key, group) in keys {
            if let Some(group) = groups.get_mut(&self.root(group)) {
                group.keys.push(key);
            }
        }
        self.layout.groups = groups.into_values().collect();
        self.layout.groups.sort_unstable_by_key(|group| group.contacts[0]);
        self.layout
    }
}

/// The groups so far as the world that `find_match` asks, for one statement.
struct Placing<'a> {
    groups: &'a [Group],
    keys: &'a StatementKeys,
}

impl World<usize> for Placing<'_> {
    fn age(&self, group: usize) -> i64 {
        i64::try_from(self.groups[group].age).unwrap_or(i64::MAX)
    }

    fn has_user(&self, group: usize) -> bool {
        self.groups[group].user.is_some()
    }

    fn points(&self, groups: &[usize]) -> usize {
        match groups {
            [one] => self.groups[*one].points.len(),
            _ => groups.iter().flat_map(|group| &self.groups[*group].points).collect::<HashSet<_>>().len(),
        }
    }

    fn carries(&self, group: usize, slot: usize) -> bool {
        let key = match slot {
            EMAIL => &self.keys.email,
            PHONE => &self.keys.phone,
            _ => return false,
        };
        key.as_ref().is_some_and(|key| self.groups[group].points.contains(key))
    }
}
