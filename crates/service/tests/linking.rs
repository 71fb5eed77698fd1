//! What must hold for every list of statements. The incremental side is the use case itself on the
//! store in memory, so `decide`, the carrying out and the store are all in the comparison.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use uuid::Uuid;

use onefold_domain::block::BlockRule;
use onefold_domain::contact::{Received, Statement};
use onefold_domain::customer::KnownCustomer;
use onefold_domain::email::EmailAddress;
use onefold_domain::id::{CustomerId, UserId};
use onefold_domain::linking::{Outcome, resolve};
use onefold_domain::phone::PhoneNumber;
use onefold_domain::policy::LinkPolicy;
use onefold_memory::MemoryStore;
use onefold_service::clock::{SystemClock, SystemRandomness};
use onefold_service::environment::Environment;
use onefold_service::identify::{Identified, Identify, IdentifyRequest};
use onefold_service::users::{NewUser, Users};

/// Few values, so that histories meet: two of the emails and one phone never link, two of the phones
/// are one Brazilian mobile number in both spellings.
const EMAILS: [&str; 7] = [
    "a@example.com",
    "b@example.com",
    "c@example.com",
    "d@example.com",
    "e@example.com",
    "none@example.com",
    "noreply@example.org",
];
const PHONES: [&str; 9] =
    ["101", "102", "103", "104", "0000000000", "11111111", "0011111111", "+5511991234567", "+551191234567"];

fn statement(email: Option<usize>, phone: Option<usize>, user: Option<u128>) -> Option<Statement> {
    let email = email.map(|index| EmailAddress::parse(EMAILS[index]).unwrap());
    let phone = phone.map(|index| PhoneNumber::parse(PHONES[index], None).unwrap());
    let statement = Statement::new(email, phone)?;
    Some(match user {
        Some(user) => statement.of_user(UserId(Uuid::from_u128(user))),
        None => statement,
    })
}

fn statements(users: bool) -> impl Strategy<Value = Vec<Statement>> {
    let user = if users { prop::option::weighted(0.25, 1..4_u128).boxed() } else { Just(None).boxed() };
    let one =
        (prop::option::weighted(0.8, 0..EMAILS.len()), prop::option::weighted(0.8, 0..PHONES.len()), user)
            .prop_filter_map("states nothing", |(email, phone, user)| statement(email, phone, user));
    prop::collection::vec(one, 1..40)
}

/// Runs every statement through `identify`, in order.
fn identify_all(statements: &[Statement], policy: &LinkPolicy, times: usize) -> Vec<Identified> {
    let env = Environment::new(
        Arc::new(MemoryStore::default()),
        Arc::new(policy.clone()),
        Arc::new(SystemClock),
        Arc::new(SystemRandomness),
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for user in 1..4 {
        let new = NewUser { id: Some(UserId(Uuid::from_u128(user))), ..NewUser::default() };
        runtime.block_on(Users::new(env.clone()).create_user(&new)).unwrap();
    }
    let identify = Identify::new(env);
    let run = |statement: &Statement| {
        let request = IdentifyRequest { statement: statement.clone(), received: Received::default() };
        runtime.block_on(identify.run(&request)).unwrap()
    };
    (0..times).flat_map(|_| statements).map(run).collect()
}

/// A partition as the set of its parts, whatever they are called.
fn parts<K: Ord>(names: impl IntoIterator<Item = K>) -> BTreeSet<Vec<usize>> {
    let mut parts: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (index, name) in names.into_iter().enumerate() {
        parts.entry(name).or_default().push(index);
    }
    parts.into_values().collect()
}

/// Connected components the slow and obvious way: spread the smallest number until nothing changes.
fn components(statements: &[Statement], policy: &LinkPolicy) -> Vec<usize> {
    let keys = |statement: &Statement| {
        let email = statement.email().filter(|email| !policy.never_links_email(email));
        let phone = statement.phone().filter(|phone| !policy.never_links_phone(phone));
        let email = email.map(|email| email.as_str().to_owned());
        let phone = phone.map(|phone| phone.match_key().into_owned());
        let mut keys: BTreeSet<String> = email.into_iter().chain(phone).collect();
        if keys.is_empty() {
            keys.insert(format!(
                "{:?} {:?}",
                statement.email().map(EmailAddress::as_str),
                statement.phone().map(PhoneNumber::match_key)
            ));
        }
        keys
    };
    let keys: Vec<_> = statements.iter().map(keys).collect();
    let mut names: Vec<usize> = (0..statements.len()).collect();
    loop {
        let before = names.clone();
        for one in 0..names.len() {
            for other in 0..names.len() {
                if !keys[one].is_disjoint(&keys[other]) {
                    names[one] = names[one].min(names[other]);
                }
            }
        }
        if names == before {
            return names;
        }
    }
}

fn users(customer: &KnownCustomer) -> BTreeSet<UserId> {
    customer.contacts.iter().filter_map(|contact| contact.user).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn identify_and_resolve_agree_and_a_repetition_changes_nothing(
        statements in statements(true),
        cap in prop_oneof![2..9_usize, Just(1_000)],
    ) {
        let policy = LinkPolicy::shipped().with_max_contact_points(cap);
        let both = identify_all(&statements, &policy, 2);
        let (first, second) = both.split_at(statements.len());
        let resolution = resolve(&statements, &policy);

        for repeated in second {
            prop_assert_eq!(repeated.outcome, Outcome::Known);
        }
        prop_assert_eq!(
            parts(second.iter().map(|identified| identified.customer.id)),
            parts(resolution.customers().iter().copied())
        );
        let blocked = |rule| first.iter().flat_map(|one| &one.blocked).filter(|block| block.rule == rule).count();
        for rule in BlockRule::ALL {
            prop_assert_eq!(blocked(rule) as u64, resolution.blocked_by(rule));
        }
    }

    #[test]
    fn no_customer_has_two_users_or_outgrows_the_cap(statements in statements(true), cap in 2..9_usize) {
        let policy = LinkPolicy::shipped().with_max_contact_points(cap);
        for identified in identify_all(&statements, &policy, 1) {
            prop_assert!(users(&identified.customer).len() <= 1);
            let summary = identified.customer.summary();
            let phones: BTreeSet<_> = summary.phones.iter().map(|phone| phone.match_key()).collect();
            // What a user states about himself is always his.
            if users(&identified.customer).is_empty() {
                prop_assert!(summary.emails.len() + phones.len() <= cap);
            }
        }
    }

    #[test]
    fn customers_are_the_connected_components(statements in statements(false)) {
        let policy = LinkPolicy::shipped();
        let resolution = resolve(&statements, &policy);
        let expected = parts(components(&statements, &policy));
        prop_assert_eq!(parts(resolution.customers().iter().copied()), expected.clone());
        prop_assert_eq!(resolution.customer_count(), expected.len());
    }

    #[test]
    fn order_does_not_matter(
        (statements, order) in statements(false).prop_flat_map(|statements| {
            let order: Vec<usize> = (0..statements.len()).collect();
            (Just(statements), Just(order).prop_shuffle())
        })
    ) {
        let policy = LinkPolicy::shipped();
        let shuffled: Vec<_> = order.iter().map(|index| statements[*index].clone()).collect();
        let mut customers = vec![0; statements.len()];
        for (place, customer) in order.iter().zip(resolve(&shuffled, &policy).customers()) {
            customers[*place] = *customer;
        }
        prop_assert_eq!(parts(customers), parts(resolve(&statements, &policy).customers().iter().copied()));
    }

    #[test]
    fn the_oldest_contact_is_the_primary_and_every_answer_shows_its_request(statements in statements(false)) {
        for (statement, identified) in statements.iter().zip(identify_all(&statements, &LinkPolicy::shipped(), 1)) {
            let customer = &identified.customer;
            prop_assert!(customer.contacts.is_sorted_by_key(|contact| contact.id));
            let summary = customer.summary();
            prop_assert_eq!(summary.primary, customer.contacts.iter().map(|contact| contact.id).min());
            prop_assert!(statement.email().is_none_or(|email| summary.emails.contains(&email)));
            prop_assert!(statement.phone().is_none_or(|phone| summary.phones.contains(&phone)));
            prop_assert_ne!(customer.id, CustomerId(Uuid::nil()));
        }
    }
}
