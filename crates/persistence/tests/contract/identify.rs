//! The rules of linking, told as scenes: which requests make one customer, and what callers see.

use std::sync::Arc;

use onefold_domain::linking::Outcome;
use onefold_service::identify::Identify;
use onefold_sync::store::SyncStore;

use crate::scene::{recall, seen, service, tell, tell_as, user};

on_every_store!(
    a_new_value_makes_a_secondary,
    one_value_is_enough,
    a_request_may_join_two_customers_without_a_row,
    the_older_survives_whichever_value_leads_to_it,
    a_user_may_join_three_customers,
    a_user_joins_what_was_said_before_signing_up,
    a_merge_that_brings_news_adds_a_contact,
    a_chain_becomes_one_customer,
    two_known_values_of_one_customer_bring_no_news,
    a_repetition_changes_nothing,
    the_order_of_requests_does_not_matter,
);

async fn a_new_value_makes_a_secondary(store: Arc<dyn SyncStore>) {
    let service = service(&store);
    let first = tell(&service, "lorraine@hillvalley.edu", "123456").await;
    assert_eq!(first.outcome, Outcome::Created);
    let primary = seen(&first).primary;
    assert_eq!(seen(&first).secondaries, [0; 0]);

    let second = tell(&service, "mcfly@hillvalley.edu", "123456").await;
    assert_eq!(second.outcome, Outcome::Attached);
    assert_eq!(second.customer.id, first.customer.id);
    let both = seen(&second);
    assert_eq!(both.primary, primary);
    assert_eq!(both.emails, ["lorraine@hillvalley.edu", "mcfly@hillvalley.edu"]);
    assert_eq!(both.phones, ["123456"]);
    assert_eq!(both.contacts(), 2);
    assert!(both.secondaries[0] > primary);

    for (email, phone) in [
        ("", "123456"),
        ("lorraine@hillvalley.edu", ""),
        ("mcfly@hillvalley.edu", ""),
        ("MCFLY@hillvalley.edu", "123456"),
    ] {
        assert_eq!(recall(&service, email, phone).await, both);
    }
}

async fn one_value_is_enough(store: Arc<dyn SyncStore>) {
    let service = service(&store);
    for (email, phone) in [("doc@hillvalley.edu", ""), ("", "654321")] {
        let answer = tell(&service, email, phone).await;
        assert_eq!(answer.outcome, Outcome::Created);
        assert_eq!(seen(&answer), recall(&service, email, phone).await);
    }
    // A value that is known and one that is new: the new one hangs on.
    let answer = tell(&service, "doc@hillvalley.edu", "555000").await;
    assert_eq!(answer.outcome, Outcome::Attached);
    assert_eq!(seen(&answer).phones, ["555000"]);
}

async fn a_request_may_join_two_customers_without_a_row(store: Arc<dyn SyncStore>) {
    let service = service(&store);
    let george = tell(&service, "george@hillvalley.edu", "919191").await;
    let biff = tell(&service, "biffsucks@hillvalley.edu", "717171").await;

    let joined = tell(&service, "george@hillvalley.edu", "717171").await;
    assert_eq!(joined.outcome, Outcome::Merged);
    assert_eq!(joined.customer.id, george.customer.id);
    let both = seen(&joined);
    assert_eq!(both.primary, seen(&george).primary);
    assert_eq!(both.secondaries, [seen(&biff).primary]);
    assert_eq!(both.emails, ["george@hillvalley.edu", "biffsucks@hillvalley.edu"]);
    assert_eq!(both.phones, ["919191", "717171"]);
    assert_eq!(recall(&service, "biffsucks@hillvalley.edu", "919191").await, both);
}

async fn the_older_survives_whichever_value_leads_to_it(store: Arc<dyn SyncStore>) {
    let service = service(&store);
    let older = tell(&service, "", "919191").await;
    tell(&service, "biffsucks@hillvalley.edu", "").await;
    let joined = tell(&service, "biffsucks@hillvalley.edu", "919191").await;
    assert_eq!(joined.outcome, Outcome::Merged);
    assert_eq!(joined.customer.id, older.customer.id);
    assert_eq!(seen(&joined).primary, seen(&older).primary);
}

async fn a_user_may_join_three_customers(store: Arc<dyn SyncStore>) {
    let service = service(&store);
    let account = tell_as(&service, user(1), "account@hillvalley.edu", "").await;
    let by_email = tell(&service, "marty@hillvalley.edu", "").await;
    let by_phone = tell(&service, "", "123456").await;

    let joined = tell_as(&service, user(1), "marty@hillvalley.edu", "123456").await;
    assert_eq!(joined.outcome, Outcome::Merged);
    assert!(joined.blocked.is_empty());
    let all = seen(&joined);
    assert_eq!(all.primary, seen(&account).primary);
    assert_eq!(all.secondaries, [seen(&by_email).primary, seen(&by_phone).primary]);
    for (email, phone) in [("account@hillvalley.edu", ""), ("marty@hillvalley.edu", ""), ("", "123456")] {
        assert_eq!(recall(&service, email, phone).await, all);
    }
}

async fn a_user_joins_what_was_said_before_signing_up(store: Arc<dyn SyncStore>) {
    let service = service(&store);
    let guest = tell(&service, "jennifer@hillvalley.edu", "123456").await;
    let signed_up = tell_as(&service, user(2), "jennifer@hillvalley.edu", "").await;
    // The values are known; that they are a user's is news.
    assert_eq!(signed_up.outcome, Outcome::Attached);
    assert_eq!(signed_up.customer.id, guest.customer.id);
    assert_eq!(seen(&signed_up).contacts(), 2);

    // From now on the account is enough, whatever new values come with it.
    let moved = tell_as(&service, user(2), "parker@hillvalley.edu", "654321").await;
    assert_eq!(moved.outcome, Outcome::Attached);
    assert_eq!(moved.customer.id, guest.customer.id);
    let again = tell_as(&service, user(2), "parker@hillvalley.edu", "654321").await;
    assert_eq!(again.outcome, Outcome::Known);
    assert_eq!(seen(&again), seen(&moved));
}

async fn a_merge_that_brings_news_adds_a_contact(store: Arc<dyn SyncStore>) {
    let service = service(&store);
    let older = tell(&service, "seamus@hillvalley.edu", "").await;
    let younger = tell(&service, "", "181818").await;
    let joined = tell_as(&service, user(3), "seamus@hillvalley.edu", "181818").await;
    assert_eq!(joined.outcome, Outcome::Merged);
    let all = seen(&joined);
    assert_eq!(all.primary, seen(&older).primary);
    assert_eq!(all.contacts(), 3);
    assert_eq!(all.secondaries[0], seen(&younger).primary);
    assert_eq!(recall(&service, "", "181818").await, all);
}

/// Joined from the young end, so that every merge moves all that was merged before.
async fn a_chain_becomes_one_customer(store: Arc<dyn SyncStore>) {
    const LINKS: usize = 8;
    let service = service(&store);
    let mut ids = Vec::new();
    for link in 0..LINKS {
        let made = tell(&service, &format!("c{link}@hillvalley.edu"), &format!("70000{link}")).await;
        assert_eq!(made.outcome, Outcome::Created);
        ids.push(seen(&made).primary);
    }
    for link in (1..LINKS).rev() {
        let email = format!("c{}@hillvalley.edu", link - 1);
        let joined = tell(&service, &email, &format!("70000{link}")).await;
        assert_eq!(joined.outcome, Outcome::Merged);
        assert_eq!(seen(&joined).primary, ids[link - 1]);
    }
    let whole = recall(&service, "c0@hillvalley.edu", "").await;
    assert_eq!((whole.primary, &whole.secondaries[..]), (ids[0], &ids[1..]));
    for link in 0..LINKS {
        assert_eq!(recall(&service, "", &format!("70000{link}")).await, whole);
    }
}

async fn two_known_values_of_one_customer_bring_no_news(store: Arc<dyn SyncStore>) {
    let service = service(&store);
    tell(&service, "a@hillvalley.edu", "111222").await;
    tell(&service, "b@hillvalley.edu", "111222").await;
    let whole = seen(&tell(&service, "b@hillvalley.edu", "333444").await);
    assert_eq!(whole.contacts(), 3);
    // No contact says so, but who they are is known.
    assert_eq!(recall(&service, "a@hillvalley.edu", "333444").await, whole);
}

async fn a_repetition_changes_nothing(store: Arc<dyn SyncStore>) {
    let requests = [
        ("lorraine@hillvalley.edu", "123456"),
        ("george@hillvalley.edu", "919191"),
        ("mcfly@hillvalley.edu", "123456"),
        ("george@hillvalley.edu", "123456"),
        ("", "919191"),
    ];
    let service = service(&store);
    for (email, phone) in requests {
        tell(&service, email, phone).await;
    }
    let whole = recall(&service, "lorraine@hillvalley.edu", "").await;
    assert_eq!(whole.contacts(), 3);
    let version = tell(&service, "", "123456").await.customer.version;
    for (email, phone) in requests.into_iter().chain(requests.into_iter().rev()) {
        assert_eq!(recall(&service, email, phone).await, whole);
    }
    assert_eq!(tell(&service, "", "123456").await.customer.version, version);
}

/// All orders of five requests, side by side in one store under names of their own.
async fn the_order_of_requests_does_not_matter(store: Arc<dyn SyncStore>) {
    const REQUESTS: [(&str, &str); 5] = [("a", "1"), ("b", "2"), ("a", "2"), ("c", ""), ("c", "3")];
    let service = service(&store);
    for (number, order) in permutations(REQUESTS.len()).into_iter().enumerate() {
        let named = |(email, phone): (&str, &str)| {
            let email = format!("{email}{number}@hillvalley.edu");
            let phone = if phone.is_empty() { String::new() } else { format!("{phone}7{number:04}") };
            (email, phone)
        };
        for index in order {
            let (email, phone) = named(REQUESTS[index]);
            tell(&service, &email, &phone).await;
        }
        let sets = |of: &str| values(&service, named((of, "")).0);
        let mut first = sets("a").await;
        let mut second = sets("c").await;
        first.sort();
        second.sort();
        let expect = |all: &[(&str, &str)]| {
            let mut values: Vec<_> = all
                .iter()
                .flat_map(|pair| <[String; 2]>::from(named(*pair)))
                .filter(|value| !value.is_empty())
                .collect();
            values.sort();
            values
        };
        assert_eq!(first, expect(&[("a", "1"), ("b", "2")]));
        assert_eq!(second, expect(&[("c", "3")]));
    }
}

async fn values(service: &Identify, email: String) -> Vec<String> {
    let seen = recall(service, &email, "").await;
    seen.emails.into_iter().chain(seen.phones).collect()
}

fn permutations(of: usize) -> Vec<Vec<usize>> {
    if of == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(of - 1);
    let inserted = |order: &Vec<usize>, place| {
        let mut order = order.clone();
        order.insert(place, of - 1);
        order
    };
    shorter.iter().flat_map(|order| (0..of).map(move |place| inserted(order, place))).collect()
}
