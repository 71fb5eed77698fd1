//! `/sync/stats`: what came of sync, day by day.

use std::collections::BTreeMap;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use chrono::NaiveDate;
use onefold_sync::log::SyncDay;
use onefold_sync::sync_log::SyncLog;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::error::ApiError;
use crate::problem::Problem;
use crate::query::Query;

/// As long as the log is kept by default.
const MOST_DAYS: u16 = 90;
const USUAL_DAYS: u16 = 30;

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(web::resource("/sync/stats").get(stats));
}

/// What was done with one system on one day.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncDay)]
pub(crate) struct DayResponse {
    /// In UTC.
    #[schema(value_type = String, format = Date, example = "2026-11-21")]
    date: NaiveDate,
    #[schema(example = "openphone")]
    system: &'static str,
    attempts: u64,
    /// Of these, those that wrote there.
    pushed: u64,
    /// Those that wrote here.
    pulled: u64,
    /// How many came to what; the names are those of `GET /sync/log`.
    #[schema(value_type = BTreeMap<String, u64>, example = json!({"created": 12, "updated": 7, "failed": 1}))]
    outcomes: BTreeMap<&'static str, u64>,
}

/// The days on which something happened, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct SyncStats {
    days: Vec<DayResponse>,
}

/// How much was synced on each day, with each system.
#[utoipa::path(
    get, path = "/sync/stats", tag = "sync", operation_id = "syncStats.read",
    params(("days" = Option<u16>, Query, description = "How many, today included: 1 to 90, default 30")),
    responses(
        (status = 200, description = "The days on which something happened", body = SyncStats),
        (status = 422, description = "A parameter cannot be accepted", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn stats(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let mut query = Query::of(&request);
    let days = query.text("days").and_then(|text| query.faults.note("days", days(&text)));
    query.finish()?;
    let counted = SyncLog::new(app.env.clone()).per_day(days.unwrap_or(USUAL_DAYS)).await?;
    Ok(HttpResponse::Ok().json(SyncStats { days: day_responses(&counted) }))
}

fn days(text: &str) -> Result<u16, String> {
    let days = text.parse().ok().filter(|days| (1..=MOST_DAYS).contains(days));
    days.ok_or_else(|| format!("Send a number from 1 to {MOST_DAYS}."))
}

/// The rows come by day and system.
fn day_responses(counted: &[SyncDay]) -> Vec<DayResponse> {
    let mut days: Vec<DayResponse> = Vec::new();
    for row in counted {
        let (date, system) = (row.date, row.system.as_str());
        if days.last().is_none_or(|last| (last.date, last.system) != (date, system)) {
            days.push(DayResponse {
                date,
                system,
                attempts: 0,
                pushed: 0,
                pulled: 0,
                outcomes: BTreeMap::new(),
            });
        }
        if let Some(day) = days.last_mut() {
            day.attempts += row.attempts;
            day.pushed += row.pushed;
            day.pulled += row.wrote_here();
            day.outcomes.insert(row.outcome.as_str(), row.attempts);
        }
    }
    days.sort_by_key(|day| std::cmp::Reverse(day.date));
    days
}
