//! Header fields that tell browsers what not to do with an answer. Put on every answer, also on errors.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY, SERVER,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::middleware::Next;

use crate::answered::with_headers;

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Data is nothing that a browser should run, load from, or show in a frame.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// The page of the documentation has its scripts, styles and icons from here, pictures inside its style sheet,
/// and calls the API. It sets styles of its own; scripts inside the page it has none. The badge of a validator
/// elsewhere, to which it would tell the address of this server, is not let through.
const DOCUMENTATION: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Wraps every request.
pub(crate) async fn secure(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let path = request.path();
    let documentation = path == "/docs" || path.starts_with("/docs/");
    // Everything else may show whom we know, if only by there being an answer.
    let public = documentation || path == "/openapi.json";
    let answered = next.call(request).await;
    with_headers(answered, |headers| put(headers, documentation, public))
}

fn put(headers: &mut HeaderMap, documentation: bool, public: bool) {
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
        (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
        (CONTENT_SECURITY_POLICY, if documentation { DOCUMENTATION } else { NOTHING }),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !public {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers.remove(SERVER);
}
