//! Withdrawing contacts: what is left is what would be there if they had never said anything.

use std::sync::Arc;

use onefold_domain::block::BlockRule;
use onefold_domain::id::ContactId;
use onefold_domain::linking::Outcome;
use onefold_service::contacts::{ContactRequest, Expectation};
use onefold_service::error::RecordError;
use onefold_service::store::ContactFilter;
use onefold_sync::store::SyncStore;

use crate::scene::{recall, seen, tell};
use crate::use_cases::{UseCases, all_together, ids, order, order_of, primary, with_profile};

on_every_store!(
    a_withdrawn_contact_is_gone_for_everybody,
    what_was_withdrawn_can_be_said_again,
    of_many_who_withdraw_a_contact_one_does,
    a_withdrawn_bridge_gives_the_absorbed_customer_back,
    a_part_that_never_was_a_customer_gets_an_id_of_its_own,
    the_customer_stays_with_the_oldest_contact_that_is_left,
    a_customer_goes_with_its_last_contact,
    what_others_say_too_stays,
    a_withdrawn_primary_leaves_its_place_free,
    a_withdrawn_value_goes_to_the_oldest_who_waits,
    a_freed_value_may_join_a_guest,
    two_who_wait_for_two_values_are_both_served,
    a_link_without_a_contact_outlives_others,
    a_link_without_a_contact_follows_its_part,
    a_link_without_a_contact_goes_with_its_people,
);

fn no_contact<T>(answer: &Result<T, RecordError>) -> bool {
    matches!(answer, Err(RecordError::NoSuchContact))
}

async fn a_withdrawn_contact_is_gone_for_everybody(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let user = use_cases.user(1).await;
    let request = with_profile(order_of(user, "marty@hillvalley.edu", ""), &[("name", "Marty")]);
    let gone = use_cases.create(&request).await;
    use_cases.withdraw(gone.id).await;

    assert!(no_contact(&use_cases.contacts.contact(gone.id).await));
    assert!(no_contact(&use_cases.try_change(gone.id, primary(true), &Expectation::Anything).await));
    assert!(no_contact(&use_cases.contacts.withdraw_contact(gone.id, &Expectation::Anything).await));
    // Also for who has the revision at hand.
    let seen = Expectation::OneOf(vec![gone.revision()]);
    assert!(no_contact(&use_cases.contacts.withdraw_contact(gone.id, &seen).await));
    assert_eq!(use_cases.everything().await, []);
    let users = ContactFilter { user: Some(user), ..ContactFilter::default() };
    assert_eq!(use_cases.list(&users).await, []);
    assert!(use_cases.find("marty").await.is_empty());
}

async fn what_was_withdrawn_can_be_said_again(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let gone = use_cases.create(&order("marty@hillvalley.edu", "123456")).await;
    use_cases.withdraw(gone.id).await;
    let told = tell(&use_cases.identify, "marty@hillvalley.edu", "123456").await;
    assert_eq!(told.outcome, Outcome::Created);
    assert!(seen(&told).primary > gone.id.0);
    assert_ne!(told.customer.id, gone.customer);
    // An upsert makes a new record, too: the old one is nobody's.
    use_cases.withdraw(ContactId(seen(&told).primary)).await;
    let (again, _) = use_cases.upsert(&order("marty@hillvalley.edu", "123456")).await;
    assert_eq!(ids(&use_cases.everything().await), [again.id]);
}

async fn of_many_who_withdraw_a_contact_one_does(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let gone = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let answers = all_together(10, |_| {
        let use_cases = use_cases.clone();
        async move { use_cases.contacts.withdraw_contact(gone.id, &Expectation::Anything).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(answers.iter().filter(|answer| no_contact(answer)).count(), 9);
}

async fn a_withdrawn_bridge_gives_the_absorbed_customer_back(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let one = use_cases.create(&order("marty@hillvalley.edu", "111222")).await;
    let other = use_cases.create(&order("doc@hillvalley.edu", "333444")).await;
    let bridge = use_cases.create(&order("marty@hillvalley.edu", "333444")).await;
    assert_eq!(use_cases.customer(other.customer).await.id, one.customer);
    use_cases.withdraw(bridge.id).await;

    assert_eq!(use_cases.customer(one.customer).await.contacts.len(), 1);
    let apart = use_cases.customer(other.customer).await;
    assert_eq!((apart.id, apart.primary), (other.customer, Some(other.id)));
    assert_eq!(recall(&use_cases.identify, "marty@hillvalley.edu", "111222").await.primary, one.id.0);
    assert_eq!(recall(&use_cases.identify, "doc@hillvalley.edu", "333444").await.primary, other.id.0);
    // They can be joined and parted any number of times.
    let bridge = use_cases.create(&order("doc@hillvalley.edu", "111222")).await;
    assert_eq!(use_cases.customer(other.customer).await.id, one.customer);
    use_cases.withdraw(bridge.id).await;
    assert_eq!(use_cases.customer(other.customer).await.id, other.customer);
}

async fn a_part_that_never_was_a_customer_gets_an_id_of_its_own(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let stays = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let bridge = use_cases.create(&order("marty@hillvalley.edu", "123456")).await;
    let falls = use_cases.create(&order("", "123456")).await;
    assert_eq!(falls.customer, stays.customer);
    use_cases.withdraw(bridge.id).await;
    let falls = use_cases.record(falls.id).await;
    assert_ne!(falls.customer, stays.customer);
    assert_eq!((falls.linked(), use_cases.record(stays.id).await.customer), (None, stays.customer));
    assert_eq!(tell(&use_cases.identify, "", "123456").await.customer.id, falls.customer);
}

async fn the_customer_stays_with_the_oldest_contact_that_is_left(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let oldest = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let second = use_cases.create(&order("marty@hillvalley.edu", "123456")).await;
    let third = use_cases.create(&order("", "123456")).await;
    use_cases.withdraw(oldest.id).await;
    let customer = use_cases.customer(oldest.customer).await;
    assert_eq!((customer.id, customer.primary), (oldest.customer, Some(second.id)));
    assert_eq!(use_cases.record(third.id).await.linked(), Some(second.id));
    let shown = recall(&use_cases.identify, "marty@hillvalley.edu", "").await;
    assert_eq!((shown.primary, shown.secondaries), (second.id.0, vec![third.id.0]));
}

async fn a_customer_goes_with_its_last_contact(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let one = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let other = use_cases.create(&order("", "123456")).await;
    let bridge = use_cases.create(&order("marty@hillvalley.edu", "123456")).await;
    for id in [bridge.id, one.id, other.id] {
        use_cases.withdraw(id).await;
    }
    for customer in [one.customer, other.customer] {
        let answer = use_cases.customers.customer(customer).await;
        assert!(matches!(answer, Err(RecordError::NoSuchCustomer)));
    }
    // What they once had in common joins nobody any more.
    assert_eq!(tell(&use_cases.identify, "marty@hillvalley.edu", "").await.outcome, Outcome::Created);
    assert_eq!(tell(&use_cases.identify, "", "123456").await.outcome, Outcome::Created);
}

async fn what_others_say_too_stays(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let stays = use_cases.create(&order("marty@hillvalley.edu", "123456")).await;
    let twin = use_cases.create(&order("marty@hillvalley.edu", "123456")).await;
    use_cases.withdraw(twin.id).await;
    assert_eq!(recall(&use_cases.identify, "marty@hillvalley.edu", "").await.primary, stays.id.0);
    assert_eq!(recall(&use_cases.identify, "", "123456").await.primary, stays.id.0);
}

async fn a_withdrawn_primary_leaves_its_place_free(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let user = use_cases.user(1).await;
    let says = |email: &str| ContactRequest { is_primary: Some(true), ..order_of(user, email, "") };
    let gone = use_cases.create(&says("marty@hillvalley.edu")).await;
    let stays = use_cases.create(&order_of(user, "mcfly@hillvalley.edu", "")).await;
    use_cases.withdraw(gone.id).await;
    assert!(!use_cases.record(stays.id).await.details.is_primary, "nobody chose it");
    assert!(use_cases.change(stays.id, primary(true)).await.details.is_primary);
    assert!(use_cases.create(&says("marty@hillvalley.edu")).await.details.is_primary);
    assert!(!use_cases.record(stays.id).await.details.is_primary);
}

async fn a_withdrawn_value_goes_to_the_oldest_who_waits(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let mut contacts = Vec::new();
    for number in 1..4 {
        let user = use_cases.user(number).await;
        contacts.push(use_cases.create(&order_of(user, "marty@hillvalley.edu", "")).await);
    }
    assert_eq!(contacts[1].email_blocked_by, Some(BlockRule::TwoUsers));
    for (gone, next) in [(0, 1), (1, 2)] {
        let before = use_cases.record(contacts[next].id).await;
        use_cases.withdraw(contacts[gone].id).await;
        let served = use_cases.record(contacts[next].id).await;
        assert_eq!((served.email_blocked_by, served.customer), (None, contacts[next].customer));
        // It is shown otherwise, so it is in another state.
        assert_ne!(served.revision(), before.revision());
        let told = tell(&use_cases.identify, "marty@hillvalley.edu", "").await;
        assert_eq!((told.outcome, told.customer.id), (Outcome::Known, served.customer));
        if next == 1 {
            assert_eq!(use_cases.record(contacts[2].id).await.email_blocked_by, Some(BlockRule::TwoUsers));
        }
    }
}

/// The one who waits has both values in one contact, and joins a customer older than its own.
async fn a_freed_value_may_join_a_guest(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (one, other) = (use_cases.user(1).await, use_cases.user(2).await);
    let gone = use_cases.create(&order_of(one, "marty@hillvalley.edu", "123456")).await;
    let guest = use_cases.create(&order("lorraine@hillvalley.edu", "123456")).await;
    let waits = use_cases.create(&order_of(other, "marty@hillvalley.edu", "123456")).await;
    let two_users = Some(BlockRule::TwoUsers);
    assert_eq!((waits.email_blocked_by, waits.phone_blocked_by), (two_users, two_users));
    use_cases.withdraw(gone.id).await;

    let served = use_cases.record(waits.id).await;
    assert_eq!((served.email_blocked_by, served.phone_blocked_by), (None, None));
    assert_eq!(served.customer, guest.customer);
    assert_eq!(served.linked(), Some(guest.id));
    let told = tell(&use_cases.identify, "marty@hillvalley.edu", "123456").await;
    assert_eq!((told.outcome, told.customer.id), (Outcome::Known, guest.customer));
}

/// One waits for the email, another one for the phone, and serving the first moves the second.
async fn two_who_wait_for_two_values_are_both_served(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (one, other) = (use_cases.user(1).await, use_cases.user(2).await);
    let gone = use_cases.create(&order_of(one, "marty@hillvalley.edu", "123456")).await;
    let phone = use_cases.create(&order_of(other, "", "123456")).await;
    let guest = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let email = use_cases.create(&order_of(other, "marty@hillvalley.edu", "")).await;
    use_cases.withdraw(gone.id).await;
    for waited in [&phone, &email] {
        let served = use_cases.record(waited.id).await;
        assert_eq!((served.email_blocked_by, served.phone_blocked_by), (None, None));
        assert_eq!(served.customer, use_cases.record(guest.id).await.customer);
    }
    let told = tell(&use_cases.identify, "marty@hillvalley.edu", "123456").await;
    assert_eq!((told.outcome, told.blocked), (Outcome::Known, Vec::new()));
}

async fn a_link_without_a_contact_outlives_others(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let one = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let other = use_cases.create(&order("", "123456")).await;
    let third = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    assert_eq!(tell(&use_cases.identify, "marty@hillvalley.edu", "123456").await.outcome, Outcome::Merged);
    use_cases.withdraw(third.id).await;
    assert_eq!(use_cases.record(other.id).await.customer, one.customer);
    // Also when nobody shows one of the two values any more.
    use_cases.withdraw(one.id).await;
    let told = tell(&use_cases.identify, "marty@hillvalley.edu", "").await;
    assert_eq!((told.outcome, told.customer.id), (Outcome::Attached, one.customer));
}

/// Two contacts that are held together by such a link fall off together, and stay so.
async fn a_link_without_a_contact_follows_its_part(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    use_cases.create(&order("lorraine@hillvalley.edu", "")).await;
    let bridge = use_cases.create(&order("lorraine@hillvalley.edu", "555000")).await;
    let one = use_cases.create(&order("", "555000")).await;
    let other = use_cases.create(&order("doc@hillvalley.edu", "")).await;
    assert_eq!(tell(&use_cases.identify, "doc@hillvalley.edu", "555000").await.outcome, Outcome::Merged);
    use_cases.withdraw(bridge.id).await;
    let (apart, with) = (use_cases.record(one.id).await, use_cases.record(other.id).await);
    assert_ne!(apart.customer, bridge.customer);
    assert_eq!(apart.customer, with.customer);

    let passing = use_cases.create(&order("", "555000")).await;
    use_cases.withdraw(passing.id).await;
    assert_eq!(use_cases.record(other.id).await.customer, use_cases.record(one.id).await.customer);
}

async fn a_link_without_a_contact_goes_with_its_people(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let stays = use_cases.create(&order("lorraine@hillvalley.edu", "")).await;
    let one = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let other = use_cases.create(&order("", "123456")).await;
    let bridge = use_cases.create(&order("lorraine@hillvalley.edu", "123456")).await;
    tell(&use_cases.identify, "marty@hillvalley.edu", "123456").await;
    for id in [bridge.id, one.id, other.id] {
        use_cases.withdraw(id).await;
    }
    // Who has the two values now is somebody else, and two as long as nobody says otherwise.
    let email = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let phone = use_cases.create(&order("lorraine@hillvalley.edu", "123456")).await;
    assert_eq!(phone.customer, stays.customer);
    assert_ne!(email.customer, stays.customer);
    let bridge = use_cases.create(&order("marty@hillvalley.edu", "123456")).await;
    use_cases.withdraw(bridge.id).await;
    assert_ne!(use_cases.record(email.id).await.customer, use_cases.record(phone.id).await.customer);
}
