//! The policy for all requests to other companies: a deadline, a limit to what is read, no second try, no
//! other host than the one that was meant.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, ClientBuilder, RequestBuilder, StatusCode, redirect, retry};

use crate::reach::Reach;
use crate::tls;

/// The most redirects within one host.
const MOST_REDIRECTS: usize = 3;

/// How long the network may take to connect. A request has its own deadline on top.
const CONNECT: Duration = Duration::from_secs(5);

/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(10);

/// A draft of the IETF (httpapi-ratelimit-headers), in use already.
const RATE_LIMIT: &str = "ratelimit";

/// The error beneath, for the log.
pub(crate) type Source = Box<dyn std::error::Error + Send + Sync>;

/// What one request may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    /// From the first byte sent to the last byte read.
    pub(crate) time: Duration,
    /// The most bytes of the answer.
    pub(crate) bytes: usize,
}

/// An answer of another system, whatever its status says.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
    /// How long it asks to be left alone, if it says so.
    pub(crate) retry_after: Option<Duration>,
}

/// Why there is no answer. What a caller decides on is whether the request may have been carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// It was not sent: no address, no connection, no trust.
    #[error("no connection")]
    NotSent(#[source] Source),
    #[error("no answer in time")]
    TimedOut,
    #[error("the connection broke before the answer was complete")]
    Interrupted(#[source] Source),
    #[error("the answer has more than {limit} bytes")]
    TooLarge { limit: usize },
}

/// A client that goes no further than this.
///
/// # Errors
/// No safe version of TLS.
pub(crate) fn client(reach: Reach) -> Result<Client, Source> {
    policy(tls::client_builder()?).dns_resolver(Arc::new(reach)).build().map_err(Into::into)
}

fn policy(builder: ClientBuilder) -> ClientBuilder {
    builder
        .user_agent(concat!("onefold/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        // A kept connection that the other side is closing breaks a request in a way that looks as if it had
        // been sent; so it is not kept for long.
        .pool_idle_timeout(IDLE)
        .redirect(within_origin())
        // The client repeats what it believes was not carried out. For a call that creates something, belief
        // is not enough.
        .retry(retry::never())
}

/// Credentials are in the body, and a redirect may carry it along: only to the same scheme, host and port.
fn within_origin() -> redirect::Policy {
    redirect::Policy::custom(|attempt| {
        let asked = attempt.previous();
        let stays = asked.first().is_some_and(|first| first.origin() == attempt.url().origin());
        if stays && asked.len() <= MOST_REDIRECTS { attempt.follow() } else { attempt.stop() }
    })
}

/// Sends a request once and reads its answer.
///
/// # Errors
/// No whole answer within what is allowed. A status is never an error here.
pub(crate) async fn send(request: RequestBuilder, allowed: Allowance) -> Result<Answer, HttpError> {
    let mut response = request.timeout(allowed.time).send().await.map_err(failed)?;
    let retry_after = asked_to_wait(response.headers());
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > allowed.bytes {
            return Err(HttpError::TooLarge { limit: allowed.bytes });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, body, retry_after })
}

/// `Retry-After` in seconds, whose form with a date is passed over; else the `t` of a `RateLimit` that has
/// nothing left, such as `"per-second"; r=0; t=1`.
fn asked_to_wait(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let after = text(RETRY_AFTER.as_str()).and_then(|after| after.trim().parse().ok());
    let seconds = after.or_else(|| {
        let limit = text(RATE_LIMIT)?;
        let parameter = |name| limit.split(';').find_map(|part| part.trim().strip_prefix(name)?.parse().ok());
        (parameter("r=") == Some(0_u64)).then(|| parameter("t="))?
    });
    seconds.map(Duration::from_secs)
}

/// A connection that was not made in time is no connection, so that is asked first.
fn failed(error: reqwest::Error) -> HttpError {
    if error.is_connect() || error.is_builder() {
        HttpError::NotSent(error.without_url().into())
    } else if error.is_timeout() {
        HttpError::TimedOut
    } else {
        HttpError::Interrupted(error.without_url().into())
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn what_a_server_asks_for_is_read_from_either_header() {
        for (retry_after, rate_limit, seconds) in [
            ("", "", None),
            ("7", "", Some(7)),
            ("7", "\"per-second\"; r=0; t=1", Some(7)),
            ("Wed, 21 Oct 2026 07:28:00 GMT", "\"per-second\"; r=0; t=2", Some(2)),
            ("", "\"per-second\";r=0;t=1", Some(1)),
            ("", "\"per-second\"; r=9; t=1", None),
            ("", "\"per-second\"; r=0", None),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [("retry-after", retry_after), (RATE_LIMIT, rate_limit)] {
                if !value.is_empty() {
                    headers.insert(name, HeaderValue::from_static(value));
                }
            }
            assert_eq!(
                asked_to_wait(&headers),
                seconds.map(Duration::from_secs),
                "{retry_after} {rate_limit}"
            );
        }
    }
}
