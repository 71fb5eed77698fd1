//! Jobs in a store.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::job::{FailedAttempt, Job, JobId, JobKind, JobStatus};
use onefold_service::store::StoreError;

#[async_trait]
pub trait JobReader: Send + Sync {
    async fn get(&self, id: JobId) -> Result<Option<Job>, StoreError>;

    /// In ascending order of their ids, those behind `after`, at most `limit`.
    async fn list(
        &self,
        status: Option<JobStatus>,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError>;

    /// How many there are of each status that occurs.
    async fn counts(&self) -> Result<Vec<(JobStatus, u64)>, StoreError>;
}

#[async_trait]
pub trait JobRepository: Send {
    /// Adds a job, or brings the one of the same kind that waits forward to `not_before` if that is earlier.
    /// Whoever takes a waiting job sees all that was committed before with the same job enqueued: the row is
    /// locked until the transaction ends.
    async fn enqueue(
        &mut self,
        kinds: &[JobKind],
        not_before: DateTime<Utc>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Takes the job that is due for longest, or whose owner has let its lease run out, leases it to `owner`
    /// until `until` and counts an attempt. A job whose kind is at work already is passed over. With `only`, a
    /// job of this kind or none.
    async fn lease(
        &mut self,
        only: Option<&JobKind>,
        owner: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Job>, StoreError>;

    /// Makes the lease last longer. `Conflict` if `owner` has lost it.
    async fn renew(&mut self, id: JobId, owner: Uuid, until: DateTime<Utc>) -> Result<(), StoreError>;

    /// It is done and removed; nothing happens if `owner` has lost it.
    async fn finish(&mut self, id: JobId, owner: Uuid) -> Result<(), StoreError>;

    /// Lets it wait until `not_before`, or drops it for one of its kind that waits already. `dead` keeps it for a
    /// person instead. Nothing happens if `owner` has lost it.
    async fn put_back(
        &mut self,
        id: JobId,
        owner: Uuid,
        failed: &FailedAttempt,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Takes back a job of this kind that waits until just this moment and was never begun: a promise that nobody else
    /// came to share, since whoever enqueues one that is due earlier brings it forward.
    async fn take_back(&mut self, kind: &JobKind, not_before: DateTime<Utc>) -> Result<(), StoreError>;

    /// Removes the dead jobs of these kinds: what they were for has been done.
    async fn clear_dead(&mut self, kinds: &[JobKind]) -> Result<(), StoreError>;

    /// Lets a dead job wait again, with no attempts counted, or drops it for one of its kind that waits already.
    /// `false` if there is no such job that is dead.
    async fn replay(&mut self, id: JobId, at: DateTime<Utc>) -> Result<bool, StoreError>;

    /// Removes a job that nobody is at. `false` if there is none.
    async fn remove(&mut self, id: JobId) -> Result<bool, StoreError>;
}
