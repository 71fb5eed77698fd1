//! `POST /webhooks/kratos`: what Ory Kratos reports of its accounts.

use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use onefold_service::actor::{Acting, Actor};
use onefold_service::identities::{Applied, IdentityFault};

use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;
use crate::operations::body_limit;
use crate::problem::Problem;
use crate::raw_body::whole;

/// Kratos' name of the call, the same for each of its attempts.
const TRIGGER: &str = "Ory-Webhook-Trigger-ID";

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(web::resource("/webhooks/kratos").post(receive));
}

/// Takes over an account of Ory Kratos: the user, its emails and phones, and which of them are verified.
///
/// For Kratos alone: it proves itself with the header or the basic authentication that the server is
/// configured with. A call may be repeated. What the body holds is said in `docs/kratos.md`.
#[utoipa::path(
    post, path = "/webhooks/kratos", tag = "webhooks", operation_id = "webhooks.kratos",
    params(("Ory-Webhook-Trigger-ID" = Option<String>, Header, description = "By which a repetition is known")),
    request_body(content = serde_json::Value, description = "At most 256 KiB", example = json!({
        "event": "registration", "flow_id": "3f4b1c9e-0b52-4f63-8ad5-3ac0b7a3b0a1",
        "identity": {
            "id": "9f425a8d-7efc-4768-8f23-7647a74fdf13", "traits": {"email": "ann@example.com"},
            "verifiable_addresses": [{"value": "ann@example.com", "via": "email", "verified": true}],
        },
    })),
    responses(
        (status = 204, description = "Taken over, or nothing to object"),
        (status = 400, description = "Kratos is to interrupt the person's flow and show these messages", body = serde_json::Value,
            example = json!({"messages": [{"instance_ptr": "#/traits/email", "messages": [{
                "id": 9_000_006, "text": "This address belongs to another account.", "type": "error", "context": {},
            }]}]})),
        (status = 401, description = "No secret, or a wrong one", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The webhook is off", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Over 256 KiB", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The hook's template is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn receive(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let webhook = app.kratos.as_ref().ok_or(ApiError::WebhookNotConfigured)?;
    if !webhook.admits(request.headers()) {
        return Err(ApiError::WebhookUnauthorized);
    }
    let body = whole(payload, body_limit(request.path())).await?;
    let trigger = request.headers().get(TRIGGER).and_then(|value| value.to_str().ok());
    let notice = webhook.reader.read(&body, trigger)?;
    let mut faults = notice.faults;
    if webhook.interrupt && notice.stoppable {
        faults.extend(app.identities.taken(&notice.event).await?);
        if !faults.is_empty() {
            log(&faults);
            return Ok(HttpResponse::BadRequest().json(webhook.reader.refusal(&faults)));
        }
    }
    log(&faults);
    if !notice.check_only {
        // It has shown the secret of the webhook, whatever else it has shown.
        let acting = Acting { actor: Actor::Webhook("kratos"), ..caller.acting().clone() };
        let applied = app.identities.acting(&acting).apply(&notice.event).await?;
        tracing::debug!(user = %notice.event.user.0, repeated = applied == Applied::Repeated, "identity taken over");
    }
    Ok(HttpResponse::NoContent().finish())
}

/// A person's flow must not break because of a value that is none, so that somebody has to read of it here.
fn log(faults: &[IdentityFault]) {
    for fault in faults {
        tracing::warn!(pointer = fault.pointer, reason = %fault.reason, "a value of an identity was not accepted");
    }
}
