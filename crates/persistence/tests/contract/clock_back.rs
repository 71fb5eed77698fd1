//! A clock that goes back, as it does when it is set, or when two servers disagree: whatever is changed then was not
//! changed before it was made.

use std::sync::Arc;

use chrono::TimeDelta;
use onefold_domain::policy::LinkPolicy;
use onefold_domain::survivorship::SurvivorshipRules;
use onefold_service::clock::Clock;
use onefold_service::contacts::{ContactChange, ContactRequest, Contacts, Expectation, PageRequest};
use onefold_service::customers::Customers;
use onefold_service::environment::Environment;
use onefold_service::identify::Identify;
use onefold_service::store::ContactFilter;
use onefold_service::testing::{ManualClock, SeededRandomness};
use onefold_service::users::Users;
use onefold_sync::store::SyncStore;
use serde_json::json;

use crate::metadata::import;
use crate::scene::{request, statement};
use crate::use_cases::{UseCases, metadata, order, order_of, primary, to_email};

on_every_store!(a_use_case_notes_no_change_before_its_record, a_store_notes_no_change_before_its_record,);

fn use_cases(store: &Arc<dyn SyncStore>, clock: &Arc<ManualClock>, seed: u64) -> UseCases {
    let env = Environment::new(
        store.clone(),
        Arc::new(LinkPolicy::shipped()),
        Arc::clone(clock) as Arc<dyn Clock>,
        Arc::new(SeededRandomness::new(seed)),
    );
    UseCases {
        identify: Identify::new(env.clone()),
        contacts: Contacts::new(env.clone()),
        customers: Customers::new(env.clone(), Arc::new(SurvivorshipRules::shipped())),
        users: Users::new(env),
    }
}

/// Every contact and every customer, with what was done before.
async fn check(use_cases: &UseCases, done: &str) {
    let page = PageRequest { after: None, limit: 200 };
    let contacts =
        use_cases.contacts.contacts(&ContactFilter::default(), page).await.expect("a list").entries;
    assert!(!contacts.is_empty());
    for contact in contacts {
        assert!(contact.updated_at >= contact.created_at, "{done}: contact {:?}", contact.id);
        let customer = use_cases.customer(contact.customer).await;
        assert!(customer.updated_at >= customer.created_at, "{done}: customer of {:?}", contact.id);
    }
}

async fn a_use_case_notes_no_change_before_its_record(store: Arc<dyn SyncStore>) {
    let clock = Arc::new(ManualClock::default());
    let use_cases = use_cases(&store, &clock, 90_001);
    clock.pass(TimeDelta::days(1));
    let user = use_cases.user(1).await;
    let first = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let own = ContactRequest { is_primary: Some(true), ..order_of(user, "own@hillvalley.edu", "") };
    let own = use_cases.create(&own).await;
    use_cases.create(&order("", "202020")).await;
    let back = || clock.pass(TimeDelta::hours(-1));

    back();
    let note = ContactChange { metadata: Some(Some(metadata(&json!({"a": 1})))), ..ContactChange::default() };
    let noted = use_cases.change(first.id, note).await;
    assert_eq!(noted.updated_at, first.created_at);
    check(&use_cases, "a change").await;
    back();
    use_cases.upsert(&order("marty@hillvalley.edu", "")).await;
    check(&use_cases, "an upsert").await;
    back();
    // The one that was primary before steps back.
    use_cases
        .create(&ContactRequest { is_primary: Some(true), ..order_of(user, "second@hillvalley.edu", "") })
        .await;
    check(&use_cases, "another primary").await;
    use_cases.change(own.id, primary(true)).await;
    check(&use_cases, "the first primary again").await;
    back();
    // Two customers become one, and part again.
    let joined = statement("marty@hillvalley.edu", "202020");
    use_cases.identify.run(&request(joined)).await.expect("identify should answer");
    check(&use_cases, "a merge").await;
    use_cases.change(first.id, to_email("calvin@hillvalley.edu")).await;
    check(&use_cases, "a split").await;
    back();
    use_cases.upsert(&order_of(user, "calvin@hillvalley.edu", "")).await;
    check(&use_cases, "a claim").await;
    back();
    import(&store, &use_cases, "email,tier\ncalvin@hillvalley.edu,gold\nnew@hillvalley.edu,silver\n").await;
    check(&use_cases, "an import").await;
    back();
    import(&store, &use_cases, "email,tier\nnew@hillvalley.edu,gold\nsecond@hillvalley.edu,gold\n").await;
    check(&use_cases, "another import").await;
    // And on it goes when the clock is right again.
    clock.pass(TimeDelta::days(2));
    let later = use_cases.change(first.id, to_email("marty@hillvalley.edu")).await;
    assert!(later.updated_at > noted.updated_at);
    assert!(use_cases.contacts.withdraw_contact(own.id, &Expectation::Anything).await.is_ok());
}

async fn a_store_notes_no_change_before_its_record(store: Arc<dyn SyncStore>) {
    let clock = Arc::new(ManualClock::default());
    let use_cases = use_cases(&store, &clock, 90_002);
    clock.pass(TimeDelta::days(1));
    let user = use_cases.user(1).await;
    let own = ContactRequest { is_primary: Some(true), ..order_of(user, "own@hillvalley.edu", "") };
    let own = use_cases.create(&own).await;
    let other = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let early = own.created_at - TimeDelta::hours(5);
    let mut record = use_cases.record(other.id).await;
    record.updated_at = early;
    record.version += 1;
    let mut transaction = store.begin_sync().await.expect("a transaction");
    let customers = transaction.customers();
    customers.advance(own.customer, own.customer_version, early).await.expect("advanced");
    customers.advance_many(&[(other.customer, other.customer_version)], early).await.expect("advanced");
    transaction.contacts().update(&record).await.expect("updated");
    let cleared = transaction.contacts().clear_primary(user, own.kind(), None, early).await.expect("cleared");
    assert_eq!(cleared, [own.id]);
    let mut known = transaction.users().get(user).await.expect("an answer").expect("a user");
    known.updated_at = early;
    transaction.users().update(&known).await.expect("updated");
    transaction.commit().await.expect("committed");
    check(&use_cases, "written by itself").await;
    let known = use_cases.users.user(user).await.expect("a user");
    assert!(known.updated_at >= known.created_at);
}
