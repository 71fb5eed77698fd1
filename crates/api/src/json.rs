//! JSON in: how large, of which type, and how its failures are told.

use actix_web::web::JsonConfig;

use crate::error::ApiError;

/// The largest body in bytes, for every endpoint that takes one object.
pub(crate) const MAX_BODY: usize = 64 * 1024;

pub(crate) fn config() -> JsonConfig {
    JsonConfig::default()
        .limit(MAX_BODY)
        .content_type_required(true)
        .error_handler(|error, _| ApiError::from(error).into())
}
