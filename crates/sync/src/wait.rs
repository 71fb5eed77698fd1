//! Waiting for a run: it goes on when nobody waits any more.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use crate::run::{Run, RunId};
use crate::runs::Runs;
use crate::sync_error::SyncError;
use crate::worker::SyncWorker;

/// How often a run is looked at that somebody else carries out.
const LOOK: Duration = Duration::from_millis(250);

impl SyncWorker {
    /// Carries out this run, unless somebody else is at it, and waits for it no longer than `wait`: the run as it is then,
    /// which rests if it came to its end. `None` if there is no such run.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn execute_within(&self, id: RunId, wait: Duration) -> Result<Option<Run>, SyncError> {
        let deadline = Instant::now() + wait;
        let worker = self.clone();
        let working = tokio::spawn(async move {
            if let Err(error) = worker.execute(id).await {
                // Its job is still there: a worker takes it when the lease has run out.
                tracing::warn!(run = %id.0, error = %error, "a run was left to a worker");
            }
        });
        // It goes on when the time is up. A worker may have been faster, and then this one ends at once.
        let _ = timeout_at(deadline, working).await;
        let runs = Runs::new(self.env.clone());
        loop {
            let Some(run) = runs.run(id).await? else { return Ok(None) };
            if run.status.rests() || Instant::now() >= deadline {
                return Ok(Some(run));
            }
            sleep(LOOK.min(deadline.saturating_duration_since(Instant::now()))).await;
        }
    }
}
