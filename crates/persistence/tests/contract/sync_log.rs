//! The log of sync, newest first.

use std::sync::Arc;

use chrono::NaiveDate;
use onefold_domain::id::CustomerId;
use onefold_sync::log::{LoggedAttempt, SyncAttempt, SyncDay, SyncLogFilter, SyncOutcome};
use onefold_sync::mapping::MappingId;
use onefold_sync::partner::PartnerField;
use onefold_sync::run::RunId;
use onefold_sync::store::SyncStore;
use uuid::Uuid;

use crate::sync_scene::{OTHER, SYSTEM, external, fault, minute, write};
use crate::use_cases::{UseCases, order};

on_every_store!(
    attempts_come_back_as_they_were_stored,
    the_log_is_read_from_the_newest_on,
    the_log_is_read_by_what_is_asked_for,
    the_log_of_a_customer_is_that_of_all_who_are_one_with_it,
    attempts_are_counted_by_day,
    what_was_skipped_is_known_by_its_record,
    days_are_whole_and_in_utc,
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

async fn append(store: &Arc<dyn SyncStore>, attempts: &[SyncAttempt]) {
    write(store, async |to| to.sync_log().append(attempts).await.expect("appended")).await;
}

async fn list(
    store: &Arc<dyn SyncStore>,
    filter: &SyncLogFilter,
    before: Option<i64>,
    limit: usize,
) -> Vec<LoggedAttempt> {
    store.sync_log().list(filter, before, limit).await.expect("the log")
}

async fn all(store: &Arc<dyn SyncStore>) -> Vec<SyncAttempt> {
    let logged = list(store, &SyncLogFilter::default(), None, 10_000).await;
    assert!(logged.is_sorted_by(|newer, older| newer.number > older.number));
    logged.into_iter().map(|logged| logged.attempt).collect()
}

/// Of customers, mappings and runs that never were: the log asks nobody.
async fn attempts_come_back_as_they_were_stored(store: Arc<dyn SyncStore>) {
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

async fn what_was_skipped_is_known_by_its_record(store: Arc<dyn SyncStore>) {
    let of = |outcome, id| SyncAttempt { external: Some(external(id)), ..attempt(outcome, 1) };
    let elsewhere = SyncAttempt { system: OTHER, ..of(SyncOutcome::Skipped, "3") };
    let twice = [of(SyncOutcome::Skipped, "1"), of(SyncOutcome::Skipped, "1")];
    append(&store, &twice).await;
    append(&store, &[of(SyncOutcome::Imported, "2"), elsewhere, attempt(SyncOutcome::Skipped, 1)]).await;
    let ids = ["1", "2", "3", "4"].map(external);
    assert_eq!(store.sync_log().skipped(SYSTEM, &ids).await.expect("records"), [external("1")]);
    assert_eq!(store.sync_log().skipped(OTHER, &ids).await.expect("records"), [external("3")]);
    assert_eq!(store.sync_log().skipped(SYSTEM, &[]).await.expect("records"), []);
}

/// By its number, not by its moment: clocks differ.
async fn the_log_is_read_from_the_newest_on(store: Arc<dyn SyncStore>) {
    let many: Vec<_> = (0..2_500).map(|number| attempt(SyncOutcome::Updated, -number)).collect();
    append(&store, &many).await;
    assert!(all(&store).await.iter().rev().eq(&many));
    let newest = list(&store, &SyncLogFilter::default(), None, 2).await;
    let next = list(&store, &SyncLogFilter::default(), Some(newest[1].number), 3).await;
    let read: Vec<_> = newest.iter().chain(&next).map(|logged| logged.attempt.at).collect();
    assert_eq!(read, [2_499, 2_498, 2_497, 2_496, 2_495].map(|number| minute(-number)));
}

async fn the_log_is_read_by_what_is_asked_for(store: Arc<dyn SyncStore>) {
    let (mapping, customer) = (MappingId(Uuid::from_u128(1)), CustomerId(Uuid::from_u128(2)));
    let of_both =
        SyncAttempt { mapping: Some(mapping), customer: Some(customer), ..attempt(SyncOutcome::Created, 1) };
    let of_customer = SyncAttempt { customer: Some(customer), ..attempt(SyncOutcome::Failed, 2) };
    let of_nobody = attempt(SyncOutcome::Failed, 3);
    let of_other_system =
        SyncAttempt { system: OTHER, customer: Some(customer), ..attempt(SyncOutcome::Updated, 4) };
    append(&store, &[of_both, of_customer, of_nobody, of_other_system]).await;
    let everything = SyncLogFilter::default();
    for (filter, expected) in [
        (SyncLogFilter { system: Some(SYSTEM), ..everything.clone() }, vec![3, 2, 1]),
        (SyncLogFilter { system: Some(OTHER), ..everything.clone() }, vec![4]),
        (SyncLogFilter { customer: Some(customer), ..everything.clone() }, vec![4, 2, 1]),
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

/// Whichever of them is named, and only as long as they are one.
async fn the_log_of_a_customer_is_that_of_all_who_are_one_with_it(store: Arc<dyn SyncStore>) {
    let use_cases = UseCases::new(&store);
    let email = use_cases.create(&order("doc@hillvalley.edu", "")).await.customer;
    let phone = use_cases.create(&order("", "123456")).await;
    let stranger = use_cases.create(&order("biff@hillvalley.edu", "")).await.customer;
    let unknown = CustomerId(Uuid::from_u128(404));
    let customers = [email, phone.customer, stranger, unknown];
    let attempts: Vec<_> = (1..)
        .zip(customers)
        .map(|(number, id)| SyncAttempt { customer: Some(id), ..attempt(SyncOutcome::Updated, number) })
        .chain([attempt(SyncOutcome::Failed, 5)])
        .collect();
    append(&store, &attempts).await;
    let log = async |customer, before, limit| {
        let filter = SyncLogFilter { customer: Some(customer), ..SyncLogFilter::default() };
        let found = list(&store, &filter, before, limit).await;
        found.into_iter().map(|logged| (logged.attempt.at, logged.number)).collect::<Vec<_>>()
    };
    let moments = async |customer| {
        log(customer, None, 10).await.into_iter().map(|(moment, _)| moment).collect::<Vec<_>>()
    };
    for (number, customer) in (1..).zip(customers) {
        assert_eq!(moments(customer).await, [minute(number)]);
    }

    let bridge = use_cases.create(&order("doc@hillvalley.edu", "123456")).await;
    for customer in [email, phone.customer] {
        assert_eq!(moments(customer).await, [2, 1].map(minute));
    }
    let newest = log(email, None, 1).await;
    assert_eq!(newest[0].0, minute(2));
    assert_eq!(log(email, Some(newest[0].1), 10).await[0].0, minute(1));
    for (number, customer) in [(3, stranger), (4, unknown)] {
        assert_eq!(moments(customer).await, [minute(number)]);
    }

    use_cases.withdraw(bridge.id).await;
    let apart = use_cases.record(phone.id).await.customer;
    assert_ne!(apart, email);
    assert!(!moments(apart).await.contains(&minute(1)), "what is apart has logs apart");
    assert!(moments(email).await.contains(&minute(1)));
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

async fn days(store: &Arc<dyn SyncStore>, since: &str) -> Vec<SyncDay> {
    store.sync_log().per_day(day(since)).await.expect("days")
}

async fn attempts_are_counted_by_day(store: Arc<dyn SyncStore>) {
    let at = minute(0).date_naive().to_string();
    assert_eq!(days(&store, &at).await, []);
    let pushed = vec![PartnerField::Email, PartnerField::Name];
    let pulled = vec![PartnerField::City];
    let in_other = |attempt: SyncAttempt| SyncAttempt { system: OTHER, ..attempt };
    let there = SyncAttempt { pushed: pushed.clone(), ..attempt(SyncOutcome::Updated, 1) };
    let here = SyncAttempt { pulled: pulled.clone(), ..attempt(SyncOutcome::Updated, 2) };
    let both = SyncAttempt { pushed, pulled, ..attempt(SyncOutcome::Updated, 3) };
    // In an order that neither the names nor the moments give.
    append(
        &store,
        &[
            in_other(attempt(SyncOutcome::Attached, 4)),
            attempt(SyncOutcome::Failed, 5),
            in_other(there.clone()),
            here,
            in_other(attempt(SyncOutcome::Created, 6)),
            there.clone(),
            both,
            there,
        ],
    )
    .await;
    let count = |system, outcome, attempts, pushed, pulled| SyncDay {
        date: day(&at),
        system,
        outcome,
        attempts,
        pushed,
        pulled,
    };
    let expected = [
        count(SYSTEM, SyncOutcome::Updated, 4, 3, 2),
        count(SYSTEM, SyncOutcome::Failed, 1, 0, 0),
        count(OTHER, SyncOutcome::Created, 1, 0, 0),
        count(OTHER, SyncOutcome::Updated, 1, 1, 0),
        count(OTHER, SyncOutcome::Attached, 1, 0, 0),
    ];
    assert_eq!(days(&store, &at).await, expected);
}

async fn days_are_whole_and_in_utc(store: Arc<dyn SyncStore>) {
    let moments = [
        "2026-01-03T00:00:00Z",
        "2026-01-01T23:59:59.999Z",
        "2026-01-02T00:00:00Z",
        "2025-12-31T23:59:59.999Z",
        "2026-01-02T00:00:00.001Z",
        "2026-01-02T23:59:59.999999Z",
        "2026-01-01T00:00:00Z",
    ];
    let at = |moment: &str| moment.parse().expect("a moment");
    let attempts = moments.map(|moment| SyncAttempt { at: at(moment), ..attempt(SyncOutcome::Updated, 0) });
    append(&store, &attempts).await;
    let counted = async |since| {
        let days = days(&store, since).await.into_iter();
        days.map(|day| (day.date.to_string(), day.attempts)).collect::<Vec<_>>()
    };
    let expected = [("2025-12-31", 1), ("2026-01-01", 2), ("2026-01-02", 3), ("2026-01-03", 1)]
        .map(|(date, attempts)| (date.to_owned(), attempts));
    assert_eq!(counted("1990-01-01").await, expected);
    assert_eq!(counted("2026-01-01").await, expected[1..]);
    assert_eq!(counted("2026-01-03").await, expected[3..]);
    assert_eq!(counted("2026-01-04").await, []);
}

async fn old_attempts_are_forgotten(store: Arc<dyn SyncStore>) {
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
