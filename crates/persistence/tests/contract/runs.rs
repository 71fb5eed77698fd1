//! Runs of sync, their progress and their items.

use std::sync::Arc;

use onefold_domain::id::CustomerId;
use onefold_service::store::StoreError;
use onefold_sync::mapping::MappingId;
use onefold_sync::run::{ItemOutcome, Run, RunCounts, RunId, RunItem, RunKind, RunStatus};
use onefold_sync::store::SyncStore;
use serde_json::json;
use uuid::Uuid;

use crate::sync_scene::{OTHER, SYSTEM, external, fault, minute, write};

on_every_store!(
    a_run_comes_back_as_it_was_stored,
    an_update_stores_all_that_changes,
    runs_are_listed_newest_first,
    the_subjects_of_a_list_are_its_items,
    items_take_the_place_of_those_that_were,
    items_are_read_in_pages,
    runs_that_ended_are_forgotten_with_their_items,
);

fn queued(number: u128) -> Run {
    Run {
        id: RunId(Uuid::from_u128(number)),
        system: SYSTEM,
        kind: RunKind::Sync,
        dry_run: false,
        approved: false,
        status: RunStatus::Queued,
        counts: RunCounts::default(),
        message: None,
        requested_by: "token 7".to_owned(),
        created_at: minute(0),
        started_at: None,
        updated_at: minute(0),
        finished_at: None,
    }
}

fn full(number: u128) -> Run {
    Run {
        system: OTHER,
        kind: RunKind::CompareFull,
        dry_run: true,
        approved: true,
        status: RunStatus::Held,
        counts: RunCounts {
            total: 10,
            succeeded: 1,
            failed: 2,
            skipped: 9,
            created: 3,
            pushed: 4,
            pulled: 5,
            unchanged: 6,
            conflicts: 7,
            stale: 8,
            detached: 5_000_000_000,
        },
        message: Some("Too many »gone«.".to_owned()),
        requested_by: "command_line".to_owned(),
        created_at: minute(1),
        started_at: Some(minute(2)),
        updated_at: minute(3),
        finished_at: Some(minute(4)),
        ..queued(number)
    }
}

async fn insert(store: &Arc<dyn SyncStore>, run: &Run, subjects: &[String]) {
    write(store, async |to| to.runs().insert(run, subjects).await.expect("a run")).await;
}

async fn put_items(store: &Arc<dyn SyncStore>, run: &Run, items: &[RunItem]) {
    write(store, async |to| to.runs().put_items(run.id, items).await.expect("items")).await;
}

async fn update(store: &Arc<dyn SyncStore>, run: &Run) -> Result<(), StoreError> {
    let mut transaction = store.begin_sync().await?;
    transaction.runs().update(run).await?;
    transaction.commit().await
}

/// All of them.
async fn items(store: &Arc<dyn SyncStore>, run: &Run) -> Vec<RunItem> {
    store.runs().items(run.id, 0, 10_000, false).await.expect("items")
}

fn subjects(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("contact:{number} ☎")).collect()
}

fn waiting(position: u64, subject: &str) -> RunItem {
    RunItem { position, subject: subject.to_owned(), outcome: None }
}

fn done(position: u64, subject: &str, action: &str) -> RunItem {
    let outcome = ItemOutcome { action: action.to_owned(), ..ItemOutcome::default() };
    RunItem { outcome: Some(outcome), ..waiting(position, subject) }
}

async fn a_run_comes_back_as_it_was_stored(store: Arc<dyn SyncStore>) {
    for run in [queued(1), full(2)] {
        assert_eq!(store.runs().get(run.id).await.expect("an answer"), None);
        insert(&store, &run, &[]).await;
        assert_eq!(store.runs().get(run.id).await.expect("an answer").as_ref(), Some(&run));
        let inside = write(&store, async |to| to.runs().get(run.id).await.expect("an answer")).await;
        assert_eq!(inside, Some(run.clone()));
        assert_eq!(items(&store, &run).await, []);
    }
}

async fn an_update_stores_all_that_changes(store: Arc<dyn SyncStore>) {
    insert(&store, &queued(1), &subjects(2)).await;
    insert(&store, &queued(2), &[]).await;
    for run in [full(1), queued(1)] {
        update(&store, &run).await.expect("updated");
        assert_eq!(store.runs().get(run.id).await.expect("an answer"), Some(run));
    }
    assert_eq!(items(&store, &queued(1)).await.len(), 2);
    assert_eq!(store.runs().get(queued(2).id).await.expect("an answer"), Some(queued(2)));
    let forgotten = update(&store, &full(3)).await;
    assert!(matches!(forgotten, Err(StoreError::Conflict)), "{forgotten:?}");
}

async fn runs_are_listed_newest_first(store: Arc<dyn SyncStore>) {
    for number in [2, 4, 1, 3] {
        insert(&store, &queued(number), &[]).await;
    }
    let list = async |before: Option<u128>, limit| {
        let before = before.map(|number| queued(number).id);
        let runs = store.runs().list(before, limit).await.expect("runs");
        runs.into_iter().map(|run| run.id.0.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(list(None, 10).await, [4, 3, 2, 1]);
    assert_eq!(list(None, 2).await, [4, 3]);
    assert_eq!(list(Some(3), 1).await, [2]);
    assert_eq!(list(Some(1), 9).await, [0; 0]);
}

async fn the_subjects_of_a_list_are_its_items(store: Arc<dyn SyncStore>) {
    let (run, subjects) = (queued(1), subjects(2_500));
    insert(&store, &run, &subjects).await;
    let expected: Vec<_> =
        (0..).zip(&subjects).map(|(position, subject)| waiting(position, subject)).collect();
    assert_eq!(items(&store, &run).await, expected);
}

async fn items_take_the_place_of_those_that_were(store: Arc<dyn SyncStore>) {
    let run = queued(1);
    insert(&store, &run, &subjects(3)).await;
    insert(&store, &queued(2), &subjects(3)).await;
    let full = RunItem {
        position: 1,
        subject: "22-8".to_owned(),
        outcome: Some(ItemOutcome {
            customer: Some(CustomerId(Uuid::from_u128(1))),
            mapping: Some(MappingId(Uuid::from_u128(2))),
            external: Some(external("22-8")),
            action: "created".to_owned(),
            error: Some(fault("refused")),
            plan: Some(json!({"email": {"there": "doc@hillvalley.edu", "how": [1, null]}})),
        }),
    };
    // Grows while records come in, in any order.
    let more = [done(4, "d", ""), full.clone(), waiting(3, "c")];
    put_items(&store, &run, &more).await;
    let subjects = subjects(3);
    let first = waiting(0, &subjects[0]);
    let expected = [first.clone(), full, waiting(2, &subjects[2]), waiting(3, "c"), done(4, "d", "")];
    assert_eq!(items(&store, &run).await, expected);

    put_items(&store, &run, &[waiting(1, "again"), done(2, "b", "updated")]).await;
    let expected = [first, waiting(1, "again"), done(2, "b", "updated"), waiting(3, "c"), done(4, "d", "")];
    assert_eq!(items(&store, &run).await, expected);
    put_items(&store, &run, &[]).await;
    assert_eq!(items(&store, &queued(2)).await.len(), 3);
    assert!(items(&store, &queued(2)).await.iter().all(|item| item.outcome.is_none()));
}

async fn items_are_read_in_pages(store: Arc<dyn SyncStore>) {
    let run = queued(1);
    insert(&store, &run, &subjects(6)).await;
    put_items(&store, &run, &[done(0, "a", "x"), done(3, "b", ""), done(4, "c", "x")]).await;
    let page = async |from, limit, waiting| {
        let items = store.runs().items(run.id, from, limit, waiting).await.expect("items");
        items.into_iter().map(|item| item.position).collect::<Vec<_>>()
    };
    assert_eq!(page(0, 3, false).await, [0, 1, 2]);
    assert_eq!(page(3, 9, false).await, [3, 4, 5]);
    assert_eq!(page(6, 9, false).await, [0; 0]);
    assert_eq!(page(0, 9, true).await, [1, 2, 5]);
    assert_eq!(page(2, 1, true).await, [2]);
    assert_eq!(page(3, 1, true).await, [5], "a page is not filled with what is done");
    assert_eq!(page(3, 9, true).await, [5]);
}

async fn runs_that_ended_are_forgotten_with_their_items(store: Arc<dyn SyncStore>) {
    for number in 1..=4 {
        let finished_at = Some(minute(i64::try_from(number).expect("a small number")));
        insert(&store, &Run { finished_at, ..queued(number) }, &subjects(2)).await;
    }
    insert(&store, &queued(5), &subjects(2)).await;
    let forget = async |before: i64, limit| {
        let done = write(&store, async |to| to.runs().forget_before(minute(before), limit).await);
        done.await.expect("forgotten");
        let left = store.runs().list(None, 10).await.expect("runs");
        left.into_iter().rev().map(|run| run.id.0.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(forget(1, 10).await, [1, 2, 3, 4, 5]);
    assert_eq!(forget(4, 2).await, [3, 4, 5]);
    assert_eq!(forget(4, 2).await, [4, 5]);
    assert_eq!(forget(9, 9).await, [5], "one that has not ended stays");
    assert_eq!(items(&store, &queued(1)).await, []);
    assert_eq!(items(&store, &queued(5)).await.len(), 2);
}
