//! What the jobs, the mappings and the verifications are like, as metrics that both programs show.

use std::sync::Arc;

use metrics::{Unit, describe_gauge, gauge};
use onefold_service::store::StoreError;
use onefold_service::system::SyncSystem;
use onefold_sync::job::JobStatus;
use onefold_sync::mapping::MappingStatus;
use onefold_sync::store::SyncStore;

const JOBS: &str = "onefold_sync_jobs";
const MAPPINGS: &str = "onefold_sync_mappings";
/// Two users have verified one value: a person should look.
const CONTESTED: &str = "onefold_contested_verifications";
const COMPARED: &str = "onefold_sync_last_comparison_timestamp_seconds";

/// How many of the latest runs are searched for a comparison.
const RUNS: usize = 50;

/// Names the gauges once.
pub fn describe_gauges() {
    describe_gauge!(JOBS, Unit::Count, "Jobs by status. Dead ones wait for a person.");
    describe_gauge!(MAPPINGS, Unit::Count, "Mappings by system and status.");
    let contested = "Contacts that their users verified, and whose value another user has verified since.";
    describe_gauge!(CONTESTED, Unit::Count, contested);
    describe_gauge!(COMPARED, Unit::Seconds, "When a comparison with the system ended last.");
}

/// Reads them anew.
///
/// # Errors
/// A store that does not answer; the gauges stay as they were.
pub async fn refresh_gauges(store: &Arc<dyn SyncStore>) -> Result<(), StoreError> {
    gauge!(CONTESTED).set(as_gauge(store.contacts().contested_verifications().await?));
    let jobs = store.jobs().counts().await?;
    for status in JobStatus::ALL {
        let count = jobs.iter().find(|(known, _)| *known == status).map_or(0, |(_, count)| *count);
        gauge!(JOBS, "status" => status.as_str()).set(as_gauge(count));
    }
    let runs = store.runs().list(None, RUNS).await?;
    for system in SyncSystem::ALL {
        let mappings = store.mappings().counts(system).await?;
        for status in MappingStatus::ALL {
            let count = mappings.iter().find(|(known, _)| *known == status).map_or(0, |(_, count)| *count);
            let labels = [("system", system.as_str()), ("status", status.as_str())];
            gauge!(MAPPINGS, &labels).set(as_gauge(count));
        }
        let compared = runs.iter().filter(|run| run.system == system && run.kind.compares());
        if let Some(at) = compared.filter_map(|run| run.finished_at).max() {
            gauge!(COMPARED, "system" => system.as_str()).set(as_gauge(at.timestamp().unsigned_abs()));
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floating point, and these numbers are small")]
fn as_gauge(count: u64) -> f64 {
    count as f64
}
