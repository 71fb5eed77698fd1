//! `/metrics` in Prometheus' text format.

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Responder};

use crate::app::App;
use crate::telemetry::CONNECTIONS;

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(web::resource("/metrics").get(metrics));
}

/// Requests, durations, what identify did, and the database pool.
#[utoipa::path(
    get, path = "/metrics", tag = "operations", operation_id = "metrics.read",
    responses((status = 200, description = "Metrics", body = String, content_type = "text/plain"))
)]
pub(crate) async fn metrics(app: web::Data<App>) -> impl Responder {
    let (open, idle) = (app.pool)();
    metrics::gauge!(CONNECTIONS, "state" => "open").set(open);
    metrics::gauge!(CONNECTIONS, "state" => "idle").set(idle);
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(app.metrics.render())
}
