//! `/sync`: how sync with other systems goes, and what a person decides about it.

mod choices;
pub(super) mod conflicts;
pub(super) mod jobs;
pub(super) mod log;
pub(super) mod people;
pub(super) mod rules;
mod run_items;
pub(super) mod runs;
pub(super) mod stats;

use actix_web::web::ServiceConfig;
use onefold_service::system::SyncSystem;
use onefold_sync::fault::SyncFault;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{ApiError, sentence};
use crate::faults::Faults;
use crate::query::Query;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .configure(rules::configure)
        .configure(conflicts::configure)
        .configure(runs::configure)
        .configure(jobs::configure)
        .configure(log::configure)
        .configure(stats::configure);
}

/// Why something was not brought into step.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncFault)]
pub(crate) struct FaultResponse {
    #[schema(example = "invalid_fields")]
    code: String,
    message: String,
}

impl FaultResponse {
    pub(crate) fn of(fault: &SyncFault) -> Self {
        Self { code: fault.code.clone(), message: sentence(&fault.message) }
    }
}

pub(crate) fn system(query: &mut Query) -> Option<SyncSystem> {
    query.one_of("system", &SyncSystem::ALL.map(SyncSystem::as_str), SyncSystem::parse)
}

/// An id that is a number in the path.
fn number_in_path(text: &str) -> Result<i64, ApiError> {
    text.parse().ok().filter(|id| *id > 0).ok_or_else(|| {
        let mut faults = Faults::default();
        faults.add("id", "Send a whole number, such as 7.");
        faults.into()
    })
}
