//! The rules of sync: those that somebody has put, or nothing.

use std::sync::Arc;

use onefold_sync::partner::PartnerField;
use onefold_sync::rules::{FieldRule, SyncRules};
use onefold_sync::store::SyncStore;

use crate::sync_scene::{OTHER, SYSTEM, write};

on_every_store!(
    rules_that_nobody_put_are_none,
    rules_take_the_place_of_those_that_were,
    rules_of_one_system_are_none_of_another,
    rules_are_put_once_committed,
);

async fn both(store: &Arc<dyn SyncStore>) -> Option<SyncRules> {
    let outside = store.sync_rules().get(SYSTEM).await.expect("rules");
    let inside = write(store, async |to| to.sync_rules().get(SYSTEM).await.expect("rules")).await;
    assert_eq!(inside, outside);
    outside
}

async fn put(store: &Arc<dyn SyncStore>, rules: &SyncRules) {
    write(store, async |to| to.sync_rules().put(SYSTEM, rules).await.expect("put")).await;
}

async fn rules_that_nobody_put_are_none(store: Arc<dyn SyncStore>) {
    assert_eq!(both(&store).await, None);
    let nothing = SyncRules::of([]);
    put(&store, &nothing).await;
    assert_eq!(both(&store).await, Some(nothing), "nothing but questions is a rule too");
}

async fn rules_take_the_place_of_those_that_were(store: Arc<dyn SyncStore>) {
    let mut rules = FieldRule::ALL.into_iter().cycle();
    let every = SyncRules::of(PartnerField::ALL.map(|field| (field, rules.next().expect("a rule"))));
    // A rule that cannot be meant for its field is not put by any caller, and asks when it is read.
    let meant = SyncRules::of(
        every.iter().filter(|(field, rule)| SyncRules::parse(field.as_str(), rule.as_str()).is_ok()),
    );
    for rules in [meant, SyncRules::of([(PartnerField::City, FieldRule::Ask)]), SyncRules::shipped()] {
        put(&store, &rules).await;
        assert_eq!(both(&store).await, Some(rules));
    }
}

async fn rules_of_one_system_are_none_of_another(store: Arc<dyn SyncStore>) {
    put(&store, &SyncRules::shipped()).await;
    assert_eq!(store.sync_rules().get(OTHER).await.expect("rules"), None);
    write(&store, async |to| {
        assert_eq!(to.sync_rules().get(OTHER).await.expect("rules"), None);
        to.sync_rules().put(OTHER, &SyncRules::of([])).await.expect("put");
    })
    .await;
    assert_eq!(both(&store).await, Some(SyncRules::shipped()));
    assert_eq!(store.sync_rules().get(OTHER).await.expect("rules"), Some(SyncRules::of([])));
}

async fn rules_are_put_once_committed(store: Arc<dyn SyncStore>) {
    put(&store, &SyncRules::shipped()).await;
    let mut given_up = store.begin_sync().await.expect("a transaction");
    given_up.sync_rules().put(SYSTEM, &SyncRules::of([])).await.expect("put");
    assert_eq!(given_up.sync_rules().get(SYSTEM).await.expect("rules"), Some(SyncRules::of([])));
    drop(given_up);
    assert_eq!(both(&store).await, Some(SyncRules::shipped()));
}
