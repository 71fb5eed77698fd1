//! Another statement in place of all that a contact held, and the way a phone is reached.

use std::sync::Arc;

use onefold_domain::block::BlockRule;
use onefold_domain::contact::{Channel, ContactKind};
use onefold_domain::linking::Outcome;
use onefold_service::contacts::{ContactChange, Expectation, NewValue};
use onefold_service::error::RecordError;
use onefold_sync::store::SyncStore;

use crate::scene::{recall, tell};
use crate::use_cases::{UseCases, order, order_of, primary, to_phone, verified};

on_every_store!(
    the_kind_changes_in_every_direction,
    another_kind_is_linked_anew_and_frees_the_old_value,
    another_kind_of_a_bridge_parts_two_customers,
    the_user_stays_and_keeps_out_of_the_customers_of_others,
    a_verification_stays_with_its_value,
    being_the_primary_of_a_kind_stays_with_the_kind,
    a_channel_changes_by_itself,
    a_channel_does_not_carry_over_to_another_kind,
    a_stale_revision_is_refused,
);

/// All of it, as a guest's order would say it; an empty text means that the value is missing.
fn instead(email: &str, phone: &str) -> ContactChange {
    let told = order(email, phone);
    let value = NewValue::Instead { statement: told.statement, received: told.received };
    ContactChange { value: Some(value), ..ContactChange::default() }
}

fn through(channel: Channel, change: ContactChange) -> ContactChange {
    ContactChange { channel: Some(channel), ..change }
}

const VALUES: [(&str, &str, ContactKind); 3] = [
    ("marty@hillvalley.edu", "", ContactKind::Email),
    ("", "123456", ContactKind::Phone),
    ("marty@hillvalley.edu", "123456", ContactKind::Both),
];

async fn the_kind_changes_in_every_direction(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    for ((from_email, from_phone, _), (email, phone, kind)) in
        VALUES.into_iter().flat_map(|from| VALUES.map(|to| (from, to)))
    {
        let before = use_cases.create(&order(from_email, from_phone)).await;
        let after = use_cases.change(before.id, instead(email, phone)).await;
        assert_eq!((after.id, after.kind(), after.user()), (before.id, kind, None));
        assert_eq!(after.statement, order(email, phone).statement);
        assert_eq!(after.received, order(email, phone).received, "nothing of the old one is remembered");
        assert_eq!((after.created_at, after.source), (before.created_at, before.source));
        assert_eq!(use_cases.record(before.id).await, after);
        use_cases.withdraw(before.id).await;
    }
}

async fn another_kind_is_linked_anew_and_frees_the_old_value(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let by_email = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let by_phone = use_cases.create(&order("", "123456")).await;
    let moved = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    assert_eq!(moved.customer, by_email.customer);
    let after = use_cases.change(moved.id, instead("", "123456")).await;
    assert_eq!((after.customer, after.linked()), (by_phone.customer, Some(by_phone.id)));
    assert_eq!(use_cases.record(by_email.id).await.customer, by_email.customer);

    // Nobody has the value of a contact that was the only one to have it.
    use_cases.change(by_email.id, instead("", "654321")).await;
    assert_eq!(tell(&use_cases.identify, "marty@hillvalley.edu", "").await.outcome, Outcome::Created);
    assert_eq!(recall(&use_cases.identify, "", "654321").await.primary, by_email.id.0);
    // And back.
    let back = use_cases.change(moved.id, instead("marty@hillvalley.edu", "")).await;
    assert_ne!(back.customer, by_phone.customer);
}

async fn another_kind_of_a_bridge_parts_two_customers(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let one = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let other = use_cases.create(&order("", "123456")).await;
    let bridge = use_cases.create(&order("marty@hillvalley.edu", "123456")).await;
    assert_eq!(use_cases.record(other.id).await.customer, one.customer);
    let moved = use_cases.change(bridge.id, instead("", "123456")).await;
    assert_eq!(moved.customer, other.customer, "the other customer is itself again");
    assert_eq!(use_cases.record(one.id).await.customer, one.customer);
    let both = use_cases.change(bridge.id, instead("marty@hillvalley.edu", "123456")).await;
    assert_eq!(both.customer, one.customer, "and a bridge once more");
    assert_eq!(use_cases.record(other.id).await.customer, one.customer);
}

async fn the_user_stays_and_keeps_out_of_the_customers_of_others(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (one, other) = (use_cases.user(1).await, use_cases.user(2).await);
    let owner = use_cases.create(&order_of(one, "", "123456")).await;
    let mail = use_cases.create(&order_of(other, "doc@hillvalley.edu", "")).await;
    let moved = use_cases.create(&order_of(other, "brown@hillvalley.edu", "")).await;
    assert_eq!(moved.customer, mail.customer, "a user is one customer");
    // Whatever user the new statement names.
    let told = order_of(one, "", "123456");
    let value = NewValue::Instead { statement: told.statement, received: told.received };
    let change = ContactChange { value: Some(value), ..ContactChange::default() };
    let after = use_cases.change(moved.id, change).await;
    assert_eq!(after.user(), Some(other));
    assert_eq!((after.customer, after.phone_blocked_by), (mail.customer, Some(BlockRule::TwoUsers)));
    assert_eq!(use_cases.record(owner.id).await.customer, owner.customer);
    // The owner gives the number up, and nothing stands in the way any more.
    use_cases.change(owner.id, instead("marty@hillvalley.edu", "")).await;
    let free = use_cases.record(moved.id).await;
    assert_eq!((free.customer, free.phone_blocked_by), (mail.customer, None));
    let told = tell(&use_cases.identify, "", "123456").await;
    assert_eq!(told.customer.id, mail.customer);
}

async fn a_verification_stays_with_its_value(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let before = use_cases.create(&verified(order("marty@hillvalley.edu", ""))).await;
    let same = use_cases.change(before.id, instead("MARTY@hillvalley.edu", "")).await;
    assert_eq!(same.details.verified_at, before.details.verified_at);
    assert_eq!(same.received.email.as_deref(), Some("MARTY@hillvalley.edu"));
    let other = use_cases.change(before.id, instead("", "123456")).await;
    assert_eq!(other.details.verified_at, None);
    let given = ContactChange { is_verified: Some(true), ..instead("doc@hillvalley.edu", "") };
    let given = use_cases.change(before.id, given).await;
    assert_eq!(given.details.verified_at, Some(given.updated_at));
}

async fn being_the_primary_of_a_kind_stays_with_the_kind(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let user = use_cases.user(1).await;
    let mail = use_cases.create(&order_of(user, "marty@hillvalley.edu", "")).await.id;
    let number = use_cases.create(&order_of(user, "", "123456")).await.id;
    for id in [mail, number] {
        use_cases.change(id, primary(true)).await;
    }
    let same_kind = use_cases.change(mail, instead("mcfly@hillvalley.edu", "")).await;
    assert!(same_kind.details.is_primary);
    let other_kind = use_cases.change(mail, instead("", "654321")).await;
    assert!(!other_kind.details.is_primary && use_cases.record(number).await.details.is_primary);
    // Unless the change says so.
    let first = ContactChange { is_primary: Some(true), ..instead("doc@hillvalley.edu", "") };
    assert!(use_cases.change(mail, first).await.details.is_primary);
    assert!(
        use_cases.record(number).await.details.is_primary,
        "the first of the emails takes nothing from it"
    );
    let first = ContactChange { is_primary: Some(true), ..instead("", "654321") };
    assert!(use_cases.change(mail, first).await.details.is_primary);
    assert!(!use_cases.record(number).await.details.is_primary);
}

async fn a_channel_changes_by_itself(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let before = use_cases.create(&verified(order("", "123456"))).await;
    assert_eq!(before.channel(), Some(Channel::Telephone), "as long as nobody says so");
    for channel in [Channel::Whatsapp, Channel::Telegram, Channel::Telephone] {
        let after = use_cases.change(before.id, through(channel, ContactChange::default())).await;
        assert_eq!(after.channel(), Some(channel));
        assert_eq!((&after.statement, after.customer), (&before.statement, before.customer));
        assert_eq!(after.details.verified_at, before.details.verified_at);
    }
    use_cases.change(before.id, through(Channel::Telegram, ContactChange::default())).await;
    let other_number = use_cases.change(before.id, to_phone("654321")).await;
    assert_eq!(other_number.channel(), Some(Channel::Telegram), "it stays with the contact");
}

async fn a_channel_does_not_carry_over_to_another_kind(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let before = use_cases.create(&order("", "123456")).await;
    use_cases.change(before.id, through(Channel::Whatsapp, ContactChange::default())).await;
    let mail =
        use_cases.change(before.id, through(Channel::Email, instead("marty@hillvalley.edu", ""))).await;
    assert_eq!(mail.channel(), Some(Channel::Email));
    let number = use_cases.change(before.id, instead("", "123456")).await;
    assert_eq!(number.channel(), Some(Channel::Telephone));
    let number = use_cases.change(before.id, through(Channel::Telegram, instead("", "654321"))).await;
    assert_eq!(number.channel(), Some(Channel::Telegram));
    assert_eq!(use_cases.change(before.id, instead("marty@hillvalley.edu", "123456")).await.channel(), None);
}

async fn a_stale_revision_is_refused(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let first = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let seen = Expectation::OneOf(vec![first.revision()]);
    let second = use_cases.try_change(first.id, instead("", "123456"), &seen).await.expect("what was seen");
    assert_ne!(second.revision(), first.revision());
    for change in [instead("doc@hillvalley.edu", ""), through(Channel::Telegram, ContactChange::default())] {
        let refused = use_cases.try_change(first.id, change, &seen).await;
        assert!(matches!(refused, Err(RecordError::Stale)));
    }
    assert_eq!(use_cases.record(first.id).await, second);
}
