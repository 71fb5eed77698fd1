//! How the worker is, for whatever watches it: `/health` asks the database, `/metrics` counts what waits.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App, HttpResponse, HttpServer, web};
use metrics_exporter_prometheus::PrometheusHandle;
use onefold_runtime::refresh_gauges;
use onefold_sync::store::SyncStore;
use serde_json::json;
use tokio::time::timeout;

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

struct Status {
    store: Arc<dyn SyncStore>,
    metrics: PrometheusHandle,
}

/// Listens with one thread; it is asked every few seconds at most.
pub(crate) fn serve(
    listener: TcpListener,
    store: Arc<dyn SyncStore>,
    metrics: PrometheusHandle,
) -> std::io::Result<Server> {
    let status = web::Data::new(Status { store, metrics });
    let app = move || {
        App::new()
            .app_data(status.clone())
            .route("/health", web::get().to(health))
            .route("/metrics", web::get().to(show_metrics))
    };
    let server = HttpServer::new(app).workers(1).disable_signals().shutdown_timeout(2);
    Ok(server.listen(listener)?.run())
}

async fn health(status: web::Data<Status>) -> HttpResponse {
    match timeout(PATIENCE, status.store.ping()).await {
        Ok(Ok(())) => HttpResponse::Ok().json(json!({"status": "ok"})),
        Ok(Err(error)) => {
            tracing::warn!(error = %error, "the database does not answer");
            unavailable()
        }
        Err(_) => unavailable(),
    }
}

fn unavailable() -> HttpResponse {
    HttpResponse::ServiceUnavailable().json(json!({"status": "database unavailable"}))
}

async fn show_metrics(status: web::Data<Status>) -> HttpResponse {
    if let Ok(Err(error)) = timeout(PATIENCE, refresh_gauges(&status.store)).await {
        tracing::warn!(error = %error, "the gauges were not read anew");
    }
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(status.metrics.render())
}
