//! Comparisons that come again by themselves: jobs like all others, which promise their own successors. So any number of
//! workers make one comparison at a time.

use chrono::TimeDelta;

use crate::job::JobKind;
use crate::run::RunKind;
use crate::runner::Runner;
use crate::store::Open;
use crate::sync_error::SyncError;
use crate::worker::{SyncWorker, delta};
use onefold_service::system::SyncSystem;

/// How long reports are remembered. Whoever reports gives up after a day or so.
const REPORTS: TimeDelta = TimeDelta::days(7);

/// Rows that are forgotten at a time.
const FORGET: usize = 10_000;

impl SyncWorker {
    /// Promises the periodic comparisons; they come again by themselves.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn plan_comparisons(&self) -> Result<(), SyncError> {
        let mut kinds = Vec::new();
        for sync in self.syncs.iter().filter(|sync| sync.configured().is_ok()) {
            if !self.settings.interval.is_zero() {
                kinds.push((JobKind::Compare(sync.system()), TimeDelta::zero()));
            }
            if !self.settings.full_interval.is_zero() {
                kinds.push((JobKind::CompareFull(sync.system()), delta(self.settings.full_interval)));
            }
        }
        let at = self.env.base.clock.now();
        let kinds = &kinds;
        self.env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    for (kind, after) in kinds {
                        transaction.jobs().enqueue(std::slice::from_ref(kind), at + *after, at).await?;
                    }
                    Ok::<_, SyncError>(((), transaction))
                })
            })
            .await
    }

    /// Asks for a comparison, unless one is under way, and plans the next.
    pub(super) async fn compare(&self, system: SyncSystem, kind: RunKind) -> Result<(), SyncError> {
        let sync = self.sync_of(system)?;
        let (job, interval) = match kind {
            RunKind::CompareFull => (JobKind::CompareFull(system), self.settings.full_interval),
            _ => (JobKind::Compare(system), self.settings.interval),
        };
        self.forget().await?;
        let runner = Runner::new(sync.clone());
        let recent = runner.runs.list(None, 50).await?;
        let under_way = recent.iter().any(|run| {
            // A full one does the work of both.
            let as_good = run.kind == RunKind::CompareFull || run.kind == kind;
            run.system == system && as_good && !run.dry_run && !run.status.rests()
        });
        if !under_way {
            runner.request(kind, &[], false).await?;
        }
        // Last: until it is promised, a failure is tried again as this job's own.
        if !interval.is_zero() {
            let at = self.env.base.clock.now();
            let (job, next) = (&job, at + delta(interval));
            self.env
                .transact(move |mut transaction: Open| {
                    Box::pin(async move {
                        transaction.jobs().enqueue(std::slice::from_ref(job), next, at).await?;
                        Ok::<_, SyncError>(((), transaction))
                    })
                })
                .await?;
        }
        Ok(())
    }

    async fn forget(&self) -> Result<(), SyncError> {
        let now = self.env.base.clock.now();
        let (moment, received) = (now - delta(self.settings.keep), now - REPORTS);
        let env = self.env.clone().in_bulk();
        env.transact(move |mut transaction: Open| {
            Box::pin(async move {
                transaction.runs().forget_before(moment, 100).await?;
                transaction.sync_log().forget_before(moment, FORGET).await?;
                for sync in &self.syncs {
                    let source = sync.system().as_str();
                    transaction.deliveries().forget_before(source, received, FORGET).await?;
                }
                Ok::<_, SyncError>(((), transaction))
            })
        })
        .await
    }
}
