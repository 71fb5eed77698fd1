//! Changing one record: its details, its place as a primary, and its value, which links it anew.

use std::sync::Arc;

use onefold_domain::block::BlockRule;
use onefold_domain::id::ContactId;
use onefold_domain::linking::Outcome;
use onefold_domain::metadata::Metadata;
use onefold_domain::profile::ProfileField;
use onefold_domain::source::ContactSource;
use onefold_service::contacts::{ContactChange, ContactRequest, Expectation};
use onefold_service::error::RecordError;
use onefold_sync::store::SyncStore;
use serde_json::json;

use crate::scene::{recall, tell};
use crate::use_cases::{
    UseCases, all_together, members, metadata, order, order_of, primary, to_email, to_phone, verified,
    with_profile,
};

on_every_store!(
    a_change_touches_what_it_names,
    nothing_in_place_of_metadata_and_profile_removes_them,
    what_cannot_be_kept_is_refused_and_changes_nothing,
    a_stale_revision_is_refused,
    a_merge_makes_a_revision_stale,
    of_many_who_saw_one_state_one_changes_it,
    there_is_one_primary_for_each_user_and_kind,
    a_contact_of_both_kinds_is_the_primary_of_both,
    of_many_primaries_set_at_once_one_is_left,
    a_value_of_another_kind_is_refused,
    one_value_of_two_may_change,
    another_value_joins_another_customer,
    another_value_leaves_the_customer,
    another_value_of_a_bridge_parts_two_customers,
    another_value_has_yet_to_be_verified,
    another_value_that_is_another_users_does_not_link,
    a_value_that_is_given_up_goes_to_the_oldest_who_waits,
);

async fn a_change_touches_what_it_names(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let told = ContactRequest {
        metadata: metadata(&json!({"tier": "gold", "crm": {"id": 7}})),
        ..with_profile(verified(order("marty@hillvalley.edu", "")), &[("name", "Marty"), ("role", "son")])
    };
    let before = use_cases.create(&told).await;
    let patch = ContactChange {
        metadata: Some(Some(metadata(&json!({"tier": null, "crm": {"owner": "ann"}})))),
        profile: Some(Some(members(json!({"role": null, "country": "us"})))),
        ..ContactChange::default()
    };
    let after = use_cases.change(before.id, patch).await;
    assert_eq!(after.details.metadata, metadata(&json!({"crm": {"id": 7, "owner": "ann"}})));
    let profile = after.details.profile.as_ref().expect("a profile");
    assert_eq!(profile.text(ProfileField::Name), Some("Marty"));
    assert_eq!(profile.text(ProfileField::Country), Some("US"));
    assert!(!profile.states(ProfileField::Role));
    assert_eq!(after.details.verified_at, before.details.verified_at);
    assert_eq!((after.source, &after.statement), (before.source, &before.statement));
    assert_eq!(after.created_at, before.created_at);
    assert!(after.updated_at > before.updated_at);

    // A person may take a verification back, which no upsert does.
    let patch = ContactChange {
        source: Some(ContactSource::Manual),
        is_verified: Some(false),
        ..ContactChange::default()
    };
    let taken_back = use_cases.change(before.id, patch).await;
    assert_eq!((taken_back.source, taken_back.details.verified_at), (ContactSource::Manual, None));
    assert_eq!(taken_back.details.metadata, after.details.metadata);
    assert_eq!(use_cases.record(before.id).await, taken_back);
}

async fn nothing_in_place_of_metadata_and_profile_removes_them(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let told = ContactRequest { metadata: metadata(&json!({"a": 1})), ..order("marty@hillvalley.edu", "") };
    let before = use_cases.create(&with_profile(told, &[("name", "Marty")])).await;
    let patch = ContactChange { metadata: Some(None), profile: Some(None), ..ContactChange::default() };
    let after = use_cases.change(before.id, patch).await;
    assert_eq!((&after.details.metadata, &after.details.profile), (&Metadata::default(), &None));
}

async fn what_cannot_be_kept_is_refused_and_changes_nothing(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let half = |name: &str| metadata(&json!({name: "x".repeat(Metadata::MAX_BYTES / 2)}));
    let told = ContactRequest { metadata: half("a"), ..order("marty@hillvalley.edu", "") };
    let before = use_cases.create(&told).await;
    let anything = Expectation::Anything;
    let large = ContactChange { metadata: Some(Some(half("b"))), ..to_email("mcfly@hillvalley.edu") };
    let refused = use_cases.try_change(before.id, large, &anything).await;
    assert!(matches!(refused, Err(RecordError::Metadata(_))));
    let country = Some(Some(members(json!({"country": "Hill Valley"}))));
    let faulty = ContactChange { profile: country, ..to_email("mcfly@hillvalley.edu") };
    let refused = use_cases.try_change(before.id, faulty, &anything).await;
    assert!(matches!(refused, Err(RecordError::Profile(_))));
    assert_eq!(use_cases.record(before.id).await, before);

    let nobody = use_cases.try_change(ContactId(404), ContactChange::default(), &anything).await;
    assert!(matches!(nobody, Err(RecordError::NoSuchContact)));
}

async fn a_stale_revision_is_refused(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let first = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let seen = Expectation::OneOf(vec![first.revision()]);
    let second = use_cases.try_change(first.id, primary(true), &seen).await.expect("the state that was seen");
    for change in [primary(false), to_email("doc@hillvalley.edu")] {
        let refused = use_cases.try_change(first.id, change, &seen).await;
        assert!(matches!(refused, Err(RecordError::Stale)));
    }
    let withdrawn = use_cases.contacts.withdraw_contact(first.id, &seen).await;
    assert!(matches!(withdrawn, Err(RecordError::Stale)));
    assert_eq!(use_cases.record(first.id).await, second);

    let either = Expectation::OneOf(vec![first.revision(), second.revision()]);
    let third = use_cases.try_change(first.id, primary(false), &either).await.expect("one of the two");
    assert!(!third.details.is_primary);
}

async fn a_merge_makes_a_revision_stale(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let moved = use_cases.create(&order("", "123456")).await;
    tell(&use_cases.identify, "marty@hillvalley.edu", "123456").await;
    // It has become a secondary contact of another customer, which is shown with it.
    let refused =
        use_cases.try_change(moved.id, primary(true), &Expectation::OneOf(vec![moved.revision()])).await;
    assert!(matches!(refused, Err(RecordError::Stale)));
}

async fn of_many_who_saw_one_state_one_changes_it(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let before = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let answers = all_together(20, |_| {
        let (use_cases, seen) = (use_cases.clone(), Expectation::OneOf(vec![before.revision()]));
        async move { use_cases.try_change(before.id, primary(true), &seen).await }
    })
    .await;
    let stale = answers.iter().filter(|answer| matches!(answer, Err(RecordError::Stale))).count();
    assert_eq!((answers.iter().filter(|answer| answer.is_ok()).count(), stale), (1, 19));
    assert_eq!(use_cases.record(before.id).await.version, before.version + 1);
}

/// The contacts of this use_cases that are somebody's first choice.
async fn primaries(use_cases: &UseCases) -> Vec<ContactId> {
    let everything = use_cases.everything().await;
    everything.iter().filter(|record| record.details.is_primary).map(|record| record.id).collect()
}

async fn there_is_one_primary_for_each_user_and_kind(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (one, other) = (use_cases.user(1).await, use_cases.user(2).await);
    let mut ids = Vec::new();
    for request in [
        order_of(one, "marty@hillvalley.edu", ""),
        order_of(one, "mcfly@hillvalley.edu", ""),
        order_of(one, "", "123456"),
        order_of(other, "doc@hillvalley.edu", ""),
    ] {
        ids.push(use_cases.create(&request).await.id);
    }
    for id in [ids[0], ids[2], ids[3]] {
        use_cases.change(id, primary(true)).await;
    }
    assert_eq!(primaries(&use_cases).await, [ids[0], ids[2], ids[3]]);
    let before = use_cases.record(ids[0]).await;
    use_cases.change(ids[1], primary(true)).await;
    assert_eq!(primaries(&use_cases).await, [ids[1], ids[2], ids[3]]);
    assert_ne!(use_cases.record(ids[0]).await.revision(), before.revision());
    use_cases.change(ids[1], primary(false)).await;
    assert_eq!(primaries(&use_cases).await, [ids[2], ids[3]]);
}

async fn a_contact_of_both_kinds_is_the_primary_of_both(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let user = use_cases.user(1).await;
    let email = use_cases.create(&order_of(user, "marty@hillvalley.edu", "")).await.id;
    let phone = use_cases.create(&order_of(user, "", "123456")).await.id;
    let both = use_cases.create(&order_of(user, "mcfly@hillvalley.edu", "654321")).await.id;
    for (set, expected) in [(email, vec![email]), (phone, vec![email, phone]), (both, vec![both])] {
        use_cases.change(set, primary(true)).await;
        assert_eq!(primaries(&use_cases).await, expected);
    }
    use_cases.change(phone, primary(true)).await;
    assert_eq!(primaries(&use_cases).await, [phone]);
}

async fn of_many_primaries_set_at_once_one_is_left(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let user = use_cases.user(1).await;
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(use_cases.create(&order_of(user, &format!("m{number}@hillvalley.edu"), "")).await.id);
    }
    let answers = all_together(ids.len(), |index| {
        let (use_cases, id) = (use_cases.clone(), ids[index]);
        async move { use_cases.change(id, primary(true)).await }
    })
    .await;
    assert!(answers.iter().all(|record| record.details.is_primary));
    assert_eq!(primaries(&use_cases).await.len(), 1);
}

async fn a_value_of_another_kind_is_refused(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let email = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let phone = use_cases.create(&order("", "123456")).await;
    for (record, change) in [(&email, to_phone("654321")), (&phone, to_email("doc@hillvalley.edu"))] {
        let refused = use_cases.try_change(record.id, change, &Expectation::Anything).await;
        assert!(matches!(refused, Err(RecordError::OtherKind)));
        assert_eq!(use_cases.record(record.id).await, *record);
    }
}

async fn one_value_of_two_may_change(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let both = use_cases.create(&order("marty@hillvalley.edu", "123456")).await;
    let after = use_cases.change(both.id, to_email("McFly@HillValley.edu")).await;
    assert_eq!(after.statement, order("mcfly@hillvalley.edu", "123456").statement);
    assert_eq!(after.received.email.as_deref(), Some("McFly@HillValley.edu"));
    assert_eq!((after.customer, after.received.phone), (both.customer, both.received.phone));
    assert_eq!(tell(&use_cases.identify, "marty@hillvalley.edu", "").await.outcome, Outcome::Created);
    assert_eq!(recall(&use_cases.identify, "mcfly@hillvalley.edu", "").await.primary, both.id.0);
}

async fn another_value_joins_another_customer(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let older = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let younger = use_cases.create(&order("doc@hillvalley.edu", "")).await;
    let after = use_cases.change(younger.id, to_email("marty@hillvalley.edu")).await;
    assert_eq!((after.customer, after.linked()), (older.customer, Some(older.id)));
    // The id that it had still leads to it.
    assert_eq!(use_cases.customer(younger.customer).await.id, older.customer);
    assert_eq!(tell(&use_cases.identify, "doc@hillvalley.edu", "").await.outcome, Outcome::Created);
}

async fn another_value_leaves_the_customer(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let stays = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let leaves = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let after = use_cases.change(leaves.id, to_email("doc@hillvalley.edu")).await;
    assert_ne!(after.customer, stays.customer);
    assert_eq!((after.linked(), use_cases.record(stays.id).await.customer), (None, stays.customer));
    assert_eq!(recall(&use_cases.identify, "marty@hillvalley.edu", "").await.primary, stays.id.0);
    assert_eq!(recall(&use_cases.identify, "doc@hillvalley.edu", "").await.primary, leaves.id.0);
    // And comes back the way it went.
    let back = use_cases.change(leaves.id, to_email("marty@hillvalley.edu")).await;
    assert_eq!(back.customer, stays.customer);
    assert_eq!(use_cases.customer(after.customer).await.id, stays.customer);
}

async fn another_value_of_a_bridge_parts_two_customers(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let one = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let other = use_cases.create(&order("", "123456")).await;
    let bridge = use_cases.create(&order("marty@hillvalley.edu", "123456")).await;
    assert_eq!(use_cases.record(other.id).await.customer, one.customer);
    let moved = use_cases.change(bridge.id, to_email("doc@hillvalley.edu")).await;
    assert_eq!(moved.customer, other.customer, "the other customer is itself again");
    assert_eq!(use_cases.record(other.id).await.customer, other.customer);
    assert_eq!(use_cases.record(one.id).await.customer, one.customer);
    let told = tell(&use_cases.identify, "doc@hillvalley.edu", "").await;
    assert_eq!((told.outcome, told.customer.id), (Outcome::Known, other.customer));
}

async fn another_value_has_yet_to_be_verified(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let before = use_cases.create(&verified(order("marty@hillvalley.edu", ""))).await;
    let same = use_cases.change(before.id, to_email("MARTY@hillvalley.edu")).await;
    assert_eq!(same.details.verified_at, before.details.verified_at);
    assert_eq!(use_cases.change(before.id, to_email("doc@hillvalley.edu")).await.details.verified_at, None);
    let given = ContactChange { is_verified: Some(true), ..to_email("mcfly@hillvalley.edu") };
    let given = use_cases.change(before.id, given).await;
    assert_eq!(given.details.verified_at, Some(given.updated_at));
}

async fn another_value_that_is_another_users_does_not_link(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (one, other) = (use_cases.user(1).await, use_cases.user(2).await);
    let owner = use_cases.create(&order_of(one, "marty@hillvalley.edu", "")).await;
    let moved = use_cases.create(&order_of(other, "doc@hillvalley.edu", "")).await;
    let after = use_cases.change(moved.id, to_email("marty@hillvalley.edu")).await;
    assert_eq!((after.customer, after.email_blocked_by), (moved.customer, Some(BlockRule::TwoUsers)));
    assert_eq!(use_cases.record(owner.id).await.customer, owner.customer);
    // Another one again, and nothing stands in the way.
    let free = use_cases.change(moved.id, to_email("brown@hillvalley.edu")).await;
    assert_eq!((free.customer, free.email_blocked_by), (moved.customer, None));
}

async fn a_value_that_is_given_up_goes_to_the_oldest_who_waits(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let mut contacts = Vec::new();
    for number in 1..4 {
        let user = use_cases.user(number).await;
        contacts.push(use_cases.create(&order_of(user, "marty@hillvalley.edu", "")).await);
    }
    use_cases.change(contacts[0].id, to_email("doc@hillvalley.edu")).await;
    let second = use_cases.record(contacts[1].id).await;
    assert_eq!((second.email_blocked_by, second.customer), (None, contacts[1].customer));
    assert_eq!(use_cases.record(contacts[2].id).await.email_blocked_by, Some(BlockRule::TwoUsers));
    let told = tell(&use_cases.identify, "marty@hillvalley.edu", "").await;
    assert_eq!(told.customer.id, contacts[1].customer);
}
