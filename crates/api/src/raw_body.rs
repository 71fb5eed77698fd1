//! A body byte by byte, for callers that sign it or whose words are read elsewhere.

use actix_web::error::PayloadError;
use actix_web::web::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};

use crate::error::ApiError;

/// The whole of it, unless it is larger than this many bytes.
pub(crate) async fn whole(
    mut payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    most: usize,
) -> Result<Bytes, ApiError> {
    let mut body = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece?;
        if body.len() + piece.len() > most {
            return Err(ApiError::BodyTooLarge { most: most / 1024 });
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}
