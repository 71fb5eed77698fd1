//! Customers from nothing: any number of statements in, the customer of each out. This is what
//! `identify` would have made of the same statements in the same order, without a store.
//!
//! A union-find over interned keys; one pass, no recursion, some 50 bytes per distinct value.

use std::borrow::Cow;

use hashbrown::{HashMap, HashSet};
use rustc_hash::FxBuildHasher;

use super::decide::rule_of_value;
use super::matching::{EMAIL, Match, PHONE, Slot, USER, World, find_match};
use crate::block::BlockRule;
use crate::contact::Statement;
use crate::id::UserId;
use crate::policy::LinkPolicy;

/// The customers that a list of statements resolves to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resolution {
    customers: Vec<u32>,
    count: usize,
    blocked: [u64; BlockRule::ALL.len()],
}

impl Resolution {
    /// The customer of each statement, in the order of the statements: numbers from 0, in the order
    /// in which customers first appear.
    pub fn customers(&self) -> &[u32] {
        &self.customers
    }

    /// How many customers there are.
    pub fn customer_count(&self) -> usize {
        self.count
    }

    /// How many values of statements did not link because of this rule.
    pub fn blocked_by(&self, rule: BlockRule) -> u64 {
        self.blocked[rule as usize]
    }
}

/// Groups statements into customers.
///
/// As long as neither the cap nor two users get in the way, the order of the statements does not
/// matter. Where they do, the older statement comes first, as it would have in `identify`. Verifications are not
/// looked at: `lay` does that.
///
/// At most `u32::MAX` distinct values; memory grows with them, not with the statements' number.
///
/// ```
/// use onefold_domain::contact::Statement;
/// use onefold_domain::email::EmailAddress;
/// use onefold_domain::linking::resolve;
/// use onefold_domain::phone::PhoneNumber;
/// use onefold_domain::policy::LinkPolicy;
///
/// let email = |text| EmailAddress::parse(text).map(Some);
/// let phone = |text| PhoneNumber::parse(text, None).map(Some);
/// let statements: Vec<_> = [
///     Statement::new(email("lorraine@hillvalley.edu")?, phone("123456")?),
///     Statement::new(email("doc@hillvalley.edu")?, None),
///     Statement::new(email("mcfly@hillvalley.edu")?, phone("123456")?),
/// ]
/// .into_iter()
/// .flatten()
/// .collect();
///
/// let resolution = resolve(&statements, &LinkPolicy::shipped());
/// assert_eq!(resolution.customers(), [0, 1, 0]);
/// assert_eq!(resolution.customer_count(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn resolve<'a>(
    statements: impl IntoIterator<Item = &'a Statement>,
    policy: &'a LinkPolicy,
) -> Resolution {
    let statements = statements.into_iter();
    let mut resolver = Resolver::new(policy, statements.size_hint().0);
    for statement in statements {
        resolver.add(statement);
    }
    resolver.finish()
}

type Table<K> = HashMap<K, u32, FxBuildHasher>;

/// A key. Roots stand for customers, and only their `age`, `points` and `has_user` count.
struct Node {
    parent: u32,
    /// The first statement of the customer.
    age: u32,
    /// Emails and phones that link by this customer.
    points: u32,
    has_user: bool,
    never_links: bool,
}

impl Node {
    /// Whether it leads to a customer, or is a value that nobody links by.
    fn is_claimed(&self) -> bool {
        self.age != u32::MAX
    }
}

struct Resolver<'a> {
    policy: &'a LinkPolicy,
    emails: Table<Cow<'a, str>>,
    phones: Table<Cow<'a, str>>,
    users: Table<UserId>,
    /// Customers of statements that are found by their exact values: a node each, by the values' nodes.
    exact: Table<[u32; 2]>,
    nodes: Vec<Node>,
    /// Values that a root's statements show although they link elsewhere or not at all. Rare.
    carried: HashMap<u32, HashSet<u32>>,
    /// For each statement, a node of its customer.
    placed: Vec<u32>,
    blocked: [u64; BlockRule::ALL.len()],
}

/// Stands for "no value" where a node is expected.
const NOTHING: u32 = u32::MAX;

impl<'a> Resolver<'a> {
    fn new(policy: &'a LinkPolicy, expected: usize) -> Self {
        Self {
            policy,
            emails: Table::with_capacity_and_hasher(expected / 2, FxBuildHasher),
            phones: Table::with_capacity_and_hasher(expected / 2, FxBuildHasher),
            users: Table::default(),
            exact: Table::default(),
            nodes: Vec::with_capacity(expected),
            carried: HashMap::new(),
            placed: Vec::with_capacity(expected),
            blocked: [0; BlockRule::ALL.len()],
        }
    }

    fn add(&mut self, statement: &'a Statement) {
        let nodes = self.intern(statement);
        let mut slots = [Slot::Absent; 3];
        for (slot, node) in nodes.iter().enumerate() {
            let Some(node) = *node else { continue };
            let never_links = self.nodes[node as usize].never_links;
            let blocked = if slot == USER { None } else { rule_of_value(statement, never_links, None) };
            slots[slot] = match blocked {
                Some(rule) => Slot::Blocked(rule),
                None if !self.nodes[node as usize].is_claimed() => Slot::New,
                None => Slot::Known(self.root(node)),
            };
        }
        let nodes = nodes.map(|node| node.unwrap_or(NOTHING));
        let exact = self.exact_customer([nodes[EMAIL], nodes[PHONE]]);
        let world = Placing { resolver: self, nodes };
        let verdict = find_match(&slots, exact, &world, self.policy.max_contact_points());
        for rule in verdict.blocked.into_iter().flatten() {
            self.blocked[rule as usize] += 1;
        }
        let home = self.home(&slots, nodes, &verdict);
        self.placed.push(home);
    }

    /// The nodes of the statement's parts.
    fn intern(&mut self, statement: &'a Statement) -> [Option<u32>; 3] {
        let nodes = &mut self.nodes;
        let email = statement.email().map(|email| {
            let known = self.emails.entry(self.policy.email_match_key(email));
            node_of(known, nodes, || self.policy.never_links_email(email))
        });
        let phone = statement.phone().map(|phone| {
            let known = self.phones.entry(phone.match_key());
            node_of(known, nodes, || self.policy.never_links_phone(phone))
        });
        let user = statement.user().map(|user| node_of(self.users.entry(user), nodes, || false));
        [email, phone, user]
    }

    /// Carries a verdict out and returns a node of the statement's customer.
    fn home(&mut self, slots: &[Slot<u32>; 3], nodes: [u32; 3], verdict: &Match<u32>) -> u32 {
        let mut home = verdict.anchor;
        for other in verdict.joined.into_iter().flatten() {
            home = home.map(|home| self.union(home, other));
        }
        for slot in [EMAIL, PHONE, USER] {
            if slots[slot] == Slot::New {
                self.claim(nodes[slot], slot);
                home = Some(home.map_or(nodes[slot], |home| self.union(home, nodes[slot])));
            }
        }
        let home = home.unwrap_or_else(|| self.customer_without_keys());
        if verdict.exact {
            self.exact.entry([nodes[EMAIL], nodes[PHONE]]).or_insert(home);
        }
        for slot in [EMAIL, PHONE] {
            // It links nobody, and counts as a point of the customer that shows it.
            if verdict.blocked[slot].is_some() {
                self.carried.entry(home).or_default().insert(nodes[slot]);
            }
        }
        home
    }

    /// Makes a new node a customer of one value; joining it to another is left to `union`.
    fn claim(&mut self, node: u32, slot: usize) {
        let age = self.now();
        let node = &mut self.nodes[node as usize];
        node.age = age;
        node.points = u32::from(slot != USER);
        node.has_user = slot == USER;
    }

    fn customer_without_keys(&mut self) -> u32 {
        let node = push_node(&mut self.nodes, false);
        self.nodes[node as usize].age = self.now();
        node
    }

    fn exact_customer(&mut self, values: [u32; 2]) -> Option<u32> {
        // Almost always: spares every statement a look-up.
        if self.exact.is_empty() {
            return None;
        }
        let node = *self.exact.get(&values)?;
        Some(self.root(node))
    }

    fn now(&self) -> u32 {
        u32::try_from(self.placed.len()).unwrap_or(u32::MAX)
    }

    /// The root of a node. Halves the path on the way.
    fn root(&mut self, mut node: u32) -> u32 {
        loop {
            let parent = self.nodes[node as usize].parent;
            if parent == node {
                return node;
            }
            let grandparent = self.nodes[parent as usize].parent;
            self.nodes[node as usize].parent = grandparent;
            node = grandparent;
        }
    }

    /// The root of a node, when nothing may change.
    fn root_of(&self, mut node: u32) -> u32 {
        while self.nodes[node as usize].parent != node {
            node = self.nodes[node as usize].parent;
        }
        node
    }

    /// Makes two customers one; the one with fewer points hangs on the other.
    fn union(&mut self, one: u32, other: u32) -> u32 {
        let (keep, drop) = if self.nodes[one as usize].points < self.nodes[other as usize].points {
            (other, one)
        } else {
            (one, other)
        };
        let Node { age, points, has_user, .. } = self.nodes[drop as usize];
        self.nodes[drop as usize].parent = keep;
        let root = &mut self.nodes[keep as usize];
        root.age = root.age.min(age);
        root.points += points;
        root.has_user |= has_user;
        self.union_carried(keep, drop);
        keep
    }

    fn union_carried(&mut self, keep: u32, drop: u32) {
        if self.carried.is_empty() {
            return;
        }
        let mine = self.carried.remove(&keep).unwrap_or_default();
        let theirs = self.carried.remove(&drop).unwrap_or_default();
        let (mut more, fewer) = if mine.len() < theirs.len() { (theirs, mine) } else { (mine, theirs) };
        more.extend(fewer);
        // What the other side brought may be what this side carried: now it links here.
        more.retain(|value| self.root(*value) != keep);
        if !more.is_empty() {
            self.carried.insert(keep, more);
        }
    }

    fn finish(mut self) -> Resolution {
        let placed = std::mem::take(&mut self.placed);
        let mut numbers = vec![NOTHING; self.nodes.len()];
        let mut count = 0;
        let customers = placed
            .into_iter()
            .map(|node| {
                let number = &mut numbers[self.root(node) as usize];
                if *number == NOTHING {
                    *number = count;
                    count += 1;
                }
                *number
            })
            .collect();
        Resolution { customers, count: count as usize, blocked: self.blocked }
    }
}

fn node_of<K: Eq + std::hash::Hash>(
    entry: hashbrown::hash_map::Entry<'_, K, u32, FxBuildHasher>,
    nodes: &mut Vec<Node>,
    never_links: impl FnOnce() -> bool,
) -> u32 {
    use hashbrown::hash_map::Entry;
    match entry {
        Entry::Occupied(known) => *known.get(),
        Entry::Vacant(vacant) => *vacant.insert(push_node(nodes, never_links())),
    }
}

fn push_node(nodes: &mut Vec<Node>, never_links: bool) -> u32 {
    let node = u32::try_from(nodes.len()).unwrap_or(NOTHING);
    nodes.push(Node { parent: node, age: u32::MAX, points: 0, has_user: false, never_links });
    node
}

/// The resolver as the world that `place` asks, for one statement.
struct Placing<'r, 'a> {
    resolver: &'r Resolver<'a>,
    nodes: [u32; 3],
}

impl World<u32> for Placing<'_, '_> {
    fn age(&self, customer: u32) -> i64 {
        self.resolver.nodes[customer as usize].age.into()
    }

    fn has_user(&self, customer: u32) -> bool {
        self.resolver.nodes[customer as usize].has_user
    }

    fn points(&self, customers: &[u32]) -> usize {
        let owned = customers.iter().map(|root| self.resolver.nodes[*root as usize].points as usize).sum();
        // Almost always: spares every statement a look-up.
        if self.resolver.carried.is_empty() {
            return owned;
        }
        let carried: HashSet<u32> = customers
            .iter()
            .filter_map(|root| self.resolver.carried.get(root))
            .flatten()
            .copied()
            .filter(|value| !customers.contains(&self.resolver.root_of(*value)))
            .collect();
        owned + carried.len()
    }

    fn carries(&self, customer: u32, slot: usize) -> bool {
        let node = self.nodes[slot];
        self.resolver.carried.get(&customer).is_some_and(|carried| carried.contains(&node))
    }
}
