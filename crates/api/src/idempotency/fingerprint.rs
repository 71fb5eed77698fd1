//! By what a repeated request is known: everything that its answer depends on.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Bytes;
use futures_util::{StreamExt, future, stream};
use onefold_service::operation::Fingerprint;
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use crate::error::ApiError;
use crate::operations::{LARGEST_FILE, body_limit};
use crate::raw_body::whole;

/// How long the next piece of a file may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Of the request's head and, unless it streams, its body.
pub(super) fn of(request: &ServiceRequest, body: Option<&Bytes>) -> Fingerprint {
    let media_type = request.headers().get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    let mut hash = Sha256::new();
    for part in [request.method().as_str().as_bytes(), target.as_bytes(), media_type] {
        // No part ends where another one begins.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.update(body.map_or(&b""[..], |body| body));
    Fingerprint(hash.finalize().into())
}

/// Takes the body out, and puts it back for the handler.
pub(super) async fn read_body(request: &mut ServiceRequest) -> Result<Bytes, ApiError> {
    let most = body_limit(request.path());
    let body = whole(request.take_payload(), most).await?;
    let again = stream::once(future::ready(Ok(body.clone())));
    request.set_payload(Payload::Stream { payload: Box::pin(again) });
    Ok(body)
}

/// The digest of a body while the handler reads it.
#[derive(Clone, Default)]
pub(super) struct Passing {
    hash: Rc<RefCell<Sha256>>,
    ended: Rc<Cell<bool>>,
}

impl Passing {
    pub(super) fn through(request: &mut ServiceRequest) -> Self {
        let passing = Self::default();
        let (hash, ended) = (Rc::clone(&passing.hash), Rc::clone(&passing.ended));
        let pieces = request.take_payload().inspect(move |piece| {
            if let Ok(piece) = piece {
                hash.borrow_mut().update(piece);
            }
        });
        let end = stream::poll_fn(move |_| {
            ended.set(true);
            Poll::Ready(None)
        });
        request.set_payload(Payload::Stream { payload: Box::pin(pieces.chain(end)) });
        passing
    }

    /// `None` unless all of it was read.
    pub(super) fn digest(&self) -> Option<[u8; 32]> {
        self.ended.get().then(|| self.hash.borrow().clone().finalize().into())
    }
}

/// The digest of a body that nobody else will read.
pub(super) async fn drain(request: &mut ServiceRequest) -> Result<[u8; 32], ApiError> {
    let mut payload = request.take_payload();
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    loop {
        let next = timeout(PATIENCE, payload.next()).await.map_err(|_| ApiError::BodyUnreadable)?;
        let Some(piece) = next else { return Ok(hash.finalize().into()) };
        let piece = piece?;
        bytes += piece.len() as u64;
        if bytes > LARGEST_FILE {
            return Err(ApiError::FileTooLarge);
        }
        hash.update(&piece);
        // What unpacks to a thousand times its size never waits for the network, and others want their turn.
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use actix_web::test::TestRequest;

    use super::*;

    fn fingerprint(target: &str, media_type: &str, body: &'static str) -> [u8; 32] {
        let request =
            TestRequest::post().uri(target).insert_header((CONTENT_TYPE, media_type)).to_srv_request();
        of(&request, Some(&Bytes::from_static(body.as_bytes()))).0
    }

    #[test]
    fn whatever_makes_a_difference_counts() {
        let all = [
            fingerprint("/contacts", "application/json", "{}"),
            fingerprint("/contact", "application/json", "{}"),
            fingerprint("/contacts?a=b", "application/json", "{}"),
            fingerprint("/contacts?a", "=bapplication/json", "{}"),
            fingerprint("/contacts", "application/jso", "n{}"),
            fingerprint("/contacts", "application/json", "{ }"),
        ];
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        assert_eq!(all[0], fingerprint("/contacts", "application/json", "{}"));
    }
}
