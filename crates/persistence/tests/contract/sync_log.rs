//! The log of sync, newest first.

use std::sync::Arc;

use onefold_domain::{
    CustomerId, LoggedAttempt, MappingId, PartnerField, RunId, Store, SyncAttempt, SyncLogFilter, SyncOutcome,
};
use uuid::Uuid;

use crate::sync_scene::{SYSTEM, external, fault, minute, write};

on_every_store!(
    attempts_come_back_as_they_were_stored,
    the_log_is_read_from_the_newest_on,
    the_log_is_read_by_what_is_asked_for,
    old_attempts_are_forgotten,
);

fn attempt(outcome: SyncOutcome, minutes: i64) -> SyncAttempt {
    SyncAttempt {
        at: minute(minutes),
        system: SYSTEM,
        mapping: None,
        customer: None,
        external: None,
        run: None,
        by: "program".to_owned(),
        outcome,
        pushed: Vec::new(),
        pulled: Vec::new(),
        error: None,
        took_ms: 0,
    }
}

async fn append(store: &Arc<dyn Store>, attempts: &[SyncAttempt]) {
    write(store, async |to| to.sync_log().append(attempts).await.expect("appended")).await;
}

async fn list(
    store: &Arc<dyn Store>,
    filter: &SyncLogFilter,
    before: Option<i64>,
    limit: usize,
) -> Vec<LoggedAttempt> {
    store.sync_log().list(filter, before, limit).await.expect("the log")
}

async fn all(store: &Arc<dyn Store>) -> Vec<SyncAttempt> {
    let logged = list(store, &SyncLogFilter::default(), None, 10_000).await;
    assert!(logged.is_sorted_by(|newer, older| newer.number > older.number));
    logged.into_iter().map(|logged| logged.attempt).collect()
}

/// Of customers, mappings and runs that never were: the log asks nobody.
async fn attempts_come_back_as_they_were_stored(store: Arc<dyn Store>) {
    let full = SyncAttempt {
        mapping: Some(MappingId(Uuid::from_u128(1))),
        customer: Some(CustomerId(Uuid::from_u128(2))),
        external: Some(external("22-8")),
        run: Some(RunId(Uuid::from_u128(3))),
        by: "token 7".to_owned(),
        pushed: vec![PartnerField::Email, PartnerField::Name],
        pulled: vec![PartnerField::CompanyName],
        error: Some(fault("missing_field")),
        took_ms: 5_000_000_000,
        ..attempt(SyncOutcome::Failed, 1)
    };
    let bare = attempt(SyncOutcome::Created, 2);
    append(&store, &[]).await;
    append(&store, &[full.clone(), bare.clone()]).await;
    assert_eq!(all(&store).await, [bare, full]);
    let each: Vec<_> = SyncOutcome::ALL.map(|outcome| attempt(outcome, 3)).into();
    append(&store, &each).await;
    let newest = list(&store, &SyncLogFilter::default(), None, each.len()).await;
    assert!(newest.iter().rev().map(|logged| &logged.attempt).eq(&each));
}

/// By its number, not by its moment: clocks differ.
async fn the_log_is_read_from_the_newest_on(store: Arc<dyn Store>) {
    let many: Vec<_> = (0..2_500).map(|number| attempt(SyncOutcome::Updated, -number)).collect();
    append(&store, &many).await;
    assert!(all(&store).await.iter().rev().eq(&many));
    let newest = list(&store, &SyncLogFilter::default(), None, 2).await;
    let next = list(&store, &SyncLogFilter::default(), Some(newest[1].number), 3).await;
    let read: Vec<_> = newest.iter().chain(&next).map(|logged| logged.attempt.at).collect();
    assert_eq!(read, [2_499, 2_498, 2_497, 2_496, 2_495].map(|number| minute(-number)));
}

async fn the_log_is_read_by_what_is_asked_for(store: Arc<dyn Store>) {
    let (mapping, customer) = (MappingId(Uuid::from_u128(1)), CustomerId(Uuid::from_u128(2)));
    let of_both =
        SyncAttempt { mapping: Some(mapping), customer: Some(customer), ..attempt(SyncOutcome::Created, 1) };
    let of_customer = SyncAttempt { customer: Some(customer), ..attempt(SyncOutcome::Failed, 2) };
    let of_nobody = attempt(SyncOutcome::Failed, 3);
    append(&store, &[of_both.clone(), of_customer.clone(), of_nobody.clone()]).await;
    let everything = SyncLogFilter::default();
    for (filter, expected) in [
        (SyncLogFilter { system: Some(SYSTEM), ..everything.clone() }, vec![3, 2, 1]),
        (SyncLogFilter { customer: Some(customer), ..everything.clone() }, vec![2, 1]),
        (SyncLogFilter { mapping: Some(mapping), ..everything.clone() }, vec![1]),
        (SyncLogFilter { outcome: Some(SyncOutcome::Failed), ..everything.clone() }, vec![3, 2]),
        (
            SyncLogFilter {
                customer: Some(customer),
                outcome: Some(SyncOutcome::Failed),
                ..everything.clone()
            },
            vec![2],
        ),
        (SyncLogFilter { mapping: Some(MappingId(Uuid::from_u128(9))), ..everything }, vec![]),
    ] {
        let found = list(&store, &filter, None, 10).await;
        let moments: Vec<_> = found.into_iter().map(|logged| logged.attempt.at).collect();
        let expected: Vec<_> = expected.into_iter().map(minute).collect();
        assert_eq!(moments, expected, "{filter:?}");
    }
}

async fn old_attempts_are_forgotten(store: Arc<dyn Store>) {
    let attempts: Vec<_> = (1..=5).map(|number| attempt(SyncOutcome::Updated, number)).collect();
    append(&store, &attempts).await;
    let forget = async |before: i64, limit| {
        let done = write(&store, async |to| to.sync_log().forget_before(minute(before), limit).await);
        done.await.expect("forgotten");
        all(&store).await.into_iter().rev().map(|attempt| attempt.at).collect::<Vec<_>>()
    };
    assert_eq!(forget(1, 10).await.len(), 5);
    assert_eq!(forget(4, 2).await, [3, 4, 5].map(minute));
    assert_eq!(forget(4, 2).await, [4, 5].map(minute));
    assert!(forget(9, 2).await.is_empty());
    // Numbers are not given again.
    append(&store, &attempts[..1]).await;
    assert!(list(&store, &SyncLogFilter::default(), None, 1).await[0].number > 5);
}
