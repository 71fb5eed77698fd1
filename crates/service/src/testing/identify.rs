//! What every store for `identify` has to keep.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use uuid::Uuid;

use super::{ManualClock, SeededRandomness};
use crate::clock::Randomness;
use crate::identify::{Identified, Identify, IdentifyRequest};
use crate::store::{Decided, IdentifyStore, StoreError};
use onefold_domain::contact::{Received, Statement};
use onefold_domain::email::EmailAddress;
use onefold_domain::id::CustomerId;
use onefold_domain::link_key::StatementKeys;
use onefold_domain::linking::{Outcome, decide, resolve};
use onefold_domain::phone::PhoneNumber;
use onefold_domain::policy::LinkPolicy;

/// How many histories are told to a store, and of how many statements each.
const HISTORIES: u64 = 20;
const STATEMENTS: usize = 40;

/// How many callers say the same at once.
const CALLERS: usize = 16;

/// Checks a store: that it remembers, tells the same as the rules applied to all statements at once, carries a plan out as
/// a whole or not at all, gives way where a version has moved or a key is taken, and lets callers at the same time find one
/// customer. `make` gives an empty store each time; clones of it are the same store.
///
/// # Panics
/// With what is wrong.
pub async fn check_identify_store<S, F>(make: F)
where
    S: IdentifyStore + Clone + 'static,
    F: Fn() -> S,
{
    the_answers_are_those_of_the_rules(&make).await;
    a_void_plan_changes_nothing(&make()).await;
    a_taken_key_is_a_conflict(&make()).await;
    callers_at_once_find_one_customer(&make()).await;
}

async fn the_answers_are_those_of_the_rules<S: IdentifyStore>(make: &impl Fn() -> S) {
    for seed in 0..HISTORIES {
        let statements = history(seed);
        let identify = on(make(), seed);
        let mut last = Vec::new();
        for round in 0..2 {
            last.clear();
            for statement in &statements {
                let identified = run(&identify, statement).await;
                assert!(
                    round == 0 || identified.outcome == Outcome::Known,
                    "a repetition was news: {identified:?}"
                );
                let contacts = &identified.customer.contacts;
                assert!(
                    contacts.is_sorted_by_key(|contact| contact.id),
                    "contacts are not in ascending order"
                );
                last.push(identified.customer.id);
            }
        }
        let expected = resolve(&statements, &LinkPolicy::shipped());
        assert_eq!(
            parts(last.iter().copied()),
            parts(expected.customers().iter().copied()),
            "history {seed} was grouped otherwise than by the rules"
        );
    }
}

async fn a_void_plan_changes_nothing<S: IdentifyStore + Clone>(store: &S) {
    let identify = on(store.clone(), 1);
    let first = run(&identify, &statement(Some(0), Some(0))).await;
    // A plan that attaches, made before somebody else attached.
    let late = statement(Some(1), Some(0));
    let candidates = store.candidates(&keys(&late)).await.expect("candidates");
    let plan = decide(&late, &candidates, &LinkPolicy::shipped());
    let between = run(&identify, &statement(Some(2), Some(0))).await;
    assert_eq!(
        (between.customer.id, between.customer.version),
        (first.customer.id, first.customer.version + 1)
    );
    let refused = store.carry_out(&decided(plan), &candidates).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict)),
        "a version that has moved is a conflict: {refused:?}"
    );
    let now = run(&identify, &statement(Some(2), Some(0))).await;
    assert_eq!(now.customer, between.customer, "a plan that is void must leave nothing behind");
    let other = store.candidates(&keys(&statement(Some(1), None))).await.expect("candidates");
    assert!(other.found.is_empty(), "a key of a void plan was kept");
}

async fn a_taken_key_is_a_conflict<S: IdentifyStore + Clone>(store: &S) {
    // Two plans for a new customer, made before either was carried out.
    let one = statement(Some(0), Some(0));
    let candidates = store.candidates(&keys(&one)).await.expect("candidates");
    let plan = decide(&one, &candidates, &LinkPolicy::shipped());
    let carried = store.carry_out(&decided(plan.clone()), &candidates).await.expect("a new customer");
    let again = Decided { new_customer: CustomerId(Uuid::from_u128(8)), ..decided(plan) };
    let refused = store.carry_out(&again, &candidates).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "a key that is taken is a conflict: {refused:?}");
    let known = run(&on(store.clone(), 2), &one).await;
    assert_eq!((known.outcome, known.customer.id), (Outcome::Known, carried.customer));
}

async fn callers_at_once_find_one_customer<S: IdentifyStore + Clone + 'static>(store: &S) {
    let mut callers = Vec::new();
    for caller in 0..CALLERS {
        let identify = on(store.clone(), 100 + caller as u64);
        callers.push(tokio::spawn(async move {
            run(&identify, &statement(Some(caller % 4), Some(0))).await;
        }));
    }
    for caller in callers {
        caller.await.expect("an answer");
    }
    let known = run(&on(store.clone(), 3), &statement(None, Some(0))).await;
    assert_eq!(known.outcome, Outcome::Known);
    let emails: BTreeSet<_> =
        known.customer.contacts.iter().filter_map(|contact| contact.email.clone()).collect();
    assert_eq!(
        (known.customer.contacts.len(), emails.len()),
        (4, 4),
        "each statement is kept once: {known:?}"
    );
}

fn on<S: IdentifyStore>(store: S, seed: u64) -> Identify<S> {
    let policy = Arc::new(LinkPolicy::shipped());
    // Two that write to one store must not draw the same ids.
    Identify::on(store, policy, Arc::new(ManualClock::ticking()), Arc::new(SeededRandomness::new(seed + 1)))
}

async fn run<S: IdentifyStore>(identify: &Identify<S>, statement: &Statement) -> Identified {
    let request = IdentifyRequest { statement: statement.clone(), received: Received::default() };
    identify.run(&request).await.expect("an answer")
}

/// Of few values, so that customers meet; some of them never link.
fn history(seed: u64) -> Vec<Statement> {
    let random = SeededRandomness::new(seed);
    let draw = |limit: usize| {
        let drawn = random.up_to(Duration::from_millis(1024)).as_millis();
        usize::try_from(drawn).unwrap_or_default() % limit
    };
    let value = |drawn: usize, limit: usize| (drawn < limit).then_some(drawn);
    let mut statements = Vec::new();
    while statements.len() < STATEMENTS {
        let (email, phone) = (value(draw(8), 6), value(draw(8), 6));
        if email.is_some() || phone.is_some() {
            statements.push(statement(email, phone));
        }
    }
    statements
}

fn statement(email: Option<usize>, phone: Option<usize>) -> Statement {
    const EMAILS: [&str; 6] = [
        "a@example.com",
        "b@example.com",
        "c@example.com",
        "d@example.com",
        "none@example.com",
        "e@example.com",
    ];
    const PHONES: [&str; 6] = ["101", "102", "103", "0000000000", "+5511991234567", "+551191234567"];
    let email = email.map(|index| EmailAddress::parse(EMAILS[index]).expect("an email"));
    let phone = phone.map(|index| PhoneNumber::parse(PHONES[index], None).expect("a phone"));
    Statement::new(email, phone).expect("a statement")
}

fn keys(statement: &Statement) -> Vec<onefold_domain::link_key::LinkKey> {
    StatementKeys::of(statement, &LinkPolicy::shipped()).to_vec()
}

fn decided(plan: onefold_domain::linking::LinkPlan) -> Decided {
    let new_customer = CustomerId(Uuid::from_u128(7));
    Decided { plan, received: Received::default(), new_customer, at: DateTime::UNIX_EPOCH }
}

/// A partition as the set of its parts, whatever they are called.
fn parts<K: Ord>(names: impl Iterator<Item = K>) -> BTreeSet<Vec<usize>> {
    let mut parts: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (index, name) in names.enumerate() {
        parts.entry(name).or_default().push(index);
    }
    parts.into_values().collect()
}
