//! Where one statement belongs. The rules of linking are written here once, over numbers that stand
//! for customers, so that a store's answer and a union-find in memory are judged alike.

use crate::block::BlockRule;

/// The places of a statement: its email, its phone, its user.
pub(super) const EMAIL: usize = 0;
pub(super) const PHONE: usize = 1;
pub(super) const USER: usize = 2;

/// What is known about one part of a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Slot<C> {
    /// The statement does not have this part.
    Absent,
    /// A rule that looks at the value alone does not let it link.
    Blocked(BlockRule),
    /// No customer is known under it.
    New,
    /// It leads to this customer.
    Known(C),
    /// It leads to this customer, whose user has verified it.
    Verified(C),
}

impl<C: Copy + Eq> Slot<C> {
    /// The customer that it leads to.
    fn customer(&self) -> Option<C> {
        match *self {
            Self::Known(customer) | Self::Verified(customer) => Some(customer),
            Self::Absent | Self::Blocked(_) | Self::New => None,
        }
    }
}

/// The customers that a statement may meet. `C` names one for the time of one call.
pub(super) trait World<C> {
    /// How old a customer is: the smaller the number, the older.
    fn age(&self, customer: C) -> i64;
    /// Whether a user's contacts are part of it.
    fn has_user(&self, customer: C) -> bool;
    /// How many contact points the contacts of these customers show, those that do not link included. A
    /// value that several of them show counts once.
    fn points(&self, customers: &[C]) -> usize;
    /// Whether one of its contacts shows the statement's value in this slot without linking by it.
    fn carries(&self, customer: C, slot: usize) -> bool;
}

/// The verdict on a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Match<C> {
    /// The customer that the statement belongs to; `None`: to a new one.
    pub(super) anchor: Option<C>,
    /// Customers that become one with the anchor.
    pub(super) joined: [Option<C>; 3],
    /// Why a part of the statement does not link.
    pub(super) blocked: [Option<BlockRule>; 3],
    /// A guest's statement that was kept from somebody, or of which nothing links. Its repetition could
    /// be judged differently once others have grown, so it has to be found by its exact values.
    pub(super) exact: bool,
}

impl<C: Copy> Match<C> {
    /// The customers that are one from now on, the survivor first: the one with the oldest contact, whichever of them took
    /// the statement. That is what callers are shown as the primary, also where its values were changed later.
    pub(super) fn survivor_first<K: Ord>(&self, primary: impl Fn(C) -> K) -> Vec<C> {
        let joined = self.joined.into_iter().flatten();
        let mut group: Vec<C> = self.anchor.into_iter().chain(joined).collect();
        group.sort_by_key(|customer| primary(*customer));
        group
    }
}

/// Judges a statement. `exact` is the customer that is known under its exact values, `cap` the most contact
/// points of a customer.
///
/// Customers are tried in a fixed order, so the verdict is a function of the arguments:
/// 1. the customer of the statement's user, who always takes it;
/// 2. the one known under the exact values of a guest's statement, so that a repetition finds what
///    its first time left, whatever came in between;
/// 3. those whose users have verified a value, the email's first;
/// 4. the oldest.
///
/// The first that may take the statement is the anchor; the others are joined where no rule forbids.
pub(super) fn find_match<C: Copy + Eq>(
    slots: &[Slot<C>; 3],
    exact: Option<C>,
    world: &impl World<C>,
    cap: usize,
) -> Match<C> {
    let mut verdict = Match {
        anchor: None,
        joined: [None; 3],
        blocked: slots.map(|slot| match slot {
            Slot::Blocked(rule) => Some(rule),
            _ => None,
        }),
        exact: false,
    };
    let mut group = Group { customers: Vec::new(), user: slots[USER] != Slot::Absent };
    // A guest's exact values say nothing about a user, who is found by the account.
    let exact = exact.filter(|_| !group.user);
    for customer in candidates(slots, exact, world).into_iter().flatten() {
        let own_user = slots[USER] == Slot::Known(customer);
        let fresh = fresh_values(slots, world, &[customer]);
        group.customers.push(customer);
        // What would be shown together, counted as it will be when the statement is repeated: anything
        // else, and the repetition could be judged differently.
        let arriving = world.points(&group.customers) + fresh_values(slots, world, &group.customers);
        // A full customer takes what it shows already, and whatever its own user says.
        let rule = if group.user && !own_user && world.has_user(customer) {
            Some(BlockRule::TwoUsers)
        } else if arriving > cap && !own_user && (fresh > 0 || verdict.anchor.is_some()) {
            Some(BlockRule::CustomerFull)
        } else {
            None
        };
        match rule {
            Some(_) => {
                group.customers.pop();
                verdict.block(slots, customer, rule);
            }
            None => {
                group.user |= world.has_user(customer);
                verdict.take(customer);
            }
        }
    }
    let kept_out = verdict.blocked.into_iter().flatten().any(|rule| !rule.is_about_the_value());
    let homeless = slots.iter().all(|slot| matches!(slot, Slot::Absent | Slot::Blocked(_)));
    verdict.exact = slots[USER] == Slot::Absent && (kept_out || homeless);
    verdict
}

/// What has been brought together so far.
struct Group<C> {
    customers: Vec<C>,
    user: bool,
}

impl<C: Copy + Eq> Match<C> {
    fn take(&mut self, customer: C) {
        match self {
            Self { anchor: anchor @ None, .. } => *anchor = Some(customer),
            Self { joined: [first @ None, ..], .. } => *first = Some(customer),
            Self { joined: [_, second @ None, _], .. } => *second = Some(customer),
            Self { joined: [.., third], .. } => *third = Some(customer),
        }
    }

    fn block(&mut self, slots: &[Slot<C>; 3], customer: C, rule: Option<BlockRule>) {
        for (slot, blocked) in slots.iter().zip(&mut self.blocked) {
            if slot.customer() == Some(customer) {
                *blocked = rule;
            }
        }
    }
}

/// The distinct customers of the slots and of a guest's exact values, in the order in which they are tried.
fn candidates<C: Copy + Eq>(slots: &[Slot<C>; 3], exact: Option<C>, world: &impl World<C>) -> [Option<C>; 4] {
    let mut found = [None; 4];
    let mut count = 0;
    for customer in exact.into_iter().chain(slots.iter().filter_map(Slot::customer)) {
        if !found.contains(&Some(customer)) {
            found[count] = Some(customer);
            count += 1;
        }
    }
    // One candidate, the common case, needs no order.
    if count > 1 {
        found[..count].sort_by_key(|candidate| {
            candidate.map(|customer| {
                let stranger = slots[USER] != Slot::Known(customer);
                let verified = slots.iter().position(|slot| *slot == Slot::Verified(customer));
                // Behind those who verified come the others, by age.
                let place = verified.unwrap_or(slots.len());
                (stranger, exact != Some(customer), place, world.age(customer))
            })
        });
    }
    found
}

/// How many of the statement's values these customers do not show yet.
fn fresh_values<C: Copy + Eq>(slots: &[Slot<C>; 3], world: &impl World<C>, customers: &[C]) -> usize {
    let carried = |slot| customers.iter().any(|customer| world.carries(*customer, slot));
    [EMAIL, PHONE]
        .into_iter()
        .filter(|slot| match slots[*slot] {
            Slot::Absent => false,
            Slot::Known(owner) | Slot::Verified(owner) if customers.contains(&owner) => false,
            Slot::New | Slot::Known(_) | Slot::Verified(_) | Slot::Blocked(_) => !carried(*slot),
        })
        .count()
}
