//! Jobs in memory.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::state::State;
use crate::{MemoryStore, MemoryTransaction};
use onefold_service::store::StoreError;
use onefold_sync::job::{FailedAttempt, Job, JobId, JobKind, JobStatus};
use onefold_sync::store::{JobReader, JobRepository};

impl State {
    fn waiting_job(&mut self, kind: &JobKind) -> Option<&mut Job> {
        let waits = |(_, job): &(&JobId, &Job)| job.kind == *kind && job.status == JobStatus::Waiting;
        let id = self.jobs.iter().find(waits).map(|(id, _)| *id)?;
        self.jobs.get_mut(&id)
    }

    fn held_job(&mut self, id: JobId, owner: Uuid) -> Option<&mut Job> {
        self.jobs.get_mut(&id).filter(|job| job.lease.is_some_and(|(holder, _)| holder == owner))
    }

    /// Lets it wait, or removes it if one of its kind waits already.
    fn let_wait(&mut self, id: JobId, changed: Job) {
        let not_before = changed.not_before;
        match self.waiting_job(&changed.kind) {
            Some(twin) => {
                twin.not_before = twin.not_before.min(not_before);
                self.jobs.remove(&id);
            }
            None => {
                self.jobs.insert(id, changed);
            }
        }
    }
}

#[async_trait]
impl JobReader for MemoryStore {
    async fn get(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        Ok(self.read().await.jobs.get(&id).cloned())
    }

    async fn list(
        &self,
        status: Option<JobStatus>,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError> {
        let state = self.read().await;
        let meant = |job: &&Job| {
            after.is_none_or(|after| job.id > after) && status.is_none_or(|status| job.status == status)
        };
        Ok(state.jobs.values().filter(meant).take(limit).cloned().collect())
    }

    async fn counts(&self) -> Result<Vec<(JobStatus, u64)>, StoreError> {
        let state = self.read().await;
        let count = |status| (status, state.jobs.values().filter(|job| job.status == status).count() as u64);
        Ok(JobStatus::ALL.map(count).into_iter().filter(|(_, count)| *count > 0).collect())
    }
}

#[async_trait]
impl JobRepository for MemoryTransaction {
    async fn enqueue(
        &mut self,
        kinds: &[JobKind],
        not_before: DateTime<Utc>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        for kind in kinds {
            if let Some(twin) = self.state.waiting_job(kind) {
                twin.not_before = twin.not_before.min(not_before);
                continue;
            }
            self.state.last_job += 1;
            let id = JobId(self.state.last_job);
            let job = Job {
                id,
                kind: kind.clone(),
                status: JobStatus::Waiting,
                attempts: 0,
                not_before,
                lease: None,
                error: None,
                created_at: at,
                updated_at: at,
            };
            self.state.jobs.insert(id, job);
        }
        Ok(())
    }

    async fn lease(
        &mut self,
        only: Option<&JobKind>,
        owner: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Job>, StoreError> {
        // Also one whose lease has run out: its owner may be alive and extend it, so it is taken over before another
        // one of its kind begins.
        let runs = |job: &&Job| job.status == JobStatus::Running;
        let busy: Vec<_> = self.state.jobs.values().filter(runs).map(|job| job.kind.clone()).collect();
        let free = |job: &&Job| {
            let due = match job.status {
                JobStatus::Waiting => job.not_before <= now && !busy.contains(&job.kind),
                JobStatus::Running => job.lease.is_none_or(|(_, lapses)| lapses <= now),
                JobStatus::Dead => false,
            };
            due && only.is_none_or(|only| job.kind == *only)
        };
        let found = self.state.jobs.values().filter(free).min_by_key(|job| (job.not_before, job.id));
        let Some(mut job) = found.cloned() else { return Ok(None) };
        job.status = JobStatus::Running;
        job.lease = Some((owner, until));
        job.attempts += 1;
        job.updated_at = job.updated_at.max(now);
        self.state.jobs.insert(job.id, job.clone());
        Ok(Some(job))
    }

    async fn renew(&mut self, id: JobId, owner: Uuid, until: DateTime<Utc>) -> Result<(), StoreError> {
        let job = self.state.held_job(id, owner).ok_or(StoreError::Conflict)?;
        job.lease = Some((owner, until));
        Ok(())
    }

    async fn finish(&mut self, id: JobId, owner: Uuid) -> Result<(), StoreError> {
        if self.state.held_job(id, owner).is_some() {
            self.state.jobs.remove(&id);
        }
        Ok(())
    }

    async fn put_back(
        &mut self,
        id: JobId,
        owner: Uuid,
        failed: &FailedAttempt,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let Some(mut job) = self.state.held_job(id, owner).cloned() else { return Ok(()) };
        job.lease = None;
        job.updated_at = job.updated_at.max(at);
        match &failed.error {
            Some(error) => job.error = Some(error.clone()),
            None => job.attempts = job.attempts.saturating_sub(1),
        }
        match failed.not_before {
            Some(not_before) => {
                self.state.let_wait(id, Job { status: JobStatus::Waiting, not_before, ..job });
            }
            None => {
                self.state.jobs.insert(id, Job { status: JobStatus::Dead, ..job });
            }
        }
        Ok(())
    }

    async fn take_back(&mut self, kind: &JobKind, not_before: DateTime<Utc>) -> Result<(), StoreError> {
        let is_it = |job: &Job| {
            job.status == JobStatus::Waiting
                && job.kind == *kind
                && job.attempts == 0
                && job.not_before == not_before
        };
        let found: Vec<_> = self.state.jobs.values().filter(|job| is_it(job)).map(|job| job.id).collect();
        for id in found {
            self.state.jobs.remove(&id);
        }
        Ok(())
    }

    async fn clear_dead(&mut self, kinds: &[JobKind]) -> Result<(), StoreError> {
        let is_dead = |job: &&Job| job.status == JobStatus::Dead && kinds.contains(&job.kind);
        let dead: Vec<_> = self.state.jobs.values().filter(is_dead).map(|job| job.id).collect();
        for id in dead {
            self.state.jobs.remove(&id);
        }
        Ok(())
    }

    async fn replay(&mut self, id: JobId, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let dead = self.state.jobs.get(&id).filter(|job| job.status == JobStatus::Dead).cloned();
        let Some(job) = dead else { return Ok(false) };
        let updated_at = job.updated_at.max(at);
        let fresh = Job { status: JobStatus::Waiting, attempts: 0, not_before: at, updated_at, ..job };
        self.state.let_wait(id, fresh);
        Ok(true)
    }

    async fn remove(&mut self, id: JobId) -> Result<bool, StoreError> {
        let idle = self.state.jobs.get(&id).is_some_and(|job| job.status != JobStatus::Running);
        if idle {
            self.state.jobs.remove(&id);
        }
        Ok(idle)
    }
}
