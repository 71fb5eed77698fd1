//! What a store refuses, so that somebody who decided on old data starts over.

use std::sync::Arc;

use onefold_service::store::StoreError;
use onefold_sync::store::SyncStore;

use crate::by_hand::{at, commit_customer, email_key, merge, new_id, phone_key};
use crate::scene::statement;

on_every_store!(
    a_taken_key_is_a_conflict,
    one_taken_key_among_others_is_a_conflict,
    an_old_version_is_a_conflict,
    an_absorbed_customer_is_a_conflict,
    an_unknown_customer_is_a_conflict,
);

async fn a_taken_key_is_a_conflict(store: Arc<dyn SyncStore>) {
    let key = [email_key("jennifer@hillvalley.edu")];
    let stated = statement("jennifer@hillvalley.edu", "");
    let owner = commit_customer(&store, &key, &stated).await;

    let mut transaction = store.begin_sync().await.expect("a transaction");
    let late = new_id();
    transaction.customers().insert(late, at()).await.expect("a customer");
    let refused = transaction.customers().claim(&key, late).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    drop(transaction);

    let candidates = store.candidates(&key).await.expect("a read");
    assert_eq!(candidates.found, [(key[0].clone(), owner)]);
}

async fn one_taken_key_among_others_is_a_conflict(store: Arc<dyn SyncStore>) {
    let keys = [email_key("a@hillvalley.edu"), email_key("b@hillvalley.edu"), phone_key("123456")];
    commit_customer(&store, &keys[1..2], &statement("b@hillvalley.edu", "")).await;

    let mut transaction = store.begin_sync().await.expect("a transaction");
    let late = new_id();
    transaction.customers().insert(late, at()).await.expect("a customer");
    let refused = transaction.customers().claim(&keys, late).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    drop(transaction);

    // The keys that were free have stayed so.
    let candidates = store.candidates(&keys).await.expect("a read");
    assert_eq!(candidates.found.len(), 1);
    assert_eq!(candidates.found[0].0, keys[1]);
}

async fn an_old_version_is_a_conflict(store: Arc<dyn SyncStore>) {
    let keys = [phone_key("123456")];
    let id = commit_customer(&store, &keys, &statement("", "123456")).await;
    let mut first = store.begin_sync().await.expect("a transaction");
    first.customers().advance(id, 1, at()).await.expect("the version is still the first");
    first.commit().await.expect("a commit");

    let mut second = store.begin_sync().await.expect("a transaction");
    let refused = second.customers().advance(id, 1, at()).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    drop(second);
    let candidates = store.candidates(&keys).await.expect("a read");
    assert_eq!(candidates.customers[0].version, 2);
}

async fn an_absorbed_customer_is_a_conflict(store: Arc<dyn SyncStore>) {
    let keys = [email_key("marty@hillvalley.edu"), phone_key("123456")];
    let survivor = commit_customer(&store, &keys[..1], &statement("marty@hillvalley.edu", "")).await;
    let absorbed = commit_customer(&store, &keys[1..], &statement("", "123456")).await;
    let stated = statement("marty@hillvalley.edu", "123456");
    let mut transaction = store.begin_sync().await.expect("a transaction");
    merge(&mut *transaction, (survivor, 1), (absorbed, 1), &stated).await;
    transaction.commit().await.expect("a commit");

    // Whatever version the late writer saw, the customer is no root any more.
    for version in 1..=3 {
        let mut transaction = store.begin_sync().await.expect("a transaction");
        let refused = transaction.customers().advance(absorbed, version, at()).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "version {version}: {refused:?}");
    }
}

async fn an_unknown_customer_is_a_conflict(store: Arc<dyn SyncStore>) {
    let mut transaction = store.begin_sync().await.expect("a transaction");
    let refused = transaction.customers().advance(new_id(), 1, at()).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
}
