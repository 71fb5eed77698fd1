//! Many workers at once: no job is handed out twice, of one kind one is at work, and what is promised is done.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use onefold_service::store::StoreError;
use onefold_sync::job::{FailedAttempt, Job, JobKind, JobStatus};
use onefold_sync::rules::SyncRules;
use onefold_sync::store::{SyncStore, SyncTransaction};

use crate::jobs::{COMPARE, all, customer, enqueue, finish, take};
use crate::sync_scene::{SYSTEM, minute, worker};
use crate::use_cases::all_together;

on_every_store!(
    no_job_is_handed_out_twice,
    of_one_kind_one_is_at_work,
    of_many_who_enqueue_all_are_heard,
    who_takes_a_job_sees_what_was_committed_with_it,
    a_job_goes_back_beside_one_that_is_just_being_enqueued,
);

const WORKERS: usize = 6;

/// As a worker does: it starts over when somebody was faster.
async fn try_take(store: &Arc<dyn SyncStore>, owner: u128) -> Option<Job> {
    loop {
        let mut transaction = store.begin_sync().await.expect("a transaction");
        match transaction.jobs().lease(None, worker(owner), minute(1), minute(5)).await {
            Ok(taken) => {
                transaction.commit().await.expect("a commit");
                return taken;
            }
            Err(StoreError::Conflict) => drop(transaction),
            Err(error) => panic!("no job was taken: {error:?}"),
        }
    }
}

async fn enqueue_in(transaction: &mut dyn SyncTransaction, kinds: &[JobKind]) {
    transaction.jobs().enqueue(kinds, minute(0), minute(0)).await.expect("enqueued");
}

async fn no_job_is_handed_out_twice(store: Arc<dyn SyncStore>) {
    let kinds: Vec<_> = (0..60).map(customer).collect();
    enqueue(&store, &kinds, 0).await;
    let taken = all_together(WORKERS, |number| {
        let store = Arc::clone(&store);
        async move {
            let mut mine = Vec::new();
            while let Some(job) = try_take(&store, number as u128 + 1).await {
                assert_eq!(job.attempts, 1);
                mine.push(job.id);
            }
            mine
        }
    });
    let mut taken = taken.await.concat();
    // Who finds nothing may have met only jobs that others were just looking at.
    while let Some(job) = try_take(&store, 99).await {
        taken.push(job.id);
    }
    assert_eq!(taken.len(), kinds.len());
    assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), kinds.len());
}

/// Jobs of three kinds are enqueued again and again while jobs of these kinds are at work.
async fn of_one_kind_one_is_at_work(store: Arc<dyn SyncStore>) {
    let kinds = [customer(1), customer(2), customer(3)];
    let at_work = Arc::new(Mutex::new(BTreeSet::new()));
    let done = all_together(WORKERS, |number| {
        let (store, kinds, at_work) = (Arc::clone(&store), kinds.clone(), Arc::clone(&at_work));
        async move {
            let owner = number as u128 + 1;
            let mut done = 0;
            for round in 0..12 {
                enqueue(&store, &kinds[(round + number) % 3..], 0).await;
                let Some(job) = try_take(&store, owner).await else { continue };
                let key = job.kind.key();
                assert!(at_work.lock().expect("no panic").insert(key.clone()), "{key} is at work");
                tokio::task::yield_now().await;
                at_work.lock().expect("no panic").remove(&key);
                finish(&store, job.id, owner).await;
                done += 1;
            }
            done
        }
    });
    assert!(done.await.into_iter().sum::<usize>() > 12);
    while let Some(job) = try_take(&store, 99).await {
        finish(&store, job.id, 99).await;
    }
    assert_eq!(all(&store).await, [], "nothing is left that nobody can take");
}

async fn of_many_who_enqueue_all_are_heard(store: Arc<dyn SyncStore>) {
    all_together(8, |number| {
        let store = Arc::clone(&store);
        async move {
            // Each in its own order; a store that let them wait for each other would end one of them.
            let mut kinds: Vec<_> = (0..20).map(customer).collect();
            kinds.rotate_left(number * 7 % 20);
            enqueue(&store, &kinds, i64::try_from(number).expect("a small number")).await;
        }
    })
    .await;
    let jobs = all(&store).await;
    assert_eq!(jobs.len(), 20);
    assert!(jobs.iter().all(|job| job.not_before == minute(0)));
}

/// The change is in the rules, of which any other change would do.
async fn who_takes_a_job_sees_what_was_committed_with_it(store: Arc<dyn SyncStore>) {
    enqueue(&store, &[COMPARE], 0).await;
    let mut change = store.begin_sync().await.expect("a transaction");
    enqueue_in(&mut *change, &[COMPARE]).await;
    let taking = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            let job = loop {
                if let Some(job) = try_take(&store, 1).await {
                    break job;
                }
                tokio::task::yield_now().await;
            };
            (job, store.sync_rules().get(SYSTEM).await.expect("rules"))
        }
    });
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    change.sync_rules().put(SYSTEM, &SyncRules::of([])).await.expect("put");
    change.commit().await.expect("a commit");
    let (job, seen) = taking.await.expect("an end");
    assert_eq!((job.kind, seen), (COMPARE, Some(SyncRules::of([]))));
    assert_eq!(all(&store).await.len(), 1, "it was the same job");
}

async fn a_job_goes_back_beside_one_that_is_just_being_enqueued(store: Arc<dyn SyncStore>) {
    enqueue(&store, &[COMPARE], 0).await;
    let failed = take(&store, 1, 0).await.expect("a job");
    let mut change = store.begin_sync().await.expect("a transaction");
    enqueue_in(&mut *change, &[COMPARE]).await;
    let returning = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            let mut transaction = store.begin_sync().await.expect("a transaction");
            let later = FailedAttempt { error: None, not_before: Some(minute(3)) };
            transaction.jobs().put_back(failed.id, worker(1), &later, minute(1)).await.expect("put back");
            transaction.commit().await.expect("a commit");
        }
    });
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    change.commit().await.expect("a commit");
    returning.await.expect("an end");
    let jobs = all(&store).await;
    assert_eq!(
        jobs.iter().map(|job| (job.status, job.not_before)).collect::<Vec<_>>(),
        [(JobStatus::Waiting, minute(0))]
    );
}

mod postgres_only {
    //! What writers leave locked, seen by those who come meanwhile. The other stores have one writer at a time.

    use onefold_persistence::testing::TestDatabase;

    use super::*;
    use crate::scene::in_time;

    async fn store(database: &TestDatabase) -> Arc<dyn SyncStore> {
        Arc::new(database.store().await)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_job_that_is_being_enqueued_again_is_not_taken() {
        let database = TestDatabase::postgres().await;
        let store = store(&database).await;
        in_time(async {
            enqueue(&store, &[customer(1), customer(2)], 0).await;
            let mut change = store.begin_sync().await.expect("a transaction");
            enqueue_in(&mut *change, &[customer(1)]).await;
            let taken = try_take(&store, 1).await.expect("the other one");
            assert_eq!(taken.kind, customer(2));
            assert_eq!(try_take(&store, 1).await, None);
            change.commit().await.expect("a commit");
            assert_eq!(try_take(&store, 1).await.map(|job| job.kind), Some(customer(1)));
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn workers_do_not_wait_for_each_other() {
        let database = TestDatabase::postgres().await;
        let store = store(&database).await;
        in_time(async {
            enqueue(&store, &[customer(1), customer(2)], 0).await;
            let mut slow = store.begin_sync().await.expect("a transaction");
            let first = slow.jobs().lease(None, worker(1), minute(1), minute(5)).await.expect("an answer");
            let second = try_take(&store, 2).await;
            assert_ne!(first.map(|job| job.kind), second.clone().map(|job| job.kind));
            assert!(second.is_some());
            assert_eq!(try_take(&store, 3).await, None);
            drop(slow);
            // Nobody has it after all. The server hears of that when the connection goes back, a little later.
            while try_take(&store, 3).await.is_none() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// Two that run are two at work, whatever led to it: the worker that looked too early starts over.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_second_one_of_a_kind_cannot_run() {
        let database = TestDatabase::postgres().await;
        let store = store(&database).await;
        in_time(async {
            enqueue(&store, &[COMPARE], 0).await;
            try_take(&store, 1).await.expect("a job");
            enqueue(&store, &[COMPARE], 0).await;
            let second =
                "UPDATE job SET status = 'running', lease_owner = gen_random_uuid(), lease_until = now()
                          WHERE status = 'waiting'";
            assert!(database.try_query(second).await.is_err());
        })
        .await;
    }
}
