//! `/health`: whether the process runs, and whether it can do its work.

use std::time::Duration;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Responder};
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
    config.service(live).service(ready);
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

/// The process runs.
#[utoipa::path(
    get, path = "/health/live", tag = "operations",
    responses((status = 200, description = "The process runs", body = Health))
)]
pub(crate) async fn live() -> impl Responder {
    web::Json(Health { status: "ok" })
}

/// The database answers, so requests will be served.
#[utoipa::path(
    get, path = "/health/ready", tag = "operations",
    responses(
        (status = 200, description = "The database answers", body = Health),
        (status = 503, description = "It does not", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn ready(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    match timeout(PATIENCE, app.env.store.ping()).await {
        Ok(Ok(())) => Ok(HttpResponse::Ok().json(Health { status: "ok" })),
        Ok(Err(error)) => Err(ApiError::Unavailable(Box::new(error))),
        Err(elapsed) => Err(ApiError::Unavailable(Box::new(elapsed))),
    }
}
