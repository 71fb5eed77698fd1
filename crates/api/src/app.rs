//! The application: what handlers need, which routes there are, and the server around them.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{HttpServer, web};
use metrics_exporter_prometheus::PrometheusHandle;
use onefold_domain::{Clock, Identify, Randomness, Region, Store};

use crate::Config;
use crate::{routes, telemetry};

/// What handlers need. Cheap to clone: everything is shared.
#[derive(Clone)]
pub struct App {
    pub identify: Identify,
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub randomness: Arc<dyn Randomness>,
    /// The region in which phone numbers without a country code are read.
    pub default_region: Option<Region>,
    pub metrics: PrometheusHandle,
    pub pool: PoolGauge,
}

/// Tells how many connections to the database are open, and how many of them are idle.
pub type PoolGauge = Arc<dyn Fn() -> (u32, u32) + Send + Sync>;

/// Serves the application on a listener that is already bound, so that the caller knows the port and
/// fails before anything else starts. Signals are left to the caller.
///
/// # Errors
/// A listener that cannot be used.
pub fn serve(app: App, listener: TcpListener, config: &Config) -> std::io::Result<Server> {
    let app = web::Data::new(app);
    let server = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(app.clone())
            .wrap(from_fn(telemetry::observe))
            .configure(routes::configure)
    })
    .shutdown_timeout(config.shutdown_timeout_s)
    .disable_signals();
    let server = if config.workers == 0 { server } else { server.workers(config.workers) };
    Ok(server.listen(listener)?.run())
}
