//! A body byte by byte, for callers that sign it or whose words are read elsewhere.

use actix_web::web::{Bytes, Payload};

use crate::error::ApiError;

/// The whole of it, unless it is larger than this many bytes.
pub(crate) async fn whole(payload: Payload, most: usize) -> Result<Bytes, ApiError> {
    match payload.to_bytes_limited(most).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(ApiError::BodyUnreadable),
        Err(_) => Err(ApiError::BodyTooLarge { most: most / 1024 }),
    }
}
