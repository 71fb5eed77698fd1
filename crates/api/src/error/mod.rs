//! What a handler can fail with. `table` has status and code of each, `detail` the sentence beside them, and `sources` says
//! where they come from.

mod detail;
mod sources;
mod sync;
mod table;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use onefold_domain::id::{CustomerId, UserId};
use onefold_service::identities::InvalidNotice;
use onefold_service::store::StorageFault;
use onefold_service::token::{Ability, NotYours};
use onefold_sync::events::InvalidEvent;
use onefold_sync::run::Run;
use onefold_sync::sync_error::SyncError;
use serde_json::{Map, Value};

use crate::faults::Faults;
use crate::problem::{FieldErrors, MEDIA_TYPE, Problem};
use crate::request_id::request_id;
pub(crate) use sync::sentence;

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
    /// Fields of `/identify`, whose contract has another status for them.
    InvalidIdentify(FieldErrors),
    BodyTooLarge {
        /// In KiB.
        most: usize,
    },
    BodyUnreadable,
    /// It does not unpack as its `Content-Encoding` says.
    MalformedEncoding,
    UnsupportedEncoding {
        /// As the header `Accept-Encoding` lists it.
        taken: &'static str,
    },
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
    /// The customer has no record in the other system, or nobody here knows the record.
    UnknownMapping,
    UnknownConflict,
    UnknownRun,
    UnknownJob,
    /// No token, or none that is good.
    Unauthenticated,
    AbilityMissing(Ability),
    /// The caller's token belongs to a user, and this is not for users.
    UserTokenRefused,
    /// Nobody gives what they do not have.
    TokenNotYours(NotYours),
    UserExists(UserId),
    /// As this customer, if the caller may know.
    AlreadyRegistered(Option<CustomerId>),
    /// The caller has seen another state than the present one.
    Stale,
    /// Nobody said how the webhook's calls are to be told from others.
    WebhookNotConfigured,
    WebhookUnauthorized,
    InvalidNotice(InvalidNotice),
    /// A report that is not believed, or cannot be read.
    InvalidEvent(InvalidEvent),
    MethodNotAllowed {
        allow: Cow<'static, str>,
    },
    /// A customer was not brought into step with its record.
    Sync(SyncError),
    ConflictResolved,
    /// Nothing that could be stated would join the two customers.
    NotJoinable,
    /// Only a run that is held can be approved.
    RunNotHeld,
    /// It could not go on; what it had done stays.
    RunFailed(Box<Run>),
    /// Only a job that was given up can be replayed.
    JobNotDead,
    /// Somebody is at it.
    JobRunning,
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
    /// The database's storage is at fault. Repeating is harmless, and of use when somebody has seen to it.
    Storage {
        fault: StorageFault,
        source: Box<dyn Error + Send + Sync>,
    },
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

    /// The beginning of an answer, whatever its body is to look like: the header fields that belong to it.
    pub(crate) fn begin(&self, status: StatusCode) -> HttpResponseBuilder {
        self.log();
        let mut response = HttpResponseBuilder::new(status);
        match self {
            Self::MethodNotAllowed { allow } => {
                response.insert_header((ALLOW, allow.as_ref()));
            }
            Self::Unauthenticated => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer"));
            }
            Self::AbilityMissing(_) => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer error=\"insufficient_scope\""));
            }
            Self::WebhookUnauthorized => {
                response.insert_header((WWW_AUTHENTICATE, "Basic realm=\"webhooks\""));
            }
            Self::InvalidEvent(_) if status == StatusCode::UNAUTHORIZED => {
                response.insert_header((WWW_AUTHENTICATE, "Signature realm=\"webhooks\""));
            }
            Self::RequestTimeout => {
                // The rest of the body may come yet, and is nobody's next request.
                response.force_close();
            }
            Self::TooManyRequests { retry_after_s } | Self::IdempotencyRunning { retry_after_s } => {
                response.insert_header((RETRY_AFTER, *retry_after_s));
            }
            Self::Unavailable(_) | Self::TimedOut(_) | Self::Storage { .. } => {
                response.insert_header((RETRY_AFTER, TRY_AGAIN_AFTER));
            }
            Self::Sync(error) => {
                if let Some(seconds) = sync::retry_after(error) {
                    response.insert_header((RETRY_AFTER, seconds));
                }
            }
            _ => {}
        }
        response
    }

    /// The code and what to change.
    pub(crate) fn code_and_detail(&self) -> (&'static str, Cow<'static, str>) {
        (self.status_and_code().1, self.detail())
    }

    /// What a program can go by beside the code: for faulty fields, what is wrong with each.
    pub(crate) fn details(&self) -> Map<String, Value> {
        match self {
            Self::InvalidFields(errors) | Self::InvalidIdentify(errors) => {
                errors.iter().map(|(field, messages)| (field.to_string(), messages.clone().into())).collect()
            }
            Self::Sync(error) => sync::details(error),
            Self::AlreadyRegistered(Some(customer)) => {
                Map::from_iter([("customerId".to_owned(), customer.0.to_string().into())])
            }
            Self::RunFailed(run) => Map::from_iter([("runId".to_owned(), run.id.0.to_string().into())]),
            _ => Map::new(),
        }
    }

    /// A failure is logged once, here, with its whole chain of causes.
    fn log(&self) {
        match self {
            Self::Internal(error) => tracing::error!(error = %Chain(error.as_ref()), "request failed"),
            // The store tells when this begins and ends; here is only which request met it.
            Self::Storage { fault, source } => {
                tracing::debug!(%fault, error = %Chain(source.as_ref()), "request could not be served");
            }
            Self::Unavailable(error) | Self::TimedOut(error) => {
                tracing::warn!(error = %Chain(error.as_ref()), "request could not be served");
            }
            Self::Sync(error) if self.status_code().is_server_error() => {
                tracing::warn!(error = %Chain(error), "a customer could not be synced");
            }
            _ => {}
        }
    }
}

impl Error for ApiError {}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status_and_code().0
    }

    fn error_response(&self) -> HttpResponse {
        let (status, code) = self.status_and_code();
        let errors = match self {
            Self::InvalidFields(errors) | Self::InvalidIdentify(errors) => errors.clone(),
            Self::Sync(error) => sync::field_errors(error),
            _ => FieldErrors::new(),
        };
        self.begin(status).content_type(MEDIA_TYPE).json(Problem {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code,
            detail: self.detail(),
            errors,
            request_id: request_id(),
        })
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.status_and_code().1)
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

impl From<Faults> for ApiError {
    fn from(faults: Faults) -> Self {
        Self::InvalidFields(faults.0)
    }
}
