//! Jobs, one step after the other: each kind waits once and is worked on by one at a time.

use std::slice::from_ref;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use onefold_domain::id::CustomerId;
use onefold_service::store::StoreError;
use onefold_sync::fault::SyncFault;
use onefold_sync::job::{FailedAttempt, Job, JobId, JobKind, JobStatus};
use onefold_sync::run::RunId;
use onefold_sync::store::SyncStore;
use uuid::Uuid;

use crate::sync_scene::{OTHER, SYSTEM, external, fault, minute, worker, write};

on_every_store!(
    a_job_waits_once,
    jobs_are_taken_in_the_order_in_which_they_are_due,
    a_taken_job_is_leased_and_counted,
    a_job_that_was_left_is_taken_over,
    a_kind_that_is_at_work_is_passed_over,
    one_kind_may_be_asked_for,
    what_is_told_of_a_record_is_a_job_of_its_own,
    a_lease_lasts_as_long_as_its_owner_says,
    who_has_lost_a_job_changes_nothing,
    jobs_are_listed_and_counted,
    a_promise_that_nobody_shares_is_taken_back,
);

pub(crate) const COMPARE: JobKind = JobKind::Compare(SYSTEM);
const FULL: JobKind = JobKind::CompareFull(SYSTEM);

pub(crate) fn customer(number: u128) -> JobKind {
    JobKind::SyncCustomer(SYSTEM, CustomerId(Uuid::from_u128(number)))
}

/// Written out, as is `finish`: the future of an async closure cannot be sent to another task yet.
pub(crate) async fn enqueue(store: &Arc<dyn SyncStore>, kinds: &[JobKind], not_before: i64) {
    let mut transaction = store.begin_sync().await.expect("a transaction");
    transaction.jobs().enqueue(kinds, minute(not_before), minute(0)).await.expect("enqueued");
    transaction.commit().await.expect("a commit");
}

/// Five minutes for whoever takes it.
async fn take_of(store: &Arc<dyn SyncStore>, only: Option<&JobKind>, owner: u128, now: i64) -> Option<Job> {
    let (now, until) = (minute(now), minute(now + 5));
    write(store, async |to| to.jobs().lease(only, worker(owner), now, until).await.expect("an answer")).await
}

pub(crate) async fn take(store: &Arc<dyn SyncStore>, owner: u128, now: i64) -> Option<Job> {
    take_of(store, None, owner, now).await
}

async fn kind_taken(store: &Arc<dyn SyncStore>, owner: u128, now: i64) -> Option<JobKind> {
    take(store, owner, now).await.map(|job| job.kind)
}

async fn a_promise_that_nobody_shares_is_taken_back(store: Arc<dyn SyncStore>) {
    let take_back = async |number: u128, not_before: i64| {
        let kind = customer(number);
        write(&store, async |to| to.jobs().take_back(&kind, minute(not_before)).await.expect("an answer"))
            .await;
    };
    enqueue(&store, &[customer(1), customer(2)], 5).await;
    // Somebody else asks for the second, and sooner.
    enqueue(&store, &[customer(2)], 1).await;
    take_back(1, 4).await;
    take_back(2, 5).await;
    assert_eq!(store.jobs().list(None, None, 10).await.expect("a list").len(), 2);
    take_back(1, 5).await;
    let left = store.jobs().list(None, None, 10).await.expect("a list");
    assert_eq!(left.iter().map(|job| job.kind.clone()).collect::<Vec<_>>(), [customer(2)]);
    // Nor is one that was begun.
    take(&store, 1, 1).await.expect("the job");
    take_back(2, 1).await;
    assert_eq!(store.jobs().list(None, None, 10).await.expect("a list").len(), 1);
    put_back(&store, left[0].id, 1, Some(fault("refused")), None).await;
    write(&store, async |to| to.jobs().clear_dead(&[customer(1)]).await.expect("an answer")).await;
    assert_eq!(store.jobs().list(None, None, 10).await.expect("a list").len(), 1);
    write(&store, async |to| to.jobs().clear_dead(&[customer(1), customer(2)]).await.expect("an answer"))
        .await;
    assert!(store.jobs().list(None, None, 10).await.expect("a list").is_empty());
}

pub(crate) async fn finish(store: &Arc<dyn SyncStore>, id: JobId, owner: u128) {
    let mut transaction = store.begin_sync().await.expect("a transaction");
    transaction.jobs().finish(id, worker(owner)).await.expect("finished");
    transaction.commit().await.expect("a commit");
}

async fn renew(store: &Arc<dyn SyncStore>, id: JobId, owner: u128, until: i64) -> Result<(), StoreError> {
    let mut transaction = store.begin_sync().await?;
    transaction.jobs().renew(id, worker(owner), minute(until)).await?;
    transaction.commit().await
}

pub(crate) async fn put_back(
    store: &Arc<dyn SyncStore>,
    id: JobId,
    owner: u128,
    error: Option<SyncFault>,
    not_before: Option<i64>,
) {
    let failed = FailedAttempt { error, not_before: not_before.map(minute) };
    write(store, async |to| {
        to.jobs().put_back(id, worker(owner), &failed, minute(9)).await.expect("put back");
    })
    .await;
}

pub(crate) async fn all(store: &Arc<dyn SyncStore>) -> Vec<Job> {
    store.jobs().list(None, None, 1_000).await.expect("jobs")
}

pub(crate) async fn only_one(store: &Arc<dyn SyncStore>) -> Job {
    let mut all = all(store).await;
    assert_eq!(all.len(), 1, "{all:?}");
    let job = all.remove(0);
    assert_eq!(store.jobs().get(job.id).await.expect("an answer").as_ref(), Some(&job));
    job
}

fn waiting(id: JobId, kind: JobKind, not_before: DateTime<Utc>) -> Job {
    Job {
        id,
        kind,
        status: JobStatus::Waiting,
        attempts: 0,
        not_before,
        lease: None,
        error: None,
        created_at: minute(0),
        updated_at: minute(0),
    }
}

async fn a_job_waits_once(store: Arc<dyn SyncStore>) {
    enqueue(&store, &[COMPARE, COMPARE], 5).await;
    let first = only_one(&store).await;
    assert_eq!(first, waiting(first.id, COMPARE, minute(5)));
    enqueue(&store, &[], 1).await;
    enqueue(&store, &[COMPARE], 7).await;
    assert_eq!(only_one(&store).await, first, "nobody puts it off");
    enqueue(&store, &[COMPARE, COMPARE], 3).await;
    assert_eq!(only_one(&store).await, Job { not_before: minute(3), ..first.clone() });

    let run = JobKind::Run(RunId(Uuid::from_u128(1)));
    let of_other = JobKind::CompareFull(OTHER);
    let others = [FULL, run, customer(1), customer(2), of_other, COMPARE];
    enqueue(&store, &others, 3).await;
    let all = all(&store).await;
    assert!(all.is_sorted_by(|one, next| one.id < next.id));
    assert_eq!(all.len(), 6, "other kinds are other jobs");
    assert!(others.iter().all(|kind| all.iter().any(|job| job.kind == *kind)));
    let many: Vec<_> = (1..=2_500).map(customer).collect();
    enqueue(&store, &many, 3).await;
    assert_eq!(store.jobs().counts().await.expect("counts"), [(JobStatus::Waiting, 2_504)]);
}

async fn jobs_are_taken_in_the_order_in_which_they_are_due(store: Arc<dyn SyncStore>) {
    for (kind, not_before) in [(customer(1), 3), (customer(2), 1), (customer(3), 3), (customer(4), 2)] {
        enqueue(&store, &[kind], not_before).await;
    }
    assert_eq!(take(&store, 1, 0).await, None);
    assert_eq!(kind_taken(&store, 1, 1).await, Some(customer(2)), "due at that moment");
    assert_eq!(kind_taken(&store, 1, 1).await, None);
    for expected in [customer(4), customer(1), customer(3)] {
        assert_eq!(kind_taken(&store, 2, 4).await, Some(expected));
    }
    assert_eq!(kind_taken(&store, 2, 4).await, None);
}

async fn a_taken_job_is_leased_and_counted(store: Arc<dyn SyncStore>) {
    enqueue(&store, &[COMPARE], 1).await;
    let before = only_one(&store).await;
    let taken = take(&store, 1, 2).await.expect("a job");
    let expected = Job {
        status: JobStatus::Running,
        attempts: 1,
        lease: Some((worker(1), minute(7))),
        updated_at: minute(2),
        ..before
    };
    assert_eq!(taken, expected);
    assert_eq!(only_one(&store).await, expected);
    assert_eq!(take(&store, 2, 6).await, None);
    finish(&store, taken.id, 1).await;
    assert_eq!(all(&store).await, []);
    assert_eq!(store.jobs().get(taken.id).await.expect("an answer"), None);
}

async fn a_job_that_was_left_is_taken_over(store: Arc<dyn SyncStore>) {
    enqueue(&store, &[COMPARE], 1).await;
    let left = take(&store, 1, 2).await.expect("a job");
    let over = take(&store, 2, 7).await.expect("the lease has run out");
    let lease = Some((worker(2), minute(12)));
    assert_eq!(over, Job { attempts: 2, lease, updated_at: minute(7), ..left });
    // Before another of its kind, even one that is due for longer: its owner may be alive and go on.
    enqueue(&store, &[COMPARE], 0).await;
    assert_eq!(take(&store, 3, 12).await.map(|job| (job.id, job.attempts)), Some((over.id, 3)));
}

async fn a_kind_that_is_at_work_is_passed_over(store: Arc<dyn SyncStore>) {
    enqueue(&store, &[customer(1)], 1).await;
    let first = take(&store, 1, 1).await.expect("a job");
    enqueue(&store, &[customer(1)], 1).await;
    enqueue(&store, &[customer(2)], 2).await;
    assert_eq!(all(&store).await.len(), 3, "one at work, and one that waits for its end");
    assert_eq!(kind_taken(&store, 2, 3).await, Some(customer(2)));
    assert_eq!(take_of(&store, Some(&customer(1)), 2, 3).await, None);
    finish(&store, first.id, 1).await;
    let second = take(&store, 2, 3).await.expect("a job");
    assert_eq!((second.kind, second.attempts), (customer(1), 1));
    assert!(second.id > first.id);
}

async fn one_kind_may_be_asked_for(store: Arc<dyn SyncStore>) {
    enqueue(&store, &[customer(1)], 1).await;
    enqueue(&store, &[customer(2)], 3).await;
    assert_eq!(take_of(&store, Some(&customer(2)), 1, 2).await, None, "not due yet");
    assert_eq!(take_of(&store, Some(&customer(3)), 1, 2).await, None);
    let taken = take_of(&store, Some(&customer(2)), 1, 3).await.expect("a job");
    assert_eq!(taken.kind, customer(2));
    assert_eq!(take_of(&store, Some(&customer(2)), 2, 7).await, None);
    assert_eq!(take_of(&store, Some(&customer(2)), 2, 8).await.map(|job| job.id), Some(taken.id));
}

/// Records may have the longest id there is, or one that looks like the key of a job.
async fn what_is_told_of_a_record_is_a_job_of_its_own(store: Arc<dyn SyncStore>) {
    let id = Uuid::from_u128(1);
    let long = "9".repeat(64);
    let kinds = [
        JobKind::SyncPartner(SYSTEM, external(&long)),
        JobKind::SyncPartner(SYSTEM, external(&long[1..])),
        JobKind::SyncPartner(OTHER, external(&long)),
        JobKind::SyncPartner(OTHER, external(&format!("partner/metakocka/{id}"))),
        JobKind::SyncPartner(SYSTEM, external(&id.to_string())),
        JobKind::SyncCustomer(SYSTEM, CustomerId(id)),
        JobKind::SyncCustomer(OTHER, CustomerId(id)),
    ];
    for kind in kinds.iter().chain(&kinds) {
        enqueue(&store, from_ref(kind), 1).await;
    }
    let waiting: Vec<_> = all(&store).await.into_iter().map(|job| job.kind).collect();
    assert_eq!(waiting, kinds);
    for kind in kinds.iter().rev() {
        let taken = take_of(&store, Some(kind), 1, 1).await.expect("a job");
        assert_eq!(taken.kind, *kind);
        assert_eq!(take_of(&store, Some(kind), 2, 1).await, None);
        enqueue(&store, from_ref(kind), 1).await;
        assert_eq!(take_of(&store, Some(kind), 2, 1).await, None, "it is at work");
    }
}

async fn a_lease_lasts_as_long_as_its_owner_says(store: Arc<dyn SyncStore>) {
    enqueue(&store, &[COMPARE], 0).await;
    let id = take(&store, 1, 0).await.expect("a job").id;
    renew(&store, id, 1, 9).await.expect("renewed");
    assert_eq!(only_one(&store).await.lease, Some((worker(1), minute(9))));
    assert_eq!(take(&store, 2, 8).await, None);
    // Also one that has run out and that nobody took over.
    renew(&store, id, 1, 11).await.expect("extended");
    assert_eq!(take(&store, 2, 10).await, None);
    take(&store, 2, 11).await.expect("a job");
    for (id, owner) in [(id, 1), (id, 3), (JobId(99), 2)] {
        let lost = renew(&store, id, owner, 99).await;
        assert!(matches!(lost, Err(StoreError::Conflict)), "{lost:?}");
    }
    assert_eq!(only_one(&store).await.lease, Some((worker(2), minute(16))));
}

async fn who_has_lost_a_job_changes_nothing(store: Arc<dyn SyncStore>) {
    enqueue(&store, &[COMPARE], 0).await;
    let id = take(&store, 1, 0).await.expect("a job").id;
    let mine = take(&store, 2, 5).await.expect("the lease has run out");
    finish(&store, id, 1).await;
    put_back(&store, id, 1, Some(fault("late")), Some(9)).await;
    put_back(&store, id, 1, Some(fault("late")), None).await;
    put_back(&store, JobId(99), 1, None, None).await;
    finish(&store, JobId(99), 1).await;
    assert_eq!(only_one(&store).await, mine);
    put_back(&store, id, 2, None, Some(9)).await;
    let back = only_one(&store).await;
    finish(&store, id, 2).await;
    put_back(&store, id, 2, Some(fault("twice")), None).await;
    assert_eq!(only_one(&store).await, back, "nobody has it any more");
}

async fn jobs_are_listed_and_counted(store: Arc<dyn SyncStore>) {
    assert_eq!(store.jobs().counts().await.expect("counts"), []);
    for (number, not_before) in [(1, 9), (2, 0), (3, 9), (4, 1)] {
        enqueue(&store, &[customer(number)], not_before).await;
    }
    take(&store, 1, 0).await.expect("a job");
    let dead = take(&store, 1, 1).await.expect("a job").id;
    put_back(&store, dead, 1, Some(fault("refused")), None).await;
    let list = async |status, after, limit| {
        let jobs = store.jobs().list(status, after, limit).await.expect("jobs");
        jobs.into_iter().map(|job| job.kind).collect::<Vec<_>>()
    };
    let ids: Vec<_> = all(&store).await.iter().map(|job| job.id).collect();
    assert_eq!(list(None, None, 10).await, [1, 2, 3, 4].map(customer));
    assert_eq!(list(None, Some(ids[0]), 2).await, [2, 3].map(customer));
    assert_eq!(list(Some(JobStatus::Waiting), None, 10).await, [1, 3].map(customer));
    assert_eq!(list(Some(JobStatus::Waiting), Some(ids[0]), 10).await, [3].map(customer));
    assert_eq!(list(Some(JobStatus::Running), None, 10).await, [2].map(customer));
    assert_eq!(list(Some(JobStatus::Dead), None, 10).await, [4].map(customer));
    let mut counts = store.jobs().counts().await.expect("counts");
    counts.sort_by_key(|(status, _)| status.as_str());
    assert_eq!(counts, [(JobStatus::Dead, 1), (JobStatus::Running, 1), (JobStatus::Waiting, 2)]);
}
