//! Jobs that did not succeed: they wait for their next attempt, or for a person.

use std::sync::Arc;

use onefold_sync::job::{Job, JobId, JobStatus};
use onefold_sync::store::SyncStore;

use crate::jobs::{COMPARE, all, enqueue, only_one, put_back, take};
use crate::sync_scene::{fault, minute, write};

on_every_store!(
    a_failed_job_waits_for_its_next_attempt,
    a_job_that_only_waits_for_its_turn_is_not_counted,
    a_job_that_waits_already_takes_in_the_one_put_back,
    a_job_is_given_up_and_replayed,
    a_replayed_job_goes_into_the_one_that_waits,
    who_is_idle_is_removed,
);

async fn replay(store: &Arc<dyn SyncStore>, id: JobId, at: i64) -> bool {
    write(store, async |to| to.jobs().replay(id, minute(at)).await.expect("an answer")).await
}

async fn remove(store: &Arc<dyn SyncStore>, id: JobId) -> bool {
    write(store, async |to| to.jobs().remove(id).await.expect("an answer")).await
}

async fn a_failed_job_waits_for_its_next_attempt(store: Arc<dyn SyncStore>) {
    enqueue(&store, &[COMPARE], 0).await;
    let taken = take(&store, 1, 0).await.expect("a job");
    put_back(&store, taken.id, 1, Some(fault("timed_out")), Some(7)).await;
    let expected = Job {
        status: JobStatus::Waiting,
        not_before: minute(7),
        lease: None,
        error: Some(fault("timed_out")),
        updated_at: minute(9),
        ..taken
    };
    assert_eq!(only_one(&store).await, expected);
    assert_eq!(take(&store, 2, 6).await, None);
    let again = take(&store, 2, 7).await.expect("a job");
    assert_eq!((again.id, again.attempts, again.error), (expected.id, 2, expected.error));
    put_back(&store, again.id, 2, Some(fault("refused")), Some(8)).await;
    assert_eq!(only_one(&store).await.error, Some(fault("refused")));
}

async fn a_job_that_only_waits_for_its_turn_is_not_counted(store: Arc<dyn SyncStore>) {
    enqueue(&store, &[COMPARE], 0).await;
    let first = take(&store, 1, 0).await.expect("a job").id;
    put_back(&store, first, 1, Some(fault("timed_out")), Some(1)).await;
    take(&store, 1, 1).await.expect("a job");
    put_back(&store, first, 1, None, Some(2)).await;
    let waits = only_one(&store).await;
    assert_eq!((waits.status, waits.attempts, waits.not_before), (JobStatus::Waiting, 1, minute(2)));
    assert_eq!(waits.error, Some(fault("timed_out")), "of the last attempt that counted");
}

async fn a_job_that_waits_already_takes_in_the_one_put_back(store: Arc<dyn SyncStore>) {
    for (put_back_to, expected) in [(4, 4), (8, 6)] {
        enqueue(&store, &[COMPARE], 0).await;
        let failed = take(&store, 1, 0).await.expect("a job");
        enqueue(&store, &[COMPARE], 6).await;
        let twin = all(&store).await.pop().expect("the other one");
        put_back(&store, failed.id, 1, Some(fault("refused")), Some(put_back_to)).await;
        // Neither is done later than it was to be.
        assert_eq!(only_one(&store).await, Job { not_before: minute(expected), ..twin.clone() });
        assert!(remove(&store, twin.id).await);
    }
}

async fn a_job_is_given_up_and_replayed(store: Arc<dyn SyncStore>) {
    enqueue(&store, &[COMPARE], 1).await;
    let taken = take(&store, 1, 1).await.expect("a job");
    assert!(!replay(&store, taken.id, 2).await, "it is at work");
    put_back(&store, taken.id, 1, Some(fault("refused")), None).await;
    let dead = Job {
        status: JobStatus::Dead,
        lease: None,
        error: Some(fault("refused")),
        updated_at: minute(9),
        ..taken
    };
    assert_eq!(only_one(&store).await, dead);
    assert_eq!(take(&store, 1, 99).await, None);
    assert!(replay(&store, dead.id, 20).await);
    let fresh = Job {
        status: JobStatus::Waiting,
        attempts: 0,
        not_before: minute(20),
        updated_at: minute(20),
        ..dead
    };
    assert_eq!(only_one(&store).await, fresh);
    assert!(!replay(&store, fresh.id, 21).await, "it waits");
    assert!(!replay(&store, JobId(99), 21).await);
    assert_eq!(take(&store, 2, 20).await.map(|job| (job.id, job.attempts)), Some((fresh.id, 1)));
}

async fn a_replayed_job_goes_into_the_one_that_waits(store: Arc<dyn SyncStore>) {
    let mut dead = Vec::new();
    for _ in 0..2 {
        enqueue(&store, &[COMPARE], 0).await;
        let taken = take(&store, 1, 0).await.expect("one that is dead is no hindrance");
        put_back(&store, taken.id, 1, Some(fault("refused")), None).await;
        dead.push(taken.id);
    }
    assert_eq!(store.jobs().counts().await.expect("counts"), [(JobStatus::Dead, 2)]);
    enqueue(&store, &[COMPARE], 30).await;
    assert!(replay(&store, dead[0], 20).await);
    let left = all(&store).await;
    assert_eq!(left.iter().map(|job| job.status).collect::<Vec<_>>(), [JobStatus::Dead, JobStatus::Waiting]);
    assert!(replay(&store, dead[1], 20).await);
    assert_eq!(only_one(&store).await, Job { not_before: minute(20), ..left[1].clone() });
}

async fn who_is_idle_is_removed(store: Arc<dyn SyncStore>) {
    enqueue(&store, &[COMPARE], 0).await;
    let waits = only_one(&store).await.id;
    assert!(remove(&store, waits).await);
    assert!(!remove(&store, waits).await);
    enqueue(&store, &[COMPARE], 0).await;
    let taken = take(&store, 1, 0).await.expect("a job").id;
    assert!(taken > waits, "numbers are not given again");
    assert!(!remove(&store, taken).await, "somebody is at it");
    put_back(&store, taken, 1, Some(fault("refused")), None).await;
    assert!(remove(&store, taken).await);
    assert_eq!(all(&store).await, []);
}
