//! What is recorded of every request: an id, a log line, a count and a duration. Never a body, never
//! a query: they hold personal data.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, web};
use tracing::Instrument;

use crate::answered::{status, with_headers};
use crate::app::App;
use crate::request_id;

/// The histogram of request durations, for whoever sets its buckets.
pub const REQUEST_DURATION: &str = "onefold_http_request_duration_seconds";
const REQUESTS: &str = "onefold_http_requests_total";
pub(crate) const IDENTIFIED: &str = "onefold_identify_total";
pub(crate) const BLOCKED: &str = "onefold_identify_blocked_total";
const CONTACTS: &str = "onefold_contacts_total";
pub(crate) const CONNECTIONS: &str = "onefold_database_connections";

/// What can become of a contact record.
const CONTACT_OUTCOMES: [&str; 4] = ["created", "updated", "claimed", "withdrawn"];

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id of a caller that is taken over.
const LONGEST_ID: usize = 128;

/// Says what the metrics mean, once a recorder is installed.
pub fn describe_metrics() {
    metrics::describe_counter!(REQUESTS, "Requests by method, route and status");
    metrics::describe_histogram!(REQUEST_DURATION, "Seconds from request to answer, by route");
    metrics::describe_counter!(IDENTIFIED, "Identify requests by what they changed");
    metrics::describe_counter!(BLOCKED, "Values of identify requests that did not link, by rule");
    metrics::describe_counter!(CONTACTS, "Contact records by what became of them");
    metrics::describe_gauge!(CONNECTIONS, "Connections of the database pool by state");
    // Shown as 0 from the start, so that a rate exists before the first event.
    for outcome in onefold_domain::linking::Outcome::ALL {
        metrics::counter!(IDENTIFIED, "outcome" => outcome.as_str()).absolute(0);
    }
    for rule in onefold_domain::block::BlockRule::ALL {
        metrics::counter!(BLOCKED, "rule" => rule.as_str()).absolute(0);
    }
    for outcome in CONTACT_OUTCOMES {
        metrics::counter!(CONTACTS, "outcome" => outcome).absolute(0);
    }
}

/// One contact record was changed by a caller.
pub(crate) fn count_contact(outcome: &'static str) {
    metrics::counter!(CONTACTS, "outcome" => outcome).increment(1);
}

/// Wraps every request, also those that no route takes.
pub(crate) async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let started = Instant::now();
    let id = caller_id(request.headers()).unwrap_or_else(|| new_id(&request));
    let method = request.method().as_str().to_owned();
    // The pattern, not the path: paths would make endless labels, and may name people.
    let route = request.match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    let span = tracing::info_span!("request", request_id = %id, %method, %route);
    let header = HeaderValue::from_str(&id);

    let answered = request_id::serving(id, next.call(request)).instrument(span.clone()).await;
    let answered = with_headers(answered, |headers| {
        if let Ok(header) = header {
            headers.insert(REQUEST_ID, header);
        }
    });
    let (status, elapsed) = (status(&answered).as_u16(), started.elapsed());
    span.in_scope(|| tracing::info!(status, ms = elapsed.as_secs_f64() * 1e3, "answered"));
    metrics::histogram!(REQUEST_DURATION, "route" => route.clone()).record(elapsed);
    metrics::counter!(
        REQUESTS, "method" => method, "route" => route, "status" => status.to_string()
    )
    .increment(1);
    answered
}

/// An id that a caller or a proxy gave, if it is fit to be logged and sent back.
fn caller_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let fit = !id.is_empty()
        && id.len() <= LONGEST_ID
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
    fit.then(|| id.to_owned())
}

fn new_id(request: &ServiceRequest) -> String {
    request
        .app_data::<web::Data<App>>()
        .map(|app| app.env.base.randomness.uuid(app.env.base.clock.now()).to_string())
        .unwrap_or_default()
}
