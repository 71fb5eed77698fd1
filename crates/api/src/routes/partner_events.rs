//! `POST /webhooks/openphone`: what OpenPhone reports of its contacts.

use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::error::ApiError;
use crate::operations::body_limit;
use crate::problem::Problem;
use crate::raw_body::whole;

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(web::resource("/webhooks/openphone").post(receive));
}

/// Takes the report that a contact changed or was deleted.
///
/// For OpenPhone alone: it signs with a key that the server is configured with, in either of its two ways
/// (`openphone-signature`, or `webhook-id`, `webhook-timestamp` and `webhook-signature`). A delivery may be repeated, late
/// or out of order. The contact itself is read from OpenPhone, in a moment; nothing that the body says of it is believed.
#[utoipa::path(
    post, path = "/webhooks/openphone", tag = "webhooks", operation_id = "webhooks.openphone",
    params(
        ("openphone-signature" = Option<String>, Header, description = "`hmac;1;<milliseconds>;<digest>`"),
        ("webhook-id" = Option<String>, Header, description = "The same for each attempt"),
        ("webhook-timestamp" = Option<String>, Header, description = "Seconds; at most five minutes off"),
        ("webhook-signature" = Option<String>, Header, description = "`v1,<digest>`, or several with blanks between"),
    ),
    request_body(content = serde_json::Value, description = "At most 256 KiB", example = json!({
        "id": "EV123", "apiVersion": "2026-03-30", "createdAt": "2026-11-21T17:38:10.000Z", "type": "contact.updated",
        "data": {"resource": {"id": "664d0db69fcac7cf2e6ec", "updatedAt": "2026-11-21T17:38:10.000Z"}},
    })),
    responses(
        (status = 204, description = "Received; also before, or about something else than a contact"),
        (status = 401, description = "Not signed, signed with another key, or too long ago", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The webhook is off", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Over 256 KiB", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Signed, but no event of a contact", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn receive(
    app: web::Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let webhook = app.partner_webhook.as_ref().ok_or(ApiError::WebhookNotConfigured)?;
    let body = whole(payload, body_limit(request.path())).await?;
    let header = |name: &str| request.headers().get(name)?.to_str().ok().map(ToOwned::to_owned);
    let event = webhook.reader.read(&header, &body, app.env.base.clock.now()).inspect_err(|error| {
        tracing::warn!(reason = %error, bytes = body.len(), "a report was not believed");
    })?;
    if let Some(event) = event {
        let received = webhook.events.receive(&event).await?;
        tracing::debug!(contact = %event.partner, kind = ?event.kind, ?received, "a contact was reported");
    }
    Ok(HttpResponse::NoContent().finish())
}
