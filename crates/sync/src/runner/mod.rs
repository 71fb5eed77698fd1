//! Runner: the bulk processor. A run is stored with its list before anything is done, and every portion that is done is
//! stored with its outcomes; whoever goes on with it after a crash begins with what waits.

mod brake;
mod compare;
mod intake;
mod missing;
mod outcome;
mod run_items;
mod sync_all;

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::task::JoinSet;
use tokio::time::sleep;
use uuid::Uuid;

use crate::job::JobKind;
use crate::partner::PartnerId;
use crate::run::{Run, RunCounts, RunId, RunItem, RunKind, RunStatus};
use crate::runs::Runs;
use crate::store::Open;
use crate::sync_error::{Retry, SyncError};
use crate::synchroniser::{SyncContext, Synchroniser};
use onefold_domain::id::{ContactId, CustomerId};
use onefold_service::retry::Failure;
use outcome::{Done, count, outcome};

/// How many items are done before the outcomes are stored.
const PORTION: usize = 50;

/// How often, and how long apart, an item is tried that somebody else is at.
const BUSY_TRIES: u32 = 10;
const BUSY_PAUSE: Duration = Duration::from_millis(300);

/// Asks for runs with one system, and carries them out.
#[derive(Clone)]
pub struct Runner {
    pub(super) sync: Synchroniser,
    /// What is stored of runs.
    pub runs: Runs,
}

/// Asked between portions: whether the program is about to stop.
pub(crate) type Stopping<'a> = &'a (dyn Fn() -> bool + Send + Sync);

pub(super) fn stop_if(stopping: Stopping<'_>) -> Result<(), SyncError> {
    if stopping() { Err(SyncError::Interrupted) } else { Ok(()) }
}

impl Runner {
    /// The most items of a list.
    pub const MOST_ITEMS: usize = 10_000;

    pub fn new(sync: Synchroniser) -> Self {
        let runs = Runs::new(sync.env.clone());
        Self { sync, runs }
    }

    /// Asks for runs on behalf of whoever acts, as runs and the audit trail tell it.
    #[must_use]
    pub fn acting(&self, acting: &onefold_service::actor::Acting) -> Self {
        Self::new(self.sync.acting(acting))
    }

    /// Stores a run and promises to carry it out. The subjects of a list are contacts, customers or records as the
    /// caller wrote them; the other kinds have none.
    ///
    /// # Errors
    /// [`crate::partner::PartnerError::NotConfigured`], a store that does not answer.
    pub async fn request(&self, kind: RunKind, subjects: &[String], dry_run: bool) -> Result<Run, SyncError> {
        self.sync.configured()?;
        let env = &self.sync.env;
        let at = env.base.clock.now();
        let run = Run {
            id: RunId(env.base.randomness.uuid(at)),
            system: self.sync.system,
            kind,
            dry_run,
            approved: false,
            status: RunStatus::Queued,
            counts: RunCounts { total: subjects.len() as u64, ..RunCounts::default() },
            message: None,
            requested_by: self.sync.by(),
            created_at: at,
            started_at: None,
            updated_at: at,
            finished_at: None,
        };
        let new = &run;
        env.transact(move |mut transaction: Open| {
            Box::pin(async move {
                // A try whose commit was interrupted may have stored it.
                if transaction.runs().get(new.id).await?.is_none() {
                    transaction.runs().insert(new, subjects).await?;
                    transaction.jobs().enqueue(&[JobKind::Run(new.id)], at, at).await?;
                }
                Ok::<_, SyncError>(((), transaction))
            })
        })
        .await?;
        Ok(run)
    }

    /// Carries a run out, or goes on with it. The caller holds its job.
    pub(crate) async fn execute(&self, id: RunId, stopping: Stopping<'_>) -> Result<(), SyncError> {
        let Some(run) = self.runs.run(id).await?.filter(|run| !run.status.rests()) else { return Ok(()) };
        let at = self.sync.env.base.clock.now();
        let started_at = run.started_at.or(Some(at));
        let updated_at = at.max(run.updated_at);
        let mut run = Run { status: RunStatus::Running, started_at, updated_at, ..run };
        self.put(&run, &[]).await?;
        let asked = Self::new(self.sync.for_run(&run));
        let done = match run.kind {
            RunKind::Sync | RunKind::Import => asked.work_through(&mut run, stopping).await,
            RunKind::SyncAll => asked.sync_all(&mut run, stopping).await,
            RunKind::ImportAll | RunKind::Compare | RunKind::CompareFull => {
                asked.compare(&mut run, stopping).await
            }
        };
        match done {
            Ok(None) => self.end(run, RunStatus::Completed, None).await,
            Ok(Some(held)) => self.end(run, RunStatus::Held, Some(held)).await,
            Err(error) if error.retry() == Retry::Never => {
                self.end(run, RunStatus::Failed, Some(error.fault().message)).await
            }
            Err(error) => {
                run.message = Some(format!("waits to go on: {}", error.fault().message));
                self.put(&run, &[]).await?;
                Err(error)
            }
        }
    }

    /// Gives a run up whose last attempt failed.
    pub(crate) async fn give_up(&self, id: RunId, why: &str) -> Result<(), SyncError> {
        match self.runs.run(id).await?.filter(|run| !run.status.rests()) {
            Some(run) => self.end(run, RunStatus::Failed, Some(why.to_owned())).await,
            None => Ok(()),
        }
    }

    async fn end(&self, run: Run, status: RunStatus, message: Option<String>) -> Result<(), SyncError> {
        let at = self.sync.env.base.clock.now().max(run.updated_at);
        let ended = Run { status, message, updated_at: at, finished_at: Some(at), ..run };
        self.put(&ended, &[]).await?;
        let counts = ended.counts;
        tracing::info!(
            run = %ended.id.0, system = %ended.system, kind = ended.kind.as_str(), status = status.as_str(),
            dry_run = ended.dry_run, total = counts.total, succeeded = counts.succeeded, failed = counts.failed,
            skipped = counts.skipped, created = counts.created, pushed = counts.pushed, pulled = counts.pulled,
            unchanged = counts.unchanged, conflicts = counts.conflicts, stale = counts.stale,
            detached = counts.detached, seconds = seconds(&ended), "sync run ended"
        );
        Ok(())
    }

    pub(super) async fn put(&self, run: &Run, items: &[RunItem]) -> Result<(), SyncError> {
        self.put_noting(run, items, &[]).await
    }

    pub(super) async fn work_through(
        &self,
        run: &mut Run,
        stopping: Stopping<'_>,
    ) -> Result<Option<String>, SyncError> {
        loop {
            let waiting = self.sync.env.store.runs().items(run.id, 0, PORTION, true).await;
            let waiting = waiting.map_err(Failure::from)?;
            if waiting.is_empty() {
                return Ok(None);
            }
            stop_if(stopping)?;
            let (mut done, mut busy) = (Vec::new(), Vec::new());
            let mut stopped = None;
            let mut working = JoinSet::new();
            let mut waiting = waiting.into_iter();
            let at_once = self.sync.directory.abilities().concurrency.max(1);
            loop {
                while working.len() < at_once && stopped.is_none() {
                    let Some(item) = waiting.next() else { break };
                    let (runs, run) = (self.clone(), run.clone());
                    working.spawn(async move { (runs.item(&run, &item.subject).await, item) });
                }
                let Some(joined) = working.join_next().await else { break };
                let (result, item) = joined.map_err(|error| {
                    Failure::Store(onefold_service::store::StoreError::Backend(error.into()))
                })?;
                match result {
                    Err(SyncError::Busy) => busy.push(item),
                    // The next ones would wait in vain: they stay for later.
                    Err(error) if matches!(error.retry(), Retry::Wait(_)) => stopped = Some(error),
                    result => {
                        let outcome = self.about(run.kind, &item.subject, outcome(result)).await;
                        count(&mut run.counts, &outcome);
                        done.push(RunItem { outcome: Some(outcome), ..item });
                    }
                }
            }
            // Two items may be one customer, and one of them was in the other's way. By now nobody of this run is.
            for item in busy {
                if stopped.is_some() {
                    break;
                }
                match self.patiently(run, &item.subject).await {
                    Err(error)
                        if matches!(error.retry(), Retry::Wait(_)) && !matches!(error, SyncError::Busy) =>
                    {
                        stopped = Some(error);
                    }
                    result => {
                        let outcome = self.about(run.kind, &item.subject, outcome(result)).await;
                        count(&mut run.counts, &outcome);
                        done.push(RunItem { outcome: Some(outcome), ..item });
                    }
                }
            }
            run.updated_at = self.sync.env.base.clock.now().max(run.updated_at);
            self.put(run, &done).await?;
            if let Some(error) = stopped {
                return Err(error);
            }
        }
    }

    /// Waits a little for whoever else is at this customer, such as a worker that does the job of its last change.
    async fn patiently(&self, run: &Run, subject: &str) -> Result<Done, SyncError> {
        for _ in 1..BUSY_TRIES {
            match self.item(run, subject).await {
                Err(SyncError::Busy) => sleep(BUSY_PAUSE).await,
                result => return result,
            }
        }
        self.item(run, subject).await
    }

    async fn item(&self, run: &Run, subject: &str) -> Result<Done, SyncError> {
        let context = SyncContext { run: Some(run.id), is_job: false };
        let sync = &self.sync;
        if run.kind == RunKind::Import {
            let id = PartnerId::parse(subject).map_err(|_| crate::partner::PartnerError::NotFound)?;
            return match run.dry_run {
                true => sync.show_partner(&id).await.map(Done::SyncPreview),
                false => sync.import_partner(&id, context).await.map(Done::Synced),
            };
        }
        let customer = self.customer(subject).await?;
        if run.dry_run {
            return sync.show_customer(customer).await.map(Done::SyncPreview);
        }
        // Since it was listed somebody may have synced it, or let it go.
        if run.kind == RunKind::SyncAll && !sync.is_worth_a_try(customer).await? {
            return Ok(Done::Nothing(customer));
        }
        sync.sync_customer(customer, context).await.map(Done::Synced)
    }

    /// A UUID is a customer, a number a contact that stands for its customer.
    pub(super) async fn customer(&self, subject: &str) -> Result<CustomerId, SyncError> {
        if let Ok(id) = Uuid::parse_str(subject) {
            return Ok(CustomerId(id));
        }
        let id = subject.parse().map_err(|_| SyncError::NoSuchCustomer)?;
        self.sync.customer_of(ContactId(id)).await
    }
}

fn seconds(run: &Run) -> f64 {
    let since: DateTime<Utc> = run.started_at.unwrap_or(run.created_at);
    let took = run.finished_at.unwrap_or(run.updated_at) - since;
    took.as_seconds_f64()
}
