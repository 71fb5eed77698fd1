//! Mappings: one for each customer and record, changed by whoever saw the last change, worked on by one at a time.

use std::slice::from_ref;
use std::sync::Arc;

use onefold_domain::contact::ContactRecord;
use onefold_service::store::StoreError;
use onefold_sync::mapping::{DetachReason, Mapping, MappingId, MappingStatus};
use onefold_sync::partner::{PartnerAddressId, PartnerContactId, PartnerField, PartnerParts};
use onefold_sync::store::SyncStore;
use uuid::Uuid;

use crate::by_hand::at;
use crate::sync_scene::{
    OTHER, SYSTEM, contacts, detached, external, fault, insert, minute, pending, synced, view, worker, write,
};
use crate::use_cases::{UseCases, all_together};

on_every_store!(
    a_mapping_comes_back_as_it_was_stored,
    a_customer_has_one_mapping_in_use,
    a_record_has_one_mapping_whatever_its_status,
    the_mappings_of_many_customers_are_read_together,
    of_many_who_insert_one_does,
    an_update_stores_everything_but_the_lease,
    an_update_of_an_old_version_is_a_conflict,
    an_update_that_takes_what_another_has_is_a_conflict,
    a_mapping_is_leased_to_one_at_a_time,
    of_many_who_take_one_does,
);

async fn update(store: &Arc<dyn SyncStore>, mapping: &Mapping) -> Result<(), StoreError> {
    let mut transaction = store.begin_sync().await?;
    transaction.mappings().update(mapping).await?;
    transaction.commit().await
}

async fn stored(store: &Arc<dyn SyncStore>, id: MappingId) -> Mapping {
    store.mappings().get(id).await.expect("an answer").expect("the mapping")
}

fn full(contact: &ContactRecord) -> Mapping {
    Mapping {
        parts: PartnerParts {
            address: PartnerAddressId::parse("77").ok(),
            contact: PartnerContactId::parse("78").ok(),
        },
        status: MappingStatus::Error,
        base: view(&[(PartnerField::Name, "Zoë »Doc« Brown"), (PartnerField::City, "")]),
        agreed_at: [(PartnerField::Name, minute(1))].into(),
        sent: view(&[(PartnerField::Street, "1640 Riverside\nDrive")]),
        kept: view(&[(PartnerField::Phone, "+1 (555) 4385")]),
        customer_version: Some(3),
        missing_since: Some(minute(1)),
        last_synced_at: Some(minute(2)),
        error: Some(fault("refused")),
        lease: Some((worker(1), minute(9))),
        created_by: "token 7".to_owned(),
        updated_by: "command_line".to_owned(),
        updated_at: minute(3),
        version: 5,
        ..synced(1, contact, "228000009447")
    }
}

async fn a_mapping_comes_back_as_it_was_stored(store: Arc<dyn SyncStore>) {
    let [one, other, third] = contacts(&UseCases::new(&store)).await;
    let full = full(&one);
    let gone = detached(pending(2, &other), DetachReason::Gone);
    for mapping in [&full, &gone] {
        insert(&store, mapping).await;
        let reader = store.mappings();
        assert_eq!(reader.get(mapping.id).await.expect("an answer").as_ref(), Some(mapping));
        let filed = reader.of_customer(SYSTEM, mapping.customer).await.expect("mappings");
        assert_eq!(filed, from_ref(mapping));
        write(&store, async |to| {
            assert_eq!(to.mappings().get(mapping.id).await.expect("an answer").as_ref(), Some(mapping));
            let filed = to.mappings().of_customer(SYSTEM, mapping.customer).await.expect("mappings");
            assert_eq!(filed, from_ref(mapping));
        })
        .await;
    }
    let known = external("228000009447");
    assert_eq!(store.mappings().of_partner(SYSTEM, &known).await.expect("an answer"), Some(full.clone()));
    let unknown = external("22800000944");
    assert_eq!(store.mappings().of_partner(SYSTEM, &unknown).await.expect("an answer"), None);
    write(&store, async |to| {
        assert_eq!(to.mappings().of_partner(SYSTEM, &known).await.expect("an answer"), Some(full));
        assert_eq!(to.mappings().of_partner(SYSTEM, &unknown).await.expect("an answer"), None);
    })
    .await;
    assert_eq!(store.mappings().get(MappingId(Uuid::from_u128(9))).await.expect("an answer"), None);
    assert_eq!(store.mappings().of_customer(SYSTEM, third.customer).await.expect("mappings"), []);
}

async fn the_mappings_of_many_customers_are_read_together(store: Arc<dyn SyncStore>) {
    let [one, other, third, fourth] = contacts(&UseCases::new(&store)).await;
    let gone = detached(synced(1, &one, "1"), DetachReason::Gone);
    let (anew, of_other) = (pending(2, &one), synced(3, &other, "3"));
    let elsewhere = Mapping { system: OTHER, ..synced(4, &third, "4") };
    let not_asked = synced(5, &fourth, "5");
    for mapping in [&gone, &anew, &of_other, &elsewhere, &not_asked] {
        insert(&store, mapping).await;
    }
    let asked =
        [one.customer, other.customer, third.customer, onefold_domain::id::CustomerId(Uuid::from_u128(9))];
    let mut found = store.mappings().of_customers(SYSTEM, &asked).await.expect("mappings");
    found.sort_by_key(|mapping| mapping.id);
    assert_eq!(found, [gone, anew, of_other]);
    assert_eq!(store.mappings().of_customers(SYSTEM, &[]).await.expect("mappings"), []);
}

async fn a_customer_has_one_mapping_in_use(store: Arc<dyn SyncStore>) {
    let [one, other, _] = contacts(&UseCases::new(&store)).await;
    insert(&store, &detached(pending(1, &one), DetachReason::Merged)).await;
    insert(&store, &pending(2, &one)).await;
    // What is refused leaves the transaction as it was.
    write(&store, async |to| {
        let mappings = to.mappings();
        assert!(!mappings.insert(&synced(3, &one, "1")).await.expect("an answer"));
        assert!(!mappings.insert(&pending(2, &other)).await.expect("an answer"), "the id is taken");
        assert!(mappings.insert(&detached(synced(4, &one, "2"), DetachReason::Gone)).await.expect("stored"));
        assert!(mappings.insert(&pending(5, &other)).await.expect("stored"));
    })
    .await;
    let filed = store.mappings().of_customer(SYSTEM, one.customer).await.expect("mappings");
    assert_eq!(filed.len(), 3);
    assert_eq!(store.mappings().get(MappingId(Uuid::from_u128(3))).await.expect("an answer"), None);
}

async fn a_record_has_one_mapping_whatever_its_status(store: Arc<dyn SyncStore>) {
    let [one, other, third] = contacts(&UseCases::new(&store)).await;
    insert(&store, &detached(synced(1, &one, "1"), DetachReason::Gone)).await;
    write(&store, async |to| {
        assert!(!to.mappings().insert(&synced(2, &other, "1")).await.expect("an answer"));
        let also_gone = detached(synced(3, &third, "1"), DetachReason::Gone);
        assert!(!to.mappings().insert(&also_gone).await.expect("an answer"));
        assert!(to.mappings().insert(&synced(4, &other, "2")).await.expect("stored"));
    })
    .await;
}

async fn of_many_who_insert_one_does(store: Arc<dyn SyncStore>) {
    let [one] = contacts(&UseCases::new(&store)).await;
    let tries = all_together(8, |number| {
        let (store, mapping) = (Arc::clone(&store), pending(number as u128 + 1, &one));
        async move {
            let mut transaction = store.begin_sync().await.expect("a transaction");
            let done = transaction.mappings().insert(&mapping).await.expect("an answer");
            transaction.commit().await.expect("a commit");
            done
        }
    });
    assert_eq!(tries.await.into_iter().filter(|done| *done).count(), 1);
    assert_eq!(store.mappings().of_customer(SYSTEM, one.customer).await.expect("mappings").len(), 1);
}

async fn an_update_stores_everything_but_the_lease(store: Arc<dyn SyncStore>) {
    let [one, other] = contacts(&UseCases::new(&store)).await;
    let first = Mapping { lease: Some((worker(1), minute(9))), ..pending(1, &one) };
    insert(&store, &first).await;
    let changed =
        Mapping { lease: None, contact: other.id, customer: other.customer, version: 1, ..full(&one) };
    update(&store, &changed).await.expect("updated");
    let expected = Mapping { lease: first.lease, version: 2, ..changed };
    assert_eq!(stored(&store, first.id).await, expected);

    // And back to nothing.
    let bare = detached(Mapping { version: 2, ..first.clone() }, DetachReason::Withdrawn);
    update(&store, &bare).await.expect("updated");
    assert_eq!(stored(&store, first.id).await, Mapping { version: 3, ..bare });
}

async fn an_update_of_an_old_version_is_a_conflict(store: Arc<dyn SyncStore>) {
    let [one] = contacts(&UseCases::new(&store)).await;
    let first = pending(1, &one);
    insert(&store, &first).await;
    update(&store, &first).await.expect("updated");
    let before = stored(&store, first.id).await;
    for version in [0, 1, 3] {
        let late = Mapping { version, updated_by: "late".to_owned(), ..first.clone() };
        let refused = update(&store, &late).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "{version}: {refused:?}");
    }
    let unknown = update(&store, &pending(2, &one)).await;
    assert!(matches!(unknown, Err(StoreError::Conflict)), "{unknown:?}");
    assert_eq!(stored(&store, first.id).await, before);
}

async fn an_update_that_takes_what_another_has_is_a_conflict(store: Arc<dyn SyncStore>) {
    let [one, other] = contacts(&UseCases::new(&store)).await;
    insert(&store, &synced(1, &one, "1")).await;
    insert(&store, &synced(2, &other, "2")).await;
    let old = detached(synced(3, &one, "3"), DetachReason::Merged);
    insert(&store, &old).await;
    for taking in [
        synced(2, &other, "1"),
        Mapping { customer: one.customer, ..synced(2, &other, "2") },
        Mapping { status: MappingStatus::Pending, detached: None, ..old.clone() },
        detached(synced(3, &one, "2"), DetachReason::Merged),
    ] {
        let refused = update(&store, &taking).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "{taking:?}: {refused:?}");
    }
    // What stands in nobody's way any more is no hindrance.
    update(&store, &detached(synced(1, &one, "1"), DetachReason::Merged)).await.expect("updated");
    update(&store, &Mapping { status: MappingStatus::Pending, detached: None, ..old })
        .await
        .expect("updated");
}

async fn a_mapping_is_leased_to_one_at_a_time(store: Arc<dyn SyncStore>) {
    let [one] = contacts(&UseCases::new(&store)).await;
    let mapping = pending(1, &one);
    insert(&store, &mapping).await;
    let take = async |owner: u128, now, until| {
        let id = mapping.id;
        let taken = write(&store, async |to| {
            to.mappings().lease(id, worker(owner), minute(now), minute(until)).await
        });
        taken.await.expect("an answer").map(|taken| taken.lease)
    };
    let release = async |owner: u128| {
        write(&store, async |to| to.mappings().release(mapping.id, worker(owner)).await)
            .await
            .expect("released");
    };
    let held = |owner: u128, until| Some(Some((worker(owner), minute(until))));
    assert_eq!(take(1, 0, 5).await, held(1, 5));
    assert_eq!(take(2, 4, 9).await, None);
    assert_eq!(take(1, 4, 6).await, held(1, 6), "whoever has it may take it again");
    assert_eq!(take(2, 5, 10).await, None);
    assert_eq!(take(2, 6, 10).await, held(2, 10), "it has run out");
    release(1).await;
    assert_eq!(take(3, 7, 11).await, None, "only the owner releases");
    release(2).await;
    assert_eq!(stored(&store, mapping.id).await, mapping, "nothing else has changed, nor the version");
    assert_eq!(take(3, 7, 11).await, held(3, 11));
    let nobody = MappingId(Uuid::from_u128(9));
    write(&store, async |to| {
        assert_eq!(to.mappings().lease(nobody, worker(1), at(), minute(1)).await.expect("an answer"), None);
        to.mappings().release(nobody, worker(1)).await.expect("nothing to release");
    })
    .await;
}

async fn of_many_who_take_one_does(store: Arc<dyn SyncStore>) {
    let [one] = contacts(&UseCases::new(&store)).await;
    let mapping = pending(1, &one);
    insert(&store, &mapping).await;
    let tries = all_together(8, |number| {
        let (store, id) = (Arc::clone(&store), mapping.id);
        async move {
            let mut transaction = store.begin_sync().await.expect("a transaction");
            let owner = worker(number as u128 + 1);
            let taken = transaction.mappings().lease(id, owner, at(), minute(5)).await.expect("an answer");
            transaction.commit().await.expect("a commit");
            taken.is_some()
        }
    });
    assert_eq!(tries.await.into_iter().filter(|taken| *taken).count(), 1);
}
