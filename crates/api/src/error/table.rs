//! The one table from error to answer.

use actix_web::http::StatusCode;
use chrono::SecondsFormat;
use onefold_service::store::StorageFault;
use onefold_service::token::NotYours;
use onefold_sync::events::InvalidEvent;

use super::{ApiError, Entry, sync};

impl ApiError {
    pub(super) fn describe(&self) -> Entry {
        match self {
            Self::MalformedJson { line, column } => (
                StatusCode::BAD_REQUEST,
                "malformed_json",
                format!("The body is not valid JSON: see line {line}, column {column}."),
            ),
            Self::BodyTooLarge { most } => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                format!("The body may have at most {most} KiB."),
            ),
            Self::HeadTooLarge { most } => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "head_too_large",
                format!("The path and the header fields may have at most {most} KiB together."),
            ),
            Self::UnsupportedEncoding { taken } => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_encoding",
                format!("The body may be encoded once, and only so: {taken}; or send it as it is."),
            ),
            Self::TooManyRequests { retry_after_s } => (
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_requests",
                format!("There were too many requests; try again in {retry_after_s} s."),
            ),
            Self::UserExists(id) => (
                StatusCode::CONFLICT,
                "user_exists",
                format!("The id or the external id belongs to the user {} already.", id.0),
            ),
            Self::InvalidNotice(error) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "invalid_notice", error.to_string())
            }
            Self::InvalidEvent(error @ InvalidEvent::Malformed(_)) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "invalid_event", sync::sentence(&error.to_string()))
            }
            Self::InvalidEvent(error) => {
                (StatusCode::UNAUTHORIZED, "invalid_signature", sync::sentence(&error.to_string()))
            }
            Self::MethodNotAllowed { allow } => {
                (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", format!("This path takes {allow}."))
            }
            Self::AbilityMissing(ability) => {
                (StatusCode::FORBIDDEN, "ability_missing", format!("The token lacks the ability {ability}."))
            }
            Self::TokenNotYours(NotYours::Abilities) => (
                StatusCode::FORBIDDEN,
                "abilities_not_held",
                "A token can be given only abilities that the token which makes it has.".to_owned(),
            ),
            Self::TokenNotYours(NotYours::Outlives { end }) => (
                StatusCode::FORBIDDEN,
                "outlives_maker",
                format!(
                    "A token cannot outlive the one which makes it: send an `expiresAt` up to {}.",
                    end.to_rfc3339_opts(SecondsFormat::AutoSi, true)
                ),
            ),
            Self::Sync(error) => sync::describe(error),
            Self::RunFailed(run) => (
                StatusCode::BAD_GATEWAY,
                "run_failed",
                sync::sentence(run.message.as_deref().unwrap_or("the run could not go on")),
            ),
            fixed => {
                let (status, code, detail) = fixed.fixed();
                (status, code, detail.to_owned())
            }
        }
    }

    /// The answers that are always the same.
    fn fixed(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::NotAnObject => (
                StatusCode::BAD_REQUEST,
                "not_an_object",
                "The body must be one JSON object in which each field stands once, such as \
                 {\"email\": \"doc@hillvalley.edu\"}.",
            ),
            Self::InvalidFields(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_request",
                "Some fields cannot be accepted; `errors` says why, field by field.",
            ),
            Self::BodyUnreadable => (
                StatusCode::BAD_REQUEST,
                "body_unreadable",
                "The body ended early or its encoding is wrong; send it again.",
            ),
            Self::MalformedEncoding => (
                StatusCode::BAD_REQUEST,
                "malformed_encoding",
                "The body is not what `Content-Encoding` says, or ends early; send it again.",
            ),
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Send JSON and say so: `Content-Type: application/json`.",
            ),
            Self::UnsupportedFile => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Send CSV or NDJSON and say which: `Content-Type: text/csv` or `application/x-ndjson`.",
            ),
            Self::FileTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "file_too_large",
                "A file may have at most 16 GiB; import it in parts.",
            ),
            Self::WebhookUnauthorized => (
                StatusCode::UNAUTHORIZED,
                "webhook_unauthorized",
                "The secret is missing or wrong; send the one that the server is configured with.",
            ),
            Self::Unauthenticated => (
                StatusCode::UNAUTHORIZED,
                "unauthenticated",
                "Send a token that is good: `Authorization: Bearer 12|…`; `onefold-server token create` makes one.",
            ),
            Self::UserTokenRefused => (
                StatusCode::FORBIDDEN,
                "user_token",
                "The token belongs to a user and is limited to that user's own data; this goes beyond it.",
            ),
            Self::AlreadyRegistered(_) => (
                StatusCode::CONFLICT,
                "already_registered",
                "This person is registered already; let them sign in.",
            ),
            Self::Stale => (
                StatusCode::PRECONDITION_FAILED,
                "stale",
                "It has changed since you read it; read it again and decide anew.",
            ),
            Self::ConflictResolved => (
                StatusCode::CONFLICT,
                "conflict_resolved",
                "The conflict was resolved before; read it again.",
            ),
            Self::NotJoinable => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "not_joinable",
                "Nothing that could be stated would join them: an email of one and a phone of the other is \
                 needed, and no rule that keeps them apart. An email or a phone by which another customer is \
                 known stays that one's.",
            ),
            Self::RunNotHeld => {
                (StatusCode::CONFLICT, "run_not_held", "The run is not held: there is nothing to approve.")
            }
            Self::JobNotDead => (
                StatusCode::CONFLICT,
                "job_not_dead",
                "The job was not given up: it is tried again by itself, or somebody is at it.",
            ),
            Self::JobRunning => {
                (StatusCode::CONFLICT, "job_running", "Somebody is at the job; try again when it has ended.")
            }
            Self::Storage { fault: StorageFault::Full, .. } => (
                StatusCode::SERVICE_UNAVAILABLE,
                "storage_full",
                "The disk of the database is full and nothing was stored. Repeat the request when there is space \
                 again; that is harmless.",
            ),
            Self::Storage { fault: StorageFault::ReadOnly, .. } => (
                StatusCode::SERVICE_UNAVAILABLE,
                "storage_read_only",
                "The database cannot be written to and nothing was stored. Repeat the request when it can; that is \
                 harmless.",
            ),
            Self::Storage { fault: StorageFault::Broken, .. } => (
                StatusCode::SERVICE_UNAVAILABLE,
                "storage_failed",
                "The storage of the database fails; the server's log says how. Repeat the request when this has \
                 been seen to; that is harmless.",
            ),
            Self::Unavailable(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "The service cannot answer at the moment. Repeat the request; that is harmless.",
            ),
            Self::IdempotencyKeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "The idempotency key was used for another request; take a new one for each operation.",
            ),
            Self::IdempotencyRunning { .. } => (
                StatusCode::CONFLICT,
                "idempotency_running",
                "The request with this idempotency key is still being carried out; ask again in a moment.",
            ),
            Self::IdempotencyAnswerLost => (
                StatusCode::CONFLICT,
                "idempotency_answer_lost",
                "The request with this idempotency key was carried out, but its answer cannot be given again.",
            ),
            Self::RequestTimeout => (
                StatusCode::REQUEST_TIMEOUT,
                "request_timeout",
                "The body did not come in time; send it again.",
            ),
            Self::TimedOut(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "timed_out",
                "The answer took too long. Read what became of the request before you repeat it.",
            ),
            missing => missing.missing().unwrap_or((
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Something went wrong here. Name the request id when you report it.",
            )),
        }
    }

    /// The answers to what is not there.
    fn missing(&self) -> Option<(StatusCode, &'static str, &'static str)> {
        let (code, detail) = match self {
            Self::UnknownPath => {
                ("unknown_path", "There is nothing under this path; /docs lists what there is.")
            }
            Self::UnknownContact => {
                ("unknown_contact", "There is no such contact; it may have been withdrawn.")
            }
            Self::UnknownCustomer => {
                ("unknown_customer", "There is no such customer; its contacts may have been withdrawn.")
            }
            Self::UnknownUser => ("unknown_user", "There is no such user; POST /users creates one."),
            Self::UnknownToken => (
                "unknown_token",
                "There is no such token; it may have been revoked, or permits more than yours.",
            ),
            Self::UnknownMapping => {
                ("unknown_mapping", "Nobody here knows of a record in the other system; a sync makes one.")
            }
            Self::UnknownConflict => ("unknown_conflict", "There is no such conflict."),
            Self::UnknownRun => ("unknown_run", "There is no such run; old ones are forgotten."),
            Self::UnknownJob => ("unknown_job", "There is no such job; one that is done is not kept."),
            Self::UnknownImport => ("unknown_import", "There is no such import."),
            Self::WebhookNotConfigured => (
                "webhook_not_configured",
                "This webhook is off; the server's configuration turns it on with a secret.",
            ),
            _ => return None,
        };
        Some((StatusCode::NOT_FOUND, code, detail))
    }
}
