//! Whatever is created, upserted, changed, withdrawn and identified, in whatever order: the customers are
//! those that the bulk resolver makes, from nothing, of the evidence that is left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use onefold_domain::{
    BlockRule, ContactRecord, ContactRequest, ContactSource, LinkPolicy, MemoryStore, Outcome, Part,
    Received, Statement, Store, UserId, resolve,
};
use onefold_persistence::testing::TestDatabase;
use proptest::prelude::*;

use crate::desk::{Desk, to_email, to_phone};
use crate::scene::{email, in_time, phone, request, user};

/// Few values, so that histories meet. One of each never links, and two are one phone in two spellings.
const EMAILS: [&str; 5] =
    ["a@example.com", "b@example.com", "c@example.com", "d@example.com", "none@example.com"];
const PHONES: [&str; 6] = ["101", "102", "103", "0000000000", "+5511991234567", "+551191234567"];
const USERS: u128 = 3;

/// One thing done. Contacts are meant by their place among those that are there.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Create(Statement),
    Upsert(Statement),
    Identify(Statement),
    Change(prop::sample::Index, usize),
    Withdraw(prop::sample::Index),
}

fn statements(users: bool) -> impl Strategy<Value = Statement> {
    // What waits for a spelling is not served by another one, so users have one spelling each.
    let phones = if users { PHONES.len() - 1 } else { PHONES.len() };
    let values = (0..EMAILS.len(), 0..phones, 0..3_u8);
    let of = if users { prop::option::weighted(0.4, 1..=USERS).boxed() } else { Just(None).boxed() };
    (values, of).prop_map(|((email_index, phone_index, kind), of)| {
        let email = (kind != 0).then(|| email(EMAILS[email_index]));
        let phone = (kind != 1).then(|| phone(PHONES[phone_index]));
        let guests = Statement::new(email, phone).expect("a statement says something");
        match of {
            Some(number) => guests.of_user(user(number)),
            None => guests,
        }
    })
}

pub(crate) fn steps(users: bool) -> impl Strategy<Value = Vec<Step>> {
    let contact = any::<prop::sample::Index>;
    let step = prop_oneof![
        3 => statements(users).prop_map(Step::Create),
        2 => statements(users).prop_map(Step::Upsert),
        3 => statements(users).prop_map(Step::Identify),
        2 => (contact(), 0..5_usize).prop_map(|(contact, value)| Step::Change(contact, value)),
        3 => contact().prop_map(Step::Withdraw),
    ];
    prop::collection::vec(step, 1..24)
}

/// A store that is written to, and what no record of it tells.
pub(crate) struct World {
    pub(crate) desk: Desk,
    /// What identify said of values that were known, as far as it links.
    joins: Vec<Statement>,
}

impl World {
    pub(crate) async fn new(store: &Arc<dyn Store>) -> Self {
        let desk = Desk::new(store);
        for number in 1..=USERS {
            desk.user(number).await;
        }
        Self { desk, joins: Vec::new() }
    }

    /// Does these things, and compares after each.
    async fn live(&mut self, steps: &[Step], users: bool) {
        for step in steps {
            let before = self.desk.everything().await;
            self.take(step).await;
            let records = self.desk.everything().await;
            self.forget(&not_served_yet(&records, &before));
            self.compare(&records);
            assert_nobody_waits_in_vain(&records, &self.joins);
        }
        if !users {
            self.assert_settled().await;
        }
    }

    pub(crate) async fn take(&mut self, step: &Step) {
        let desk = self.desk.clone();
        let asked = |statement: &Statement| {
            ContactRequest::new(statement.clone(), Received::default(), ContactSource::Order)
        };
        match step {
            Step::Create(statement) => drop(desk.create(&asked(statement)).await),
            Step::Upsert(statement) => drop(desk.upsert(&asked(statement)).await),
            Step::Identify(statement) => self.identify(statement).await,
            Step::Change(contact, value) => {
                let Some(record) = chosen(&desk, contact).await else { return };
                let change = match (record.statement.email(), record.statement.phone()) {
                    (Some(_), None) => to_email(EMAILS[*value]),
                    (Some(_), Some(_)) if value % 2 == 0 => to_email(EMAILS[*value]),
                    _ => to_phone(PHONES[*value]),
                };
                desk.change(record.id, change).await;
            }
            Step::Withdraw(contact) => {
                let Some(record) = chosen(&desk, contact).await else { return };
                desk.withdraw(record.id).await;
            }
        }
    }

    async fn identify(&mut self, statement: &Statement) {
        let before = self.desk.everything().await.len();
        let answer = self.desk.identify.run(&request(statement.clone())).await.expect("an answer");
        let added = self.desk.everything().await.len() - before;
        if answer.outcome == Outcome::Merged && added == 0 {
            let blocked = |part| answer.blocked.iter().any(|block| block.part == part);
            self.joins.push(linking(statement, blocked(Part::Email), blocked(Part::Phone)));
        }
    }

    /// What was said of people who are all gone, or by a user who is, is no evidence any more.
    fn forget(&mut self, records: &[ContactRecord]) {
        let here = |user| records.iter().any(|record| record.user() == Some(user));
        self.joins.retain(|join| join.user().is_none_or(here));
        let customers = self.resolved(records);
        let (living, joined) = customers.split_at(records.len());
        let mut joined = joined.iter();
        self.joins.retain(|_| joined.next().is_some_and(|customer| living.contains(customer)));
    }

    /// The customers of all records, then of all joins.
    fn resolved(&self, records: &[ContactRecord]) -> Vec<u32> {
        let evidence: Vec<Statement> =
            records.iter().map(as_far_as_it_links).chain(self.joins.iter().cloned()).collect();
        resolve(&evidence, &LinkPolicy::shipped()).customers().to_vec()
    }

    fn compare(&self, records: &[ContactRecord]) {
        let resolved = &self.resolved(records)[..records.len()];
        let stored = parts(records.iter().map(|record| record.customer));
        assert_eq!(stored, parts(resolved.iter().copied()), "{records:#?} and {:#?}", self.joins);
        let mut users: BTreeMap<_, BTreeSet<UserId>> = BTreeMap::new();
        for record in records {
            users.entry(record.customer).or_default().extend(record.user());
        }
        assert!(users.values().all(|users| users.len() <= 1), "a customer has two users");
    }

    /// As long as no rule stands in the way, what is there says nothing new, whoever repeats it.
    async fn assert_settled(&self) {
        for record in self.desk.everything().await {
            let answer = self.desk.identify.run(&request(record.statement)).await.expect("an answer");
            assert_eq!((answer.outcome, answer.customer.id), (Outcome::Known, record.customer));
            assert_eq!(answer.customer.primary(), Some(record.primary));
        }
    }
}

async fn chosen(desk: &Desk, contact: &prop::sample::Index) -> Option<ContactRecord> {
    let mut records = desk.everything().await;
    (!records.is_empty()).then(|| records.swap_remove(contact.index(records.len())))
}

/// These records before any of them got a value that has become free: what was said of that value is gone
/// by then, if nobody else stood behind it.
fn not_served_yet(records: &[ContactRecord], before: &[ContactRecord]) -> Vec<ContactRecord> {
    let mut records = records.to_vec();
    for record in &mut records {
        let same = |old: &&ContactRecord| old.id == record.id && old.statement == record.statement;
        if let Some(old) = before.iter().find(same) {
            (record.email_blocked_by, record.phone_blocked_by) = (old.email_blocked_by, old.phone_blocked_by);
        }
    }
    records
}

/// What a record says without what a rule keeps from linking: the rules look at the past, which is not
/// part of the evidence.
fn as_far_as_it_links(record: &ContactRecord) -> Statement {
    linking(&record.statement, record.email_blocked_by.is_some(), record.phone_blocked_by.is_some())
}

/// A statement of which nothing is left links by its user, or by its exact values; a value that nobody else
/// has stands for them.
fn linking(statement: &Statement, email_blocked: bool, phone_blocked: bool) -> Statement {
    let linking = Statement::new(
        statement.email().filter(|_| !email_blocked).cloned(),
        statement.phone().filter(|_| !phone_blocked).cloned(),
    );
    let own = || {
        let name = match statement.user() {
            Some(user) => user.0.simple().to_string(),
            None => {
                let email = statement.email().map_or("", |email| email.as_str()).replace('@', ".");
                format!(
                    "{email}.{}",
                    statement.phone().map_or(String::new(), |phone| phone.match_key().replace('+', "00"))
                )
            }
        };
        Statement::new(Some(email(&format!("only-{name}@example.org"))), None).expect("a statement")
    };
    let linking = linking.unwrap_or_else(own);
    match statement.user() {
        Some(user) => linking.of_user(user),
        None => linking,
    }
}

/// A value that a rule keeps from somebody because it is another's must be another's.
fn assert_nobody_waits_in_vain(records: &[ContactRecord], joins: &[Statement]) {
    let evidence: Vec<Statement> =
        records.iter().map(as_far_as_it_links).chain(joins.iter().cloned()).collect();
    for record in records {
        let statement = &record.statement;
        if record.email_blocked_by == Some(BlockRule::TwoUsers) {
            assert!(evidence.iter().any(|said| said.email() == statement.email()), "{records:#?}");
        }
        if record.phone_blocked_by == Some(BlockRule::TwoUsers) {
            assert!(evidence.iter().any(|said| said.phone() == statement.phone()), "{records:#?}");
        }
    }
}

/// A partition as the set of its parts, whatever they are called.
pub(crate) fn parts<K: Ord>(names: impl IntoIterator<Item = K>) -> BTreeSet<Vec<usize>> {
    let mut parts: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (index, name) in names.into_iter().enumerate() {
        parts.entry(name).or_default().push(index);
    }
    parts.into_values().collect()
}

fn run<T>(case: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(in_time(case))
}

async fn live_in_memory(steps: &[Step], users: bool) {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    World::new(&store).await.live(steps, users).await;
}

async fn live_on_sqlite(steps: &[Step], users: bool) {
    let database = TestDatabase::sqlite();
    let store: Arc<dyn Store> = Arc::new(database.store().await);
    World::new(&store).await.live(steps, users).await;
    database.assert_invariants().await;
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

mod memory {
    use super::*;

    proptest! {
        #![proptest_config(cases(48))]

        #[test]
        fn guests_are_grouped_by_what_is_left(steps in steps(false)) {
            run(live_in_memory(&steps, false));
        }

        #[test]
        fn users_are_grouped_by_what_links(steps in steps(true)) {
            run(live_in_memory(&steps, true));
        }
    }
}

mod sqlite {
    use super::*;

    proptest! {
        #![proptest_config(cases(8))]

        #[test]
        fn guests_are_grouped_by_what_is_left(steps in steps(false)) {
            run(live_on_sqlite(&steps, false));
        }

        #[test]
        fn users_are_grouped_by_what_links(steps in steps(true)) {
            run(live_on_sqlite(&steps, true));
        }
    }
}
