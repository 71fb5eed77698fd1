//! The one table from error to answer. It has a row for every variant and no row for the rest, so an error that is added does
//! not compile before somebody has said what callers are told of it. What people read stands in `detail`.

use actix_web::http::StatusCode as S;
use onefold_service::store::StorageFault;
use onefold_service::token::NotYours;
use onefold_sync::events::InvalidEvent;

use super::{ApiError, sync};

impl ApiError {
    pub(super) fn status_and_code(&self) -> (S, &'static str) {
        match self {
            Self::MalformedJson { .. } => (S::BAD_REQUEST, "malformed_json"),
            Self::NotAnObject => (S::BAD_REQUEST, "not_an_object"),
            Self::InvalidFields(_) => (S::UNPROCESSABLE_ENTITY, "invalid_request"),
            // By the contract of `/identify`, all public implementations of which answer so.
            Self::InvalidIdentify(_) => (S::BAD_REQUEST, "invalid_request"),
            Self::BodyTooLarge { .. } => (S::PAYLOAD_TOO_LARGE, "body_too_large"),
            Self::BodyUnreadable => (S::BAD_REQUEST, "body_unreadable"),
            Self::MalformedEncoding => (S::BAD_REQUEST, "malformed_encoding"),
            Self::UnsupportedEncoding { .. } => (S::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding"),
            Self::UnsupportedMediaType | Self::UnsupportedFile => {
                (S::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
            }
            Self::FileTooLarge => (S::PAYLOAD_TOO_LARGE, "file_too_large"),
            Self::HeadTooLarge { .. } => (S::REQUEST_HEADER_FIELDS_TOO_LARGE, "head_too_large"),
            Self::MethodNotAllowed { .. } => (S::METHOD_NOT_ALLOWED, "method_not_allowed"),

            Self::UnknownPath => (S::NOT_FOUND, "unknown_path"),
            Self::UnknownContact => (S::NOT_FOUND, "unknown_contact"),
            Self::UnknownCustomer => (S::NOT_FOUND, "unknown_customer"),
            Self::UnknownUser => (S::NOT_FOUND, "unknown_user"),
            Self::UnknownImport => (S::NOT_FOUND, "unknown_import"),
            Self::UnknownToken => (S::NOT_FOUND, "unknown_token"),
            Self::UnknownMapping => (S::NOT_FOUND, "unknown_mapping"),
            Self::UnknownConflict => (S::NOT_FOUND, "unknown_conflict"),
            Self::UnknownRun => (S::NOT_FOUND, "unknown_run"),
            Self::UnknownJob => (S::NOT_FOUND, "unknown_job"),
            Self::WebhookNotConfigured => (S::NOT_FOUND, "webhook_not_configured"),

            Self::Unauthenticated => (S::UNAUTHORIZED, "unauthenticated"),
            Self::WebhookUnauthorized => (S::UNAUTHORIZED, "webhook_unauthorized"),
            Self::AbilityMissing(_) => (S::FORBIDDEN, "ability_missing"),
            Self::UserTokenRefused => (S::FORBIDDEN, "user_token"),
            Self::TokenNotYours(NotYours::Abilities) => (S::FORBIDDEN, "abilities_not_held"),
            Self::TokenNotYours(NotYours::Outlives { .. }) => (S::FORBIDDEN, "outlives_maker"),

            Self::InvalidNotice(_) => (S::UNPROCESSABLE_ENTITY, "invalid_notice"),
            Self::InvalidEvent(InvalidEvent::Malformed(_)) => (S::UNPROCESSABLE_ENTITY, "invalid_event"),
            Self::InvalidEvent(InvalidEvent::Unsigned | InvalidEvent::Forged | InvalidEvent::Expired) => {
                (S::UNAUTHORIZED, "invalid_signature")
            }

            Self::UserExists(_) => (S::CONFLICT, "user_exists"),
            Self::AlreadyRegistered(_) => (S::CONFLICT, "already_registered"),
            Self::Stale => (S::PRECONDITION_FAILED, "stale"),
            Self::ConflictResolved => (S::CONFLICT, "conflict_resolved"),
            Self::NotJoinable => (S::UNPROCESSABLE_ENTITY, "not_joinable"),
            Self::RunNotHeld => (S::CONFLICT, "run_not_held"),
            Self::RunFailed(_) => (S::BAD_GATEWAY, "run_failed"),
            Self::JobNotDead => (S::CONFLICT, "job_not_dead"),
            Self::JobRunning => (S::CONFLICT, "job_running"),
            Self::Sync(error) => (sync::status(error), error.code()),

            Self::IdempotencyKeyReused => (S::UNPROCESSABLE_ENTITY, "idempotency_key_reused"),
            Self::IdempotencyRunning { .. } => (S::CONFLICT, "idempotency_running"),
            Self::IdempotencyAnswerLost => (S::CONFLICT, "idempotency_answer_lost"),

            Self::TooManyRequests { .. } => (S::TOO_MANY_REQUESTS, "too_many_requests"),
            Self::RequestTimeout => (S::REQUEST_TIMEOUT, "request_timeout"),
            Self::TimedOut(_) => (S::SERVICE_UNAVAILABLE, "timed_out"),
            Self::Storage { fault, .. } => (S::SERVICE_UNAVAILABLE, storage_code(*fault)),
            Self::Unavailable(_) => (S::SERVICE_UNAVAILABLE, "unavailable"),
            Self::Internal(_) => (S::INTERNAL_SERVER_ERROR, "internal"),
        }
    }
}

fn storage_code(fault: StorageFault) -> &'static str {
    match fault {
        StorageFault::Full => "storage_full",
        StorageFault::ReadOnly => "storage_read_only",
        StorageFault::Broken => "storage_failed",
    }
}
