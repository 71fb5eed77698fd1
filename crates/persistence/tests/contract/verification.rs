//! Whose a value is: the user's who verified it last. What users say of themselves links nobody before that, and what
//! guests left is the owner's, whoever claimed it meanwhile.

use std::sync::Arc;

use onefold_domain::block::BlockRule;
use onefold_domain::contact::{ClaimedBy, ContactRecord, Received};
use onefold_domain::email::EmailAddress;
use onefold_domain::id::UserId;
use onefold_domain::linking::Outcome;
use onefold_domain::profile::Profile;
use onefold_service::actor::{Acting, Actor};
use onefold_service::contacts::{ContactChange, Upserted};
use onefold_service::identify::Identify;
use onefold_service::registration::{
    NewRegistration, Registered, RegistrationSettings, Registrations, ShowClaimed,
};
use onefold_service::store::ContactFilter;
use onefold_service::token::TokenId;
use onefold_sync::store::SyncStore;

use crate::scene::{email, recall, seen, tell};
use crate::use_cases::{UseCases, all_together, order, order_of, to_email, verified};

on_every_store!(
    what_a_user_says_of_itself_links_nobody,
    what_a_user_says_of_itself_links_once_it_is_verified,
    what_a_user_says_of_itself_links_once_somebody_trusted_says_so,
    the_users_word_takes_nothing_from_what_was_trusted,
    a_user_who_changes_its_contact_has_only_its_word_for_the_new_value,
    a_verified_value_is_taken_from_who_had_it,
    what_a_guest_left_goes_to_the_verified_owner,
    what_a_guest_leaves_later_goes_to_the_verified_owner,
    others_cannot_state_a_verified_value,
    the_newest_verification_wins,
    a_verification_that_ends_gives_the_value_back,
    a_withdrawn_verification_gives_the_value_back,
    a_verification_that_is_repeated_changes_nothing,
    a_guests_verification_is_nobodys,
    a_claim_is_void_once_another_user_verifies_the_value,
    a_registration_claims_and_does_not_show,
    a_proven_claim_is_shown_and_stays,
    a_form_that_has_verified_shows_at_once,
    of_many_who_verify_one_value_one_has_it,
);

const VICTIM: &str = "marty@hillvalley.edu";

/// The user itself, with its own token.
fn own(user: UserId) -> Acting {
    Acting::of(Actor::Token { id: TokenId(1), user: Some(user) })
}

fn verify(is_verified: bool) -> ContactChange {
    ContactChange { is_verified: Some(is_verified), ..ContactChange::default() }
}

/// Where a guest's request by this email leads.
async fn led(service: &Identify, email: &str) -> onefold_domain::id::CustomerId {
    tell(service, email, "").await.customer.id
}

async fn registers(use_cases: &UseCases, email_text: &str, show_claimed: ShowClaimed) -> Registered {
    let settings = RegistrationSettings { show_claimed, ..RegistrationSettings::default() };
    let registrations = Registrations::new(use_cases.identify.environment().clone(), None, settings);
    let new = NewRegistration {
        email: email(email_text),
        phone: None,
        received: Received::default(),
        profile: Profile::default(),
        user: None,
    };
    registrations.register(&new).await.expect("a registration")
}

/// What the user's own token would be shown.
async fn shown_to(use_cases: &UseCases, user: UserId) -> Vec<ContactRecord> {
    use_cases.list(&ContactFilter { user: Some(user), is_proven: true, ..ContactFilter::default() }).await
}

async fn what_a_user_says_of_itself_links_nobody(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let user = use_cases.user(1).await;
    let guest = use_cases.create(&order(VICTIM, "")).await;
    let said = use_cases.by(&own(user)).create(&order_of(user, VICTIM, "123456")).await;
    let unverified = Some(BlockRule::Unverified);
    assert_eq!((said.email_blocked_by, said.phone_blocked_by), (unverified, unverified));
    assert_ne!(said.customer, guest.customer);
    // Not even what comes after it.
    assert_eq!(led(&use_cases.identify, VICTIM).await, guest.customer);
    assert_eq!(tell(&use_cases.identify, "", "123456").await.outcome, Outcome::Created);
    // It is the user's all the same, and the user's are one customer.
    let more = use_cases.by(&own(user)).create(&order_of(user, "doc@hillvalley.edu", "")).await;
    assert_eq!(more.customer, said.customer);
}

async fn what_a_user_says_of_itself_links_once_it_is_verified(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let user = use_cases.user(1).await;
    let guest = use_cases.create(&order(VICTIM, "")).await;
    let said = use_cases.by(&own(user)).create(&order_of(user, VICTIM, "")).await;
    let linked = use_cases.change(said.id, verify(true)).await;
    assert_eq!((linked.email_blocked_by, linked.customer), (None, guest.customer));
    let apart = use_cases.change(said.id, verify(false)).await;
    assert_eq!(apart.email_blocked_by, Some(BlockRule::Unverified));
    assert_ne!(apart.customer, guest.customer);
}

async fn what_a_user_says_of_itself_links_once_somebody_trusted_says_so(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let user = use_cases.user(1).await;
    let said = use_cases.by(&own(user)).create(&order_of(user, VICTIM, "")).await;
    let guest = use_cases.create(&order(VICTIM, "")).await;
    assert_ne!(guest.customer, said.customer);
    let (vouched, done) = use_cases.upsert(&order_of(user, VICTIM, "")).await;
    assert_eq!((vouched.id, done, vouched.email_blocked_by), (said.id, Upserted::Updated, None));
    assert_eq!(vouched.customer, use_cases.record(guest.id).await.customer);
}

async fn the_users_word_takes_nothing_from_what_was_trusted(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let user = use_cases.user(1).await;
    let trusted = use_cases.create(&order_of(user, VICTIM, "")).await;
    let guest = use_cases.create(&order(VICTIM, "")).await;
    let same = use_cases.by(&own(user)).change(trusted.id, to_email(VICTIM)).await;
    assert_eq!((same.email_blocked_by, same.customer), (None, guest.customer));
}

async fn a_user_who_changes_its_contact_has_only_its_word_for_the_new_value(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let user = use_cases.user(1).await;
    let trusted = use_cases.create(&verified(order_of(user, "doc@hillvalley.edu", ""))).await;
    let guest = use_cases.create(&order(VICTIM, "")).await;
    let said = use_cases.by(&own(user)).change(trusted.id, to_email(VICTIM)).await;
    assert_eq!(said.email_blocked_by, Some(BlockRule::Unverified));
    assert_ne!(said.customer, guest.customer);
}

async fn a_verified_value_is_taken_from_who_had_it(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (first, owner) = (use_cases.user(1).await, use_cases.user(2).await);
    let taken = use_cases.create(&order_of(first, VICTIM, "111222")).await;
    let owned = use_cases.create(&verified(order_of(owner, VICTIM, ""))).await;
    assert_eq!(owned.email_blocked_by, None);
    let left = use_cases.record(taken.id).await;
    assert_eq!((left.email_blocked_by, left.phone_blocked_by), (Some(BlockRule::VerifiedElsewhere), None));
    assert_eq!((left.customer, led(&use_cases.identify, VICTIM).await), (taken.customer, owned.customer));
    assert_eq!(recall(&use_cases.identify, "", "111222").await.primary, taken.id.0);
}

/// A phone-and-email order of a guest, a shopper who has the phone, and the owner of the email who comes last.
async fn what_a_guest_left_goes_to_the_verified_owner(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (other, owner) = (use_cases.user(1).await, use_cases.user(2).await);
    let guest = use_cases.create(&order(VICTIM, "123456")).await;
    let shopper = use_cases.create(&order_of(other, "", "123456")).await;
    assert_eq!(shopper.customer, guest.customer);
    let owned = use_cases.create(&verified(order_of(owner, VICTIM, ""))).await;
    let (guest, shopper) = (use_cases.record(guest.id).await, use_cases.record(shopper.id).await);
    assert_eq!(
        (guest.customer, guest.email_blocked_by, guest.phone_blocked_by),
        (owned.customer, None, None)
    );
    assert_eq!(shopper.phone_blocked_by, Some(BlockRule::TwoUsers));
    assert_ne!(shopper.customer, owned.customer);
}

async fn what_a_guest_leaves_later_goes_to_the_verified_owner(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (older, owner) = (use_cases.user(1).await, use_cases.user(2).await);
    let other = use_cases.create(&order_of(older, "", "123456")).await;
    let owned = use_cases.create(&verified(order_of(owner, VICTIM, ""))).await;
    // Either could be meant, and the other one is the older.
    let guest = use_cases.create(&order(VICTIM, "123456")).await;
    assert_eq!((guest.customer, guest.phone_blocked_by), (owned.customer, Some(BlockRule::TwoUsers)));
    assert_ne!(other.customer, guest.customer);
}

async fn others_cannot_state_a_verified_value(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (owner, other) = (use_cases.user(1).await, use_cases.user(2).await);
    let owned = use_cases.create(&verified(order_of(owner, VICTIM, ""))).await;
    for use_cases in [use_cases.clone(), use_cases.by(&own(other))] {
        let said = use_cases.create(&order_of(other, VICTIM, "")).await;
        assert_eq!(said.email_blocked_by, Some(BlockRule::VerifiedElsewhere));
        assert_ne!(said.customer, owned.customer);
    }
    // The owner's own word is as good as any now.
    let again = use_cases.by(&own(owner)).create(&order_of(owner, VICTIM, "")).await;
    assert_eq!((again.email_blocked_by, again.customer), (None, owned.customer));
}

async fn the_newest_verification_wins(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (one, other) = (use_cases.user(1).await, use_cases.user(2).await);
    let first = use_cases.create(&verified(order_of(one, VICTIM, ""))).await;
    let guest = use_cases.create(&order(VICTIM, "")).await;
    assert_eq!(guest.customer, first.customer);
    let second = use_cases.create(&verified(order_of(other, VICTIM, ""))).await;
    assert_eq!(use_cases.record(first.id).await.email_blocked_by, Some(BlockRule::VerifiedElsewhere));
    assert_eq!(use_cases.record(guest.id).await.customer, second.customer);
    assert_eq!(store.contacts().contested_verifications().await.expect("a count"), 1);
    // By turns: taken away and set again, the first one's is the newest.
    use_cases.change(first.id, verify(false)).await;
    use_cases.change(first.id, verify(true)).await;
    assert_eq!(use_cases.record(guest.id).await.customer, first.customer);
    assert_eq!(use_cases.record(second.id).await.email_blocked_by, Some(BlockRule::VerifiedElsewhere));
}

async fn a_verification_that_ends_gives_the_value_back(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (first, owner) = (use_cases.user(1).await, use_cases.user(2).await);
    let taken = use_cases.create(&order_of(first, VICTIM, "")).await;
    let owned = use_cases.create(&verified(order_of(owner, VICTIM, ""))).await;
    let ended = use_cases.change(owned.id, verify(false)).await;
    assert_eq!(ended.email_blocked_by, Some(BlockRule::TwoUsers));
    let back = use_cases.record(taken.id).await;
    assert_eq!((back.email_blocked_by, led(&use_cases.identify, VICTIM).await), (None, taken.customer));
}

async fn a_withdrawn_verification_gives_the_value_back(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (first, owner) = (use_cases.user(1).await, use_cases.user(2).await);
    let taken = use_cases.create(&order_of(first, VICTIM, "")).await;
    let owned = use_cases.create(&verified(order_of(owner, VICTIM, ""))).await;
    use_cases.withdraw(owned.id).await;
    assert_eq!(use_cases.record(taken.id).await.email_blocked_by, None);
    assert_eq!(led(&use_cases.identify, VICTIM).await, taken.customer);
}

async fn a_verification_that_is_repeated_changes_nothing(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (one, other) = (use_cases.user(1).await, use_cases.user(2).await);
    use_cases.create(&verified(order_of(one, VICTIM, ""))).await;
    let second = use_cases.create(&verified(order_of(other, VICTIM, ""))).await;
    // A provider tells of it with every call.
    let (repeated, _) = use_cases.upsert(&verified(order_of(one, VICTIM, ""))).await;
    assert_eq!(repeated.email_blocked_by, Some(BlockRule::VerifiedElsewhere));
    assert_eq!(led(&use_cases.identify, VICTIM).await, second.customer);
}

async fn a_guests_verification_is_nobodys(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let user = use_cases.user(1).await;
    let guest = use_cases.create(&verified(order(VICTIM, ""))).await;
    let stated = use_cases.create(&order_of(user, VICTIM, "")).await;
    assert_eq!((stated.email_blocked_by, stated.customer), (None, guest.customer));
}

/// Somebody registers with a stranger's address, and the stranger turns up and proves it.
async fn a_claim_is_void_once_another_user_verifies_the_value(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let owner = use_cases.user(1).await;
    let guest = use_cases.create(&verified(order(VICTIM, ""))).await;
    let attacker = registers(&use_cases, VICTIM, ShowClaimed::Verified).await;
    let claimed = use_cases.record(guest.id).await;
    assert_eq!((claimed.user(), claimed.claimed_by), (Some(attacker.user.id), Some(ClaimedBy::Registration)));
    assert_eq!(claimed.details.verified_at, None, "that was the guest's");

    let owned = use_cases.create(&verified(order_of(owner, VICTIM, ""))).await;
    let back = use_cases.record(guest.id).await;
    assert_eq!((back.user(), back.claimed_by, back.customer), (None, None, owned.customer));
    assert_eq!(led(&use_cases.identify, VICTIM).await, owned.customer);
    // Nothing of the attacker's leads there any more.
    let later = use_cases.create(&order_of(attacker.user.id, "biff@hillvalley.edu", "")).await;
    assert_ne!(later.customer, owned.customer);
    // By a trusted caller's word it is no better.
    let other = use_cases.user(2).await;
    let second = use_cases.create(&order("lorraine@hillvalley.edu", "")).await;
    let (taken, done) = use_cases.upsert(&order_of(other, "lorraine@hillvalley.edu", "")).await;
    assert_eq!((taken.id, done), (second.id, Upserted::Claimed));
    use_cases.create(&verified(order_of(owner, "lorraine@hillvalley.edu", ""))).await;
    assert_eq!(use_cases.record(second.id).await.user(), None);
}

async fn a_registration_claims_and_does_not_show(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let guest = use_cases.create(&order(VICTIM, "")).await;
    let user = registers(&use_cases, VICTIM, ShowClaimed::Verified).await.user.id;
    let all = use_cases.list(&ContactFilter { user: Some(user), ..ContactFilter::default() }).await;
    assert!(all.iter().any(|contact| contact.id == guest.id && contact.is_unproven()));
    assert!(shown_to(&use_cases, user).await.is_empty());
}

async fn a_proven_claim_is_shown_and_stays(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let other = use_cases.user(1).await;
    let guest = use_cases.create(&order(VICTIM, "")).await;
    let user = registers(&use_cases, VICTIM, ShowClaimed::Verified).await.user.id;
    use_cases.upsert(&verified(order_of(user, VICTIM, ""))).await;
    assert_eq!(shown_to(&use_cases, user).await.len(), 1);
    // Who verifies the address later does not get what was proven.
    use_cases.create(&verified(order_of(other, VICTIM, ""))).await;
    let kept = use_cases.record(guest.id).await;
    assert_eq!((kept.user(), kept.email_blocked_by), (Some(user), Some(BlockRule::VerifiedElsewhere)));
}

async fn a_form_that_has_verified_shows_at_once(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let guest = use_cases.create(&order(VICTIM, "")).await;
    let user = registers(&use_cases, VICTIM, ShowClaimed::AtOnce).await.user.id;
    assert_eq!(
        shown_to(&use_cases, user).await.iter().map(|contact| contact.id).collect::<Vec<_>>(),
        [guest.id]
    );
}

async fn of_many_who_verify_one_value_one_has_it(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    for number in 0..8 {
        use_cases.user(number + 1).await;
    }
    let guest = use_cases.create(&order(VICTIM, "")).await;
    let verifying = |number: usize| {
        let use_cases = use_cases.clone();
        let request = verified(order_of(crate::scene::user(number as u128 + 1), VICTIM, ""));
        async move { use_cases.create(&request).await.id }
    };
    let ids = all_together(8, verifying).await;
    let mut linked = Vec::new();
    for id in ids {
        let record = use_cases.record(id).await;
        match record.email_blocked_by {
            None => linked.push(record.customer),
            rule => assert_eq!(rule, Some(BlockRule::VerifiedElsewhere)),
        }
    }
    assert_eq!(linked, [use_cases.record(guest.id).await.customer]);
    let told = tell(&use_cases.identify, VICTIM, "").await;
    assert_eq!((told.outcome, seen(&told).primary), (Outcome::Known, guest.id.0));
    let address = EmailAddress::parse(VICTIM).expect("an address");
    let filter = ContactFilter { email: Some(address), ..ContactFilter::default() };
    assert_eq!(use_cases.list(&filter).await.len(), 9);
}
