//! Failures of sync, in the table of answers: what a caller can do about each decides its status.

use std::time::Duration;

use actix_web::http::StatusCode;
use onefold_service::error::RecordError;
use onefold_sync::partner::PartnerError;
use onefold_sync::resolver::ResolveError;
use onefold_sync::sync_error::SyncError;
use serde_json::{Map, Value, json};

use super::ApiError;
use crate::faults::Faults;
use crate::problem::FieldErrors;

/// When to come back if the other system does not say.
const QUOTA_PAUSE: Duration = Duration::from_secs(60);
const BUSY_PAUSE: Duration = Duration::from_secs(5);
const NEXT_START: Duration = Duration::from_secs(1);

pub(super) fn status(error: &SyncError) -> StatusCode {
    match error {
        SyncError::NoSuchCustomer | SyncError::Missing => StatusCode::NOT_FOUND,
        SyncError::OpenConflict { .. } | SyncError::Busy => StatusCode::CONFLICT,
        SyncError::NoContactPoint | SyncError::Record(_) => StatusCode::UNPROCESSABLE_ENTITY,
        SyncError::Interrupted => StatusCode::SERVICE_UNAVAILABLE,
        SyncError::Partner(error) => match error {
            PartnerError::NotFound => StatusCode::NOT_FOUND,
            PartnerError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            PartnerError::NotConfigured { .. }
            | PartnerError::CircuitOpen { .. }
            | PartnerError::QuotaExceeded { .. } => StatusCode::SERVICE_UNAVAILABLE,
            PartnerError::Rejected { .. }
            | PartnerError::AccessDenied { .. }
            | PartnerError::Unreachable(_)
            | PartnerError::TimedOut
            | PartnerError::Uncertain(_)
            | PartnerError::Unexpected(_) => StatusCode::BAD_GATEWAY,
        },
    }
}

pub(super) fn retry_after(error: &SyncError) -> Option<u64> {
    let pause = match error {
        SyncError::Busy => BUSY_PAUSE,
        SyncError::Interrupted => NEXT_START,
        SyncError::Partner(PartnerError::CircuitOpen { retry_after }) => *retry_after,
        SyncError::Partner(PartnerError::QuotaExceeded { retry_after }) => retry_after.unwrap_or(QUOTA_PAUSE),
        _ => return None,
    };
    // Whoever comes back in time to the second must not come too early.
    Some(pause.as_secs() + u64::from(pause.subsec_nanos() > 0))
}

/// What a program can go by beside the code.
pub(super) fn details(error: &SyncError) -> Map<String, Value> {
    let entries: Vec<(&str, Value)> = match error {
        SyncError::OpenConflict { conflicts } => {
            let ids: Vec<_> = conflicts.iter().map(|conflict| conflict.0).collect();
            vec![("conflicts", json!(ids)), ("resolve", json!("POST /sync/conflicts/{id}/resolve"))]
        }
        SyncError::Partner(PartnerError::NotConfigured { missing }) => vec![("missing", json!(missing))],
        SyncError::Partner(PartnerError::Rejected { code, .. }) => vec![("code", json!(code))],
        SyncError::Partner(PartnerError::Invalid(faults)) => {
            faults.iter().map(|fault| (fault.field.as_str(), json!(sentence(&fault.to_string())))).collect()
        }
        _ => Vec::new(),
    };
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What is wrong with each field, as a problem tells it under `errors`.
pub(super) fn field_errors(error: &SyncError) -> FieldErrors {
    let SyncError::Partner(PartnerError::Invalid(faults)) = error else { return FieldErrors::new() };
    let mut errors = FieldErrors::new();
    for fault in faults {
        errors.entry(fault.field.as_str().into()).or_default().push(sentence(&fault.to_string()));
    }
    errors
}

/// What a failure says, as people read it.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    let mut sentence: String = first.into_iter().flatten().chain(letters).collect();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

impl From<SyncError> for ApiError {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Record(RecordError::Failure(failure)) => failure.into(),
            error => Self::Sync(error),
        }
    }
}

impl From<ResolveError> for ApiError {
    fn from(error: ResolveError) -> Self {
        let mut faults = Faults::default();
        match error {
            ResolveError::NoSuchConflict => return Self::UnknownConflict,
            ResolveError::AlreadyResolved => return Self::ConflictResolved,
            ResolveError::NotJoinable => return Self::NotJoinable,
            ResolveError::Sync(error) => return error.into(),
            ResolveError::NoAnswer { possible } => {
                faults.add("resolution", format!("This conflict is resolved by {}.", possible.join(", ")));
            }
            ResolveError::InvalidValue { field } => {
                faults.add("value", format!("The value cannot be kept as {}.", field.as_str()));
            }
        }
        faults.into()
    }
}

#[cfg(test)]
mod tests {
    use onefold_sync::conflict::ConflictId;
    use onefold_sync::partner::{PartnerFault, PartnerFaultReason, PartnerField, RemoteMessage};

    use super::*;

    #[test]
    fn every_failure_has_its_status() {
        use PartnerError as P;
        let source = || "away".into();
        let said = RemoteMessage::new("Napaka");
        for (error, expected, retry) in [
            (SyncError::NoSuchCustomer, 404, None),
            (SyncError::Missing, 404, None),
            (P::NotFound.into(), 404, None),
            (SyncError::OpenConflict { conflicts: vec![ConflictId(1)] }, 409, None),
            (SyncError::Busy, 409, Some(5)),
            (SyncError::NoContactPoint, 422, None),
            (P::Invalid(Vec::new()).into(), 422, None),
            (P::Rejected { code: "6".to_owned(), said: said.clone() }.into(), 502, None),
            (P::AccessDenied { said }.into(), 502, None),
            (P::Unreachable(source()).into(), 502, None),
            (P::TimedOut.into(), 502, None),
            (P::Uncertain(source()).into(), 502, None),
            (P::Unexpected(source()).into(), 502, None),
            (P::NotConfigured { missing: vec!["KEY"] }.into(), 503, None),
            (P::CircuitOpen { retry_after: Duration::from_millis(1_200) }.into(), 503, Some(2)),
            (P::QuotaExceeded { retry_after: None }.into(), 503, Some(60)),
            (SyncError::Interrupted, 503, Some(1)),
        ] {
            let (code, message) = (error.code(), sentence(&error.fault().message));
            assert_eq!((status(&error).as_u16(), retry_after(&error)), (expected, retry), "{code}");
            assert!(message.ends_with('.') && !message.starts_with(char::is_lowercase), "{message}");
        }
    }

    #[test]
    fn details_name_what_a_program_goes_by() {
        let fault = PartnerFault { field: PartnerField::Street, reason: PartnerFaultReason::Missing };
        let invalid = SyncError::from(PartnerError::Invalid(vec![fault]));
        assert_eq!(Value::from(details(&invalid)), json!({"street": "Street is missing."}));
        assert_eq!(field_errors(&invalid)["street"], ["Street is missing."]);
        let conflict = SyncError::OpenConflict { conflicts: vec![ConflictId(3)] };
        assert_eq!(details(&conflict)["conflicts"], json!([3]));
        let missing = SyncError::from(PartnerError::NotConfigured { missing: vec!["KEY"] });
        assert_eq!(Value::from(details(&missing)), json!({"missing": ["KEY"]}));
    }
}
