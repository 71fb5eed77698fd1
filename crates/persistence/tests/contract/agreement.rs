//! Whatever is created, upserted, claimed, verified, changed, withdrawn and identified, by whomever and in whatever
//! order: what a store holds is what `lay` makes, from nothing, of the evidence that is left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use onefold_domain::contact::{ContactRecord, Received, Statement};
use onefold_domain::id::{CustomerId, UserId};
use onefold_domain::linking::{CustomerSnapshot, Outcome, lay};
use onefold_domain::policy::LinkPolicy;
use onefold_domain::source::ContactSource;
use onefold_memory::MemoryStore;
use onefold_persistence::testing::TestDatabase;
use onefold_service::actor::{Acting, Actor};
use onefold_service::contacts::{ContactChange, ContactRequest};
use onefold_service::token::TokenId;
use onefold_sync::store::SyncStore;
use proptest::prelude::*;

use crate::scene::{email, in_time, phone, request, service_with, user};
use crate::use_cases::{UseCases, to_email, to_phone};

/// Few values, so that histories meet. One of each never links, and two are one phone in two spellings.
const EMAILS: [&str; 5] =
    ["a@example.com", "b@example.com", "c@example.com", "d@example.com", "none@example.com"];
const PHONES: [&str; 6] = ["101", "102", "103", "0000000000", "+5511991234567", "+551191234567"];
const USERS: u128 = 3;

/// One thing done. Contacts are meant by their place among those that are there.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Create(Said),
    Upsert(Said),
    Identify(Statement),
    Change(prop::sample::Index, usize),
    Verify(prop::sample::Index, bool),
    Withdraw(prop::sample::Index),
}

/// A statement, and who makes it.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    statement: Statement,
    is_verified: bool,
    by_the_user: bool,
}

/// Who takes part in a history.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum People {
    Guests,
    /// Users as well, of whom nobody has verified anything.
    Users,
    /// Users who verify, and who speak for themselves.
    Verifiers,
}

fn statements(people: People) -> impl Strategy<Value = Statement> {
    let values = (0..EMAILS.len(), 0..PHONES.len(), 0..3_u8);
    let users = people != People::Guests;
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

fn said(people: People) -> impl Strategy<Value = Said> {
    (statements(people), 0..4_u8).prop_map(move |(statement, how)| {
        let may = people == People::Verifiers && statement.user().is_some();
        Said { statement, is_verified: may && how == 1, by_the_user: may && how == 2 }
    })
}

pub(crate) fn steps(people: People) -> impl Strategy<Value = (usize, Vec<Step>)> {
    let contact = any::<prop::sample::Index>;
    let verifies = u32::from(people == People::Verifiers) * 3;
    let step = prop_oneof![
        4 => said(people).prop_map(Step::Create),
        3 => said(people).prop_map(Step::Upsert),
        3 => statements(people).prop_map(Step::Identify),
        2 => (contact(), 0..5_usize).prop_map(|(contact, value)| Step::Change(contact, value)),
        1 + verifies => (contact(), any::<bool>()).prop_map(|(contact, is)| Step::Verify(contact, is)),
        3 => contact().prop_map(Step::Withdraw),
    ];
    (prop_oneof![2 => Just(1_000_usize), 1 => 2..6_usize], prop::collection::vec(step, 1..24))
}

/// A store that is written to.
pub(crate) struct World {
    store: Arc<dyn SyncStore>,
    policy: LinkPolicy,
    pub(crate) use_cases: UseCases,
}

impl World {
    pub(crate) async fn new(store: &Arc<dyn SyncStore>, cap: usize) -> Self {
        let policy = LinkPolicy::shipped().with_max_contact_points(cap);
        let use_cases = UseCases::over(service_with(store, policy.clone()));
        for number in 1..=USERS {
            use_cases.user(number).await;
        }
        Self { store: Arc::clone(store), policy, use_cases }
    }

    /// Does these things, and compares after each.
    async fn live(&self, steps: &[Step], people: People) {
        for step in steps {
            let before = self.use_cases.everything().await;
            self.take(step, people).await;
            let snapshots = self.snapshots().await;
            self.compare(&snapshots).await;
            if brings_evidence(step) {
                assert_nobody_parts(&before, &self.use_cases.everything().await);
            }
        }
        if people == People::Guests {
            self.assert_settled().await;
        }
    }

    pub(crate) async fn take(&self, step: &Step, people: People) {
        let use_cases = &self.use_cases;
        match step {
            Step::Create(said) => drop(use_cases.by(&acting(said)).create(&asked(said)).await),
            // A user's own token cannot do that.
            Step::Upsert(said) => {
                drop(use_cases.upsert(&asked(&Said { by_the_user: false, ..said.clone() })).await);
            }
            Step::Identify(statement) => {
                use_cases.identify.run(&request(statement.clone())).await.expect("an answer");
            }
            Step::Change(contact, value) => {
                let Some(record) = chosen(use_cases, contact).await else { return };
                let change = match (record.statement.email(), record.statement.phone()) {
                    (Some(_), None) => to_email(EMAILS[*value]),
                    (Some(_), Some(_)) if value % 2 == 0 => to_email(EMAILS[*value]),
                    _ => to_phone(PHONES[*value]),
                };
                let by_the_user = people == People::Verifiers && value % 2 == 0 && record.user().is_some();
                let said = Said { statement: record.statement.clone(), is_verified: false, by_the_user };
                use_cases.by(&acting(&said)).change(record.id, change).await;
            }
            Step::Verify(contact, is_verified) => {
                let Some(record) = chosen(use_cases, contact).await else { return };
                let change = ContactChange { is_verified: Some(*is_verified), ..ContactChange::default() };
                use_cases.change(record.id, change).await;
            }
            Step::Withdraw(contact) => {
                let Some(record) = chosen(use_cases, contact).await else { return };
                use_cases.withdraw(record.id).await;
            }
        }
    }

    /// All evidence that counts, customer by customer.
    async fn snapshots(&self) -> Vec<CustomerSnapshot> {
        let records = self.use_cases.everything().await;
        let customers: BTreeSet<CustomerId> = records.iter().map(|record| record.customer).collect();
        let mut transaction = self.store.begin_sync().await.expect("a transaction");
        let mut snapshots = Vec::with_capacity(customers.len());
        for id in customers {
            snapshots.push(transaction.customers().snapshot(id).await.expect("a customer"));
        }
        snapshots
    }

    async fn compare(&self, snapshots: &[CustomerSnapshot]) {
        let contacts: Vec<_> = snapshots.iter().flat_map(|snapshot| snapshot.contacts.clone()).collect();
        let joins: Vec<_> = snapshots.iter().flat_map(|snapshot| snapshot.joins.clone()).collect();
        let layout = lay(&contacts, &joins, &self.policy);
        let stored: BTreeSet<Vec<_>> = snapshots
            .iter()
            .map(|snapshot| snapshot.contacts.iter().map(|contact| contact.id).collect())
            .collect();
        let laid: BTreeSet<Vec<_>> = layout.groups.iter().map(|group| group.contacts.clone()).collect();
        assert_eq!(stored, laid, "{contacts:#?} and {joins:#?}");
        for contact in &contacts {
            let blocked = [contact.email_blocked_by, contact.phone_blocked_by];
            let expected = layout.blocked.get(&contact.id).copied().unwrap_or_default();
            assert_eq!(blocked, expected, "contact {} of {contacts:#?}", contact.id.0);
        }
        let customer_of: BTreeMap<_, _> = snapshots
            .iter()
            .flat_map(|snapshot| snapshot.contacts.iter().map(|contact| (contact.id, snapshot.id)))
            .collect();
        for group in &layout.groups {
            let found = self.store.candidates(&group.keys).await.expect("the candidates").found;
            let expected: BTreeMap<_, _> =
                group.keys.iter().map(|key| (key.clone(), customer_of[&group.contacts[0]])).collect();
            assert_eq!(found.into_iter().collect::<BTreeMap<_, _>>(), expected, "{contacts:#?}");
        }
        assert!(layout.groups.iter().all(|group| self.users(snapshots, &group.contacts).len() <= 1));
    }

    fn users(
        &self,
        snapshots: &[CustomerSnapshot],
        contacts: &[onefold_domain::id::ContactId],
    ) -> BTreeSet<UserId> {
        let all = snapshots.iter().flat_map(|snapshot| &snapshot.contacts);
        all.filter(|contact| contacts.contains(&contact.id))
            .filter_map(|contact| contact.statement.user())
            .collect()
    }

    /// As long as no rule stands in the way, what is there says nothing new, whoever repeats it.
    async fn assert_settled(&self) {
        if self.policy.max_contact_points() < 1_000 {
            return;
        }
        for record in self.use_cases.everything().await {
            let answer = self.use_cases.identify.run(&request(record.statement)).await.expect("an answer");
            assert_eq!((answer.outcome, answer.customer.id), (Outcome::Known, record.customer));
            assert_eq!(answer.customer.primary(), Some(record.primary));
        }
    }
}

fn asked(said: &Said) -> ContactRequest {
    let is_verified = said.is_verified.then_some(true);
    let request = ContactRequest::new(said.statement.clone(), Received::default(), ContactSource::Order);
    ContactRequest { is_verified, ..request }
}

fn acting(said: &Said) -> Acting {
    match said.statement.user().filter(|_| said.by_the_user) {
        Some(user) => Acting::of(Actor::Token { id: TokenId(1), user: Some(user) }),
        None => Acting::default(),
    }
}

async fn chosen(use_cases: &UseCases, contact: &prop::sample::Index) -> Option<ContactRecord> {
    let mut records = use_cases.everything().await;
    (!records.is_empty()).then(|| records.swap_remove(contact.index(records.len())))
}

/// Evidence that is new, and verifies nothing.
fn brings_evidence(step: &Step) -> bool {
    match step {
        Step::Create(said) => !said.is_verified,
        Step::Identify(_) => true,
        _ => false,
    }
}

/// New evidence parts nobody, and changes no older block.
fn assert_nobody_parts(before: &[ContactRecord], after: &[ContactRecord]) {
    let now: BTreeMap<_, _> = after.iter().map(|record| (record.id, record)).collect();
    for (index, one) in before.iter().enumerate() {
        let is = now[&one.id];
        assert_eq!(one.email_blocked_by, is.email_blocked_by, "{before:#?} {after:#?}");
        assert_eq!(one.phone_blocked_by, is.phone_blocked_by, "{before:#?} {after:#?}");
        for other in &before[index..] {
            let together = one.customer == other.customer;
            assert!(!together || is.customer == now[&other.id].customer, "{before:#?} {after:#?}");
        }
    }
}

fn run<T>(case: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(in_time(case))
}

async fn live_in_memory((cap, steps): &(usize, Vec<Step>), people: People) {
    let store: Arc<dyn SyncStore> = Arc::new(MemoryStore::default());
    World::new(&store, *cap).await.live(steps, people).await;
}

async fn live_in(database: &TestDatabase, (cap, steps): &(usize, Vec<Step>), people: People) {
    let store: Arc<dyn SyncStore> = Arc::new(database.store().await);
    World::new(&store, *cap).await.live(steps, people).await;
    database.assert_invariants().await;
}

/// `ONEFOLD_CASES` asks for more of them.
fn cases(cases: u32) -> ProptestConfig {
    let asked = std::env::var("ONEFOLD_CASES").ok().and_then(|text| text.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(cases), failure_persistence: None, ..ProptestConfig::default() }
}

mod memory {
    use super::*;

    proptest! {
        #![proptest_config(cases(64))]

        #[test]
        fn guests_are_as_they_are_laid(history in steps(People::Guests)) {
            run(live_in_memory(&history, People::Guests));
        }

        #[test]
        fn users_are_as_they_are_laid(history in steps(People::Users)) {
            run(live_in_memory(&history, People::Users));
        }

        #[test]
        fn verifiers_are_as_they_are_laid(history in steps(People::Verifiers)) {
            run(live_in_memory(&history, People::Verifiers));
        }
    }
}

mod sqlite {
    use super::*;

    proptest! {
        #![proptest_config(cases(8))]

        #[test]
        fn users_are_as_they_are_laid(history in steps(People::Users)) {
            run(async { live_in(&TestDatabase::sqlite(), &history, People::Users).await });
        }

        #[test]
        fn verifiers_are_as_they_are_laid(history in steps(People::Verifiers)) {
            run(async { live_in(&TestDatabase::sqlite(), &history, People::Verifiers).await });
        }
    }
}

mod postgres {
    use super::*;

    proptest! {
        #![proptest_config(cases(6))]

        #[test]
        fn verifiers_are_as_they_are_laid(history in steps(People::Verifiers)) {
            run(async { live_in(&TestDatabase::postgres().await, &history, People::Verifiers).await });
        }
    }
}
