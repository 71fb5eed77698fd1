//! `/sync/log`: every attempt that did something or failed.

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use onefold_domain::id::CustomerId;
use onefold_sync::log::{LoggedAttempt, SyncLogFilter, SyncOutcome};
use onefold_sync::mapping::MappingId;
use onefold_sync::partner::{PartnerField, PartnerId};
use onefold_sync::sync_log::SyncLog;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{FaultResponse, system};
use crate::app::App;
use crate::error::ApiError;
use crate::fields::uuid;
use crate::problem::Problem;
use crate::query::{MAX_PAGE, Query, page_answer};

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(web::resource("/sync/log").get(list));
}

/// An attempt to bring a customer and its record into step.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncAttempt)]
pub(crate) struct AttemptResponse<'a> {
    /// The newest has the largest.
    #[schema(example = 12)]
    number: i64,
    at: DateTime<Utc>,
    #[schema(example = "metakocka")]
    system: &'static str,
    mapping_id: Option<Uuid>,
    customer_id: Option<Uuid>,
    #[schema(example = "310000000417")]
    external_id: Option<&'a str>,
    run_id: Option<Uuid>,
    #[schema(example = "token:3")]
    by: &'a str,
    /// `created`, `adopted`, `imported`, `updated`, `unchanged`, `conflict`, `failed`, `missing`, `returned`,
    /// `detached`, `attached` or `skipped`.
    #[schema(example = "updated")]
    outcome: &'static str,
    /// The fields that were written there.
    #[schema(value_type = Vec<String>, example = json!(["city"]))]
    pushed: Vec<&'static str>,
    /// The fields that were written here.
    #[schema(value_type = Vec<String>, example = json!([]))]
    pulled: Vec<&'static str>,
    error: Option<FaultResponse>,
    took_ms: u64,
}

/// Part of the log, newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncAttempts<'a> {
    attempts: Vec<AttemptResponse<'a>>,
    /// Where the next page begins; null at the end.
    next_cursor: Option<String>,
}

/// What happened to a customer, newest first. Everything that is asked for must hold.
#[utoipa::path(
    get, path = "/sync/log", tag = "sync", operation_id = "syncLog.list",
    params(
        ("system" = Option<String>, Query, description = "Such as `metakocka`"),
        ("customerId" = Option<String>, Query, description = "The customer's UUID"),
        ("mappingId" = Option<String>, Query, description = "The mapping's UUID"),
        ("outcome" = Option<String>, Query, description = "Such as `failed`"),
        ("limit" = Option<u16>, Query, description = "1 to 200, default 50"),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before"),
    ),
    responses(
        (status = 200, description = "The attempts; the header `Link` leads to the next page", body = SyncAttempts),
        (status = 422, description = "A parameter cannot be accepted", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let mut query = Query::of(&request);
    let customer = query.text("customerId").and_then(|text| query.faults.note("customerId", uuid(&text)));
    let mapping = query.text("mappingId").and_then(|text| query.faults.note("mappingId", uuid(&text)));
    let filter = SyncLogFilter {
        system: system(&mut query),
        customer: customer.map(CustomerId),
        mapping: mapping.map(MappingId),
        outcome: query.one_of("outcome", &SyncOutcome::ALL.map(SyncOutcome::as_str), SyncOutcome::parse),
    };
    let (limit, before) = (usize::from(query.limit(MAX_PAGE)), query.cursor());
    query.finish()?;
    let page = SyncLog::new(app.env.clone()).list(&filter, before, limit).await?;
    let (mut response, next_cursor) = page_answer(&request, page.next);
    Ok(response
        .json(SyncAttempts { attempts: page.entries.iter().map(attempt_response).collect(), next_cursor }))
}

fn attempt_response(logged: &LoggedAttempt) -> AttemptResponse<'_> {
    let attempt = &logged.attempt;
    let names = |fields: &[PartnerField]| fields.iter().map(|field| field.as_str()).collect();
    AttemptResponse {
        number: logged.number,
        at: attempt.at,
        system: attempt.system.as_str(),
        mapping_id: attempt.mapping.map(|id| id.0),
        customer_id: attempt.customer.map(|id| id.0),
        external_id: attempt.external.as_ref().map(PartnerId::as_str),
        run_id: attempt.run.map(|id| id.0),
        by: &attempt.by,
        outcome: attempt.outcome.as_str(),
        pushed: names(&attempt.pushed),
        pulled: names(&attempt.pulled),
        error: attempt.error.as_ref().map(FaultResponse::of),
        took_ms: attempt.took_ms,
    }
}
