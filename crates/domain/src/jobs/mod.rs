//! Jobs: work that is promised in the transaction of a change and done afterwards. A job may be done twice and
//! must not mind; it is lost by no crash.

mod service;

pub use service::Jobs;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{CustomerId, PartnerId, RunId, StoreError, SyncFault, SyncSystem};

/// The number of a job.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct JobId(pub i64);

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum JobKind {
    /// Bring a customer and its record into step.
    SyncCustomer(SyncSystem, CustomerId),
    /// Look at a record of which the other system said that it changed or is gone.
    SyncPartner(SyncSystem, PartnerId),
    /// Start the periodic comparison; comes again by itself.
    Compare(SyncSystem),
    /// Start the daily full comparison; comes again by itself.
    CompareFull(SyncSystem),
    /// Carry out a run, or go on with it.
    Run(RunId),
}

impl JobKind {
    /// What tells jobs apart: of the same key at most one waits at a time, and at most one is at work.
    ///
    /// ```
    /// use onefold_domain::{JobKind, SyncSystem};
    ///
    /// let job = JobKind::Compare(SyncSystem::MetaKocka);
    /// assert_eq!(job.key(), "compare/metakocka");
    /// assert_eq!(JobKind::parse(&job.key()), Some(job));
    /// ```
    pub fn key(&self) -> String {
        match self {
            Self::SyncCustomer(system, customer) => format!("customer/{system}/{}", customer.0),
            Self::SyncPartner(system, id) => format!("partner/{system}/{id}"),
            Self::Compare(system) => format!("compare/{system}"),
            Self::CompareFull(system) => format!("compare_full/{system}"),
            Self::Run(run) => format!("run/{}", run.0),
        }
    }

    /// What `key` gave.
    pub fn parse(key: &str) -> Option<Self> {
        let (kind, subject) = key.split_once('/')?;
        match kind {
            "customer" => {
                let (system, customer) = subject.split_once('/')?;
                let customer = CustomerId(Uuid::parse_str(customer).ok()?);
                Some(Self::SyncCustomer(SyncSystem::parse(system)?, customer))
            }
            "partner" => {
                let (system, id) = subject.split_once('/')?;
                Some(Self::SyncPartner(SyncSystem::parse(system)?, PartnerId::parse(id).ok()?))
            }
            "compare" => SyncSystem::parse(subject).map(Self::Compare),
            "compare_full" => SyncSystem::parse(subject).map(Self::CompareFull),
            "run" => Uuid::parse_str(subject).ok().map(RunId).map(Self::Run),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum JobStatus {
    Waiting,
    Running,
    /// Given up after its last attempt; waits for a person who replays or drops it.
    Dead,
}

impl JobStatus {
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Running, Self::Dead];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Dead => "dead",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// A job. One that is done is not kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    pub id: JobId,
    pub kind: JobKind,
    pub status: JobStatus,
    /// How often it was begun.
    pub attempts: u32,
    pub not_before: DateTime<Utc>,
    /// Who is at it, and until when it is left alone with it.
    pub lease: Option<(Uuid, DateTime<Utc>)>,
    /// Of the last attempt.
    pub error: Option<SyncFault>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

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
    async fn take(
        &mut self,
        only: Option<&JobKind>,
        owner: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Job>, StoreError>;

    /// Makes the lease last longer. `Conflict` if `owner` has lost it.
    async fn extend(&mut self, id: JobId, owner: Uuid, until: DateTime<Utc>) -> Result<(), StoreError>;

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

/// How an attempt ended that did not succeed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FailedAttempt {
    /// `None` for one that only has to wait for its turn: the attempt is not counted.
    pub error: Option<SyncFault>,
    /// `None` gives it up.
    pub not_before: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_known_by_their_keys() {
        let id = Uuid::from_u128(7);
        let record = PartnerId::parse("a/b").unwrap();
        for kind in [
            JobKind::SyncCustomer(SyncSystem::MetaKocka, CustomerId(id)),
            JobKind::SyncPartner(SyncSystem::OpenPhone, record),
            JobKind::Compare(SyncSystem::MetaKocka),
            JobKind::CompareFull(SyncSystem::MetaKocka),
            JobKind::Run(RunId(id)),
        ] {
            assert_eq!(JobKind::parse(&kind.key()), Some(kind));
        }
        for key in
            ["", "run", "run/1", "compare/other", "customer/metakocka", "partner/openphone/", "partner/7"]
        {
            assert_eq!(JobKind::parse(key), None, "{key}");
        }
    }
}
