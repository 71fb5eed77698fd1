//! The index of records elsewhere: what was seen of them last, and which of them has a value.

use std::slice::from_ref;
use std::sync::Arc;

use chrono::TimeDelta;
use onefold_service::system::SyncSystem;
use onefold_sync::partner::{IndexedPartner, PartnerId, PartnerLookup, PartnerName};
use onefold_sync::store::SyncStore;

use crate::scene::{email, phone};
use crate::sync_scene::{OTHER, SYSTEM, external, minute, write};
use crate::use_cases::all_together;

on_every_store!(
    records_come_back_as_they_were_put,
    records_are_found_by_each_of_their_values,
    phones_that_are_the_same_are_found_by_each_other,
    those_that_were_seen_first_are_found_first,
    what_is_put_takes_the_place_of_what_was_known,
    a_record_is_forgotten,
    the_same_id_in_two_systems_is_two_records,
    thousands_of_records_are_put_at_once,
    many_may_put_the_same_records,
    what_is_given_up_was_never_seen,
    a_scan_is_noted_for_its_system,
);

fn record(id: &str, emails: &[&str], phones: &[&str]) -> IndexedPartner {
    IndexedPartner {
        id: external(id),
        emails: emails.iter().map(|text| email(text)).collect(),
        phones: phones.iter().map(|text| phone(text)).collect(),
        changed_at: None,
    }
}

async fn put_in(store: &Arc<dyn SyncStore>, system: SyncSystem, records: &[IndexedPartner]) {
    let mut transaction = store.begin_sync().await.expect("a transaction");
    transaction.partner_index().put(system, records, minute(0)).await.expect("put");
    transaction.commit().await.expect("a commit");
}

async fn put(store: &Arc<dyn SyncStore>, records: &[IndexedPartner]) {
    put_in(store, SYSTEM, records).await;
}

async fn remove(store: &Arc<dyn SyncStore>, id: &str) {
    write(store, async |to| to.partner_index().remove(SYSTEM, &external(id)).await.expect("removed")).await;
}

/// In the order of their ids.
async fn of(store: &Arc<dyn SyncStore>, system: SyncSystem, ids: &[PartnerId]) -> Vec<IndexedPartner> {
    let mut known = store.partner_index().of(system, ids).await.expect("records");
    known.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    known
}

async fn found(
    store: &Arc<dyn SyncStore>,
    system: SyncSystem,
    lookup: &PartnerLookup,
    limit: usize,
) -> Vec<String> {
    let found = store.partner_index().find(system, lookup, limit).await.expect("ids");
    found.iter().map(|id| id.as_str().to_owned()).collect()
}

async fn with_email(store: &Arc<dyn SyncStore>, text: &str) -> Vec<String> {
    found(store, SYSTEM, &PartnerLookup::Email(email(text)), 100).await
}

async fn with_phone(store: &Arc<dyn SyncStore>, text: &str) -> Vec<String> {
    found(store, SYSTEM, &PartnerLookup::Phone(phone(text)), 100).await
}

async fn records_come_back_as_they_were_put(store: Arc<dyn SyncStore>) {
    let moment = Some(minute(1) + TimeDelta::milliseconds(7));
    let records = [
        record("1", &[], &[]),
        IndexedPartner {
            changed_at: moment,
            ..record(
                &"2".repeat(64),
                &["zoë@hillvalley.edu", "doc@hillvalley.edu"],
                &["+12025550143", "123456", "+5511991234567", "+551191234567", "+1234567890;ext=5"],
            )
        },
        record("3", &["doc@hillvalley.edu"], &["123456"]),
    ];
    put(&store, &records).await;
    let ids: Vec<_> = records.iter().map(|record| record.id.clone()).collect();
    assert_eq!(of(&store, SYSTEM, &ids).await, records);
    assert_eq!(of(&store, SYSTEM, &ids[1..2]).await, records[1..2]);
    assert_eq!(of(&store, SYSTEM, &[external("4"), external("3")]).await, records[2..]);
    assert_eq!(of(&store, SYSTEM, &[external("4")]).await, []);
    assert_eq!(of(&store, SYSTEM, &[]).await, []);
    put(&store, &[]).await;
    assert_eq!(of(&store, SYSTEM, &ids).await, records);
}

async fn records_are_found_by_each_of_their_values(store: Arc<dyn SyncStore>) {
    let first = record("1", &["doc@hillvalley.edu", "brown@hillvalley.edu"], &["123456"]);
    let second = record("2", &["doc@hillvalley.edu"], &["+12025550143", "654321"]);
    put(&store, &[first, second]).await;
    assert_eq!(with_email(&store, "doc@hillvalley.edu").await, ["1", "2"]);
    assert_eq!(with_email(&store, "brown@hillvalley.edu").await, ["1"]);
    assert_eq!(with_phone(&store, "123456").await, ["1"]);
    assert_eq!(with_phone(&store, "+12025550143").await, ["2"]);
    assert_eq!(with_phone(&store, "654321").await, ["2"]);
    assert!(with_email(&store, "marty@hillvalley.edu").await.is_empty());
    assert!(with_phone(&store, "12345").await.is_empty());
    // What is looked up and not kept is in none of them.
    let name = PartnerName::new("doc@hillvalley.edu");
    assert!(found(&store, SYSTEM, &PartnerLookup::Name(name), 100).await.is_empty());
}

async fn phones_that_are_the_same_are_found_by_each_other(store: Arc<dyn SyncStore>) {
    let (old, new) = ("+551191234567", "+5511991234567");
    put(&store, &[record("1", &[], &[old]), record("2", &[], &[new, old]), record("3", &[], &["1234"])])
        .await;
    for phone in [old, new] {
        assert_eq!(with_phone(&store, phone).await, ["1", "2"], "{phone}");
    }
}

async fn those_that_were_seen_first_are_found_first(store: Arc<dyn SyncStore>) {
    let doc = |id| record(id, &["doc@hillvalley.edu"], &[]);
    put(&store, &[doc("5"), doc("3")]).await;
    put(&store, &[doc("9"), doc("1"), doc("5")]).await;
    put(&store, &[doc("2")]).await;
    let lookup = PartnerLookup::Email(email("doc@hillvalley.edu"));
    let expected = ["5", "3", "9", "1", "2"];
    for limit in [0, 1, 3, 5, 100] {
        let found = found(&store, SYSTEM, &lookup, limit).await;
        assert_eq!(found, expected[..limit.min(5)], "at most {limit}");
    }
}

async fn what_is_put_takes_the_place_of_what_was_known(store: Arc<dyn SyncStore>) {
    let before = record("1", &["doc@hillvalley.edu", "brown@hillvalley.edu"], &["123456"]);
    let other = record("2", &["doc@hillvalley.edu", "new@hillvalley.edu"], &["123456"]);
    put(&store, &[before, other.clone()]).await;
    let after = IndexedPartner {
        changed_at: Some(minute(2)),
        ..record("1", &["new@hillvalley.edu", "brown@hillvalley.edu"], &["654321"])
    };
    put(&store, from_ref(&after)).await;
    assert_eq!(of(&store, SYSTEM, &[external("1"), external("2")]).await, [after, other]);
    assert_eq!(with_email(&store, "doc@hillvalley.edu").await, ["2"]);
    assert_eq!(with_email(&store, "brown@hillvalley.edu").await, ["1"]);
    assert_eq!(with_email(&store, "new@hillvalley.edu").await, ["1", "2"], "it was seen first");
    assert_eq!(with_phone(&store, "123456").await, ["2"]);
    assert_eq!(with_phone(&store, "654321").await, ["1"]);
    let bare = record("1", &[], &[]);
    put(&store, from_ref(&bare)).await;
    assert_eq!(of(&store, SYSTEM, &[external("1")]).await, [bare]);
    assert!(with_email(&store, "brown@hillvalley.edu").await.is_empty());
}

async fn a_record_is_forgotten(store: Arc<dyn SyncStore>) {
    let doc = |id| record(id, &["doc@hillvalley.edu"], &["123456"]);
    put(&store, &[doc("1"), doc("2")]).await;
    remove(&store, "1").await;
    remove(&store, "1").await;
    remove(&store, "3").await;
    assert_eq!(of(&store, SYSTEM, &[external("1"), external("2")]).await, [doc("2")]);
    assert_eq!(with_email(&store, "doc@hillvalley.edu").await, ["2"]);
    assert_eq!(with_phone(&store, "123456").await, ["2"]);
    put(&store, &[doc("1")]).await;
    assert_eq!(with_phone(&store, "123456").await, ["2", "1"], "it is seen anew");
}

async fn the_same_id_in_two_systems_is_two_records(store: Arc<dyn SyncStore>) {
    let here = record("1", &["doc@hillvalley.edu"], &["123456"]);
    let there = record("1", &["doc@hillvalley.edu", "brown@hillvalley.edu"], &[]);
    put_in(&store, SYSTEM, from_ref(&here)).await;
    put_in(&store, OTHER, &[there.clone(), record("2", &["doc@hillvalley.edu"], &[])]).await;
    let ids = [external("1"), external("2")];
    assert_eq!(of(&store, SYSTEM, &ids).await, from_ref(&here));
    assert_eq!(of(&store, OTHER, &ids).await[0], there);
    let lookup = PartnerLookup::Email(email("doc@hillvalley.edu"));
    assert_eq!(found(&store, SYSTEM, &lookup, 9).await, ["1"]);
    assert_eq!(found(&store, OTHER, &lookup, 9).await, ["1", "2"]);
    let lookup = PartnerLookup::Phone(phone("123456"));
    assert!(found(&store, OTHER, &lookup, 9).await.is_empty());
    remove(&store, "1").await;
    assert_eq!(of(&store, SYSTEM, &ids).await, []);
    assert_eq!(of(&store, OTHER, &ids).await.len(), 2);
    let lookup = PartnerLookup::Email(email("brown@hillvalley.edu"));
    assert_eq!(found(&store, OTHER, &lookup, 9).await, ["1"]);
}

/// More than fit into one statement, in an order that is not that of their ids.
async fn thousands_of_records_are_put_at_once(store: Arc<dyn SyncStore>) {
    let made = |round: usize| {
        let numbers = (0..2_500).map(|number| number * 7 % 2_500);
        numbers.map(move |number| {
            let own = format!("m{number}.{round}@hillvalley.edu");
            record(
                &number.to_string(),
                &[&own, "all@hillvalley.edu"],
                &[&format!("555{number:04}"), "123456"],
            )
        })
    };
    for round in 0..2 {
        let records: Vec<_> = made(round).collect();
        put(&store, &records).await;
        let ids: Vec<_> = records.iter().map(|record| record.id.clone()).collect();
        let mut expected = records.clone();
        expected.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        assert!(of(&store, SYSTEM, &ids).await == expected);
        let lookup = PartnerLookup::Phone(phone("123456"));
        let shared = found(&store, SYSTEM, &lookup, 10_000).await;
        assert!(shared.iter().map(String::as_str).eq(ids.iter().map(PartnerId::as_str)));
        let with_own = with_email(&store, &format!("m1234.{round}@hillvalley.edu")).await;
        assert_eq!(with_own, ["1234"]);
    }
    assert!(with_email(&store, "m1234.0@hillvalley.edu").await.is_empty());
}

/// Each begins with another of them: a store that locked them as they come would let writers wait for each other.
async fn many_may_put_the_same_records(store: Arc<dyn SyncStore>) {
    const RECORDS: usize = 200;
    all_together(6, |writer| {
        let store = Arc::clone(&store);
        async move {
            let own = format!("w{writer}@hillvalley.edu");
            let numbers = 0..RECORDS;
            let made = numbers.map(|number| record(&number.to_string(), &[&own, "all@hillvalley.edu"], &[]));
            let mut records: Vec<_> = made.collect();
            records.rotate_left(writer * RECORDS / 6);
            if writer % 2 == 1 {
                records.reverse();
            }
            put(&store, &records).await;
        }
    })
    .await;
    let ids: Vec<_> = (0..RECORDS).map(|number| external(&number.to_string())).collect();
    let known = of(&store, SYSTEM, &ids).await;
    assert_eq!(known.len(), RECORDS);
    assert_eq!(
        found(&store, SYSTEM, &PartnerLookup::Email(email("all@hillvalley.edu")), 999).await.len(),
        RECORDS
    );
    // A record is found by what it was put with last, and by nothing else.
    for writer in 0..6 {
        let own = email(&format!("w{writer}@hillvalley.edu"));
        let has = known.iter().filter(|record| record.emails.contains(&own)).count();
        assert_eq!(found(&store, SYSTEM, &PartnerLookup::Email(own), 999).await.len(), has);
    }
}

async fn what_is_given_up_was_never_seen(store: Arc<dyn SyncStore>) {
    let kept = record("1", &["doc@hillvalley.edu"], &[]);
    put(&store, from_ref(&kept)).await;
    let mut given_up = store.begin_sync().await.expect("a transaction");
    let index = given_up.partner_index();
    let news = [record("1", &["new@hillvalley.edu"], &[]), record("2", &["new@hillvalley.edu"], &[])];
    index.put(SYSTEM, &news, minute(1)).await.expect("put");
    index.note_scan(SYSTEM, minute(1)).await.expect("noted");
    drop(given_up);
    assert_eq!(of(&store, SYSTEM, &[external("1"), external("2")]).await, [kept]);
    assert!(with_email(&store, "new@hillvalley.edu").await.is_empty());
    assert_eq!(store.partner_index().scanned_at(SYSTEM).await.expect("an answer"), None);
}

async fn a_scan_is_noted_for_its_system(store: Arc<dyn SyncStore>) {
    let scanned = async || {
        let index = store.partner_index();
        let here = index.scanned_at(SYSTEM).await.expect("an answer");
        (here, index.scanned_at(OTHER).await.expect("an answer"))
    };
    assert_eq!(scanned().await, (None, None));
    for (number, system, expected) in
        [(1, SYSTEM, (Some(1), None)), (2, OTHER, (Some(1), Some(2))), (3, SYSTEM, (Some(3), Some(2)))]
    {
        let at = minute(number);
        write(&store, async |to| to.partner_index().note_scan(system, at).await.expect("noted")).await;
        assert_eq!(scanned().await, (expected.0.map(minute), expected.1.map(minute)));
    }
}
