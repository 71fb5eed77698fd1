//! Where the errors of handlers come from: the use cases, the store, the body.

use actix_web::error::{JsonPayloadError, PayloadError};
use onefold_service::error::RecordError;
use onefold_service::identities::InvalidNotice;
use onefold_service::retry::Failure;
use onefold_service::store::StoreError;
use onefold_sync::events::InvalidEvent;

use super::ApiError;
use crate::faults::Faults;

impl From<RecordError> for ApiError {
    fn from(error: RecordError) -> Self {
        let mut faults = Faults::default();
        match error {
            RecordError::NoSuchContact => return Self::UnknownContact,
            RecordError::NoSuchCustomer => return Self::UnknownCustomer,
            RecordError::NoSuchUser => return Self::UnknownUser,
            RecordError::Stale => return Self::Stale,
            RecordError::UserExists { id } => return Self::UserExists(id),
            RecordError::Failure(failure) => return failure.into(),
            RecordError::OtherKind => faults.add("value", "A value can be changed for one of its kind only."),
            RecordError::Metadata(error) => faults.add("metadata", error.to_string()),
            RecordError::Profile(errors) => faults.add_profile(errors),
        }
        faults.into()
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
            StoreError::Storage { fault, source } => Self::Storage { fault, source },
            StoreError::Backend(_) => Self::Internal(Box::new(error)),
        }
    }
}

impl From<InvalidEvent> for ApiError {
    fn from(error: InvalidEvent) -> Self {
        Self::InvalidEvent(error)
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
            JsonPayloadError::OverflowKnownLength { limit, .. } | JsonPayloadError::Overflow { limit } => {
                Self::BodyTooLarge { most: limit / 1024 }
            }
            JsonPayloadError::ContentType => Self::UnsupportedMediaType,
            JsonPayloadError::Deserialize(error) if error.is_data() => Self::NotAnObject,
            JsonPayloadError::Deserialize(error) => {
                Self::MalformedJson { line: error.line(), column: error.column() }
            }
            JsonPayloadError::Payload(error) => error.into(),
            error => Self::Internal(error.to_string().into()),
        }
    }
}

impl From<PayloadError> for ApiError {
    fn from(error: PayloadError) -> Self {
        match error {
            PayloadError::EncodingCorrupted => Self::MalformedEncoding,
            _ => Self::BodyUnreadable,
        }
    }
}
