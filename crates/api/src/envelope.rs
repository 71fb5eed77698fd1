//! `{"success": …}`: how everything under `/api/` answers, by the contract of those endpoints, when it
//! succeeds and when it does not.

use std::borrow::Cow;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::error::ApiError;

/// What was asked for.
#[derive(Serialize, ToSchema)]
pub(crate) struct Success<T> {
    /// Always true.
    success: bool,
    data: T,
}

impl<T> Success<T> {
    pub(crate) fn of(data: T) -> Self {
        Self { success: true, data }
    }
}

/// Why a request was not carried out.
#[derive(Serialize, ToSchema)]
#[schema(as = EnvelopedError)]
pub(crate) struct Refused {
    /// Always false.
    #[schema(example = false)]
    success: bool,
    error: ErrorContent,
}

#[derive(Serialize, ToSchema)]
#[schema(as = EnvelopedErrorContent)]
struct ErrorContent {
    /// Which error it is; never changes, so programs may rely on it.
    #[schema(example = "conflict")]
    code: &'static str,
    /// What it is, for a person.
    #[schema(example = "Open conflicts wait for a decision: 1.")]
    message: Cow<'static, str>,
    /// What a program can go by, such as `conflicts`, `missing`, or what is wrong with each field.
    #[schema(value_type = BTreeMap<String, Value>, example = json!({"conflicts": [7]}))]
    details: Map<String, Value>,
}

/// An error in this form.
#[derive(Debug)]
pub(crate) struct Enveloped(ApiError);

impl<E: Into<ApiError>> From<E> for Enveloped {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for Enveloped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for Enveloped {
    /// By the contract a field that is at fault is a malformed request; 422 is for customers that lack one.
    fn status_code(&self) -> StatusCode {
        match &self.0 {
            ApiError::InvalidFields(_) => StatusCode::BAD_REQUEST,
            error => error.status_code(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        let (code, message) = match &self.0 {
            // There is no `errors` in this form.
            ApiError::InvalidFields(_) => (
                self.0.code_and_detail().0,
                "Some fields cannot be accepted; `details` says why, field by field.".into(),
            ),
            error => error.code_and_detail(),
        };
        let error = ErrorContent { code, message, details: self.0.details() };
        self.0.begin(self.status_code()).json(Refused { success: false, error })
    }
}
