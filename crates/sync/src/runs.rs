//! Runs as they are stored: to be looked at, and released where a brake holds one. They are kept in one place, of whichever
//! system they are.

use crate::environment::SyncEnvironment;
use crate::job::JobKind;
use crate::run::{ItemOutcome, Run, RunId, RunItem, RunStatus};
use crate::store::Open;
use crate::sync_error::SyncError;
use onefold_service::retry::Failure;

/// Shows runs, and lets those go on that are held.
#[derive(Clone)]
pub struct Runs {
    env: SyncEnvironment,
}

impl Runs {
    pub fn new(env: SyncEnvironment) -> Self {
        Self { env }
    }

    /// # Errors
    /// A store that does not answer.
    pub async fn run(&self, id: RunId) -> Result<Option<Run>, SyncError> {
        Ok(self.env.store.runs().get(id).await.map_err(Failure::from)?)
    }

    /// Newest first, those older than `before`, at most `limit`.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn list(&self, before: Option<RunId>, limit: usize) -> Result<Vec<Run>, SyncError> {
        Ok(self.env.store.runs().list(before, limit).await.map_err(Failure::from)?)
    }

    /// In order, from position `from` on, at most `limit`.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn items(&self, id: RunId, from: u64, limit: usize) -> Result<Vec<RunItem>, SyncError> {
        Ok(self.env.store.runs().items(id, from, limit, false).await.map_err(Failure::from)?)
    }

    /// Releases the brakes of a run that is held, which then goes on. `None` if there is no such run that is held.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn approve(&self, id: RunId) -> Result<Option<Run>, SyncError> {
        let env = &self.env;
        let at = env.base.clock.now();
        env.transact(move |mut transaction: Open| {
            Box::pin(async move {
                let held = transaction.runs().get(id).await?.filter(|run| run.status == RunStatus::Held);
                let Some(run) = held else { return Ok((None, transaction)) };
                let run = Run {
                    approved: true,
                    status: RunStatus::Queued,
                    message: None,
                    finished_at: None,
                    updated_at: at.max(run.updated_at),
                    ..run
                };
                transaction.runs().update(&run).await?;
                transaction.jobs().enqueue(&[JobKind::Run(id)], at, at).await?;
                Ok::<_, SyncError>((Some(run), transaction))
            })
        })
        .await
    }

    /// What became of the items of a run, in order. If they are more than `most`, those that failed come first.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn outcomes(&self, id: RunId, most: usize) -> Result<RunOutcomes, SyncError> {
        let (mut failed, mut others) = (Vec::new(), Vec::new());
        let (mut from, mut seen) = (0, 0);
        loop {
            let items = self.items(id, from, most).await?;
            let Some(last) = items.last() else { break };
            from = last.position + 1;
            for mut item in items {
                let Some(outcome) = item.outcome.take() else { continue };
                seen += 1;
                let kind = if outcome.error.is_some() { &mut failed } else { &mut others };
                if kind.len() < most {
                    kind.push((item, outcome));
                }
            }
        }
        let is_whole = seen <= most;
        let mut told: Vec<_> = failed.into_iter().chain(others).take(most).collect();
        if is_whole {
            told.sort_by_key(|(item, _)| item.position);
        }
        Ok(RunOutcomes { told, is_whole })
    }
}

/// What became of the items of a run.
#[derive(Clone, PartialEq, Debug)]
pub struct RunOutcomes {
    pub told: Vec<(RunItem, ItemOutcome)>,
    /// Whether these are all of them.
    pub is_whole: bool,
}
