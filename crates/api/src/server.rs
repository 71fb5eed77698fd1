//! The server around the application: its routes, and what is wrapped around every request.

use std::net::TcpListener;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{HttpServer, web};

use crate::app::App;
use crate::config::Config;
use crate::{access, routes, telemetry};

/// Serves the application on a listener that is already bound, so that the caller knows the port and
/// fails before anything else starts. Signals are left to the caller.
///
/// # Errors
/// A listener that cannot be used.
pub fn serve(app: App, listener: TcpListener, config: &Config) -> std::io::Result<Server> {
    let app = web::Data::new(App { exposure: config.exposure(), ..app });
    let server = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(app.clone())
            .wrap(from_fn(access::guard))
            // The last one is the outermost.
            .wrap(from_fn(telemetry::observe))
            .configure(routes::configure)
    })
    .shutdown_timeout(config.shutdown_timeout_s)
    .disable_signals();
    let server = if config.workers == 0 { server } else { server.workers(config.workers) };
    Ok(server.listen(listener)?.run())
}
