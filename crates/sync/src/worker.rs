//! The worker: takes jobs and does them, over and over. Any number of workers share them. A job that is at work is
//! leased, and the lease is renewed while the work lasts; a worker that dies lets it run out.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::environment::SyncEnvironment;
use crate::job::{FailedAttempt, Job, JobId, JobKind};
use crate::partner::PartnerError;
use crate::renewal::while_renewing;
use crate::run::{RunId, RunKind};
use crate::runner::Runner;
use crate::store::Open;
use crate::sync_error::{Retry, SyncError};
use crate::synchroniser::{SyncContext, Synchroniser};
use onefold_service::retry::Failure;
use onefold_service::store::StoreError;
use onefold_service::streak::Streak;
use onefold_service::system::SyncSystem;

/// How a worker works.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct WorkerSettings {
    /// The jobs that one worker does at a time.
    pub at_once: usize,
    /// How long to wait when nothing is due.
    pub poll: Duration,
    /// How long a job is left alone with a worker of which nothing is heard.
    pub lease: Duration,
    /// How often a job is tried.
    pub attempts: u32,
    /// Between two comparisons; zero for none.
    pub interval: Duration,
    /// Between two full comparisons; zero for none.
    pub full_interval: Duration,
    /// How long runs and the log are kept.
    pub keep: Duration,
}

impl Default for WorkerSettings {
    /// 4 jobs at a time, 1 s, 30 s, 12 attempts (some 5 hours), every 15 minutes, daily, 90 days.
    fn default() -> Self {
        Self {
            at_once: 4,
            poll: Duration::from_secs(1),
            lease: Duration::from_secs(30),
            attempts: 12,
            interval: Duration::from_secs(15 * 60),
            full_interval: Duration::from_secs(24 * 60 * 60),
            keep: Duration::from_secs(90 * 24 * 60 * 60),
        }
    }
}

/// The pause after the first attempt; each doubles the last.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// How often something is tried that the other system refuses, and by how much longer the pauses are: half an hour in all.
const REFUSALS: u32 = 6;
const SELDOM: u32 = 6;

const LONGEST_PAUSE: Duration = Duration::from_secs(2 * 60 * 60);

/// Does jobs.
#[derive(Clone)]
pub struct SyncWorker {
    pub(super) env: SyncEnvironment,
    pub(super) syncs: Vec<Synchroniser>,
    pub(super) settings: WorkerSettings,
}

/// What was done with a job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JobDone {
    Finished,
    /// It is tried again later.
    PutBack,
    /// Its last attempt failed.
    Dead,
}

impl SyncWorker {
    pub fn new(env: SyncEnvironment, syncs: Vec<Synchroniser>, settings: WorkerSettings) -> Self {
        Self { env, syncs, settings }
    }

    /// Works until `stop` says so, then finishes what runs.
    ///
    /// # Errors
    /// A store that does not answer when the periodic comparisons are planned. Later ones are waited for.
    pub async fn work(&self, stop: watch::Receiver<bool>) -> Result<(), SyncError> {
        self.plan_comparisons().await?;
        let mut loops = JoinSet::new();
        let streak = Arc::new(Streak::default());
        for _ in 0..self.settings.at_once.max(1) {
            let (worker, stop, streak) = (self.clone(), stop.clone(), Arc::clone(&streak));
            loops.spawn(async move { worker.keep_working(stop, &streak).await });
        }
        while loops.join_next().await.is_some() {}
        Ok(())
    }

    async fn keep_working(&self, mut stop: watch::Receiver<bool>, streak: &Streak) {
        while !*stop.borrow() {
            let step = self.step(None, &|| *stop.borrow()).await;
            if step.is_ok() && streak.succeeded() {
                tracing::info!("jobs are taken again");
            }
            let pause = match step {
                Ok(Some(_)) => continue,
                Ok(None) => self.settings.poll,
                Err(error) => {
                    if streak.failed() {
                        tracing::warn!(error = %error, "no job can be taken or put back; this is tried again and again");
                    }
                    self.settings.poll * 5
                }
            };
            tokio::select! {
                () = sleep(pause) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Does what is due, until nothing is; returns how many jobs that were.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn work_once(&self) -> Result<u64, SyncError> {
        let mut done = 0;
        while self.step(None, &|| false).await?.is_some() {
            done += 1;
        }
        Ok(done)
    }

    /// Carries out this run now, unless somebody else is at it.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn execute(&self, run: RunId) -> Result<(), SyncError> {
        self.execute_until(run, &|| false).await
    }

    /// Carries out this run now, unless somebody else is at it, until `stopping` says so. That is asked between portions; the
    /// rest of the run is left to whoever comes next.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn execute_until(
        &self,
        run: RunId,
        stopping: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<(), SyncError> {
        self.step(Some(&JobKind::Run(run)), stopping).await.map(|_| ())
    }

    /// Takes a job and does it. `None` if none is due.
    async fn step(
        &self,
        only: Option<&JobKind>,
        stopping: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<Option<JobDone>, SyncError> {
        let now = self.env.base.clock.now();
        let owner = self.env.base.randomness.uuid(now);
        let until = now + delta(self.settings.lease);
        let taken = self
            .env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    let job = transaction.jobs().lease(only, owner, now, until).await?;
                    Ok::<_, SyncError>((job, transaction))
                })
            })
            .await?;
        let Some(job) = taken else { return Ok(None) };
        let since = Instant::now();
        let result = self.attend(&job, owner, stopping).await;
        let done = self.report(&job, owner, &result).await?;
        let key = job.kind.key();
        let took_ms = since.elapsed().as_millis();
        match &result {
            Ok(()) => tracing::debug!(job = job.id.0, key, took_ms, "job done"),
            Err(error) => tracing::info!(
                job = job.id.0, key, took_ms, attempt = job.attempts, outcome = ?done, error = error.code(),
                "job not done"
            ),
        }
        Ok(Some(done))
    }

    /// Does the job while its lease is kept alive; drops it when the lease is lost.
    async fn attend(
        &self,
        job: &Job,
        owner: Uuid,
        stopping: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<(), SyncError> {
        let work = Box::pin(self.carry(job, stopping));
        while_renewing(work, self.settings.lease, || self.renew(job.id, owner)).await
    }

    async fn renew(&self, id: JobId, owner: Uuid) -> Result<(), SyncError> {
        let mut transaction = self.env.begin().await?;
        let until = self.env.base.clock.now() + delta(self.settings.lease);
        let extended = transaction.jobs().renew(id, owner, until).await;
        // Another worker has the job by now: that, and no failure of the store, is what ends the work at once.
        if matches!(extended, Err(StoreError::Conflict)) {
            return Err(SyncError::Busy);
        }
        extended?;
        Ok(transaction.commit().await?)
    }

    async fn carry(&self, job: &Job, stopping: &(dyn Fn() -> bool + Send + Sync)) -> Result<(), SyncError> {
        match &job.kind {
            JobKind::SyncCustomer(system, customer) => {
                let sync = self.sync_of(*system)?;
                let context = SyncContext { run: None, is_job: true };
                if sync.is_worth_a_try(*customer).await? {
                    sync.sync_customer(*customer, context).await?;
                }
                Ok(())
            }
            JobKind::SyncPartner(system, id) => {
                self.sync_of(*system)?.look_at(id, SyncContext { run: None, is_job: true }).await
            }
            JobKind::Compare(system) => self.compare(*system, RunKind::Compare).await,
            JobKind::CompareFull(system) => self.compare(*system, RunKind::CompareFull).await,
            JobKind::Run(id) => {
                let run = self.env.store.runs().get(*id).await.map_err(Failure::from)?;
                let Some(run) = run else { return Ok(()) };
                Runner::new(self.sync_of(run.system)?.clone()).execute(*id, stopping).await
            }
        }
    }

    pub(super) fn sync_of(&self, system: SyncSystem) -> Result<&Synchroniser, SyncError> {
        let found = self.syncs.iter().find(|sync| sync.system() == system);
        let missing = || PartnerError::NotConfigured { missing: vec![system.as_str()] };
        Ok(found.ok_or_else(missing)?)
    }

    async fn report(
        &self,
        job: &Job,
        owner: Uuid,
        result: &Result<(), SyncError>,
    ) -> Result<JobDone, SyncError> {
        let at = self.env.base.clock.now();
        let failed = match result {
            Ok(()) => None,
            Err(error) => self.next_attempt(job, error, at),
        };
        let (given_up, failed) = match &failed {
            Some(failed) => (failed.not_before.is_none(), Some(failed)),
            None => (false, None),
        };
        self.env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    match failed {
                        None => {
                            transaction.jobs().finish(job.id, owner).await?;
                            // The job of a customer may have found nothing to do; its sync clears what it has done.
                            if !matches!(job.kind, JobKind::SyncCustomer(..)) {
                                transaction.jobs().clear_dead(std::slice::from_ref(&job.kind)).await?;
                            }
                        }
                        Some(failed) => transaction.jobs().put_back(job.id, owner, failed, at).await?,
                    }
                    Ok::<_, SyncError>(((), transaction))
                })
            })
            .await?;
        // Runs are kept in one place, of whichever system they are, so any synchroniser can give one up.
        if let (true, JobKind::Run(id), Err(error), Some(sync)) =
            (given_up, &job.kind, result, self.syncs.first())
        {
            Runner::new(sync.clone()).give_up(*id, &error.fault().message).await?;
        }
        Ok(match failed {
            None => JobDone::Finished,
            Some(_) if given_up => JobDone::Dead,
            Some(_) => JobDone::PutBack,
        })
    }

    /// What becomes of a job that failed; `None` if it is as good as done.
    fn next_attempt(&self, job: &Job, error: &SyncError, at: DateTime<Utc>) -> Option<FailedAttempt> {
        let later = |pause: Duration| Some(at + delta(pause));
        match error.retry() {
            Retry::Wait(pause) => Some(FailedAttempt { error: None, not_before: later(pause) }),
            Retry::Never if settled(error) => None,
            Retry::Never => Some(FailedAttempt { error: Some(error.fault()), not_before: None }),
            Retry::Seldom if job.attempts >= REFUSALS.min(self.settings.attempts) => {
                Some(FailedAttempt { error: Some(error.fault()), not_before: None })
            }
            Retry::Seldom => {
                let pause = self.pause(job.attempts) * SELDOM;
                Some(FailedAttempt { error: Some(error.fault()), not_before: later(pause) })
            }
            Retry::After(_) if job.attempts >= self.settings.attempts => {
                Some(FailedAttempt { error: Some(error.fault()), not_before: None })
            }
            Retry::After(asked) => {
                let pause = self.pause(job.attempts).max(asked.unwrap_or_default());
                Some(FailedAttempt { error: Some(error.fault()), not_before: later(pause) })
            }
        }
    }

    /// Doubles with every attempt, give or take a quarter, so that what failed together does not come back together.
    fn pause(&self, attempts: u32) -> Duration {
        let pause = FIRST_PAUSE * 2_u32.saturating_pow(attempts.saturating_sub(1).min(16));
        let pause = pause.min(LONGEST_PAUSE);
        pause * 3 / 4 + self.env.base.randomness.up_to(pause / 2)
    }
}

/// Whether the mapping says all there is to say, and a person does not need the job as well.
fn settled(error: &SyncError) -> bool {
    matches!(
        error,
        SyncError::NoSuchCustomer
            | SyncError::OpenConflict { .. }
            | SyncError::Missing
            | SyncError::Partner(PartnerError::Invalid(_))
    )
}

pub(super) fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
