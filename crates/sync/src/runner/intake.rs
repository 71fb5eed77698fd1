//! What a whole register brings: all of it before the first record is taken in, and what can never come in, told once.

use super::outcome::SKIPPED;
use super::{Runner, Stopping, stop_if};
use crate::log::{SyncAttempt, SyncOutcome};
use crate::partner::{PartnerId, PartnerPull, RemotePartner};
use crate::run::{ItemOutcome, Run, RunKind};
use crate::sync_error::SyncError;
use onefold_service::retry::Failure;

/// The most records that are held before the first is worked on. What a register of MetaKocka may have in one answer is more.
const MOST_AHEAD: u64 = 50_000;

impl Runner {
    /// The whole register, if it is to come in: whoever waits for the run is told how much there is before the first record
    /// is taken in. One that is too large to be held comes as it is read, and its total grows.
    pub(super) async fn read_ahead(
        &self,
        run: &mut Run,
        pull: &mut dyn PartnerPull,
        stopping: Stopping<'_>,
    ) -> Result<Vec<Vec<RemotePartner>>, SyncError> {
        let mut ahead = Vec::new();
        while run.kind == RunKind::ImportAll && run.counts.total < MOST_AHEAD {
            stop_if(stopping)?;
            let Some(partners) = pull.next().await? else { break };
            run.counts.total += partners.len() as u64;
            ahead.push(partners);
        }
        if !ahead.is_empty() {
            self.put(run, &[]).await?;
        }
        Ok(ahead)
    }

    /// Of these records the ones that an earlier run has told of already, because they cannot come in. The log remembers it
    /// for as long as it is kept.
    pub(super) async fn known_as_skipped(
        &self,
        looked: &[(PartnerId, &ItemOutcome)],
    ) -> Result<Vec<PartnerId>, SyncError> {
        let skipped = looked.iter().filter(|(_, outcome)| outcome.action == SKIPPED);
        let ids: Vec<_> = skipped.map(|(id, _)| id.clone()).collect();
        if ids.is_empty() {
            return Ok(ids);
        }
        let known = self.sync.env.store.sync_log().skipped(self.sync.system, &ids).await;
        Ok(known.map_err(Failure::from)?)
    }

    /// An attempt that says that a record cannot come in, for the log to remember.
    pub(super) fn skipped(&self, run: &Run, id: &PartnerId, outcome: &ItemOutcome) -> SyncAttempt {
        SyncAttempt {
            at: self.sync.env.base.clock.now(),
            system: self.sync.system,
            mapping: None,
            customer: None,
            external: Some(id.clone()),
            run: Some(run.id),
            by: self.sync.by(),
            outcome: SyncOutcome::Skipped,
            pushed: Vec::new(),
            pulled: Vec::new(),
            error: outcome.error.clone(),
            took_ms: 0,
        }
    }
}
