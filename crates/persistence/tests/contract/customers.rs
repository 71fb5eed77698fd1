//! Customers as they are shown and found.

use std::sync::Arc;

use onefold_domain::block::{BlockRule, Part};
use onefold_domain::customer::PointView;
use onefold_domain::id::CustomerId;
use onefold_domain::source::ContactSource;
use onefold_service::contacts::ContactRequest;
use onefold_service::error::RecordError;
use onefold_service::search::SearchQuery;
use onefold_sync::store::SyncStore;
use uuid::Uuid;

use crate::scene::tell;
use crate::use_cases::{UseCases, from, ids, order, order_of, to_email, verified, with_profile};

on_every_store!(
    a_customer_shows_its_contacts_and_users,
    a_point_adds_up_what_its_contacts_say,
    a_point_is_blocked_as_long_as_no_contact_links_by_it,
    an_absorbed_customer_answers_with_its_survivor,
    an_id_that_nobody_has_is_no_customer,
    a_revision_moves_with_every_change,
    a_customer_is_found_by_names_and_values,
    words_of_a_search_narrow_each_other_down,
    signs_of_a_pattern_are_searched_for_literally,
    a_search_follows_every_change,
    pages_of_a_search_show_each_customer_once,
    all_are_listed_by_the_age_of_their_oldest_contact,
);

async fn all_are_listed_by_the_age_of_their_oldest_contact(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let list = async |after, limit| store.customers().list(after, limit).await.expect("customers");
    assert_eq!(list(None, 10).await, []);
    let mut contacts = Vec::new();
    for number in 0..5 {
        contacts.push(
            use_cases.create(&order(&format!("m{number}@hillvalley.edu"), &format!("11100{number}"))).await,
        );
    }
    // The fourth is one with the second, the third has only its younger contact left, and the last has none.
    tell(&use_cases.identify, "m1@hillvalley.edu", "111003").await;
    let younger = use_cases.create(&order("m2@hillvalley.edu", "222002")).await;
    use_cases.withdraw(contacts[2].id).await;
    use_cases.withdraw(contacts[4].id).await;
    let listed = list(None, 10).await;
    let expected = [&contacts[0], &contacts[1], &younger];
    let seen: Vec<_> = listed.iter().map(|listed| (listed.oldest, listed.id)).collect();
    let of_each: Vec<_> = expected.iter().map(|contact| contact.id).collect();
    assert_eq!(seen.iter().map(|(oldest, _)| *oldest).collect::<Vec<_>>(), of_each);
    for listed in &listed {
        let record = store.customers().get(listed.id).await.expect("an answer").expect("a customer");
        assert_eq!((record.id, record.version), (listed.id, listed.version));
        assert_eq!(record.contacts[0].id, listed.oldest);
    }
    assert_eq!(list(None, 2).await, listed[..2]);
    assert_eq!(list(Some(listed[1].oldest), 2).await, listed[2..]);
    assert_eq!(list(Some(listed[2].oldest), 2).await, []);
}

async fn a_customer_shows_its_contacts_and_users(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let user = use_cases.user(1).await;
    let guest = use_cases.create(&order("marty@hillvalley.edu", "123456")).await;
    let first = use_cases.create(&order_of(user, "marty@hillvalley.edu", "")).await;
    let second = use_cases.create(&order_of(user, "mcfly@hillvalley.edu", "")).await;
    let customer = use_cases.customer(guest.customer).await;
    assert_eq!((customer.id, customer.primary), (guest.customer, Some(guest.id)));
    assert_eq!(ids(&customer.contacts), [guest.id, first.id, second.id]);
    assert_eq!(customer.users, [user]);
    let points: Vec<_> = customer.points.iter().map(|point| (point.part, point.value.as_str())).collect();
    let expected = [
        (Part::Email, "marty@hillvalley.edu"),
        (Part::Phone, "123456"),
        (Part::Email, "mcfly@hillvalley.edu"),
    ];
    assert_eq!(points, expected);
    assert_eq!(customer.created_at, guest.created_at);
    assert_eq!(customer.updated_at, second.created_at);
}

async fn point(use_cases: &UseCases, customer: CustomerId, value: &str) -> PointView {
    let points = use_cases.customer(customer).await.points;
    points.into_iter().find(|point| point.value == value).expect("a point of this value")
}

async fn a_point_adds_up_what_its_contacts_say(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let user = use_cases.user(1).await;
    let first = use_cases.create(&order("marty@hillvalley.edu", "123456")).await;
    let before = point(&use_cases, first.customer, "marty@hillvalley.edu").await;
    assert_eq!((before.verified_at, before.is_primary, before.blocked_by), (None, false, None));

    let signup = verified(from(ContactSource::SignupForm, order("marty@hillvalley.edu", "")));
    let second = use_cases.create(&signup).await;
    let auth = ContactRequest {
        is_primary: Some(true),
        ..verified(from(ContactSource::Auth, order_of(user, "marty@hillvalley.edu", "")))
    };
    use_cases.create(&auth).await;
    let last = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let email = point(&use_cases, first.customer, "marty@hillvalley.edu").await;
    assert_eq!(email.verified_at, second.details.verified_at, "the first verification counts");
    assert!(email.is_primary);
    assert_eq!((email.first_seen, email.last_seen), (first.created_at, last.updated_at));
    assert_eq!(email.sources, [ContactSource::Order, ContactSource::SignupForm, ContactSource::Auth]);

    // What was said of the email says nothing of the phone.
    let phone = point(&use_cases, first.customer, "123456").await;
    assert_eq!((phone.verified_at, phone.is_primary), (None, false));
    assert_eq!((phone.last_seen, phone.sources), (first.updated_at, vec![ContactSource::Order]));
}

async fn a_point_is_blocked_as_long_as_no_contact_links_by_it(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let (one, other) = (use_cases.user(1).await, use_cases.user(2).await);
    let owner = use_cases.create(&order_of(one, "marty@hillvalley.edu", "")).await;
    let kept_out = use_cases.create(&order_of(other, "marty@hillvalley.edu", "123456")).await;
    let rule = |point: PointView| point.blocked_by;
    assert_eq!(rule(point(&use_cases, owner.customer, "marty@hillvalley.edu").await), None);
    let blocked = point(&use_cases, kept_out.customer, "marty@hillvalley.edu").await;
    assert_eq!(rule(blocked), Some(BlockRule::TwoUsers));
    assert_eq!(rule(point(&use_cases, kept_out.customer, "123456").await), None);
    use_cases.withdraw(owner.id).await;
    assert_eq!(rule(point(&use_cases, kept_out.customer, "marty@hillvalley.edu").await), None);
}

async fn an_absorbed_customer_answers_with_its_survivor(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let mut customers = Vec::new();
    for (email, phone) in [("a@hillvalley.edu", "111000"), ("b@hillvalley.edu", "222000"), ("", "333000")] {
        customers.push(use_cases.create(&order(email, phone)).await.customer);
    }
    // Joined from the young end, so that the youngest is absorbed twice.
    tell(&use_cases.identify, "b@hillvalley.edu", "333000").await;
    tell(&use_cases.identify, "a@hillvalley.edu", "222000").await;
    let survivor = use_cases.customer(customers[0]).await;
    assert_eq!((survivor.id, survivor.contacts.len()), (customers[0], 3));
    for absorbed in &customers[1..] {
        assert_eq!(use_cases.customer(*absorbed).await, survivor);
    }
}

async fn an_id_that_nobody_has_is_no_customer(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let answer = use_cases.customers.customer(CustomerId(Uuid::from_u128(404))).await;
    assert!(matches!(answer, Err(RecordError::NoSuchCustomer)));
}

async fn a_revision_moves_with_every_change(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let user = use_cases.user(1).await;
    let marty = order_of(user, "marty@hillvalley.edu", "");
    let contact = use_cases.create(&marty).await;
    let mut revisions = vec![use_cases.customer(contact.customer).await.revision];
    for step in 0..4 {
        match step {
            0 => drop(use_cases.create(&marty).await),
            1 => drop(use_cases.upsert(&verified(marty.clone())).await),
            2 => drop(use_cases.change(contact.id, to_email("mcfly@hillvalley.edu")).await),
            _ => use_cases.withdraw(contact.id).await,
        }
        let revision = use_cases.customer(contact.customer).await.revision;
        assert!(!revisions.contains(&revision), "after step {step}");
        revisions.push(revision);
    }
    assert_eq!(use_cases.customer(contact.customer).await.revision, revisions[4], "looking changes nothing");
}

async fn a_customer_is_found_by_names_and_values(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let zoe = [("firstName", "Zoë"), ("lastName", "Brown-Łukasz"), ("companyName", "Flux & Söhne")];
    let found = use_cases.create(&with_profile(order("zoe.b@hillvalley.edu", "+1 202-555-0143"), &zoe)).await;
    let marty = with_profile(order("marty@example.com", "+44 20 7946 0018"), &[("name", "Marty McFly")]);
    let other = use_cases.create(&marty).await;
    for text in [
        "Zoë",
        "zoe",
        "ZOË",
        "rown",
        "brown-",
        "söhne",
        "SOHNE",
        "Flux &",
        "zoe.b@",
        "hillvalley",
        "b@hill",
        "+12025550143",
        "(202) 555-0143",
        "0143",
        "2025",
        "zoe brown",
        "  flux   zoe ",
    ] {
        assert_eq!(use_cases.find(text).await, [found.customer], "{text}");
    }
    for text in ["mcfly", "y mcf", "+44 20 7946", "example.com"] {
        assert_eq!(use_cases.find(text).await, [other.customer], "{text}");
    }
    // One letter is different, or the words are two persons'.
    for text in ["zoez", "hillvalleys", "999999", "zoe mcfly"] {
        assert!(use_cases.find(text).await.is_empty(), "{text}");
    }
}

async fn words_of_a_search_narrow_each_other_down(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let named = |name, number| with_profile(order("", &format!("55500{number}")), &[("name", name)]);
    let marty = use_cases.create(&named("Marty McFly", 1)).await.customer;
    let george = use_cases.create(&named("George McFly", 2)).await.customer;
    assert_eq!(use_cases.find("mcfly").await, [marty, george]);
    assert_eq!(use_cases.find("mcfly ge").await, [george], "a short word counts too");
    assert_eq!(use_cases.find("mcfly 555001").await, [marty]);
    assert!(use_cases.find("mcfly lorraine").await.is_empty());
}

async fn signs_of_a_pattern_are_searched_for_literally(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let named = |name, number| with_profile(order("", &format!("55500{number}")), &[("companyName", name)]);
    use_cases.create(&named("abcd", 1)).await;
    for (number, (name, text)) in [
        ("ab%d", "ab%"),
        ("ef_h", "ef_"),
        (r"ij\l", r"ij\"),
        ("mn\"p", "mn\""),
        ("qr'' OR 1", "qr''"),
        ("x*yz", "x*y"),
    ]
    .into_iter()
    .enumerate()
    {
        let customer = use_cases.create(&named(name, number + 2)).await.customer;
        assert_eq!(use_cases.find(text).await, [customer], "{text}");
    }
}

async fn a_search_follows_every_change(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let marty = with_profile(order("marty@hillvalley.edu", ""), &[("name", "Calvin Klein")]);
    let contact = use_cases.create(&marty).await;
    use_cases.upsert(&with_profile(marty.clone(), &[("name", "Marty McFly")])).await;
    assert!(use_cases.find("calvin").await.is_empty());
    assert_eq!(use_cases.find("mcfly").await, [contact.customer]);

    use_cases.change(contact.id, to_email("guitar@hillvalley.edu")).await;
    assert!(use_cases.find("marty@").await.is_empty());
    assert_eq!(use_cases.find("guitar").await, [contact.customer]);

    use_cases.withdraw(contact.id).await;
    assert!(use_cases.find("guitar").await.is_empty());
}

/// Every second customer has three contacts that match.
async fn pages_of_a_search_show_each_customer_once(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let mut all = Vec::new();
    for number in 0..7 {
        let request = order(&format!("m{number}@hillvalley.edu"), "");
        all.push(use_cases.create(&request).await.customer);
        use_cases.create(&order(&format!("m{number}@elsewhere.example"), "")).await;
    }
    for number in [0, 2, 4, 6] {
        for _ in 0..2 {
            use_cases.create(&order(&format!("m{number}@hillvalley.edu"), "")).await;
        }
    }
    let query = SearchQuery::parse("hillvalley", None).expect("a query");
    for limit in [1, 2, 3, 6, 7, 50] {
        let (mut visited, mut after) = (Vec::new(), None);
        loop {
            let page = use_cases.customers.search(&query, after, limit).await.expect("a page");
            assert!(page.entries.len() <= usize::from(limit));
            visited.extend(page.entries.iter().map(|customer| customer.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(visited, all, "in pages of {limit}");
    }
}
