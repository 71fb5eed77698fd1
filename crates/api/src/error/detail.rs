//! What people are told of each error: what to change, in a sentence. Exhaustive like `table`, and apart from it, so that the
//! table of what programs rely on can be seen as a whole.

use std::borrow::Cow;

use chrono::SecondsFormat;
use onefold_service::store::StorageFault;
use onefold_service::token::NotYours;

use super::{ApiError, sync};

impl ApiError {
    pub(super) fn detail(&self) -> Cow<'static, str> {
        let fixed = match self {
            Self::MalformedJson { line, column } => {
                return format!("The body is not valid JSON: see line {line}, column {column}.").into();
            }
            Self::BodyTooLarge { most } => return format!("The body may have at most {most} KiB.").into(),
            Self::HeadTooLarge { most } => {
                return format!("The path and the header fields may have at most {most} KiB together.")
                    .into();
            }
            Self::UnsupportedEncoding { taken } => {
                return format!("The body may be encoded once, and only so: {taken}; or send it as it is.")
                    .into();
            }
            Self::MethodNotAllowed { allow } => return format!("This path takes {allow}.").into(),
            Self::AbilityMissing(ability) => {
                return format!("The token lacks the ability {ability}.").into();
            }
            Self::TokenNotYours(NotYours::Outlives { end }) => {
                let end = end.to_rfc3339_opts(SecondsFormat::AutoSi, true);
                return format!(
                    "A token cannot outlive the one which makes it: send an `expiresAt` up to {end}."
                )
                .into();
            }
            Self::TooManyRequests { retry_after_s } => {
                return format!("There were too many requests; try again in {retry_after_s} s.").into();
            }
            Self::UserExists(id) => {
                return format!("The id or the external id belongs to the user {} already.", id.0).into();
            }
            Self::InvalidNotice(error) => return error.to_string().into(),
            Self::InvalidEvent(error) => return sync::sentence(&error.to_string()).into(),
            Self::Sync(error) => return sync::sentence(&error.fault().message).into(),
            Self::RunFailed(run) => {
                return sync::sentence(run.message.as_deref().unwrap_or("the run could not go on")).into();
            }
            Self::NotAnObject => {
                "The body must be one JSON object in which each field stands once, such as {\"email\": \
                 \"doc@hillvalley.edu\"}."
            }
            Self::InvalidFields(_) | Self::InvalidIdentify(_) => {
                "Some fields cannot be accepted; `errors` says why, field by field."
            }
            Self::BodyUnreadable => "The body ended early or its encoding is wrong; send it again.",
            Self::MalformedEncoding => {
                "The body is not what `Content-Encoding` says, or ends early; send it again."
            }
            Self::UnsupportedMediaType => "Send JSON and say so: `Content-Type: application/json`.",
            Self::UnsupportedFile => {
                "Send CSV or NDJSON and say which: `Content-Type: text/csv` or `application/x-ndjson`."
            }
            Self::FileTooLarge => "A file may have at most 16 GiB; import it in parts.",
            Self::WebhookUnauthorized => {
                "The secret is missing or wrong; send the one that the server is configured with."
            }
            Self::Unauthenticated => {
                "Send a token that is good: `Authorization: Bearer 12|…`; `onefold-server token create` \
                 makes one."
            }
            Self::UserTokenRefused => {
                "The token belongs to a user and is limited to that user's own data; this goes beyond \
                 it."
            }
            Self::AlreadyRegistered(_) => "This person is registered already; let them sign in.",
            Self::Stale => "It has changed since you read it; read it again and decide anew.",
            Self::ConflictResolved => "The conflict was resolved before; read it again.",
            Self::NotJoinable => {
                "Nothing that could be stated would join them: an email of one and a phone of the other \
                 is needed, and no rule that keeps them apart. An email or a phone by which another \
                 customer is known stays that one's."
            }
            Self::RunNotHeld => "The run is not held: there is nothing to approve.",
            Self::JobNotDead => {
                "The job was not given up: it is tried again by itself, or somebody is at it."
            }
            Self::JobRunning => "Somebody is at the job; try again when it has ended.",
            Self::Storage { fault: StorageFault::Full, .. } => {
                "The disk of the database is full and nothing was stored. Repeat the request when there \
                 is space again; that is harmless."
            }
            Self::Storage { fault: StorageFault::ReadOnly, .. } => {
                "The database cannot be written to and nothing was stored. Repeat the request when it \
                 can; that is harmless."
            }
            Self::Storage { fault: StorageFault::Broken, .. } => {
                "The storage of the database fails; the server's log says how. Repeat the request when \
                 this has been seen to; that is harmless."
            }
            Self::Unavailable(_) => {
                "The service cannot answer at the moment. Repeat the request; that is harmless."
            }
            Self::IdempotencyKeyReused => {
                "The idempotency key was used for another request; take a new one for each operation."
            }
            Self::IdempotencyRunning { .. } => {
                "The request with this idempotency key is still being carried out; ask again in a \
                 moment."
            }
            Self::IdempotencyAnswerLost => {
                "The request with this idempotency key was carried out, but its answer cannot be given \
                 again."
            }
            Self::RequestTimeout => "The body did not come in time; send it again.",
            Self::TimedOut(_) => {
                "The answer took too long. Read what became of the request before you repeat it."
            }
            Self::UnknownPath => "There is nothing under this path; /docs lists what there is.",
            Self::UnknownContact => "There is no such contact; it may have been withdrawn.",
            Self::UnknownCustomer => "There is no such customer; its contacts may have been withdrawn.",
            Self::UnknownUser => "There is no such user; POST /users creates one.",
            Self::UnknownToken => {
                "There is no such token; it may have been revoked, or permits more than yours."
            }
            Self::UnknownMapping => "Nobody here knows of a record in the other system; a sync makes one.",
            Self::UnknownConflict => "There is no such conflict.",
            Self::UnknownRun => "There is no such run; old ones are forgotten.",
            Self::UnknownJob => "There is no such job; one that is done is not kept.",
            Self::UnknownImport => "There is no such import.",
            Self::WebhookNotConfigured => {
                "This webhook is off; the server's configuration turns it on with a secret."
            }
            Self::TokenNotYours(NotYours::Abilities) => {
                "A token can be given only abilities that the token which makes it has."
            }
            Self::Internal(_) => "Something went wrong here. Name the request id when you report it.",
        };
        fixed.into()
    }
}
