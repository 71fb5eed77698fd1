//! What became of an item of a run, for whoever asked for it, and how the counts add up.

use crate::log::SyncOutcome;
use crate::run::{ItemOutcome, RunCounts};
use crate::sync_error::SyncError;
use crate::synchroniser::{SyncPreview, Synced};
use onefold_domain::id::CustomerId;

/// The action of what cannot come in, or go there, as it is.
pub(super) const SKIPPED: &str = "skipped";
/// The action of what was in step.
pub(super) const UNCHANGED: &str = "unchanged";

/// What was done, or would be.
pub(super) enum Done {
    Synced(Synced),
    SyncPreview(SyncPreview),
    /// The customer was in step already.
    Nothing(CustomerId),
}

pub(super) fn outcome(result: Result<Done, SyncError>) -> ItemOutcome {
    match result {
        Ok(Done::Synced(synced)) => ItemOutcome {
            customer: Some(synced.mapping.customer),
            mapping: Some(synced.mapping.id),
            external: synced.mapping.external.clone(),
            action: action(&synced).to_owned(),
            error: None,
            plan: None,
        },
        Ok(Done::Nothing(customer)) => {
            ItemOutcome { customer: Some(customer), action: UNCHANGED.to_owned(), ..ItemOutcome::default() }
        }
        Ok(Done::SyncPreview(shown)) => ItemOutcome {
            customer: shown.customer,
            mapping: shown.mapping.map(|mapping| mapping.id),
            external: shown.external,
            action: shown.action.to_owned(),
            error: None,
            plan: Some(shown.plan),
        },
        Err(error) => {
            let action = match error {
                SyncError::OpenConflict { .. } => "conflict",
                // No fault of this run, and the next one would find the same.
                SyncError::NoContactPoint => SKIPPED,
                _ => "failed",
            };
            ItemOutcome { action: action.to_owned(), error: Some(error.fault()), ..ItemOutcome::default() }
        }
    }
}

/// The name of what was done; of values that were written, on which side.
fn action(synced: &Synced) -> &'static str {
    match (synced.outcome, synced.pushed.is_empty(), synced.pulled.is_empty()) {
        (SyncOutcome::Updated, false, true) => "pushed",
        (SyncOutcome::Updated, true, false) => "pulled",
        (outcome, ..) => outcome.as_str(),
    }
}

pub(super) fn count(counts: &mut RunCounts, outcome: &ItemOutcome) {
    match (outcome.action.as_str(), &outcome.error) {
        // A question is neither: somebody has to answer it.
        ("conflict", _) => counts.conflicts += 1,
        (SKIPPED, _) => counts.skipped += 1,
        (_, None) => counts.succeeded += 1,
        (_, Some(_)) => counts.failed += 1,
    }
    match outcome.action.as_str() {
        "created" | "create" | "imported" | "import" => counts.created += 1,
        "pushed" => counts.pushed += 1,
        "pulled" => counts.pulled += 1,
        "updated" | "update" | "adopted" | "adopt" => {
            counts.pushed += 1;
            counts.pulled += 1;
        }
        "stale" => counts.stale += 1,
        "detached" => counts.detached += 1,
        UNCHANGED => counts.unchanged += 1,
        _ => {}
    }
}
