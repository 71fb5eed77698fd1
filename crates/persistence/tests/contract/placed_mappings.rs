//! Mappings found through the customers and records that they stand between, wherever merges and splits took them.

use std::slice::from_ref;
use std::sync::Arc;

use onefold_domain::contact::ContactRecord;
use onefold_domain::id::CustomerId;
use onefold_sync::mapping::{DetachReason, Mapping, MappingId, MappingStatus, PlacedMapping};
use onefold_sync::partner::PartnerId;
use onefold_sync::store::SyncStore;
use uuid::Uuid;

use crate::by_hand::new_id;
use crate::sync_scene::{
    OTHER, SYSTEM, contacts, detached, external, insert, minute, pending, synced, write,
};
use crate::use_cases::{UseCases, order};

on_every_store!(
    mappings_are_listed_with_where_they_are,
    a_merge_and_a_split_move_what_hangs_on_a_contact,
    a_withdrawn_contact_leaves_its_mapping_where_it_was_filed,
    mappings_of_a_customer_come_oldest_first,
    whoever_may_come_back_is_mapped,
    many_records_are_looked_up_at_once,
    mappings_are_counted_by_status,
    each_system_has_mappings_of_its_own,
);

async fn hanging_on(store: &Arc<dyn SyncStore>, customer: CustomerId) -> Vec<MappingId> {
    let found =
        write(store, async |to| to.mappings().hanging_on(SYSTEM, customer).await.expect("mappings")).await;
    found.into_iter().map(|mapping| mapping.id).collect()
}

async fn placed(store: &Arc<dyn SyncStore>, record: &str) -> PlacedMapping {
    let mut found = store.mappings().of_partners(SYSTEM, &[external(record)]).await.expect("mappings");
    assert_eq!(found.len(), 1);
    found.remove(0)
}

/// Ascending.
fn ids_of(placed: &[PlacedMapping]) -> Vec<MappingId> {
    let mut ids: Vec<_> = placed.iter().map(|placed| placed.mapping.id).collect();
    ids.sort_unstable();
    ids
}

async fn mappings_are_listed_with_where_they_are(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let [one, other, third] = contacts(&use_cases).await;
    let mappings =
        [synced(3, &one, "1"), detached(synced(1, &other, "2"), DetachReason::Gone), pending(2, &third)];
    for mapping in &mappings {
        insert(&store, mapping).await;
    }
    use_cases.withdraw(other.id).await;
    use_cases.create(&order("m0@hillvalley.edu", "123456")).await;
    let now = |contact: &ContactRecord, version| Some((contact.customer, version));
    let expected = [
        PlacedMapping { mapping: mappings[1].clone(), now: None },
        PlacedMapping { mapping: mappings[2].clone(), now: now(&third, third.customer_version) },
        PlacedMapping { mapping: mappings[0].clone(), now: now(&one, one.customer_version + 1) },
    ];
    let reader = store.mappings();
    assert_eq!(reader.list(SYSTEM, None, 10).await.expect("mappings"), expected);
    assert_eq!(reader.list(SYSTEM, None, 2).await.expect("mappings"), expected[..2]);
    assert_eq!(reader.list(SYSTEM, Some(expected[1].mapping.id), 2).await.expect("mappings"), expected[2..]);
    assert_eq!(reader.list(SYSTEM, Some(expected[2].mapping.id), 2).await.expect("mappings"), []);
    assert_eq!(placed(&store, "2").await, expected[0]);
    assert_eq!(placed(&store, "1").await, expected[2]);
}

async fn a_merge_and_a_split_move_what_hangs_on_a_contact(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let email = use_cases.create(&order("doc@hillvalley.edu", "")).await;
    let phone = use_cases.create(&order("", "123456")).await;
    let (on_email, on_phone) = (synced(1, &email, "1"), synced(2, &phone, "2"));
    insert(&store, &on_phone).await;
    insert(&store, &on_email).await;
    assert_eq!(placed(&store, "2").await.now, Some((phone.customer, phone.customer_version)));

    let bridge = use_cases.create(&order("doc@hillvalley.edu", "123456")).await;
    let merged = use_cases.record(phone.id).await;
    assert_eq!(merged.customer, email.customer);
    let now = Some((email.customer, merged.customer_version));
    assert_eq!((placed(&store, "1").await.now, placed(&store, "2").await.now), (now, now));
    assert_eq!(hanging_on(&store, email.customer).await, [on_email.id, on_phone.id]);
    assert_eq!(hanging_on(&store, phone.customer).await, [], "an absorbed customer has no contacts");
    // Where it is filed, it stays filed until somebody says otherwise.
    let filed = store.mappings().of_customer(SYSTEM, phone.customer).await.expect("mappings");
    assert_eq!(filed, from_ref(&on_phone));

    use_cases.withdraw(bridge.id).await;
    let apart = use_cases.record(phone.id).await;
    assert_ne!(apart.customer, email.customer);
    assert_eq!(placed(&store, "2").await.now, Some((apart.customer, apart.customer_version)));
    assert_eq!(hanging_on(&store, email.customer).await, [on_email.id]);
    assert_eq!(hanging_on(&store, apart.customer).await, [on_phone.id]);
}

async fn a_withdrawn_contact_leaves_its_mapping_where_it_was_filed(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let email = use_cases.create(&order("doc@hillvalley.edu", "")).await;
    let phone = use_cases.create(&order("doc@hillvalley.edu", "123456")).await;
    let [other] = contacts(&use_cases).await;
    insert(&store, &synced(1, &phone, "1")).await;
    // Filed under one customer, and hanging on a contact of another.
    insert(&store, &Mapping { customer: other.customer, ..synced(2, &email, "2") }).await;
    let ids = [1, 2].map(|number| MappingId(Uuid::from_u128(number)));
    assert_eq!(hanging_on(&store, email.customer).await, ids);
    assert_eq!(hanging_on(&store, other.customer).await, []);
    use_cases.withdraw(phone.id).await;
    assert_eq!(hanging_on(&store, email.customer).await, ids);
    assert_eq!(placed(&store, "1").await.now, None);
    use_cases.withdraw(email.id).await;
    assert_eq!(hanging_on(&store, email.customer).await, ids[..1]);
    assert_eq!(hanging_on(&store, other.customer).await, ids[1..]);
}

async fn mappings_of_a_customer_come_oldest_first(store: Arc<dyn SyncStore>) {
    let [one] = contacts(&UseCases::new(&store)).await;
    let made = |number, at| Mapping { created_at: minute(at), ..pending(number, &one) };
    let mappings = [
        detached(made(4, 1), DetachReason::Merged),
        made(1, 2),
        detached(made(2, 3), DetachReason::Gone),
        detached(made(3, 3), DetachReason::Gone),
    ];
    for mapping in mappings.iter().rev() {
        insert(&store, mapping).await;
    }
    assert_eq!(store.mappings().of_customer(SYSTEM, one.customer).await.expect("mappings"), mappings);
    assert_eq!(hanging_on(&store, one.customer).await, mappings.map(|mapping| mapping.id));
}

async fn whoever_may_come_back_is_mapped(store: Arc<dyn SyncStore>) {
    let [one, merged, gone, withdrawn, both, nothing] = contacts(&UseCases::new(&store)).await;
    for mapping in [
        pending(1, &one),
        detached(pending(2, &merged), DetachReason::Merged),
        detached(pending(3, &gone), DetachReason::Gone),
        detached(pending(4, &withdrawn), DetachReason::Withdrawn),
        detached(pending(5, &both), DetachReason::Gone),
        detached(pending(6, &both), DetachReason::Merged),
        pending(7, &both),
    ] {
        insert(&store, &mapping).await;
    }
    let asked = [&one, &merged, &gone, &withdrawn, &both, &nothing].map(|contact| contact.customer);
    let mapped = async |asked: &[CustomerId]| {
        let found = write(&store, async |to| to.mappings().mapped(SYSTEM, asked).await.expect("customers"));
        let mut found = found.await;
        found.sort_unstable();
        found
    };
    let mut expected = vec![one.customer, merged.customer, both.customer];
    expected.sort_unstable();
    assert_eq!(mapped(&asked).await, expected);
    assert_eq!(mapped(&asked[1..2]).await, [merged.customer]);
    assert_eq!(mapped(&[]).await, []);
    let many: Vec<_> = (0..2_500).map(|_| new_id()).chain(asked).collect();
    assert_eq!(mapped(&many).await, expected);
}

async fn many_records_are_looked_up_at_once(store: Arc<dyn SyncStore>) {
    let [one, other, third] = contacts(&UseCases::new(&store)).await;
    for (number, contact) in (1..).zip([&one, &other, &third]) {
        insert(&store, &synced(number, contact, &format!("{}", number * 700))).await;
    }
    let asked: Vec<PartnerId> = (1..=2_000).map(|number| external(&number.to_string())).collect();
    let mut found: Vec<_> = store
        .mappings()
        .of_partners(SYSTEM, &asked)
        .await
        .expect("mappings")
        .into_iter()
        .map(|placed| placed.mapping.external.expect("a record"))
        .collect();
    found.sort_unstable();
    assert_eq!(found, [external("1400"), external("700")]);
    assert_eq!(store.mappings().of_partners(SYSTEM, &[]).await.expect("mappings"), []);
}

async fn mappings_are_counted_by_status(store: Arc<dyn SyncStore>) {
    let [one, other, third] = contacts(&UseCases::new(&store)).await;
    assert_eq!(store.mappings().counts(SYSTEM).await.expect("counts"), []);
    for mapping in [synced(1, &one, "1"), synced(2, &other, "2"), pending(3, &third)] {
        insert(&store, &mapping).await;
    }
    let mut counts = store.mappings().counts(SYSTEM).await.expect("counts");
    counts.sort_by_key(|(_, count)| *count);
    assert_eq!(counts, [(MappingStatus::Pending, 1), (MappingStatus::Synced, 2)]);
}

/// One customer has a mapping with each of two systems, and both records have one id.
async fn each_system_has_mappings_of_its_own(store: Arc<dyn SyncStore>) {
    let [one, bare] = contacts(&UseCases::new(&store)).await;
    let mine = synced(1, &one, "1");
    let others = Mapping { system: OTHER, ..synced(2, &one, "1") };
    let lonely = Mapping { system: OTHER, ..synced(3, &bare, "2") };
    for mapping in [&mine, &others, &lonely] {
        insert(&store, mapping).await;
    }
    let (reader, record) = (store.mappings(), external("1"));
    for (system, mapping, other_one) in [(SYSTEM, &mine, None), (OTHER, &others, Some(&lonely))] {
        let all: Vec<_> = [Some(mapping), other_one].into_iter().flatten().cloned().collect();
        let ids: Vec<_> = all.iter().map(|mapping| mapping.id).collect();
        let customers: Vec<_> = all.iter().map(|mapping| mapping.customer).collect();
        let of_customer = reader.of_customer(system, one.customer).await.expect("mappings");
        assert_eq!(of_customer, from_ref(mapping));
        let of_partner = reader.of_partner(system, &record).await.expect("an answer");
        assert_eq!(of_partner.as_ref(), Some(mapping));
        let placed = reader.of_partners(system, &[record.clone(), external("2")]).await.expect("mappings");
        assert_eq!(ids_of(&placed), ids);
        let listed = reader.list(system, None, 10).await.expect("mappings");
        assert_eq!(ids_of(&listed), ids);
        let counts = reader.counts(system).await.expect("counts");
        assert_eq!(counts, [(MappingStatus::Synced, all.len() as u64)]);
        write(&store, async |to| {
            let mappings = to.mappings();
            let of_customer = mappings.of_customer(system, one.customer).await.expect("mappings");
            assert_eq!(of_customer, from_ref(mapping));
            let of_partner = mappings.of_partner(system, &record).await.expect("an answer");
            assert_eq!(of_partner.as_ref(), Some(mapping));
            let hanging = mappings.hanging_on(system, one.customer).await.expect("mappings");
            assert_eq!(hanging, from_ref(mapping));
            let mut mapped =
                mappings.mapped(system, &[one.customer, bare.customer]).await.expect("customers");
            mapped.sort_unstable();
            assert_eq!(mapped, customers);
        })
        .await;
    }
}
