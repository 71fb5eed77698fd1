//! The server around the application: its routes, and what is wrapped around every request.

use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::{Condition, from_fn};
use actix_web::{HttpServer, web};

use crate::app::App;
use crate::config::Config;
use crate::limits::TrustedProxies;
use crate::throttle::keep_time;
use crate::throttle::limit_address;
use crate::throttle::limit_head;
use crate::{access, content_coding, cors, head, idempotency, routes, security_headers, telemetry};

/// How long a client may take to send the head of a request. An answer of the time limits needs a request.
const HEAD: Duration = Duration::from_secs(10);

/// How long a connection waits for its next request: longer than proxies keep theirs, or they would send one
/// into a connection that is just being closed.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Serves the application on a listener that is already bound, so that the caller knows the port and
/// fails before anything else starts. Signals are left to the caller.
///
/// # Errors
/// A listener that cannot be used.
pub fn serve(app: App, listener: TcpListener, config: &Config) -> std::io::Result<Server> {
    let app = web::Data::new(App { exposure: config.exposure(), run_wait: config.run_wait(), ..app });
    let proxies = web::Data::new(TrustedProxies::new(config.trusted_proxies.clone()));
    let origins = config.cors_origins.clone();
    let server = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(app.clone())
            .app_data(proxies.clone())
            // The last one is the outermost.
            .wrap(from_fn(idempotency::once))
            .wrap(from_fn(head::as_get))
            .wrap(from_fn(content_coding::decode))
            .wrap(from_fn(access::guard))
            .wrap(from_fn(keep_time))
            .wrap(from_fn(limit_address))
            .wrap(from_fn(limit_head))
            .wrap(Condition::new(!origins.is_empty(), cors::middleware(&origins)))
            .wrap(from_fn(security_headers::secure))
            .wrap(from_fn(telemetry::observe))
            .configure(routes::configure)
    })
    .client_request_timeout(HEAD)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(config.shutdown_timeout_s)
    .disable_signals();
    let server = if config.workers == 0 { server } else { server.workers(config.workers) };
    Ok(server.listen(listener)?.run())
}
