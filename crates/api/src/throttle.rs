//! Carries out what holds for every request, whoever sends it: its address, its head, its time.

use std::cell::Cell;
use std::rc::Rc;
use std::task::Poll;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, RequestHead, ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use futures_util::{StreamExt, stream};
use tokio::time::timeout;

use crate::access::Rejection;
use crate::answered::with_headers;
use crate::app::App;
use crate::error::ApiError;
use crate::limits::{Limits, TrustedProxies};
use crate::operations::{Family, is_streamed};

/// Counts the request under the address of its caller.
pub(crate) async fn limit_address(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let client = match request.app_data::<web::Data<TrustedProxies>>() {
        Some(proxies) => proxies.note(&request),
        None => TrustedProxies::default().note(&request),
    };
    let Some(decision) = limits(&request).map(|limits| limits.address(client)) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let answered = match decision.retry_after_s {
        Some(retry_after_s) => {
            Ok(Rejection::from(ApiError::TooManyRequests { retry_after_s }).reject(request))
        }
        None => next.call(request).await.map(ServiceResponse::map_into_boxed_body),
    };
    with_headers(answered, |headers| decision.write(headers))
}

/// Refuses a head that is too large. actix has read it by then, up to 128 KiB; what is spared is everything
/// behind.
pub(crate) async fn limit_head(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let most = limits(&request).and_then(|limits| limits.header_bytes);
    match most {
        Some(most) if size(request.head()) > most => {
            Ok(Rejection::from(ApiError::HeadTooLarge { most: most / 1024 }).reject(request))
        }
        _ => Ok(next.call(request).await?.map_into_boxed_body()),
    }
}

/// Ends a request whose answer does not begin in time: 408 if its body was still to come, otherwise 503.
pub(crate) async fn keep_time(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let limit = limits(&request).and_then(|limits| limits.request_timeout);
    // Files come for as long as they are large; the handler has a limit for the time between their pieces.
    let Some(limit) = limit.filter(|_| !is_streamed(request.method(), request.path())) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let received = watch(&mut request);
    let family = Family::of_path(request.path());
    let given_up = |error: ApiError| {
        let answer = Rejection::from(error).answer(family);
        Err(InternalError::from_response("the time was up", answer).into())
    };
    match timeout(limit, next.call(request)).await {
        Ok(answered) => Ok(answered?.map_into_boxed_body()),
        Err(elapsed) if received.get() => given_up(ApiError::TimedOut(Box::new(elapsed))),
        Err(_) => given_up(ApiError::RequestTimeout),
    }
}

fn limits(request: &ServiceRequest) -> Option<&Limits> {
    request.app_data::<web::Data<App>>().map(|app| app.limits.as_ref())
}

/// Tells whether the body has been read to its end.
fn watch(request: &mut ServiceRequest) -> Rc<Cell<bool>> {
    let payload = request.take_payload();
    let received = Rc::new(Cell::new(matches!(payload, Payload::None)));
    if !received.get() {
        let ended = Rc::clone(&received);
        let end = stream::poll_fn(move |_| {
            ended.set(true);
            Poll::Ready(None)
        });
        request.set_payload(Payload::Stream { payload: Box::pin(payload.chain(end)) });
    } else {
        request.set_payload(payload);
    }
    received
}

/// As it came over the wire, more or less: a line for the request, and one for each field.
fn size(head: &RequestHead) -> usize {
    let first = head.method.as_str().len() + head.uri.to_string().len() + " HTTP/1.1\r\n ".len();
    let fields =
        head.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    first + fields.sum::<usize>()
}
