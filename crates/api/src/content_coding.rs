//! `Content-Encoding` (RFC 9110, 8.4): a body is decoded while it comes, a piece at a time, so that whoever reads it
//! meets its own limit in what comes out, and no request holds more than a piece beyond it. A coding that is not known is
//! refused with 415 before anything is read, on every route alike.

use std::io;
use std::pin::Pin;

use actix_web::Error;
use actix_web::HttpMessage;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use async_compression::tokio::bufread::{GzipDecoder, ZlibDecoder};
use futures_util::{Stream, TryStreamExt};
use tokio::io::AsyncRead;
use tokio_util::io::{ReaderStream, StreamReader};

use crate::access::Rejection;
use crate::error::ApiError;

/// How much is turned out at a time. One piece is in memory for each request.
const PIECE: usize = 16 * 1024;

/// What the server takes, as a refusal tells it.
const TAKEN: &str = "gzip, deflate";

/// Their senders sign the bytes that are sent, and nothing may be unpacked before it is known who sent it. None of them
/// compresses.
const SIGNED: &str = "/webhooks/";

type Decoded = Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>;

/// How a body is packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Coding {
    Gzip,
    /// The zlib format, by its name in HTTP.
    Deflate,
}

/// A coding that is not taken, or one on top of another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct UnknownCoding;

/// Wraps every request that reaches a handler.
pub(crate) async fn decode(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let payload = request.take_payload();
    if matches!(payload, Payload::None) {
        // What packs nothing needs no answer.
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let is_signed = request.path().starts_with(SIGNED);
    match Coding::of(request.headers()) {
        Ok(None) => request.set_payload(payload),
        Ok(Some(coding)) if !is_signed => {
            request.set_payload(Payload::Stream { payload: coding.decoded(payload) });
            // They speak of what was sent, and whoever reads from here on sees what came out of it.
            let headers = request.head_mut().headers_mut();
            headers.remove(CONTENT_ENCODING);
            headers.remove(CONTENT_LENGTH);
        }
        Ok(Some(_)) | Err(UnknownCoding) => {
            let taken = if is_signed { "identity" } else { TAKEN };
            let mut refused = Rejection::from(ApiError::UnsupportedEncoding { taken }).reject(request);
            refused.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static(taken));
            return Ok(refused);
        }
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

impl Coding {
    /// The members of the list, which may be spread over several lines; empty ones and `identity` say nothing.
    fn of(headers: &HeaderMap) -> Result<Option<Self>, UnknownCoding> {
        let mut found = None;
        for line in headers.get_all(CONTENT_ENCODING) {
            let line = line.to_str().map_err(|_| UnknownCoding)?;
            for name in line.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                let coding = match name.to_ascii_lowercase().as_str() {
                    "identity" => continue,
                    "gzip" | "x-gzip" => Self::Gzip,
                    "deflate" => Self::Deflate,
                    _ => return Err(UnknownCoding),
                };
                // Nobody packs twice but to have it unpacked twice.
                if found.replace(coding).is_some() {
                    return Err(UnknownCoding);
                }
            }
        }
        Ok(found)
    }

    fn decoded(self, payload: Payload) -> Decoded {
        let packed = StreamReader::new(payload.map_err(io::Error::other));
        match self {
            Self::Gzip => {
                let mut decoder = GzipDecoder::new(packed);
                // Files that were packed apart and put together are one (RFC 1952, 2.2).
                decoder.multiple_members(true);
                pieces(decoder)
            }
            Self::Deflate => pieces(ZlibDecoder::new(packed)),
        }
    }
}

fn pieces(decoder: impl AsyncRead + 'static) -> Decoded {
    Box::pin(ReaderStream::with_capacity(decoder, PIECE).map_err(failed))
}

/// A connection that broke is told from bytes that are not what they are said to be.
fn failed(error: io::Error) -> PayloadError {
    match error.downcast::<PayloadError>() {
        Ok(error) => error,
        Err(_) => PayloadError::EncodingCorrupted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&[u8]]) -> Result<Option<Coding>, UnknownCoding> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(CONTENT_ENCODING, HeaderValue::from_bytes(line).unwrap());
        }
        Coding::of(&headers)
    }

    #[test]
    fn one_known_coding_is_taken_however_it_is_written() {
        for lines in [
            &[&b"gzip"[..]][..],
            &[b"GZip"],
            &[b" x-gzip "],
            &[b"identity, gzip"],
            &[b",gzip,"],
            &[b"", b"gzip"],
        ] {
            assert_eq!(of(lines), Ok(Some(Coding::Gzip)), "{lines:?}");
        }
        assert_eq!(of(&[b"Deflate"]), Ok(Some(Coding::Deflate)));
        for lines in [&[][..], &[&b""[..]], &[b"identity"], &[b"IDENTITY", b"identity"], &[b" , "]] {
            assert_eq!(of(lines), Ok(None), "{lines:?}");
        }
    }

    #[test]
    fn whatever_else_is_refused() {
        for lines in [
            &[&b"br"[..]][..],
            &[b"zstd"],
            &[b"compress"],
            &[b"gzip, gzip"],
            &[b"gzip", b"gzip"],
            &[b"deflate, gzip"],
            &[b"gzip;q=1"],
            &[b"gzip br"],
            &[b"*"],
            &[b"\xff"],
        ] {
            assert_eq!(of(lines), Err(UnknownCoding), "{lines:?}");
        }
    }
}
