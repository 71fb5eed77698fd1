//! What an identity provider tells of people.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use onefold_domain::block::BlockRule;
use onefold_domain::contact::{ContactRecord, Received, Statement};
use onefold_domain::email::EmailAddress;
use onefold_domain::id::UserId;
use onefold_domain::metadata::Metadata;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::policy::LinkPolicy;
use onefold_domain::profile::{Profile, ProfileField};
use onefold_domain::source::ContactSource;
use onefold_memory::MemoryStore;
use onefold_service::clock::{Clock, SystemRandomness};
use onefold_service::contacts::{ContactRequest, Contacts};
use onefold_service::environment::Environment;
use onefold_service::identities::{
    Applied, Identities, IdentityAddress, IdentityEvent, IdentityFault, IdentityFaultReason, IdentityValue,
    is_detached,
};
use onefold_service::store::ContactFilter;
use onefold_service::users::Users;

const ANN: UserId = UserId(Uuid::from_u128(0xA));
const BOB: UserId = UserId(Uuid::from_u128(0xB));

/// A second later whenever it is asked.
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> DateTime<Utc> {
        let seconds = self.0.fetch_add(1, Ordering::Relaxed);
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }
}

struct Scene {
    env: Environment,
    identities: Identities,
}

impl Scene {
    fn new() -> Self {
        let env = Environment::new(
            Arc::new(MemoryStore::default()),
            Arc::new(LinkPolicy::shipped()),
            Arc::new(Ticking(AtomicI64::new(0))),
            Arc::new(SystemRandomness),
        );
        Self { identities: Identities::new(env.clone()), env }
    }

    async fn apply(&self, event: &IdentityEvent) -> Applied {
        self.identities.apply(event).await.unwrap()
    }

    async fn of(&self, user: UserId) -> Vec<ContactRecord> {
        let filter = ContactFilter { user: Some(user), ..ContactFilter::default() };
        self.env.store.contacts().list(&filter, None, 100).await.unwrap()
    }

    async fn only(&self, user: UserId, email: &str) -> ContactRecord {
        let of_email = |record: &ContactRecord| record.statement.email() == Some(&parse(email));
        let mut found: Vec<_> = self.of(user).await.into_iter().filter(of_email).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    async fn create(&self, request: &ContactRequest) -> ContactRecord {
        Contacts::new(self.env.clone()).create_contact(request).await.unwrap()
    }
}

fn parse(email: &str) -> EmailAddress {
    EmailAddress::parse(email).unwrap()
}

fn email(text: &str, is_verified: bool) -> IdentityAddress {
    let value = IdentityValue::Email(parse(text));
    IdentityAddress { value, received: text.to_owned(), is_verified, pointer: "#/traits/email" }
}

fn phone(text: &str) -> IdentityAddress {
    let value = IdentityValue::Phone(PhoneNumber::parse(text, None).unwrap());
    IdentityAddress { value, received: text.to_owned(), is_verified: false, pointer: "#/traits/phone" }
}

fn event(user: UserId, addresses: Vec<IdentityAddress>) -> IdentityEvent {
    IdentityEvent { key: None, user, profile: None, addresses, is_complete: true }
}

fn named(name: &str) -> Option<Profile> {
    Some(Profile::from_texts(&[("name", name)]).unwrap())
}

fn order(email: &str) -> ContactRequest {
    let statement = Statement::new(Some(parse(email)), None).unwrap();
    ContactRequest::new(statement, Received::default(), ContactSource::Order)
}

#[tokio::test]
async fn a_registration_makes_a_user_with_contacts() {
    let scene = Scene::new();
    let addresses = vec![phone("+12025550143"), email("ann@example.com", false), email("b@x.example", true)];
    let registration = IdentityEvent { profile: named("Ann Lee"), ..event(ANN, addresses) };
    assert_eq!(scene.apply(&registration).await, Applied::Stored);

    let user = scene.env.store.users().get(ANN).await.unwrap().unwrap();
    assert_eq!(user.profile, named("Ann Lee"));
    let contacts = scene.of(ANN).await;
    assert!(contacts.iter().all(|contact| contact.source == ContactSource::Auth));
    assert!(contacts.iter().all(|contact| contact.customer == contacts[0].customer));
    assert!(contacts.iter().all(|contact| contact.details.profile == named("Ann Lee")));
    let primary: Vec<_> = contacts.iter().map(|contact| contact.details.is_primary).collect();
    assert_eq!(primary, [true, false, true], "the first email and the first phone");
    let verified: Vec<_> = contacts.iter().map(|contact| contact.details.verified_at.is_some()).collect();
    assert_eq!(verified, [false, true, false]);
}

#[tokio::test]
async fn a_verification_is_set_and_never_taken_back() {
    let scene = Scene::new();
    let with = |is_verified| event(ANN, vec![email("ann@example.com", is_verified)]);
    scene.apply(&with(false)).await;
    scene.apply(&with(true)).await;
    let verified = scene.only(ANN, "ann@example.com").await.details.verified_at;
    assert!(verified.is_some());
    scene.apply(&with(false)).await;
    scene.apply(&with(true)).await;
    assert_eq!(scene.only(ANN, "ann@example.com").await.details.verified_at, verified);
}

#[tokio::test]
async fn what_the_settings_drop_is_detached_and_may_come_back() {
    let scene = Scene::new();
    let (old, new) = ("old@example.com", "new@example.com");
    scene.apply(&event(ANN, vec![email(old, true)])).await;
    scene.apply(&event(ANN, vec![email(new, false)])).await;

    let detached = scene.only(ANN, old).await;
    assert!(!detached.details.is_primary && detached.details.verified_at.is_some());
    assert!(detached.details.metadata.to_json().starts_with(r#"{"kratos":{"detachedAt":"2023-11-14T"#));
    let attached = scene.only(ANN, new).await;
    assert!(attached.details.is_primary);
    assert_eq!(attached.customer, detached.customer, "the history stays");

    scene.apply(&event(ANN, vec![email(new, false)])).await;
    let still = scene.only(ANN, old).await;
    assert_eq!((still.version, still.details), (detached.version, detached.details), "it is detached once");

    scene.apply(&event(ANN, vec![email(new, false), email(old, false)])).await;
    let back = scene.only(ANN, old).await;
    assert!(back.details.metadata.is_empty() && !back.details.is_primary);
    assert!(scene.only(ANN, new).await.details.is_primary, "the user's choice stays");
}

#[tokio::test]
async fn nothing_is_detached_by_part_of_an_identity() {
    let scene = Scene::new();
    scene.apply(&event(ANN, vec![email("ann@example.com", true)])).await;
    scene.apply(&IdentityEvent { is_complete: false, ..event(ANN, vec![]) }).await;
    assert!(!is_detached(&scene.only(ANN, "ann@example.com").await));
    scene.apply(&event(ANN, vec![])).await;
    assert!(is_detached(&scene.only(ANN, "ann@example.com").await));
}

#[tokio::test]
async fn contacts_of_other_sources_stay_as_they_are() {
    let scene = Scene::new();
    scene.apply(&event(ANN, vec![])).await;
    let mut request = order("shop@example.com");
    request.statement = request.statement.of_user(ANN);
    request.is_primary = Some(true);
    let shop = scene.create(&request).await;
    scene.apply(&event(ANN, vec![email("ann@example.com", false)])).await;
    assert!(!scene.only(ANN, "ann@example.com").await.details.is_primary);
    let now = scene.only(ANN, "shop@example.com").await;
    assert_eq!((now.version, now.details), (shop.version, shop.details));
}

#[tokio::test]
async fn a_call_counts_once() {
    let scene = Scene::new();
    let keyed = |key: &str, address| IdentityEvent {
        key: Some(key.to_owned()),
        ..event(ANN, vec![email(address, false)])
    };
    assert_eq!(scene.apply(&keyed("1", "a@example.com")).await, Applied::Stored);
    let before = scene.of(ANN).await;
    assert_eq!(scene.apply(&keyed("1", "b@example.com")).await, Applied::Repeated);
    assert_eq!(scene.of(ANN).await, before);
    assert_eq!(scene.apply(&keyed("2", "b@example.com")).await, Applied::Stored);
}

#[tokio::test]
async fn the_contact_of_a_guest_becomes_the_users() {
    let scene = Scene::new();
    let mut request = order("ann@example.com");
    request.metadata = Metadata::parse(&json!({"orderId": "order_123"})).unwrap();
    let guest = scene.create(&request).await;
    scene.apply(&event(ANN, vec![email("ann@example.com", true)])).await;

    let claimed = scene.only(ANN, "ann@example.com").await;
    assert_eq!((claimed.id, claimed.customer), (guest.id, guest.customer));
    assert_eq!(claimed.source, ContactSource::Auth);
    assert!(claimed.details.is_primary && claimed.details.verified_at.is_some());
    assert_eq!(claimed.details.metadata, request.metadata);
}

#[tokio::test]
async fn two_identities_with_one_email_do_not_merge() {
    let scene = Scene::new();
    let both = |user| event(user, vec![email("family@example.com", true), email("x@example.com", false)]);
    scene.apply(&event(ANN, vec![email("family@example.com", true)])).await;
    for _ in 0..2 {
        scene.apply(&both(BOB)).await;
    }
    let (ann, bob) =
        (scene.only(ANN, "family@example.com").await, scene.only(BOB, "family@example.com").await);
    assert_ne!(ann.customer, bob.customer);
    // Whoever verified it last has it.
    assert_eq!((ann.email_blocked_by, bob.email_blocked_by), (Some(BlockRule::VerifiedElsewhere), None));
    assert_eq!(scene.only(BOB, "x@example.com").await.customer, bob.customer);
}

#[tokio::test]
async fn a_name_is_put_over_the_one_before() {
    let scene = Scene::new();
    let users = Users::new(scene.env.clone());
    scene.apply(&IdentityEvent { profile: named("Ann"), ..event(ANN, vec![]) }).await;
    let first = users.user(ANN).await.unwrap();
    scene.apply(&event(ANN, vec![])).await;
    assert_eq!(users.user(ANN).await.unwrap(), first, "saying nothing changes nothing");
    scene.apply(&IdentityEvent { profile: named("Ann Lee"), ..event(ANN, vec![]) }).await;
    let second = users.user(ANN).await.unwrap();
    assert_eq!(second.profile.unwrap().text(ProfileField::Name), Some("Ann Lee"));
    assert!(second.updated_at > first.updated_at && second.created_at == first.created_at);
}

#[tokio::test]
async fn an_address_is_taken_when_another_account_has_verified_it() {
    let scene = Scene::new();
    let wanted = event(BOB, vec![email("ann@example.com", false), phone("+12025550143")]);
    let taken = async || scene.identities.taken(&wanted).await.unwrap();
    scene.create(&order("ann@example.com")).await;
    scene.apply(&event(ANN, vec![email("ann@example.com", false)])).await;
    assert!(taken().await.is_empty(), "entered, but not verified");
    scene.apply(&event(ANN, vec![email("ann@example.com", true)])).await;
    let fault = IdentityFault { pointer: "#/traits/email", reason: IdentityFaultReason::Taken };
    assert_eq!(taken().await, [fault]);
    assert!(scene.identities.taken(&event(ANN, wanted.addresses.clone())).await.unwrap().is_empty());
    scene.apply(&event(ANN, vec![])).await;
    assert!(taken().await.is_empty(), "given up");
}
