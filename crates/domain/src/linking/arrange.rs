//! From what a store holds to what evidence comes to: which customer each group is, and what has to move for it.

use std::collections::{BTreeMap, HashMap};

use super::{CustomerSnapshot, Layout};
use crate::block::BlockRule;
use crate::id::{ContactId, CustomerId, LinkId};
use crate::link_key::LinkKey;

/// What has to be written so that a store holds a layout.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Arrangement {
    /// A customer for each group, in the order of the layout.
    pub parts: Vec<Part>,
    /// Where each customer of the snapshots leads from now on, if not where it led: to the customer of this part.
    pub led: BTreeMap<CustomerId, usize>,
    /// Customers that have no contact any more, nor anybody to lead to.
    pub left: Vec<CustomerId>,
    pub released: Vec<LinkKey>,
    /// Joins that are evidence no more.
    pub revoked: Vec<LinkId>,
    /// Contacts whose blocks are other ones now.
    pub blocked: Vec<(ContactId, [Option<BlockRule>; 2])>,
    /// Contacts that are of another customer from now on: of which, of which part now, and whether they are all
    /// that the customer had.
    pub moved: Vec<Moved>,
}

#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Part {
    /// The customer that the part is filed under; `None` asks for a new one.
    pub id: Option<CustomerId>,
    pub primary: Option<ContactId>,
    /// Contacts, keys and joins that would not lead here by themselves.
    pub contacts: Vec<ContactId>,
    pub refiled: Vec<LinkKey>,
    pub joins: Vec<LinkId>,
    /// Keys that lead to the part from now on and had led nowhere, ascending.
    pub claims: Vec<LinkKey>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moved {
    pub from: CustomerId,
    pub to: usize,
    pub contacts: Vec<ContactId>,
    pub is_all: bool,
}

/// Names the groups and works out what moves. `owners` are the keys that lead to these customers, with the one that
/// each is filed under.
pub fn arrange(
    snapshots: &[CustomerSnapshot],
    owners: &HashMap<LinkKey, CustomerId>,
    layout: &Layout,
) -> Arrangement {
    let place = Place::of(snapshots, layout);
    let mut arrangement = Arrangement {
        parts: place.named(snapshots, layout),
        led: BTreeMap::new(),
        left: Vec::new(),
        released: released(owners, layout),
        revoked: layout.sleeping.clone(),
        blocked: changed_blocks(snapshots, layout),
        moved: Vec::new(),
    };
    let leads = place.leads(snapshots, &arrangement.parts);
    arrangement.file(snapshots, owners, layout, &leads);
    for snapshot in snapshots {
        for member in std::iter::once(snapshot.id).chain(snapshot.absorbed.iter().copied()) {
            match leads.get(&member) {
                Some(part) => drop(arrangement.led.insert(member, *part)),
                // No contact of it is left. Whoever it had absorbed leads to it as before.
                None if member == snapshot.id => arrangement.left.push(member),
                None => {}
            }
        }
    }
    arrangement.moved = place.moved(snapshots, &arrangement.parts);
    arrangement
}

/// Which part each contact was laid into.
struct Place {
    part_of: HashMap<ContactId, usize>,
}

impl Place {
    fn of(snapshots: &[CustomerSnapshot], layout: &Layout) -> Self {
        let mut part_of =
            HashMap::with_capacity(snapshots.iter().map(|snapshot| snapshot.contacts.len()).sum());
        for (part, group) in layout.groups.iter().enumerate() {
            part_of.extend(group.contacts.iter().map(|contact| (*contact, part)));
        }
        Self { part_of }
    }

    /// A customer stays with its oldest contact, one that was absorbed with the oldest that is filed under it. A
    /// part is called by the customer whose contact is the oldest, and only if there is none by one that had been
    /// absorbed, so that who asks by the id of today finds whom it meant.
    fn named(&self, snapshots: &[CustomerSnapshot], layout: &Layout) -> Vec<Part> {
        let mut names: Vec<Option<(bool, ContactId, CustomerId)>> = vec![None; layout.groups.len()];
        for snapshot in snapshots {
            let mut seats: BTreeMap<CustomerId, ContactId> = BTreeMap::new();
            for contact in &snapshot.contacts {
                seats.entry(snapshot.id).or_insert(contact.id);
                seats.entry(contact.filed_under).or_insert(contact.id);
            }
            for (id, seat) in seats {
                let Some(part) = self.part_of.get(&seat) else { continue };
                let name = (id != snapshot.id, seat, id);
                names[*part] = Some(names[*part].map_or(name, |known| known.min(name)));
            }
        }
        let groups = layout.groups.iter().zip(names);
        groups
            .map(|(group, name)| Part {
                id: name.map(|(.., id)| id),
                primary: group.contacts.first().copied(),
                ..Part::default()
            })
            .collect()
    }

    /// The part that each customer leads to: the one that it names, else the one in which it sits. One without a
    /// contact of its own goes with its root.
    fn leads(&self, snapshots: &[CustomerSnapshot], parts: &[Part]) -> HashMap<CustomerId, usize> {
        let mut leads = HashMap::new();
        for snapshot in snapshots {
            let part_of = |contact: &ContactId| self.part_of.get(contact).copied();
            let root = snapshot.contacts.first().and_then(|contact| part_of(&contact.id));
            for member in std::iter::once(snapshot.id).chain(snapshot.absorbed.iter().copied()) {
                let mut own = snapshot.contacts.iter().filter(|contact| contact.filed_under == member);
                let seat = own.find_map(|contact| part_of(&contact.id)).filter(|_| member != snapshot.id);
                leads.extend(seat.or(root).map(|part| (member, part)));
            }
        }
        leads.extend(parts.iter().enumerate().filter_map(|(part, named)| Some((named.id?, part))));
        leads
    }

    fn moved(&self, snapshots: &[CustomerSnapshot], parts: &[Part]) -> Vec<Moved> {
        let mut moved = Vec::new();
        for snapshot in snapshots {
            let mut by_part: BTreeMap<usize, Vec<ContactId>> = BTreeMap::new();
            for contact in &snapshot.contacts {
                if let Some(part) = self.part_of.get(&contact.id) {
                    by_part.entry(*part).or_default().push(contact.id);
                }
            }
            by_part.retain(|part, _| parts[*part].id != Some(snapshot.id));
            moved.extend(by_part.into_iter().map(|(to, contacts)| Moved {
                from: snapshot.id,
                to,
                is_all: contacts.len() == snapshot.contacts.len(),
                contacts,
            }));
        }
        moved
    }
}

impl Arrangement {
    /// Sees to it that contacts, keys and joins lead to their parts.
    fn file(
        &mut self,
        snapshots: &[CustomerSnapshot],
        owners: &HashMap<LinkKey, CustomerId>,
        layout: &Layout,
        leads: &HashMap<CustomerId, usize>,
    ) {
        let contacts = snapshots.iter().flat_map(|snapshot| &snapshot.contacts);
        let filed: HashMap<ContactId, CustomerId> =
            contacts.map(|contact| (contact.id, contact.filed_under)).collect();
        let joins = snapshots.iter().flat_map(|snapshot| &snapshot.joins);
        let joined: HashMap<LinkId, CustomerId> = joins.map(|join| (join.id, join.filed_under)).collect();
        for (index, (part, group)) in self.parts.iter_mut().zip(&layout.groups).enumerate() {
            let strays =
                |owner: Option<&CustomerId>| owner.and_then(|owner| leads.get(owner)) != Some(&index);
            part.contacts = group.contacts.iter().filter(|id| strays(filed.get(id))).copied().collect();
            part.joins = group.joins.iter().filter(|id| strays(joined.get(id))).copied().collect();
            for key in &group.keys {
                match owners.get(key) {
                    None => part.claims.push(key.clone()),
                    owner if strays(owner) => part.refiled.push(key.clone()),
                    _ => {}
                }
            }
        }
    }
}

fn released(owners: &HashMap<LinkKey, CustomerId>, layout: &Layout) -> Vec<LinkKey> {
    let kept: std::collections::HashSet<&LinkKey> =
        layout.groups.iter().flat_map(|group| &group.keys).collect();
    let mut released: Vec<_> = owners.keys().filter(|key| !kept.contains(key)).cloned().collect();
    released.sort_unstable();
    released
}

fn changed_blocks(
    snapshots: &[CustomerSnapshot],
    layout: &Layout,
) -> Vec<(ContactId, [Option<BlockRule>; 2])> {
    let contacts = snapshots.iter().flat_map(|snapshot| &snapshot.contacts);
    contacts
        .map(|contact| {
            let was = [contact.email_blocked_by, contact.phone_blocked_by];
            (contact.id, was, layout.blocked.get(&contact.id).copied().unwrap_or_default())
        })
        .filter(|(_, was, is)| was != is)
        .map(|(id, _, is)| (id, is))
        .collect()
}
