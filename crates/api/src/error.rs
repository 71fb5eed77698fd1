//! The one table from error to answer.

use std::error::Error;
use std::fmt;

use actix_web::error::JsonPayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use onefold_domain::{Failure, InvalidNotice, StoreError};

use crate::problem::{FieldErrors, MEDIA_TYPE, Problem};
use crate::telemetry::request_id;

/// Everything that a handler can fail with.
#[derive(Debug)]
pub(crate) enum ApiError {
    MalformedJson {
        line: usize,
        column: usize,
    },
    /// JSON, but not of the shape asked for.
    NotAnObject,
    InvalidFields(FieldErrors),
    BodyTooLarge,
    BodyUnreadable,
    UnsupportedMediaType,
    UnknownPath,
    /// Nobody said how the webhook's calls are to be told from others.
    WebhookNotConfigured,
    WebhookUnauthorized,
    WebhookTooLarge,
    InvalidNotice(InvalidNotice),
    MethodNotAllowed {
        allow: &'static str,
    },
    /// The database is away, or these values are in too great demand. Trying again is harmless.
    Unavailable(Box<dyn Error + Send + Sync>),
    /// A defect of ours. Its cause goes to the log and nowhere else.
    Internal(Box<dyn Error + Send + Sync>),
}

/// Seconds after which a caller may try again.
const TRY_AGAIN_AFTER: &str = "1";

impl ApiError {
    /// Status, code, and what to change.
    fn describe(&self) -> (StatusCode, &'static str, String) {
        match self {
            Self::MalformedJson { line, column } => (
                StatusCode::BAD_REQUEST,
                "malformed_json",
                format!("The body is not valid JSON: see line {line}, column {column}."),
            ),
            Self::NotAnObject => (
                StatusCode::BAD_REQUEST,
                "not_an_object",
                "The body must be one JSON object in which each field stands once, such as \
                 {\"email\": \"doc@hillvalley.edu\"}."
                    .to_owned(),
            ),
            Self::InvalidFields(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_request",
                "Some fields cannot be accepted; `errors` says why, field by field.".to_owned(),
            ),
            Self::BodyTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "The body may have at most 64 KiB.".to_owned(),
            ),
            Self::BodyUnreadable => (
                StatusCode::BAD_REQUEST,
                "body_unreadable",
                "The body ended early or its encoding is wrong; send it again.".to_owned(),
            ),
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Send JSON and say so: `Content-Type: application/json`.".to_owned(),
            ),
            Self::UnknownPath => (
                StatusCode::NOT_FOUND,
                "unknown_path",
                "There is nothing under this path; /docs lists what there is.".to_owned(),
            ),
            Self::WebhookNotConfigured => (
                StatusCode::NOT_FOUND,
                "webhook_not_configured",
                "This webhook is off; the server's configuration turns it on with a secret.".to_owned(),
            ),
            Self::WebhookUnauthorized => (
                StatusCode::UNAUTHORIZED,
                "webhook_unauthorized",
                "The secret is missing or wrong; send the one that the server is configured with.".to_owned(),
            ),
            Self::WebhookTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "The body of a webhook may have at most 256 KiB.".to_owned(),
            ),
            Self::InvalidNotice(error) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "invalid_notice", error.to_string())
            }
            Self::MethodNotAllowed { allow } => {
                (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", format!("This path takes {allow}."))
            }
            Self::Unavailable(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "The service cannot answer at the moment. Repeat the request; that is harmless.".to_owned(),
            ),
            Self::Internal(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Something went wrong here. Name the request id when you report it.".to_owned(),
            ),
        }
    }

    /// A failure is logged once, here, with its whole chain of causes.
    fn log(&self) {
        match self {
            Self::Internal(error) => tracing::error!(error = %Chain(error.as_ref()), "request failed"),
            Self::Unavailable(error) => {
                tracing::warn!(error = %Chain(error.as_ref()), "request could not be served");
            }
            _ => {}
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.describe().0
    }

    fn error_response(&self) -> HttpResponse {
        self.log();
        let (status, code, detail) = self.describe();
        let mut response = HttpResponseBuilder::new(status);
        response.content_type(MEDIA_TYPE);
        let errors = match self {
            Self::InvalidFields(errors) => errors.clone(),
            Self::MethodNotAllowed { allow } => {
                response.insert_header((ALLOW, *allow));
                FieldErrors::new()
            }
            Self::WebhookUnauthorized => {
                response.insert_header((WWW_AUTHENTICATE, "Basic realm=\"webhooks\""));
                FieldErrors::new()
            }
            Self::Unavailable(_) => {
                response.insert_header((RETRY_AFTER, TRY_AGAIN_AFTER));
                FieldErrors::new()
            }
            _ => FieldErrors::new(),
        };
        response.json(Problem {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code,
            detail,
            errors,
            request_id: request_id(),
        })
    }
}

impl From<Failure> for ApiError {
    fn from(error: Failure) -> Self {
        match error {
            Failure::Unavailable { .. } | Failure::TimedOut => Self::Unavailable(Box::new(error)),
            Failure::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict | StoreError::Unavailable(_) => Self::Unavailable(Box::new(error)),
            StoreError::Backend(_) => Self::Internal(Box::new(error)),
        }
    }
}

impl From<InvalidNotice> for ApiError {
    fn from(error: InvalidNotice) -> Self {
        Self::InvalidNotice(error)
    }
}

impl From<JsonPayloadError> for ApiError {
    fn from(error: JsonPayloadError) -> Self {
        match error {
            JsonPayloadError::OverflowKnownLength { .. } | JsonPayloadError::Overflow { .. } => {
                Self::BodyTooLarge
            }
            JsonPayloadError::ContentType => Self::UnsupportedMediaType,
            JsonPayloadError::Deserialize(error) if error.is_data() => Self::NotAnObject,
            JsonPayloadError::Deserialize(error) => {
                Self::MalformedJson { line: error.line(), column: error.column() }
            }
            JsonPayloadError::Payload(_) => Self::BodyUnreadable,
            error => Self::Internal(error.to_string().into()),
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.describe().1)
    }
}

/// An error with its causes, on one line.
struct Chain<'a>(&'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
