//! Contact records: created, read back, listed.

use std::collections::BTreeSet;
use std::sync::Arc;

use onefold_domain::contact::{Channel, ContactKind, ContactRecord};
use onefold_domain::id::{ContactId, CustomerId};
use onefold_domain::linking::Outcome;
use onefold_domain::metadata::MetadataFilter;
use onefold_domain::source::ContactSource;
use onefold_service::contacts::{ContactRequest, PageRequest, Upserted};
use onefold_service::error::RecordError;
use onefold_service::store::ContactFilter;
use onefold_sync::store::SyncStore;
use serde_json::json;
use uuid::Uuid;

use crate::scene::{email, phone, tell, user};
use crate::use_cases::{UseCases, from, ids, metadata, order, order_of, to_phone, verified, with_profile};

on_every_store!(
    every_create_makes_a_record_of_its_own,
    a_record_is_read_as_it_was_told,
    only_what_is_said_to_be_verified_is,
    a_user_who_is_unknown_is_refused_and_nothing_is_stored,
    a_created_contact_links_like_any_other,
    equal_contacts_created_at_once_are_one_customer,
    a_created_primary_is_the_only_one,
    a_contact_changed_to_a_placeholder_is_found_by_it,
    an_id_that_nobody_has_is_no_contact,
    every_filter_narrows_the_list,
    filters_hold_together,
    an_absorbed_customer_lists_the_contacts_of_its_survivor,
    pages_visit_each_contact_once,
);

async fn every_create_makes_a_record_of_its_own(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let request = order("marty@hillvalley.edu", "");
    let first = use_cases.create(&request).await;
    let second = use_cases.create(&request).await;
    assert!(second.id > first.id);
    assert_eq!(second.customer, first.customer);
    assert_eq!((first.linked(), second.linked()), (None, Some(first.id)));
    assert_eq!(ids(&use_cases.everything().await), [first.id, second.id]);
    // The first is as it was: nothing was said about it.
    assert_eq!(use_cases.record(first.id).await.version, first.version);
}

async fn a_record_is_read_as_it_was_told(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let user = use_cases.user(1).await;
    let request = ContactRequest {
        channel: Some(Channel::Whatsapp),
        is_primary: Some(true),
        metadata: metadata(&json!({"orderId": "order_123", "gone": null})),
        ..with_profile(verified(order_of(user, "", "+1 202-555-0143")), &[("name", "Emmett Brown")])
    };
    let created = use_cases.create(&request).await;
    assert_eq!(created.kind(), ContactKind::Phone);
    assert_eq!(created.statement, request.statement);
    assert_eq!(created.received, request.received);
    assert_eq!((created.source, created.user()), (ContactSource::Order, Some(user)));
    assert_eq!((created.channel(), created.details.is_primary), (Some(Channel::Whatsapp), true));
    assert_eq!(created.details.metadata, metadata(&json!({"orderId": "order_123"})));
    assert_eq!(created.details.profile, request.profile);
    assert_eq!((created.created_at, created.version), (created.updated_at, 1));
    // What the answer said is what is there.
    assert_eq!(use_cases.record(created.id).await, created);
    assert_eq!(use_cases.everything().await, [created]);
}

async fn only_what_is_said_to_be_verified_is(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let said = |is_verified| ContactRequest { is_verified, ..order("marty@hillvalley.edu", "") };
    for is_verified in [None, Some(false)] {
        assert_eq!(use_cases.create(&said(is_verified)).await.details.verified_at, None);
    }
    let verified = use_cases.create(&said(Some(true))).await;
    assert_eq!(verified.details.verified_at, Some(verified.created_at));
}

async fn a_user_who_is_unknown_is_refused_and_nothing_is_stored(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let request = order_of(user(404), "marty@hillvalley.edu", "");
    let created = use_cases.contacts.create_contact(&request).await;
    assert!(matches!(created, Err(RecordError::NoSuchUser)));
    let upserted = use_cases.contacts.create_or_update_contact(&request).await;
    assert!(matches!(upserted, Err(RecordError::NoSuchUser)));

    assert_eq!(use_cases.everything().await, []);
    assert!(use_cases.find("marty").await.is_empty());
    assert!(matches!(use_cases.users.user(user(404)).await, Err(RecordError::NoSuchUser)));
    // Nor does anything lead anywhere: the value is as new as ever.
    let told = tell(&use_cases.identify, "marty@hillvalley.edu", "").await;
    assert_eq!(told.outcome, Outcome::Created);
}

async fn a_created_contact_links_like_any_other(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let told = tell(&use_cases.identify, "marty@hillvalley.edu", "123456").await;
    let doc = use_cases.create(&order("doc@hillvalley.edu", "")).await;
    assert_ne!(doc.customer, told.customer.id);

    let bridge = use_cases.create(&order("doc@hillvalley.edu", "123456")).await;
    assert_eq!(bridge.customer, told.customer.id);
    assert_eq!(use_cases.record(doc.id).await.customer, told.customer.id);
    assert_eq!(use_cases.record(doc.id).await.linked(), Some(bridge.primary));
    let again = tell(&use_cases.identify, "doc@hillvalley.edu", "123456").await;
    assert_eq!(again.outcome, Outcome::Known);
    assert_eq!(again.customer.id, told.customer.id);
}

async fn equal_contacts_created_at_once_are_one_customer(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let created = crate::use_cases::all_together(20, |_| {
        let use_cases = use_cases.clone();
        async move { use_cases.create(&order("marty@hillvalley.edu", "")).await }
    })
    .await;
    let rows: BTreeSet<ContactId> = created.iter().map(|record| record.id).collect();
    let customers: BTreeSet<CustomerId> = created.iter().map(|record| record.customer).collect();
    assert_eq!((rows.len(), customers.len()), (20, 1));
}

async fn a_created_primary_is_the_only_one(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let user = use_cases.user(1).await;
    let primary =
        |email: &str, phone: &str| ContactRequest { is_primary: Some(true), ..order_of(user, email, phone) };
    let first = use_cases.create(&primary("marty@hillvalley.edu", "")).await;
    let phone = use_cases.create(&primary("", "123456")).await;
    let second = use_cases.create(&primary("mcfly@hillvalley.edu", "")).await;
    assert!(second.details.is_primary);
    let first_now = use_cases.record(first.id).await;
    assert!(!first_now.details.is_primary);
    assert!(first_now.version > first.version && first_now.updated_at > first.updated_at);
    assert!(use_cases.record(phone.id).await.details.is_primary);
}

async fn a_contact_changed_to_a_placeholder_is_found_by_it(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let placeholder = order("", "0000000000");
    let changed = use_cases.create(&order("", "123456")).await;
    use_cases.change(changed.id, to_phone("0000000000")).await;
    let (same, how) = use_cases.upsert(&placeholder).await;
    assert_eq!((same.id, how), (changed.id, Upserted::Updated));
    // Another one joins those who are known by it.
    let joined = use_cases.create(&order("", "654321")).await;
    let joined = use_cases.change(joined.id, to_phone("0000000000")).await;
    assert_eq!(joined.customer, changed.customer);
}

async fn an_id_that_nobody_has_is_no_contact(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let created = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    for id in [0, -1, created.id.0 + 1, i64::MAX] {
        assert!(matches!(use_cases.contacts.contact(ContactId(id)).await, Err(RecordError::NoSuchContact)));
    }
}

/// One user's and two guests' contacts of three kinds, of which two are one customer.
async fn some_contacts(use_cases: &UseCases) -> [ContactRecord; 5] {
    let user = use_cases.user(1).await;
    let gold = |request| ContactRequest { metadata: metadata(&json!({"tier": "gold"})), ..request };
    [
        use_cases.create(&gold(order("marty@hillvalley.edu", ""))).await,
        use_cases.create(&from(ContactSource::Auth, order_of(user, "doc@hillvalley.edu", ""))).await,
        use_cases.create(&order("", "123456")).await,
        use_cases.create(&gold(order("lorraine@hillvalley.edu", "654321"))).await,
        use_cases.create(&from(ContactSource::SignupForm, order("marty@hillvalley.edu", ""))).await,
    ]
}

async fn every_filter_narrows_the_list(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let contacts = some_contacts(&use_cases).await;
    let none = ContactFilter::default;
    let cases: [(ContactFilter, &[usize]); 14] = [
        (none(), &[0, 1, 2, 3, 4]),
        (ContactFilter { kind: Some(ContactKind::Email), ..none() }, &[0, 1, 4]),
        (ContactFilter { kind: Some(ContactKind::Phone), ..none() }, &[2]),
        (ContactFilter { kind: Some(ContactKind::Both), ..none() }, &[3]),
        (ContactFilter { email: Some(email(" Marty@HillValley.edu ")), ..none() }, &[0, 4]),
        (ContactFilter { email: Some(email("biff@hillvalley.edu")), ..none() }, &[]),
        (ContactFilter { phone: Some(phone("65-43-21")), ..none() }, &[3]),
        (ContactFilter { user: Some(user(1)), ..none() }, &[1]),
        (ContactFilter { user: Some(user(2)), ..none() }, &[]),
        (ContactFilter { customer: Some(contacts[0].customer), ..none() }, &[0, 4]),
        (ContactFilter { customer: Some(CustomerId(Uuid::from_u128(404))), ..none() }, &[]),
        (ContactFilter { source: Some(ContactSource::Order), ..none() }, &[0, 2, 3]),
        (ContactFilter { source: Some(ContactSource::SignupForm), ..none() }, &[4]),
        (ContactFilter { source: Some(ContactSource::Manual), ..none() }, &[]),
    ];
    for (filter, expected) in cases {
        let expected: Vec<ContactId> = expected.iter().map(|index| contacts[*index].id).collect();
        assert_eq!(ids(&use_cases.list(&filter).await), expected, "{filter:?}");
    }
}

/// Every set of filters lists exactly what each of them lists alone.
async fn filters_hold_together(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let contacts = some_contacts(&use_cases).await;
    let full = ContactFilter {
        kind: Some(ContactKind::Email),
        email: Some(email("marty@hillvalley.edu")),
        phone: Some(phone("654321")),
        user: Some(user(1)),
        customer: Some(contacts[0].customer),
        source: Some(ContactSource::Order),
        is_proven: false,
        metadata: vec![MetadataFilter::parse("tier", "gold").expect("a filter")],
    };
    let part = |bits: usize| ContactFilter {
        kind: full.kind.filter(|_| bits & 1 > 0),
        email: full.email.clone().filter(|_| bits & 2 > 0),
        phone: full.phone.clone().filter(|_| bits & 4 > 0),
        user: full.user.filter(|_| bits & 8 > 0),
        customer: full.customer.filter(|_| bits & 16 > 0),
        source: full.source.filter(|_| bits & 32 > 0),
        is_proven: full.is_proven,
        metadata: full.metadata.iter().filter(|_| bits & 64 > 0).cloned().collect(),
    };
    let mut alone = Vec::new();
    for bit in 0..7 {
        alone.push(ids(&use_cases.list(&part(1 << bit)).await));
    }
    for bits in 0..128_usize {
        let mut expected = contacts.iter().map(|contact| contact.id).collect::<Vec<_>>();
        expected.retain(|id| (0..7).all(|bit| bits & (1 << bit) == 0 || alone[bit].contains(id)));
        assert_eq!(ids(&use_cases.list(&part(bits)).await), expected, "{:?}", part(bits));
    }
}

async fn an_absorbed_customer_lists_the_contacts_of_its_survivor(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let older = use_cases.create(&order("marty@hillvalley.edu", "")).await;
    let younger = use_cases.create(&order("", "123456")).await;
    let bridge = use_cases.create(&order("marty@hillvalley.edu", "123456")).await;
    for customer in [older.customer, younger.customer] {
        let filter = ContactFilter { customer: Some(customer), ..ContactFilter::default() };
        let listed = use_cases.list(&filter).await;
        assert_eq!(ids(&listed), [older.id, younger.id, bridge.id]);
        assert!(listed.iter().all(|record| record.customer == older.customer));
    }
}

async fn pages_visit_each_contact_once(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let mut all = Vec::new();
    for number in 0..7 {
        all.push(use_cases.create(&order(&format!("m{number}@hillvalley.edu"), "")).await.id);
        // Others in between must neither show nor count.
        use_cases.create(&order("", &format!("55500{number}"))).await;
    }
    let filter = ContactFilter { kind: Some(ContactKind::Email), ..ContactFilter::default() };
    for limit in [1, 2, 3, 6, 7, 8] {
        let (mut visited, mut after) = (Vec::new(), None);
        loop {
            let page =
                use_cases.contacts.contacts(&filter, PageRequest { after, limit }).await.expect("a page");
            assert!((1..=usize::from(limit)).contains(&page.entries.len()));
            visited.extend(ids(&page.entries));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(visited, all, "in pages of {limit}");
    }
    let behind = PageRequest { after: all.last().copied(), limit: 5 };
    let page = use_cases.contacts.contacts(&filter, behind).await.expect("a page");
    assert_eq!((page.entries.len(), page.next), (0, None));
}
