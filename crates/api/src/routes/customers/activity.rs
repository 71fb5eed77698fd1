//! `/customers/{id}/activity`: what was pushed and pulled of one customer, when, and with what result.

use actix_web::web;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use onefold_sync::log::{LoggedAttempt, SyncLogFilter};
use onefold_sync::partner::{PartnerField, PartnerId};
use onefold_sync::sync_log::SyncLog;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::customer_id;
use crate::app::App;
use crate::error::ApiError;
use crate::problem::Problem;
use crate::query::{MAX_PAGE, Query, page_answer};
use crate::routes::sync::{FaultResponse, system};

/// Something that was done, or tried.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Activity<'a> {
    at: DateTime<Utc>,
    #[schema(example = "openphone")]
    system: &'static str,
    /// As in `GET /sync/log`.
    #[schema(example = "updated")]
    outcome: &'static str,
    /// `pushed` (written there), `pulled` (written here), `both`, or null if nothing was written.
    #[schema(example = "pushed")]
    direction: Option<&'static str>,
    #[schema(value_type = Vec<String>, example = json!(["companyName"]))]
    pushed: Vec<&'static str>,
    #[schema(value_type = Vec<String>, example = json!([]))]
    pulled: Vec<&'static str>,
    #[schema(example = "664d0db69fcac7cf2e6ec")]
    external_id: Option<&'a str>,
    run_id: Option<Uuid>,
    #[schema(example = "token:3")]
    by: &'a str,
    took_ms: u64,
    error: Option<FaultResponse>,
}

/// A page of it, newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Activities<'a> {
    activity: Vec<Activity<'a>>,
    /// Where the next page begins; null at the end.
    next_cursor: Option<String>,
}

/// What was done to keep a customer the same elsewhere, newest first; also of those that it absorbed.
#[utoipa::path(
    get, path = "/customers/{id}/activity", tag = "customers", operation_id = "customers.activity",
    params(
        ("id" = String, Path, description = "The customer's UUID, or the number of a contact"),
        ("system" = Option<String>, Query, description = "Such as `openphone`"),
        ("limit" = Option<u16>, Query, description = "1 to 200, default 50"),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before"),
    ),
    responses(
        (status = 200, description = "What was done; the header `Link` leads to the next page", body = Activities),
        (status = 404, description = "There is no such customer", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A parameter cannot be accepted", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn activity(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let mut query = Query::of(&request);
    let system = system(&mut query);
    let (limit, before) = (usize::from(query.limit(MAX_PAGE)), query.cursor());
    query.finish()?;
    let customer = app.customers.customer(customer_id(&app, &id).await?).await?.id;
    let filter = SyncLogFilter { system, customer: Some(customer), ..SyncLogFilter::default() };
    let page = SyncLog::new(app.env.clone()).list(&filter, before, limit).await?;
    let (mut response, next_cursor) = page_answer(&request, page.next);
    Ok(response
        .json(Activities { activity: page.entries.iter().map(activity_response).collect(), next_cursor }))
}

fn activity_response(logged: &LoggedAttempt) -> Activity<'_> {
    let attempt = &logged.attempt;
    let names = |fields: &[PartnerField]| fields.iter().map(|field| field.as_str()).collect();
    Activity {
        at: attempt.at,
        system: attempt.system.as_str(),
        outcome: attempt.outcome.as_str(),
        direction: match (attempt.wrote_there(), attempt.wrote_here()) {
            (true, true) => Some("both"),
            (true, false) => Some("pushed"),
            (false, true) => Some("pulled"),
            (false, false) => None,
        },
        pushed: names(&attempt.pushed),
        pulled: names(&attempt.pulled),
        external_id: attempt.external.as_ref().map(PartnerId::as_str),
        run_id: attempt.run.map(|run| run.0),
        by: &attempt.by,
        took_ms: attempt.took_ms,
        error: attempt.error.as_ref().map(FaultResponse::of),
    }
}
