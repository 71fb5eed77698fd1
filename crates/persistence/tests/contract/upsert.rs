//! Upserts: one record for each kind, value and user, and what becomes of guests' records.

use std::sync::Arc;

use onefold_domain::block::{Block, BlockRule, Part};
use onefold_domain::contact::{Channel, ContactRecord};
use onefold_domain::linking::Outcome;
use onefold_domain::metadata::Metadata;
use onefold_domain::profile::ProfileField;
use onefold_domain::source::ContactSource;
use onefold_service::contacts::{ContactRequest, Upserted};
use onefold_service::error::RecordError;
use onefold_sync::store::SyncStore;
use serde_json::json;

use crate::scene::{tell, tell_as};
use crate::use_cases::{
    UseCases, all_together, from, ids, metadata, order, order_of, to_email, verified, with_profile,
};

on_every_store!(
    an_upsert_creates_and_then_updates,
    kind_value_and_user_make_the_key,
    metadata_is_merged_and_null_removes,
    metadata_that_grows_too_large_changes_nothing,
    an_upsert_never_takes_a_verification_back,
    a_profile_is_laid_over_the_one_before,
    what_a_person_entered_is_changed_by_a_person_only,
    a_users_upsert_claims_the_oldest_guest_record,
    a_record_of_the_users_own_is_preferred_to_a_guests,
    a_guest_who_is_somebody_elses_is_not_claimed,
    a_claim_lifts_a_rule_that_no_longer_holds,
    upserts_of_one_new_value_at_once_make_one_record,
    upserts_of_one_user_at_once_make_one_record,
    upserts_at_once_claim_one_guest_record,
);

async fn an_upsert_creates_and_then_updates(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (created, how) = use_cases.upsert(&order("marty@hillvalley.edu", "")).await;
    assert_eq!(how, Upserted::Created);
    let other = from(ContactSource::SignupForm, order("marty@hillvalley.edu", ""));
    let (updated, how) = use_cases.upsert(&other).await;
    assert_eq!(how, Upserted::Updated);
    assert_eq!((updated.id, updated.customer), (created.id, created.customer));
    assert_eq!(updated.source, ContactSource::SignupForm);
    assert_eq!(updated.created_at, created.created_at);
    assert!(updated.updated_at > created.updated_at);
    assert_ne!(updated.revision(), created.revision());
    assert_eq!(use_cases.everything().await, [updated]);
}

async fn kind_value_and_user_make_the_key(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (one, other) = (use_cases.user(1).await, use_cases.user(2).await);
    let distinct = [
        order_of(one, "marty@hillvalley.edu", ""),
        order_of(other, "marty@hillvalley.edu", ""),
        order("marty@hillvalley.edu", ""),
        order("", "+1 202-555-0143"),
        order("marty@hillvalley.edu", "+1 202-555-0143"),
        order("doc@hillvalley.edu", ""),
    ];
    let mut made = Vec::new();
    for request in &distinct {
        let (record, how) = use_cases.upsert(request).await;
        assert_eq!(how, Upserted::Created, "{request:?}");
        made.push(record.id);
    }
    for (request, id) in distinct.iter().zip(&made) {
        let (record, how) = use_cases.upsert(request).await;
        assert_eq!((record.id, how), (*id, Upserted::Updated), "{request:?}");
    }
    // Neither case nor punctuation makes another value.
    for (email, phone, index) in [("MARTY@HillValley.edu", "", 2), ("", "+1 (202) 5550143", 3)] {
        assert_eq!(use_cases.upsert(&order(email, phone)).await.0.id, made[index]);
    }
    assert_eq!(ids(&use_cases.everything().await), made);
}

async fn metadata_is_merged_and_null_removes(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let said = |value: serde_json::Value| ContactRequest {
        metadata: metadata(&value),
        ..order("marty@hillvalley.edu", "")
    };
    let first = json!({"tier": "gold", "none": null, "crm": {"id": 7, "owner": "ann"}, "tags": [1, null]});
    let (created, _) = use_cases.upsert(&said(first)).await;
    let expected = json!({"tier": "gold", "crm": {"id": 7, "owner": "ann"}, "tags": [1, null]});
    assert_eq!(created.details.metadata, metadata(&expected));

    let patch = json!({"tier": null, "crm": {"owner": "bob", "id": null}, "tags": [2], "new": {"a": null}});
    let (merged, _) = use_cases.upsert(&said(patch)).await;
    let expected = metadata(&json!({"crm": {"owner": "bob"}, "tags": [2], "new": {}}));
    assert_eq!(merged.details.metadata, expected);
    // Who says nothing changes nothing.
    let (again, _) = use_cases.upsert(&order("marty@hillvalley.edu", "")).await;
    assert_eq!(again.details.metadata, expected);
    assert_eq!(use_cases.record(created.id).await, again);
}

async fn metadata_that_grows_too_large_changes_nothing(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let half = |name: &str| metadata(&json!({name: "x".repeat(Metadata::MAX_BYTES / 2)}));
    let said = |name| ContactRequest { metadata: half(name), ..order("marty@hillvalley.edu", "") };
    let (before, _) = use_cases.upsert(&said("a")).await;
    let refused = use_cases.contacts.create_or_update_contact(&verified(said("b"))).await;
    assert!(matches!(refused, Err(RecordError::Metadata(_))));
    assert_eq!(use_cases.record(before.id).await, before);
}

async fn an_upsert_never_takes_a_verification_back(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let said = |is_verified| ContactRequest { is_verified, ..order("marty@hillvalley.edu", "") };
    for nothing in [None, Some(false), None] {
        assert_eq!(use_cases.upsert(&said(nothing)).await.0.details.verified_at, None);
    }
    let (verified, _) = use_cases.upsert(&said(Some(true))).await;
    assert_eq!(verified.details.verified_at, Some(verified.updated_at));
    for later in [Some(false), None, Some(true)] {
        let (record, _) = use_cases.upsert(&said(later)).await;
        // Nor does it become a younger one.
        assert_eq!(record.details.verified_at, verified.details.verified_at);
    }
}

async fn a_profile_is_laid_over_the_one_before(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let said = |texts: &[(&str, &str)]| with_profile(order("marty@hillvalley.edu", ""), texts);
    use_cases
        .upsert(&ContactRequest {
            channel: Some(Channel::Email),
            ..said(&[("name", "Marty"), ("role", "son")])
        })
        .await;
    let (record, _) = use_cases.upsert(&said(&[("role", "guitarist"), ("country", "us")])).await;
    let profile = record.details.profile.expect("a profile");
    assert_eq!(profile.text(ProfileField::Name), Some("Marty"));
    assert_eq!(profile.text(ProfileField::Role), Some("guitarist"));
    assert_eq!(profile.text(ProfileField::Country), Some("US"));
    assert_eq!(record.details.channel, Some(Channel::Email));
}

async fn what_a_person_entered_is_changed_by_a_person_only(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let user = use_cases.user(1).await;
    let said =
        ContactRequest { metadata: metadata(&json!({"by": "shop"})), ..order("marty@hillvalley.edu", "") };
    let (entered, _) =
        use_cases.upsert(&from(ContactSource::Manual, order("marty@hillvalley.edu", ""))).await;
    let (shops, how) = use_cases.upsert(&verified(said.clone())).await;
    assert_eq!(how, Upserted::Created);
    // A user's upsert must not claim it either, but the shop's.
    let users = ContactRequest { statement: said.statement.clone().of_user(user), ..said };
    let (claimed, how) = use_cases.upsert(&users).await;
    assert_eq!((claimed.id, how), (shops.id, Upserted::Claimed));
    let now = use_cases.record(entered.id).await;
    assert_eq!((now.version, &now.details), (entered.version, &entered.details));

    let manual = from(ContactSource::Manual, verified(order("marty@hillvalley.edu", "")));
    let (updated, how) = use_cases.upsert(&manual).await;
    assert_eq!((updated.id, how), (entered.id, Upserted::Updated));
    assert!(updated.details.verified_at.is_some());
}

async fn a_users_upsert_claims_the_oldest_guest_record(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let user = use_cases.user(1).await;
    let known = metadata(&json!({"order": 1, "guest": true}));
    let guest =
        ContactRequest { metadata: known, is_primary: Some(true), ..order("marty@hillvalley.edu", "") };
    let oldest = use_cases.create(&guest).await;
    let younger = use_cases.create(&guest).await;

    let says = ContactRequest {
        metadata: metadata(&json!({"guest": null, "plan": "pro"})),
        ..verified(from(ContactSource::Auth, order_of(user, "marty@hillvalley.edu", "")))
    };
    let (claimed, how) = use_cases.upsert(&says).await;
    assert_eq!((claimed.id, how), (oldest.id, Upserted::Claimed));
    assert_eq!((claimed.user(), claimed.source), (Some(user), ContactSource::Auth));
    assert_eq!(claimed.details.metadata, metadata(&json!({"order": 1, "plan": "pro"})));
    assert_eq!(claimed.details.verified_at, Some(claimed.updated_at));
    assert!(!claimed.details.is_primary, "a guest's preference is not the user's");
    assert_eq!((claimed.created_at, claimed.customer), (oldest.created_at, oldest.customer));
    assert_eq!(use_cases.record(younger.id).await.user(), None);

    // From now on it is the user's, and the other one stays a guest's.
    let (again, how) = use_cases.upsert(&says).await;
    assert_eq!((again.id, how), (oldest.id, Upserted::Updated));
    assert_eq!(use_cases.everything().await.len(), 2);
    // The account alone leads to the customer.
    let told = tell_as(&use_cases.identify, user, "mcfly@hillvalley.edu", "").await;
    assert_eq!((told.outcome, told.customer.id), (Outcome::Attached, oldest.customer));
}

async fn a_record_of_the_users_own_is_preferred_to_a_guests(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let user = use_cases.user(1).await;
    use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let own = use_cases.create(&order_of(user, "marty@hillvalley.edu", "")).await;
    let (record, how) = use_cases.upsert(&order_of(user, "marty@hillvalley.edu", "")).await;
    assert_eq!((record.id, how), (own.id, Upserted::Updated));
}

async fn a_guest_who_is_somebody_elses_is_not_claimed(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (one, other) = (use_cases.user(1).await, use_cases.user(2).await);
    let owner = use_cases.create(&order_of(one, "marty@hillvalley.edu", "")).await;
    let guest = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    assert_eq!(guest.customer, owner.customer);

    let (made, how) = use_cases.upsert(&order_of(other, "marty@hillvalley.edu", "")).await;
    assert_eq!(how, Upserted::Created);
    assert_ne!(made.customer, owner.customer);
    assert_eq!(made.email_blocked_by, Some(BlockRule::TwoUsers));
    assert_eq!(use_cases.record(guest.id).await.user(), None);
}

/// A record that a rule kept from a value, claimed once nothing stands in the way any more.
async fn a_claim_lifts_a_rule_that_no_longer_holds(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (one, other) = (use_cases.user(1).await, use_cases.user(2).await);
    let phone = use_cases.create(&order_of(one, "", "123456")).await;
    let email = use_cases.create(&order_of(other, "marty@hillvalley.edu", "")).await;
    let guest = tell(&use_cases.identify, "marty@hillvalley.edu", "123456").await;
    assert_eq!(guest.blocked, [Block { part: Part::Email, rule: BlockRule::TwoUsers }]);
    // What the user withdraws had another value than the one that is blocked, which so stays blocked.
    use_cases.withdraw(phone.id).await;

    let (claimed, how) = use_cases.upsert(&order_of(other, "marty@hillvalley.edu", "123456")).await;
    assert_eq!(how, Upserted::Claimed);
    assert_eq!(claimed.customer, use_cases.record(email.id).await.customer);
    assert_eq!((claimed.email_blocked_by, claimed.phone_blocked_by), (None, None));
    // Taken as evidence it holds the customer together by itself.
    use_cases.change(email.id, to_email("mcfly@hillvalley.edu")).await;
    let told = tell(&use_cases.identify, "marty@hillvalley.edu", "123456").await;
    assert_eq!(told.customer.id, use_cases.record(claimed.id).await.customer);
    assert_eq!(told.blocked, []);
}

const CALLERS: usize = 50;

/// The answers of many upserts of one request, which must be about one record.
async fn upsert_at_once(use_cases: &UseCases, request: &ContactRequest) -> (ContactRecord, Vec<Upserted>) {
    let answers = all_together(CALLERS, |_| {
        let (use_cases, request) = (use_cases.clone(), request.clone());
        async move { use_cases.upsert(&request).await }
    })
    .await;
    let id = answers[0].0.id;
    assert!(answers.iter().all(|(record, _)| record.id == id));
    (use_cases.record(id).await, answers.into_iter().map(|(_, how)| how).collect())
}

fn how_many(answers: &[Upserted], wanted: Upserted) -> usize {
    answers.iter().filter(|how| **how == wanted).count()
}

async fn upserts_of_one_new_value_at_once_make_one_record(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (record, answers) = upsert_at_once(&use_cases, &order("marty@hillvalley.edu", "")).await;
    assert_eq!(how_many(&answers, Upserted::Created), 1);
    assert_eq!(how_many(&answers, Upserted::Updated), CALLERS - 1);
    // Every one of them was carried out, none twice.
    assert_eq!(record.version, 50);
    assert_eq!(use_cases.everything().await, [record]);
}

async fn upserts_of_one_user_at_once_make_one_record(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let user = use_cases.user(1).await;
    let says = ContactRequest { is_primary: Some(true), ..order_of(user, "", "123456") };
    let (record, answers) = upsert_at_once(&use_cases, &says).await;
    assert_eq!(how_many(&answers, Upserted::Created), 1);
    assert_eq!(how_many(&answers, Upserted::Updated), CALLERS - 1);
    assert_eq!((record.version, record.details.is_primary), (50, true));
    assert_eq!(use_cases.everything().await, [record]);
}

async fn upserts_at_once_claim_one_guest_record(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let user = use_cases.user(1).await;
    let oldest = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let younger = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let (record, answers) = upsert_at_once(&use_cases, &order_of(user, "marty@hillvalley.edu", "")).await;
    assert_eq!(how_many(&answers, Upserted::Claimed), 1);
    assert_eq!(how_many(&answers, Upserted::Updated), CALLERS - 1);
    assert_eq!((record.id, record.user()), (oldest.id, Some(user)));
    assert_eq!(ids(&use_cases.everything().await), [oldest.id, younger.id]);
    assert_eq!(use_cases.record(younger.id).await.user(), None);
}
