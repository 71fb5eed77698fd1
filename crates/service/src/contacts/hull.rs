//! All evidence that hangs together with something that was changed: what has to be laid anew, and nothing beside it.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};

use crate::store::{BlockedValues, StoreError, Transaction};
use onefold_domain::contact::{ContactRecord, Statement};
use onefold_domain::id::CustomerId;
use onefold_domain::link_key::{KeyKind, LinkKey, StatementKeys};
use onefold_domain::linking::{Candidates, CustomerSnapshot, DetailedContact, Verified};
use onefold_domain::policy::LinkPolicy;

/// The customers that hang together, locked, and what is known of the values that hold them together.
pub(super) struct Hull<'a> {
    policy: &'a LinkPolicy,
    /// Values of which something was changed: they hold together whoever shows them, whatever a rule says now, since
    /// it may have said otherwise before.
    open: HashSet<LinkKey>,
    snapshots: Vec<CustomerSnapshot>,
    known: HashSet<CustomerId>,
    /// What was found of each key that the hull shows.
    ties: HashMap<LinkKey, Tie>,
    verified: Verified,
}

/// The customers that one key could hold together.
#[derive(Default)]
struct Tie {
    customers: BTreeSet<CustomerId>,
    /// Contacts that show the value and do not link by it now, with their customers.
    waiting: Vec<(Statement, CustomerId)>,
}

impl<'a> Hull<'a> {
    /// Reads everything that hangs together with this customer or with the values of these statements, and locks
    /// it as it is found. `Conflict` if any of it changed meanwhile.
    ///
    /// What a value-based rule keeps from linking holds nothing together. What `two_users` or `customer_full` keeps
    /// apart does: laid anew, it may link.
    pub(super) async fn read(
        transaction: &mut dyn Transaction,
        policy: &'a LinkPolicy,
        customer: CustomerId,
        changed: &[Statement],
        at: DateTime<Utc>,
    ) -> Result<Self, StoreError> {
        let keys = changed.iter().map(|statement| StatementKeys::of(statement, policy));
        let mut hull = Self {
            policy,
            open: keys.flat_map(|keys| keys.to_vec()).collect(),
            snapshots: Vec::new(),
            known: HashSet::new(),
            ties: HashMap::new(),
            verified: Verified::default(),
        };
        let mut wanted = BTreeSet::from([customer]);
        let mut unread: BTreeSet<LinkKey> = hull.open.iter().cloned().collect();
        // What is found later may come before what is locked already. Two that lock each other out in this way are told so by the
        // database, and one of them starts over.
        while !wanted.is_empty() || !unread.is_empty() {
            for id in std::mem::take(&mut wanted) {
                let snapshot = transaction.customers().snapshot(id).await?;
                transaction.customers().advance(id, snapshot.version, at).await?;
                unread.extend(hull.take_in(snapshot));
            }
            let keys: Vec<LinkKey> =
                std::mem::take(&mut unread).into_iter().filter(|key| !hull.ties.contains_key(key)).collect();
            if !keys.is_empty() {
                hull.look_up(transaction, &keys).await?;
            }
            wanted = hull.tied();
        }
        Ok(hull)
    }

    /// The customers by their ids, and whose the values are that they show.
    pub(super) fn into_parts(mut self) -> (Vec<CustomerSnapshot>, Verified) {
        self.snapshots.sort_unstable_by_key(|snapshot| snapshot.id);
        (self.snapshots, self.verified)
    }

    /// Adds a customer; returns the keys that it could hang together with others by.
    fn take_in(&mut self, snapshot: CustomerSnapshot) -> Vec<LinkKey> {
        self.known.insert(snapshot.id);
        for contact in &snapshot.contacts {
            self.verified.add(contact, self.policy);
        }
        let keys =
            statements(&snapshot).flat_map(|statement| StatementKeys::of(statement, self.policy).to_vec());
        let keys = keys.collect();
        self.snapshots.push(snapshot);
        keys
    }

    /// Finds out who has these keys, and who shows the values without linking by them.
    async fn look_up(
        &mut self,
        transaction: &mut dyn Transaction,
        keys: &[LinkKey],
    ) -> Result<(), StoreError> {
        let candidates = transaction.customers().candidates_of_many(keys).await?;
        self.note_verifiers(&candidates);
        let found = candidates.found;
        let values: Vec<LinkKey> = keys.iter().filter(|key| self.is_value(key)).cloned().collect();
        let waiting = transaction.contacts().blocked(&BlockedValues::of(&values, self.policy)).await?;
        // Also of keys that nobody has, so that none is looked up twice.
        for key in keys {
            self.ties.insert(key.clone(), Tie::default());
        }
        for (key, customer) in found {
            self.ties.entry(key).or_default().customers.insert(customer);
        }
        for record in waiting {
            self.verified.add(&evidence(&record), self.policy);
            for key in StatementKeys::of(&record.statement, self.policy).values() {
                if let Some(tie) = self.ties.get_mut(key) {
                    tie.waiting.push((record.statement.clone(), record.customer));
                }
            }
        }
        Ok(())
    }

    /// Whose the values are that nothing was changed of. The customer that such a value leads to is its verifier's.
    fn note_verifiers(&mut self, candidates: &Candidates) {
        let leads: HashMap<&LinkKey, CustomerId> =
            candidates.found.iter().map(|(key, customer)| (key, *customer)).collect();
        for customer in &candidates.customers {
            for contact in customer.contacts.iter().filter(|contact| contact.is_verified) {
                let said = Statement::new(contact.email.clone(), contact.phone.clone());
                let (Some(said), Some(user)) = (said, contact.user) else { continue };
                for key in StatementKeys::of(&said, self.policy).values() {
                    if leads.get(key) == Some(&customer.id) && !self.open.contains(key) {
                        self.verified.note(key.clone(), user);
                    }
                }
            }
        }
    }

    /// A value that could link if nobody else had it.
    fn is_value(&self, key: &LinkKey) -> bool {
        matches!(key.kind, KeyKind::Email | KeyKind::Phone)
    }

    /// Customers that hang together with those that are here, and are not here yet.
    fn tied(&self) -> BTreeSet<CustomerId> {
        let shown = self.snapshots.iter().flat_map(statements).flat_map(|statement| self.holding(statement));
        let mut tied = BTreeSet::new();
        for key in shown.chain(self.open.iter().cloned()).collect::<HashSet<_>>() {
            let Some(tie) = self.ties.get(&key) else { continue };
            tied.extend(tie.customers.iter().copied());
            let holds = |statement: &Statement| self.holding(statement).contains(&key);
            tied.extend(tie.waiting.iter().filter(|(said, _)| holds(said)).map(|(_, customer)| *customer));
        }
        tied.retain(|customer| !self.known.contains(customer));
        tied
    }

    /// The keys by which a statement hangs together with others.
    fn holding(&self, statement: &Statement) -> Vec<LinkKey> {
        let keys = StatementKeys::of(statement, self.policy);
        let [email, phone] = self.verified.rules(statement, self.policy);
        let free = |key: &Option<LinkKey>, rule: Option<_>| {
            key.clone().filter(|key| rule.is_none() || self.open.contains(key))
        };
        let exact = Some(keys.exact.clone()).filter(|_| keys.user.is_none());
        [free(&keys.email, email), free(&keys.phone, phone), keys.user, exact].into_iter().flatten().collect()
    }
}

/// What a customer's evidence says.
fn statements(snapshot: &CustomerSnapshot) -> impl Iterator<Item = &Statement> {
    let contacts = snapshot.contacts.iter().map(|contact| &contact.statement);
    let joins = snapshot.joins.iter().flat_map(|join| std::iter::once(&join.statement).chain(&join.beside));
    contacts.chain(joins)
}

fn evidence(record: &ContactRecord) -> DetailedContact {
    DetailedContact {
        id: record.id,
        order: record.order,
        filed_under: record.customer,
        statement: record.statement.clone(),
        verified_at: record.details.verified_at,
        claimed_by: record.claimed_by,
        email_blocked_by: record.email_blocked_by,
        phone_blocked_by: record.phone_blocked_by,
    }
}
