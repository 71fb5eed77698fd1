//! `/health`: whether the process runs, and whether it can do its work.

use std::time::Duration;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use onefold_service::store::StoreError;
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::app::App;
use crate::error::ApiError;
use crate::problem::Problem;

/// An answer that takes longer is none: whoever asks wants to know whether requests would be served.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn configure(config: &mut ServiceConfig) {
    let live = web::resource("/health/live").get(live);
    let ready = web::resource("/health/ready").get(ready);
    config.service(web::resource("/health").get(health)).service(live).service(ready);
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

/// Answers as `/health/ready` does, for whoever looks for health under its plain name.
#[utoipa::path(
    get, path = "/health", tag = "operations", operation_id = "health.read",
    responses(
        (status = 200, description = "The database answers and can be written to", body = Health),
        (status = 503, description = "It does not, or cannot", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn health(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    ready(app).await
}

/// The process runs.
#[utoipa::path(
    get, path = "/health/live", tag = "operations", operation_id = "health.live",
    responses((status = 200, description = "The process runs", body = Health))
)]
pub(crate) async fn live() -> impl Responder {
    web::Json(Health { status: "ok" })
}

/// The database answers and takes what is written, so requests will be served. After a write that failed because of
/// the disk (`storage_full`, `storage_read_only`, `storage_failed`) the answer is 503 until one succeeds; the server
/// tries that by itself when it is asked, at most once a second.
#[utoipa::path(
    get, path = "/health/ready", tag = "operations", operation_id = "health.ready",
    responses(
        (status = 200, description = "The database answers and can be written to", body = Health),
        (status = 503, description = "It does not, or cannot", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn ready(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    match timeout(PATIENCE, app.env.store.ping()).await {
        Ok(Ok(())) => Ok(HttpResponse::Ok().json(Health { status: "ok" })),
        Ok(Err(error @ StoreError::Backend(_))) => Err(ApiError::Unavailable(Box::new(error))),
        Ok(Err(error)) => Err(error.into()),
        Err(elapsed) => Err(ApiError::Unavailable(Box::new(elapsed))),
    }
}
