//! Which websites may call from a browser: none, unless the configuration names them.

use actix_cors::Cors;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{Method, Uri};
use serde::Deserialize;

/// The origin of a website, such as `https://shop.example`.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Origin(String);

/// Why a text is no origin that could be allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidOrigin {
    #[error("`*` would let every website read customer data; name those that may")]
    Any,
    #[error("an origin is written like https://shop.example or http://localhost:5173, without a path")]
    Form,
}

/// What our API takes: the methods of its routes and the header fields that they read.
const METHODS: [Method; 6] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
const REQUEST_HEADERS: [&str; 8] = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "onefold-actor",
    "x-request-id",
];

/// What a script may read beside the body.
const RESPONSE_HEADERS: [&str; 12] = [
    "etag",
    "idempotency-replayed",
    "link",
    "location",
    "onefold-blocked",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
];

/// How long a browser may remember the answer to its question.
const MAX_AGE_S: usize = 3_600;

impl TryFrom<String> for Origin {
    type Error = InvalidOrigin;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.contains('*') {
            return Err(InvalidOrigin::Any);
        }
        let uri: Uri = text.parse().map_err(|_| InvalidOrigin::Form)?;
        let (Some(scheme @ ("http" | "https")), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(InvalidOrigin::Form);
        };
        // Browsers send it in this form, and it is compared letter by letter.
        let origin = format!("{scheme}://{}", authority.as_str().to_ascii_lowercase());
        if authority.host().is_empty()
            || authority.as_str().contains('@')
            || !origin.eq_ignore_ascii_case(&text)
        {
            return Err(InvalidOrigin::Form);
        }
        Ok(Self(origin))
    }
}

/// The middleware for these origins. Without credentials: a browser's cookies mean nothing here, and a token is
/// sent by the script itself.
pub(crate) fn middleware(origins: &[Origin]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(METHODS)
        .allowed_headers(REQUEST_HEADERS.map(HeaderName::from_static))
        .expose_headers(RESPONSE_HEADERS)
        .max_age(MAX_AGE_S);
    let origins = origins.to_vec();
    cors.allowed_origin_fn(move |origin: &HeaderValue, _| {
        origins.iter().any(|allowed| allowed.0.as_bytes() == origin.as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Result<String, InvalidOrigin> {
        Origin::try_from(text.to_owned()).map(|origin| origin.0)
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for text in ["https://shop.example", "http://localhost:5173", "https://[2001:db8::1]:8443"] {
            assert_eq!(origin(text), Ok(text.to_owned()));
        }
        assert_eq!(origin("HTTPS://Shop.Example"), Ok("https://shop.example".to_owned()));
    }

    #[test]
    fn what_would_allow_more_or_nothing_is_refused() {
        for text in ["*", "https://*.example", "https://*"] {
            assert_eq!(origin(text), Err(InvalidOrigin::Any), "{text}");
        }
        for text in [
            "",
            "null",
            "shop.example",
            "https://",
            "https://shop.example/",
            "https://shop.example/path",
            "https://shop.example?x",
            "https://user@shop.example",
            "ftp://shop.example",
            "https://a b",
        ] {
            assert_eq!(origin(text), Err(InvalidOrigin::Form), "{text}");
        }
    }
}
