//! Values and limits that the policy keeps from linking: the caller sees the rule, the contact stays,
//! and saying it again finds what the first time left.

use std::sync::Arc;

use onefold_domain::block::{Block, BlockRule, Part};
use onefold_domain::id::UserId;
use onefold_domain::linking::Outcome;
use onefold_domain::policy::LinkPolicy;
use onefold_service::identify::{Identified, Identify};
use onefold_sync::store::SyncStore;

use crate::scene::{seen, service, service_with, tell, tell_as, user};

on_every_store!(
    a_placeholder_phone_joins_nobody,
    a_placeholder_email_joins_nobody,
    a_placeholder_beside_a_known_value_is_kept_with_it,
    two_placeholders_are_found_by_both_together,
    one_placeholder_is_found_by_itself,
    a_guest_does_not_join_two_users,
    a_user_does_not_join_another,
    a_full_customer_takes_no_new_value,
    two_customers_that_are_too_many_together_stay_two,
);

const NO_PHONE: &str = "0000000000";
const NO_EMAIL: &str = "noemail@hillvalley.edu";

async fn a_placeholder_phone_joins_nobody(store: Arc<dyn SyncStore>) {
    let service = service(&store);
    let marty = tell(&service, "marty@hillvalley.edu", NO_PHONE).await;
    let doc = tell(&service, "doc@hillvalley.edu", NO_PHONE).await;
    for answer in [&marty, &doc] {
        assert_eq!(answer.outcome, Outcome::Created);
        assert_eq!(answer.blocked, [block(Part::Phone, BlockRule::NeverLinks)]);
        assert_eq!(seen(answer).phones, [NO_PHONE]);
    }
    assert_ne!(marty.customer.id, doc.customer.id);
    assert_settled(&service, None, ("doc@hillvalley.edu", NO_PHONE), &doc).await;
}

async fn a_placeholder_email_joins_nobody(store: Arc<dyn SyncStore>) {
    let service = service(&store);
    let first = tell(&service, NO_EMAIL, "123456").await;
    let second = tell(&service, NO_EMAIL, "654321").await;
    assert_ne!(first.customer.id, second.customer.id);
    for (answer, phone) in [(first, "123456"), (second, "654321")] {
        assert_eq!(answer.blocked, [block(Part::Email, BlockRule::NeverLinks)]);
        assert_settled(&service, None, (NO_EMAIL, phone), &answer).await;
    }
}

async fn a_placeholder_beside_a_known_value_is_kept_with_it(store: Arc<dyn SyncStore>) {
    let service = service(&store);
    let first = tell(&service, "marty@hillvalley.edu", "123456").await;
    let second = tell(&service, "marty@hillvalley.edu", NO_PHONE).await;
    assert_eq!(second.outcome, Outcome::Attached);
    assert_eq!(second.customer.id, first.customer.id);
    assert_eq!(seen(&second).phones, ["123456", NO_PHONE]);
    assert_settled(&service, None, ("marty@hillvalley.edu", NO_PHONE), &second).await;
}

async fn two_placeholders_are_found_by_both_together(store: Arc<dyn SyncStore>) {
    let service = service(&store);
    let both = [block(Part::Email, BlockRule::NeverLinks), block(Part::Phone, BlockRule::NeverLinks)];
    let first = tell(&service, NO_EMAIL, NO_PHONE).await;
    assert_eq!(first.outcome, Outcome::Created);
    assert_eq!(first.blocked, both);
    assert_settled(&service, None, (NO_EMAIL, NO_PHONE), &first).await;

    let other = tell(&service, "none@hillvalley.edu", NO_PHONE).await;
    assert_eq!(other.outcome, Outcome::Created);
    assert_ne!(other.customer.id, first.customer.id);
}

async fn one_placeholder_is_found_by_itself(store: Arc<dyn SyncStore>) {
    let service = service(&store);
    let phone = tell(&service, "", NO_PHONE).await;
    let email = tell(&service, NO_EMAIL, "").await;
    assert_ne!(phone.customer.id, email.customer.id);
    assert_settled(&service, None, ("", NO_PHONE), &phone).await;
    assert_settled(&service, None, (NO_EMAIL, ""), &email).await;
}

async fn a_guest_does_not_join_two_users(store: Arc<dyn SyncStore>) {
    let service = service(&store);
    let marty = tell_as(&service, user(1), "marty@hillvalley.edu", "123456").await;
    let doc = tell_as(&service, user(2), "doc@hillvalley.edu", "654321").await;
    let guest = tell(&service, "doc@hillvalley.edu", "123456").await;
    // Either could be meant; the older takes it, and shows the value that the other keeps.
    assert_eq!(guest.outcome, Outcome::Attached);
    assert_eq!(guest.customer.id, marty.customer.id);
    assert_eq!(guest.blocked, [block(Part::Email, BlockRule::TwoUsers)]);
    assert_settled(&service, None, ("doc@hillvalley.edu", "123456"), &guest).await;
    assert_settled(&service, Some(user(2)), ("doc@hillvalley.edu", "654321"), &doc).await;
}

async fn a_user_does_not_join_another(store: Arc<dyn SyncStore>) {
    let service = service(&store);
    let marty = tell_as(&service, user(1), "marty@hillvalley.edu", "123456").await;
    let doc = tell_as(&service, user(2), "doc@hillvalley.edu", "654321").await;

    let borrowed = tell_as(&service, user(2), "marty@hillvalley.edu", "654321").await;
    assert_eq!(borrowed.outcome, Outcome::Attached);
    assert_eq!(borrowed.customer.id, doc.customer.id);
    assert_eq!(borrowed.blocked, [block(Part::Email, BlockRule::TwoUsers)]);
    assert_settled(&service, Some(user(2)), ("marty@hillvalley.edu", "654321"), &borrowed).await;
    assert_settled(&service, Some(user(1)), ("marty@hillvalley.edu", "123456"), &marty).await;

    // A user who is new, with values that are all another's, is a customer all the same.
    let third = tell_as(&service, user(3), "marty@hillvalley.edu", "123456").await;
    assert_eq!(third.outcome, Outcome::Created);
    assert_eq!(third.blocked.len(), 2);
    assert_settled(&service, Some(user(3)), ("marty@hillvalley.edu", "123456"), &third).await;
}

async fn a_full_customer_takes_no_new_value(store: Arc<dyn SyncStore>) {
    let service = service_with(&store, LinkPolicy::shipped().with_max_contact_points(3));
    tell(&service, "a@hillvalley.edu", "123456").await;
    let full = tell(&service, "b@hillvalley.edu", "123456").await;
    assert_eq!(full.outcome, Outcome::Attached);

    let turned_away = tell(&service, "c@hillvalley.edu", "123456").await;
    assert_eq!(turned_away.outcome, Outcome::Created);
    assert_ne!(turned_away.customer.id, full.customer.id);
    assert_eq!(turned_away.blocked, [block(Part::Phone, BlockRule::CustomerFull)]);
    assert_settled(&service, None, ("c@hillvalley.edu", "123456"), &turned_away).await;
    assert_settled(&service, None, ("", "123456"), &full).await;
}

async fn two_customers_that_are_too_many_together_stay_two(store: Arc<dyn SyncStore>) {
    let service = service_with(&store, LinkPolicy::shipped().with_max_contact_points(3));
    let first = tell(&service, "a@hillvalley.edu", "111222").await;
    let second = tell(&service, "b@hillvalley.edu", "333444").await;

    let kept_apart = tell(&service, "a@hillvalley.edu", "333444").await;
    assert_eq!(kept_apart.outcome, Outcome::Attached);
    assert_eq!(kept_apart.customer.id, first.customer.id);
    assert_eq!(kept_apart.blocked, [block(Part::Phone, BlockRule::CustomerFull)]);
    assert_settled(&service, None, ("a@hillvalley.edu", "333444"), &kept_apart).await;
    assert_settled(&service, None, ("b@hillvalley.edu", "333444"), &second).await;
}

fn block(part: Part, rule: BlockRule) -> Block {
    Block { part, rule }
}

/// Saying it again gives the same customer, unchanged, and the same blocks.
async fn assert_settled(
    service: &Identify,
    user: Option<UserId>,
    (email, phone): (&str, &str),
    before: &Identified,
) {
    let again = match user {
        None => tell(service, email, phone).await,
        Some(user) => tell_as(service, user, email, phone).await,
    };
    assert_eq!(again.outcome, Outcome::Known, "a repetition should bring no news");
    // Not the version: it also moves when a customer was only looked at for somebody else's change.
    assert_eq!(again.customer.id, before.customer.id);
    assert_eq!(again.customer.contacts, before.customer.contacts);
    assert_eq!(again.blocked, before.blocked);
}
