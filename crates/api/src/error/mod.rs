//! What a handler can fail with. `table` has the answer to each, `sources` says where they come from.

mod sources;
mod table;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use onefold_domain::{Ability, InvalidNotice, UserId};

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
    BodyTooLarge {
        /// In KiB.
        most: usize,
    },
    BodyUnreadable,
    UnsupportedMediaType,
    /// An import of something that is neither CSV nor NDJSON.
    UnsupportedFile,
    FileTooLarge,
    UnknownPath,
    UnknownContact,
    UnknownCustomer,
    UnknownUser,
    UnknownImport,
    UnknownToken,
    /// No token, or none that is good.
    Unauthenticated,
    AbilityMissing(Ability),
    /// The caller's token belongs to a user, and this is not for users.
    UserTokenRefused,
    /// Nobody gives what they do not have.
    AbilitiesNotHeld,
    UserExists(UserId),
    /// The caller has seen another state than the present one.
    Stale,
    /// Nobody said how the webhook's calls are to be told from others.
    WebhookNotConfigured,
    WebhookUnauthorized,
    InvalidNotice(InvalidNotice),
    MethodNotAllowed {
        allow: Cow<'static, str>,
    },
    /// The key named another request before.
    IdempotencyKeyReused,
    /// The request with the same key is still being carried out.
    IdempotencyRunning {
        retry_after_s: u64,
    },
    /// It was carried out, and nobody can say any more with what answer.
    IdempotencyAnswerLost,
    /// The head of the request.
    HeadTooLarge {
        /// In KiB.
        most: usize,
    },
    TooManyRequests {
        retry_after_s: u64,
    },
    /// The body did not come in time.
    RequestTimeout,
    /// The answer did not come in time.
    TimedOut(Box<dyn Error + Send + Sync>),
    /// The database is away, or these values are in too great demand. Trying again is harmless.
    Unavailable(Box<dyn Error + Send + Sync>),
    /// A defect of ours. Its cause goes to the log and nowhere else.
    Internal(Box<dyn Error + Send + Sync>),
}

/// Seconds after which a caller may try again.
const TRY_AGAIN_AFTER: &str = "1";

impl ApiError {
    /// For a failure after the answer has begun, when no body can tell of it any more.
    pub(crate) fn logged(self) -> Self {
        self.log();
        self
    }

    /// A failure is logged once, here, with its whole chain of causes.
    fn log(&self) {
        match self {
            Self::Internal(error) => tracing::error!(error = %Chain(error.as_ref()), "request failed"),
            Self::Unavailable(error) | Self::TimedOut(error) => {
                tracing::warn!(error = %Chain(error.as_ref()), "request could not be served");
            }
            _ => {}
        }
    }
}

impl Error for ApiError {}

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
                response.insert_header((ALLOW, allow.as_ref()));
                FieldErrors::new()
            }
            Self::Unauthenticated => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer"));
                FieldErrors::new()
            }
            Self::AbilityMissing(_) => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer error=\"insufficient_scope\""));
                FieldErrors::new()
            }
            Self::WebhookUnauthorized => {
                response.insert_header((WWW_AUTHENTICATE, "Basic realm=\"webhooks\""));
                FieldErrors::new()
            }
            Self::RequestTimeout => {
                // The rest of the body may come yet, and is nobody's next request.
                response.force_close();
                FieldErrors::new()
            }
            Self::TooManyRequests { retry_after_s } | Self::IdempotencyRunning { retry_after_s } => {
                response.insert_header((RETRY_AFTER, *retry_after_s));
                FieldErrors::new()
            }
            Self::Unavailable(_) | Self::TimedOut(_) => {
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
