//! What is noted of an attempt: in the log, and in the mapping if it failed.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::reconcile::Progress;
use super::{SyncContext, Synced, Synchroniser};
use crate::job::JobKind;
use crate::log::{SyncAttempt, SyncOutcome};
use crate::mapping::{Mapping, MappingStatus};
use crate::partner::{PartnerField, PartnerId};
use crate::store::{Open, SyncTransaction};
use crate::sync_error::{Retry, SyncError};
use onefold_service::store::StoreError;

/// How long a failure that may pass rests before the promised second attempt.
const PAUSE: TimeDelta = TimeDelta::seconds(30);

impl Synchroniser {
    pub(super) async fn log_attempt(
        &self,
        transaction: &mut dyn SyncTransaction,
        mapping: &Mapping,
        outcome: SyncOutcome,
        progress: &Progress,
        context: SyncContext,
        since: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let attempt = self.attempt(mapping, outcome, progress, context, since);
        transaction.sync_log().append(&[attempt]).await
    }

    pub(super) fn attempt(
        &self,
        mapping: &Mapping,
        outcome: SyncOutcome,
        progress: &Progress,
        context: SyncContext,
        since: DateTime<Utc>,
    ) -> SyncAttempt {
        let at = self.env.base.clock.now();
        SyncAttempt {
            at,
            system: self.system,
            mapping: Some(mapping.id),
            customer: Some(mapping.customer),
            external: mapping.external.clone(),
            run: context.run,
            by: self.by(),
            outcome,
            pushed: progress.pushed.clone(),
            pulled: progress.pulled.clone(),
            error: mapping.error.clone(),
            took_ms: u64::try_from((at - since).num_milliseconds()).unwrap_or_default(),
        }
    }

    /// One line for each sync that changed something, with the customer and never a value.
    pub(crate) fn tell(&self, synced: &Synced, context: SyncContext) {
        let (mapping, outcome) = (&synced.mapping, synced.outcome);
        let quiet = synced.pushed.is_empty() && synced.pulled.is_empty();
        if outcome == SyncOutcome::Unchanged && quiet {
            return;
        }
        let names =
            |fields: &[PartnerField]| fields.iter().map(|field| field.as_str()).collect::<Vec<_>>().join(" ");
        tracing::info!(
            customer = %mapping.customer.0, system = %self.system, outcome = outcome.as_str(),
            record = mapping.external.as_ref().map_or("-", PartnerId::as_str),
            pushed = names(&synced.pushed), pulled = names(&synced.pulled),
            run = context.run.map(|run| run.0.to_string()), "synced"
        );
    }

    /// Notes a failure, lets the mapping go, and promises another attempt if one may succeed. If that fails too the
    /// lease runs out by itself, and the next comparison finds the mapping.
    pub(super) async fn note_failure(
        &self,
        mapping: &Mapping,
        owner: Uuid,
        (since, promised): (DateTime<Utc>, Option<DateTime<Utc>>),
        error: &SyncError,
        context: SyncContext,
    ) {
        // Concluded already, and the mapping is not ours any more.
        let concluded = matches!(error, SyncError::OpenConflict { .. }) && mapping.external.is_some();
        if concluded {
            return;
        }
        if !matches!(error, SyncError::Busy | SyncError::OpenConflict { .. }) {
            tracing::warn!(
                customer = %mapping.customer.0, system = %self.system, error = error.code(), "a sync failed"
            );
        }
        let noted = self
            .env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    self.fail(transaction.as_mut(), mapping, owner, (since, promised), error, context)
                        .await?;
                    Ok::<_, SyncError>(((), transaction))
                })
            })
            .await;
        if let Err(noting) = noted {
            tracing::warn!(
                customer = %mapping.customer.0, system = %self.system, mapping = %mapping.id.0, error = error.code(),
                noting = %noting, "a failed sync was not noted"
            );
        }
    }

    async fn fail(
        &self,
        transaction: &mut dyn SyncTransaction,
        mapping: &Mapping,
        owner: Uuid,
        (since, promised): (DateTime<Utc>, Option<DateTime<Utc>>),
        error: &SyncError,
        context: SyncContext,
    ) -> Result<(), StoreError> {
        let Some(stored) = transaction.mappings().get(mapping.id).await? else { return Ok(()) };
        // Somebody else has taken over, and notes what comes of that.
        if stored.lease.is_none_or(|(holder, _)| holder != owner) {
            return Ok(());
        }
        if matches!(error, SyncError::Busy) {
            // The customer moved under our hands; whoever comes next need not wait for us.
            return transaction.mappings().release(mapping.id, owner).await;
        }
        let at = self.env.base.clock.now();
        let (status, outcome) = match error {
            SyncError::OpenConflict { .. } => (MappingStatus::Conflict, SyncOutcome::Conflict),
            SyncError::Missing => (MappingStatus::Stale, SyncOutcome::Missing),
            _ => (MappingStatus::Error, SyncOutcome::Failed),
        };
        let missing = matches!(error, SyncError::Missing).then_some(at);
        let failed = Mapping {
            status,
            missing_since: stored.missing_since.or(missing),
            error: Some(error.fault()),
            ..self.touched(stored, at)
        };
        transaction.mappings().update(&failed).await?;
        transaction.mappings().release(failed.id, owner).await?;
        if failed.status == MappingStatus::Stale {
            self.ask_about_missing(transaction, &failed, at).await?;
        }
        self.log_attempt(transaction, &failed, outcome, &Progress::default(), context, since).await?;
        let job = JobKind::SyncCustomer(self.system, failed.customer);
        if error.retry() == Retry::Never {
            if let Some(promised) = promised {
                transaction.jobs().take_back(&job, promised).await?;
            }
        } else if !context.is_job {
            // A job is put back by its worker.
            transaction.jobs().enqueue(&[job], at + PAUSE, at).await?;
        }
        Ok(())
    }
}
