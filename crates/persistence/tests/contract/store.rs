//! The traits by themselves: what a transaction shows and keeps.

use std::sync::Arc;
use std::time::Duration;

use onefold_persistence::testing::TestDatabase;
use onefold_sync::store::SyncStore;

use crate::by_hand::{
    add_contact, add_customer, at, commit_customer, email_key, merge, new_id, phone_key, sorted,
};
use crate::scene::{email, phone, statement, user};

on_every_store!(
    an_empty_store_knows_nobody,
    what_is_committed_is_known_by_its_keys,
    a_dropped_transaction_leaves_nothing,
    a_dropped_merge_leaves_both_customers,
    whoever_was_absorbed_leads_to_the_survivor,
    contact_ids_ascend,
    a_locked_read_sees_what_a_read_sees,
    a_locked_read_sees_its_own_changes,
    a_locked_read_keeps_other_writers_waiting,
);

async fn an_empty_store_knows_nobody(store: Arc<dyn SyncStore>) {
    let keys = [email_key("doc@hillvalley.edu"), phone_key("123456")];
    let candidates = store.candidates(&keys).await.expect("a read");
    assert!(candidates.found.is_empty());
    assert!(candidates.customers.is_empty());
    store.ping().await.expect("a sign of life");
}

async fn what_is_committed_is_known_by_its_keys(store: Arc<dyn SyncStore>) {
    let stated = statement("Doc@HillValley.edu", "123456").of_user(user(7));
    let id = new_id();
    let keys = [email_key("doc@hillvalley.edu"), phone_key("123456")];
    let mut transaction = store.begin_sync().await.expect("a transaction");
    let contact = add_customer(&mut *transaction, id, &keys, &stated).await;
    transaction.commit().await.expect("a commit");

    let asked = [email_key("doc@hillvalley.edu"), phone_key("123456"), phone_key("999999")];
    let mut candidates = store.candidates(&asked).await.expect("a read");
    candidates.found.sort();
    assert_eq!(candidates.found, keys.map(|key| (key, id)));
    let [customer] = &candidates.customers[..] else { panic!("one customer, once") };
    assert_eq!((customer.id, customer.version), (id, 1));
    let [known] = &customer.contacts[..] else { panic!("one contact") };
    assert_eq!(known.id, contact);
    assert_eq!(known.email, Some(email("doc@hillvalley.edu")));
    assert_eq!(known.phone, Some(phone("123456")));
    assert_eq!(known.user, Some(user(7)));
}

async fn a_dropped_transaction_leaves_nothing(store: Arc<dyn SyncStore>) {
    let keys = [email_key("einstein@hillvalley.edu")];
    let mut transaction = store.begin_sync().await.expect("a transaction");
    let stated = statement("einstein@hillvalley.edu", "");
    add_customer(&mut *transaction, new_id(), &keys, &stated).await;
    drop(transaction);

    let candidates = store.candidates(&keys).await.expect("a read");
    assert!(candidates.found.is_empty());
    // The key is free again, and nothing of the first attempt comes back with it.
    let id = commit_customer(&store, &keys, &stated).await;
    let candidates = store.candidates(&keys).await.expect("a read");
    assert_eq!(candidates.customers.len(), 1);
    assert_eq!(candidates.customers[0].id, id);
    assert_eq!(candidates.customers[0].contacts.len(), 1);
}

async fn a_dropped_merge_leaves_both_customers(store: Arc<dyn SyncStore>) {
    let keys = [email_key("george@hillvalley.edu"), phone_key("717171")];
    let george = commit_customer(&store, &keys[..1], &statement("george@hillvalley.edu", "")).await;
    let biff = commit_customer(&store, &keys[1..], &statement("", "717171")).await;
    let before = store.candidates(&keys).await.expect("a read");

    let mut transaction = store.begin_sync().await.expect("a transaction");
    merge(&mut *transaction, (george, 1), (biff, 1), &statement("george@hillvalley.edu", "717171")).await;
    drop(transaction);

    let after = store.candidates(&keys).await.expect("a read");
    assert_eq!(sorted(after), sorted(before));
}

/// C is absorbed by B, B by A: C's key leads to A, and C to nobody in between.
async fn whoever_was_absorbed_leads_to_the_survivor(store: Arc<dyn SyncStore>) {
    let [a_key, b_key, c_key] = ["a", "b", "c"].map(|name| [email_key(&format!("{name}@hv.edu"))]);
    let c = commit_customer(&store, &c_key, &statement("c@hv.edu", "")).await;
    let a = commit_customer(&store, &a_key, &statement("a@hv.edu", "")).await;
    let b = commit_customer(&store, &b_key, &statement("b@hv.edu", "")).await;
    for (survivor, absorbed) in [((b, 1), (c, 1)), ((a, 1), (b, 2))] {
        let mut transaction = store.begin_sync().await.expect("a transaction");
        merge(&mut *transaction, survivor, absorbed, &statement("a@hv.edu", "")).await;
        // Not the rules of identify, under which C, the oldest, would have survived; but a customer's
        // primary is its oldest contact all the same.
        let oldest = transaction.customers().lock_candidates(&c_key).await.expect("a read");
        let primary = oldest.customers[0].primary().expect("a contact");
        transaction.customers().set_primary(survivor.0, Some(primary)).await.expect("a primary");
        transaction.commit().await.expect("a commit");
    }

    let asked = [a_key[0].clone(), b_key[0].clone(), c_key[0].clone()];
    let mut candidates = store.candidates(&asked).await.expect("a read");
    candidates.found.sort();
    assert_eq!(candidates.found, asked.map(|key| (key, a)));
    let [customer] = &candidates.customers[..] else { panic!("one customer, once") };
    assert_eq!((customer.id, customer.version), (a, 2));
    let emails: Vec<_> = customer.contacts.iter().map(|contact| contact.email.clone()).collect();
    assert_eq!(emails, ["c@hv.edu", "a@hv.edu", "b@hv.edu"].map(|text| Some(email(text))));
    assert!(customer.contacts.is_sorted_by_key(|contact| contact.id));
    // C's key alone shows the same customer.
    let from_c = store.candidates(&c_key).await.expect("a read");
    assert_eq!(from_c.customers, candidates.customers);
}

async fn contact_ids_ascend(store: Arc<dyn SyncStore>) {
    let key = [phone_key("123456")];
    let id = commit_customer(&store, &key, &statement("", "123456")).await;
    for version in 1..4 {
        let mut transaction = store.begin_sync().await.expect("a transaction");
        transaction.customers().advance(id, version, at()).await.expect("the version is current");
        for _ in 0..3 {
            add_contact(&mut *transaction, id, &statement("", "123456")).await;
        }
        transaction.commit().await.expect("a commit");
    }
    let candidates = store.candidates(&key).await.expect("a read");
    let ids: Vec<_> = candidates.customers[0].contacts.iter().map(|contact| contact.id).collect();
    assert_eq!(ids.len(), 10);
    assert!(ids.is_sorted_by(|older, younger| older < younger), "{ids:?}");
}

async fn a_locked_read_sees_what_a_read_sees(store: Arc<dyn SyncStore>) {
    let keys = [email_key("strickland@hv.edu"), phone_key("123456"), phone_key("654321")];
    let stated = statement("strickland@hv.edu", "123456").of_user(user(1));
    commit_customer(&store, &keys[..2], &stated).await;
    commit_customer(&store, &keys[2..], &statement("", "654321")).await;

    let seen = store.candidates(&keys).await.expect("a read");
    let mut transaction = store.begin_sync().await.expect("a transaction");
    let locked = transaction.customers().lock_candidates(&keys).await.expect("a locked read");
    assert_eq!(locked.customers.len(), 2);
    assert_eq!(sorted(locked), sorted(seen));
}

async fn a_locked_read_sees_its_own_changes(store: Arc<dyn SyncStore>) {
    let keys = [email_key("lorraine@hillvalley.edu")];
    let id = new_id();
    let mut transaction = store.begin_sync().await.expect("a transaction");
    add_customer(&mut *transaction, id, &keys, &statement("lorraine@hillvalley.edu", "")).await;
    let own = transaction.customers().lock_candidates(&keys).await.expect("a locked read");
    assert_eq!(own.found, [(keys[0].clone(), id)]);
    assert_eq!(own.customers[0].contacts.len(), 1);
}

/// Where rows are locked, it is the other's `advance` that waits, elsewhere its `begin`.
async fn a_locked_read_keeps_other_writers_waiting(store: Arc<dyn SyncStore>) {
    let keys = [email_key("biff@hillvalley.edu")];
    let id = commit_customer(&store, &keys, &statement("biff@hillvalley.edu", "")).await;
    let mut first = store.begin_sync().await.expect("a transaction");
    first.customers().lock_candidates(&keys).await.expect("a locked read");

    let mut second = tokio::spawn(async move {
        let mut transaction = store.begin_sync().await.expect("a transaction");
        transaction.customers().advance(id, 1, at()).await.expect("the version is still the first");
        transaction.commit().await.expect("a commit");
    });
    let early = tokio::time::timeout(Duration::from_millis(100), &mut second).await;
    assert!(early.is_err(), "the second writer should have to wait");
    drop(first);
    second.await.expect("the second writer should get its turn");
}

mod isolation {
    //! The store in memory has no readers beside a writer, so this is for the databases.

    use super::*;

    on_both_databases!(a_reader_neither_waits_for_a_writer_nor_sees_its_work);

    async fn a_reader_neither_waits_for_a_writer_nor_sees_its_work(database: &TestDatabase) {
        let store: Arc<dyn SyncStore> = Arc::new(database.store().await);
        let keys = [email_key("needles@hillvalley.edu")];
        let mut transaction = store.begin_sync().await.expect("a transaction");
        add_customer(&mut *transaction, new_id(), &keys, &statement("needles@hillvalley.edu", "")).await;
        let during = store.candidates(&keys).await.expect("a read beside the writer");
        assert!(during.found.is_empty());
        transaction.commit().await.expect("a commit");
        let after = store.candidates(&keys).await.expect("a read");
        assert_eq!(after.found.len(), 1);
    }
}
