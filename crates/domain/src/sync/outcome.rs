//! What became of an item of a run, for whoever asked for it, and how the counts add up.

use super::{ItemOutcome, RunCounts, Shown, SyncError, SyncOutcome, Synced};

/// What was done, or would be.
pub(super) enum Done {
    Synced(Synced),
    Shown(Shown),
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
        Ok(Done::Shown(shown)) => ItemOutcome {
            customer: shown.customer,
            mapping: shown.mapping.map(|mapping| mapping.id),
            external: shown.external,
            action: shown.action.to_owned(),
            error: None,
            plan: Some(shown.plan),
        },
        Err(error) => {
            let conflict = matches!(error, SyncError::OpenConflict { .. });
            let action = if conflict { "conflict" } else { "failed" };
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
    match outcome.error {
        None => counts.succeeded += 1,
        Some(_) => counts.failed += 1,
    }
    match outcome.action.as_str() {
        "created" | "create" | "imported" | "import" => counts.created += 1,
        "pushed" => counts.pushed += 1,
        "pulled" => counts.pulled += 1,
        "updated" | "update" | "adopted" | "adopt" => {
            counts.pushed += 1;
            counts.pulled += 1;
        }
        "conflict" => counts.conflicts += 1,
        "stale" => counts.stale += 1,
        "detached" => counts.detached += 1,
        "unchanged" => counts.unchanged += 1,
        _ => {}
    }
}
