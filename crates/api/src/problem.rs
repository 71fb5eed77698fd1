//! The body of an error: `application/problem+json` (RFC 9457) with a stable `code`, the request's id
//! and, where fields are at fault, what is wrong with each.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// What is wrong with each field of a request, in sentences. Unknown fields are named as they were sent.
pub(crate) type FieldErrors = BTreeMap<Cow<'static, str>, Vec<String>>;

pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// An error as callers see it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Problem {
    /// Always `about:blank`: `code` says which problem it is.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    pub(crate) kind: &'static str,
    /// The status in words.
    #[schema(example = "Unprocessable Entity")]
    pub(crate) title: &'static str,
    #[schema(example = 422)]
    pub(crate) status: u16,
    /// Which problem it is; never changes, so programs may rely on it.
    #[schema(example = "invalid_request")]
    pub(crate) code: &'static str,
    /// What to change, for a person.
    pub(crate) detail: Cow<'static, str>,
    /// Messages by field, when fields are at fault.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, Vec<String>>)]
    pub(crate) errors: FieldErrors,
    /// As in the header `X-Request-Id`; name it when you ask for help.
    pub(crate) request_id: String,
}
