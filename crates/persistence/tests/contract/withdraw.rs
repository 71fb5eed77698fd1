//! Withdrawing contacts: what is left is what would be there if they had never said anything.

use std::sync::Arc;

use onefold_domain::block::BlockRule;
use onefold_domain::id::ContactId;
use onefold_domain::linking::Outcome;
use onefold_service::contacts::{ContactRequest, Expectation};
use onefold_service::error::RecordError;
use onefold_service::store::ContactFilter;
use onefold_sync::store::SyncStore;

use crate::desk::{Desk, all_together, ids, order, order_of, primary, with_profile};
use crate::scene::{recall, seen, tell};

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
    let desk = Desk::new(&store);
    let user = desk.user(1).await;
    let request = with_profile(order_of(user, "marty@hillvalley.edu", ""), &[("name", "Marty")]);
    let gone = desk.create(&request).await;
    desk.withdraw(gone.id).await;

    assert!(no_contact(&desk.contacts.contact(gone.id).await));
    assert!(no_contact(&desk.try_change(gone.id, primary(true), &Expectation::Anything).await));
    assert!(no_contact(&desk.contacts.withdraw_contact(gone.id, &Expectation::Anything).await));
    // Also for who has the revision at hand.
    let seen = Expectation::OneOf(vec![gone.revision()]);
    assert!(no_contact(&desk.contacts.withdraw_contact(gone.id, &seen).await));
    assert_eq!(desk.everything().await, []);
    let users = ContactFilter { user: Some(user), ..ContactFilter::default() };
    assert_eq!(desk.list(&users).await, []);
    assert!(desk.find("marty").await.is_empty());
}

async fn what_was_withdrawn_can_be_said_again(store: Arc<dyn SyncStore>) {
    let desk = Desk::new(&store);
    let gone = desk.create(&order("marty@hillvalley.edu", "123456")).await;
    desk.withdraw(gone.id).await;
    let told = tell(&desk.identify, "marty@hillvalley.edu", "123456").await;
    assert_eq!(told.outcome, Outcome::Created);
    assert!(seen(&told).primary > gone.id.0);
    assert_ne!(told.customer.id, gone.customer);
    // An upsert makes a new record, too: the old one is nobody's.
    desk.withdraw(ContactId(seen(&told).primary)).await;
    let (again, _) = desk.upsert(&order("marty@hillvalley.edu", "123456")).await;
    assert_eq!(ids(&desk.everything().await), [again.id]);
}

async fn of_many_who_withdraw_a_contact_one_does(store: Arc<dyn SyncStore>) {
    let desk = Desk::new(&store);
    let gone = desk.create(&order("marty@hillvalley.edu", "")).await;
    let answers = all_together(10, |_| {
        let desk = desk.clone();
        async move { desk.contacts.withdraw_contact(gone.id, &Expectation::Anything).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(answers.iter().filter(|answer| no_contact(answer)).count(), 9);
}

async fn a_withdrawn_bridge_gives_the_absorbed_customer_back(store: Arc<dyn SyncStore>) {
    let desk = Desk::new(&store);
    let one = desk.create(&order("marty@hillvalley.edu", "111222")).await;
    let other = desk.create(&order("doc@hillvalley.edu", "333444")).await;
    let bridge = desk.create(&order("marty@hillvalley.edu", "333444")).await;
    assert_eq!(desk.customer(other.customer).await.id, one.customer);
    desk.withdraw(bridge.id).await;

    assert_eq!(desk.customer(one.customer).await.contacts.len(), 1);
    let apart = desk.customer(other.customer).await;
    assert_eq!((apart.id, apart.primary), (other.customer, Some(other.id)));
    assert_eq!(recall(&desk.identify, "marty@hillvalley.edu", "111222").await.primary, one.id.0);
    assert_eq!(recall(&desk.identify, "doc@hillvalley.edu", "333444").await.primary, other.id.0);
    // They can be joined and parted any number of times.
    let bridge = desk.create(&order("doc@hillvalley.edu", "111222")).await;
    assert_eq!(desk.customer(other.customer).await.id, one.customer);
    desk.withdraw(bridge.id).await;
    assert_eq!(desk.customer(other.customer).await.id, other.customer);
}

async fn a_part_that_never_was_a_customer_gets_an_id_of_its_own(store: Arc<dyn SyncStore>) {
    let desk = Desk::new(&store);
    let stays = desk.create(&order("marty@hillvalley.edu", "")).await;
    let bridge = desk.create(&order("marty@hillvalley.edu", "123456")).await;
    let falls = desk.create(&order("", "123456")).await;
    assert_eq!(falls.customer, stays.customer);
    desk.withdraw(bridge.id).await;
    let falls = desk.record(falls.id).await;
    assert_ne!(falls.customer, stays.customer);
    assert_eq!((falls.linked(), desk.record(stays.id).await.customer), (None, stays.customer));
    assert_eq!(tell(&desk.identify, "", "123456").await.customer.id, falls.customer);
}

async fn the_customer_stays_with_the_oldest_contact_that_is_left(store: Arc<dyn SyncStore>) {
    let desk = Desk::new(&store);
    let oldest = desk.create(&order("marty@hillvalley.edu", "")).await;
    let second = desk.create(&order("marty@hillvalley.edu", "123456")).await;
    let third = desk.create(&order("", "123456")).await;
    desk.withdraw(oldest.id).await;
    let customer = desk.customer(oldest.customer).await;
    assert_eq!((customer.id, customer.primary), (oldest.customer, Some(second.id)));
    assert_eq!(desk.record(third.id).await.linked(), Some(second.id));
    let shown = recall(&desk.identify, "marty@hillvalley.edu", "").await;
    assert_eq!((shown.primary, shown.secondaries), (second.id.0, vec![third.id.0]));
}

async fn a_customer_goes_with_its_last_contact(store: Arc<dyn SyncStore>) {
    let desk = Desk::new(&store);
    let one = desk.create(&order("marty@hillvalley.edu", "")).await;
    let other = desk.create(&order("", "123456")).await;
    let bridge = desk.create(&order("marty@hillvalley.edu", "123456")).await;
    for id in [bridge.id, one.id, other.id] {
        desk.withdraw(id).await;
    }
    for customer in [one.customer, other.customer] {
        let answer = desk.customers.customer(customer).await;
        assert!(matches!(answer, Err(RecordError::NoSuchCustomer)));
    }
    // What they once had in common joins nobody any more.
    assert_eq!(tell(&desk.identify, "marty@hillvalley.edu", "").await.outcome, Outcome::Created);
    assert_eq!(tell(&desk.identify, "", "123456").await.outcome, Outcome::Created);
}

async fn what_others_say_too_stays(store: Arc<dyn SyncStore>) {
    let desk = Desk::new(&store);
    let stays = desk.create(&order("marty@hillvalley.edu", "123456")).await;
    let twin = desk.create(&order("marty@hillvalley.edu", "123456")).await;
    desk.withdraw(twin.id).await;
    assert_eq!(recall(&desk.identify, "marty@hillvalley.edu", "").await.primary, stays.id.0);
    assert_eq!(recall(&desk.identify, "", "123456").await.primary, stays.id.0);
}

async fn a_withdrawn_primary_leaves_its_place_free(store: Arc<dyn SyncStore>) {
    let desk = Desk::new(&store);
    let user = desk.user(1).await;
    let says = |email: &str| ContactRequest { is_primary: Some(true), ..order_of(user, email, "") };
    let gone = desk.create(&says("marty@hillvalley.edu")).await;
    let stays = desk.create(&order_of(user, "mcfly@hillvalley.edu", "")).await;
    desk.withdraw(gone.id).await;
    assert!(!desk.record(stays.id).await.details.is_primary, "nobody chose it");
    assert!(desk.change(stays.id, primary(true)).await.details.is_primary);
    assert!(desk.create(&says("marty@hillvalley.edu")).await.details.is_primary);
    assert!(!desk.record(stays.id).await.details.is_primary);
}

async fn a_withdrawn_value_goes_to_the_oldest_who_waits(store: Arc<dyn SyncStore>) {
    let desk = Desk::new(&store);
    let mut contacts = Vec::new();
    for number in 1..4 {
        let user = desk.user(number).await;
        contacts.push(desk.create(&order_of(user, "marty@hillvalley.edu", "")).await);
    }
    assert_eq!(contacts[1].email_blocked_by, Some(BlockRule::TwoUsers));
    for (gone, next) in [(0, 1), (1, 2)] {
        let before = desk.record(contacts[next].id).await;
        desk.withdraw(contacts[gone].id).await;
        let served = desk.record(contacts[next].id).await;
        assert_eq!((served.email_blocked_by, served.customer), (None, contacts[next].customer));
        // It is shown otherwise, so it is in another state.
        assert_ne!(served.revision(), before.revision());
        let told = tell(&desk.identify, "marty@hillvalley.edu", "").await;
        assert_eq!((told.outcome, told.customer.id), (Outcome::Known, served.customer));
        if next == 1 {
            assert_eq!(desk.record(contacts[2].id).await.email_blocked_by, Some(BlockRule::TwoUsers));
        }
    }
}

/// The one who waits has both values in one contact, and joins a customer older than its own.
async fn a_freed_value_may_join_a_guest(store: Arc<dyn SyncStore>) {
    let desk = Desk::new(&store);
    let (one, other) = (desk.user(1).await, desk.user(2).await);
    let gone = desk.create(&order_of(one, "marty@hillvalley.edu", "123456")).await;
    let guest = desk.create(&order("lorraine@hillvalley.edu", "123456")).await;
    let waits = desk.create(&order_of(other, "marty@hillvalley.edu", "123456")).await;
    let two_users = Some(BlockRule::TwoUsers);
    assert_eq!((waits.email_blocked_by, waits.phone_blocked_by), (two_users, two_users));
    desk.withdraw(gone.id).await;

    let served = desk.record(waits.id).await;
    assert_eq!((served.email_blocked_by, served.phone_blocked_by), (None, None));
    assert_eq!(served.customer, guest.customer);
    assert_eq!(served.linked(), Some(guest.id));
    let told = tell(&desk.identify, "marty@hillvalley.edu", "123456").await;
    assert_eq!((told.outcome, told.customer.id), (Outcome::Known, guest.customer));
}

/// One waits for the email, another one for the phone, and serving the first moves the second.
async fn two_who_wait_for_two_values_are_both_served(store: Arc<dyn SyncStore>) {
    let desk = Desk::new(&store);
    let (one, other) = (desk.user(1).await, desk.user(2).await);
    let gone = desk.create(&order_of(one, "marty@hillvalley.edu", "123456")).await;
    let phone = desk.create(&order_of(other, "", "123456")).await;
    let guest = desk.create(&order("marty@hillvalley.edu", "")).await;
    let email = desk.create(&order_of(other, "marty@hillvalley.edu", "")).await;
    desk.withdraw(gone.id).await;
    for waited in [&phone, &email] {
        let served = desk.record(waited.id).await;
        assert_eq!((served.email_blocked_by, served.phone_blocked_by), (None, None));
        assert_eq!(served.customer, desk.record(guest.id).await.customer);
    }
    let told = tell(&desk.identify, "marty@hillvalley.edu", "123456").await;
    assert_eq!((told.outcome, told.blocked), (Outcome::Known, Vec::new()));
}

async fn a_link_without_a_contact_outlives_others(store: Arc<dyn SyncStore>) {
    let desk = Desk::new(&store);
    let one = desk.create(&order("marty@hillvalley.edu", "")).await;
    let other = desk.create(&order("", "123456")).await;
    let third = desk.create(&order("marty@hillvalley.edu", "")).await;
    assert_eq!(tell(&desk.identify, "marty@hillvalley.edu", "123456").await.outcome, Outcome::Merged);
    desk.withdraw(third.id).await;
    assert_eq!(desk.record(other.id).await.customer, one.customer);
    // Also when nobody shows one of the two values any more.
    desk.withdraw(one.id).await;
    let told = tell(&desk.identify, "marty@hillvalley.edu", "").await;
    assert_eq!((told.outcome, told.customer.id), (Outcome::Attached, one.customer));
}

/// Two contacts that are held together by such a link fall off together, and stay so.
async fn a_link_without_a_contact_follows_its_part(store: Arc<dyn SyncStore>) {
    let desk = Desk::new(&store);
    desk.create(&order("lorraine@hillvalley.edu", "")).await;
    let bridge = desk.create(&order("lorraine@hillvalley.edu", "555000")).await;
    let one = desk.create(&order("", "555000")).await;
    let other = desk.create(&order("doc@hillvalley.edu", "")).await;
    assert_eq!(tell(&desk.identify, "doc@hillvalley.edu", "555000").await.outcome, Outcome::Merged);
    desk.withdraw(bridge.id).await;
    let (apart, with) = (desk.record(one.id).await, desk.record(other.id).await);
    assert_ne!(apart.customer, bridge.customer);
    assert_eq!(apart.customer, with.customer);

    let passing = desk.create(&order("", "555000")).await;
    desk.withdraw(passing.id).await;
    assert_eq!(desk.record(other.id).await.customer, desk.record(one.id).await.customer);
}

async fn a_link_without_a_contact_goes_with_its_people(store: Arc<dyn SyncStore>) {
    let desk = Desk::new(&store);
    let stays = desk.create(&order("lorraine@hillvalley.edu", "")).await;
    let one = desk.create(&order("marty@hillvalley.edu", "")).await;
    let other = desk.create(&order("", "123456")).await;
    let bridge = desk.create(&order("lorraine@hillvalley.edu", "123456")).await;
    tell(&desk.identify, "marty@hillvalley.edu", "123456").await;
    for id in [bridge.id, one.id, other.id] {
        desk.withdraw(id).await;
    }
    // Who has the two values now is somebody else, and two as long as nobody says otherwise.
    let email = desk.create(&order("marty@hillvalley.edu", "")).await;
    let phone = desk.create(&order("lorraine@hillvalley.edu", "123456")).await;
    assert_eq!(phone.customer, stays.customer);
    assert_ne!(email.customer, stays.customer);
    let bridge = desk.create(&order("marty@hillvalley.edu", "123456")).await;
    desk.withdraw(bridge.id).await;
    assert_ne!(desk.record(email.id).await.customer, desk.record(phone.id).await.customer);
}
