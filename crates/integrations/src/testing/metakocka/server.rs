//! HTTP, and trouble. Plain `hyper`, since a framework would not drop a connection on request.

use std::future::pending;
use std::sync::Arc;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderValue;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::calls::{refused, selector};
use super::{DoubleCall, RecordedCall, Shared, Trouble, control};

const PATH: &str = "/rest/eshop/v1/";

const CONTROL: &str = "/double/";

/// On every answer, so that nobody takes one for MetaKocka's.
const MARK: (&str, &str) = ("x-double", "a stand-in, not MetaKocka");

/// The most bytes of a request.
const LARGEST_REQUEST: usize = 1024 * 1024;

/// More bytes than an answer about one partner may have.
const FLOOD: usize = 6 * 1024 * 1024;

/// Closes the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the double drops this connection")]
struct Dropped;

type Reply = Result<Response<Full<Bytes>>, Dropped>;

/// Runs until it is aborted; its connections end with it.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let address = listener.local_addr().ok();
    tracing::warn!(?address, "THIS IS A DOUBLE: a stand-in for tests and demonstrations, NOT MetaKocka");
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let service = service_fn(move |request| marked(Arc::clone(&shared), request));
            let connection = hyper::server::conn::http1::Builder::new();
            // How a connection ends is the client's business.
            drop(connection.serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn marked(shared: Arc<Shared>, request: Request<Incoming>) -> Reply {
    let is_control = request.uri().path().starts_with(CONTROL);
    let mut response =
        if is_control { controlled(&shared, request).await } else { reply(&shared, request).await }?;
    response.headers_mut().insert(MARK.0, HeaderValue::from_static(MARK.1));
    Ok(response)
}

async fn controlled(shared: &Shared, request: Request<Incoming>) -> Reply {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, LARGEST_REQUEST).collect().await.map_err(|_| Dropped)?.to_bytes();
    let path = head.uri.path().strip_prefix(CONTROL).unwrap_or_default();
    let query = head.uri.query().unwrap_or_default();
    let (status, told) = control::answer(shared, &head.method, path, query, &body);
    // With a line break, for a terminal.
    Ok(with_type("application/json", status, format!("{told:#}\n")))
}

async fn reply(shared: &Shared, request: Request<Incoming>) -> Reply {
    let call = match (request.method(), request.uri().path().strip_prefix(PATH)) {
        (&Method::POST, Some("get_partner")) => DoubleCall::GetPartner,
        (&Method::POST, Some("add_partner")) => DoubleCall::AddPartner,
        (&Method::POST, Some("update_partner")) => DoubleCall::UpdatePartner,
        (&Method::POST, _) => return Ok(page(StatusCode::NOT_FOUND)),
        _ => return Ok(page(StatusCode::METHOD_NOT_ALLOWED)),
    };
    let body = Limited::new(request.into_body(), LARGEST_REQUEST).collect().await;
    let body = body.map(|body| serde_json::from_slice::<Value>(&body.to_bytes()));
    let Ok(Ok(body)) = body else { return Ok(json(&refused("2", "Invalid JSON"))) };
    let _here = InFlight::enter(shared);
    // Recorded on arrival, so that a test can see what is being held.
    let (trouble, latency) = shared.arrived(call, &body);
    shared.until_released().await;
    tokio::time::sleep(latency).await;
    tracing::info!(?call, ?trouble, "DOUBLE: a call");
    answer(shared, call, &body, trouble).await
}

async fn answer(shared: &Shared, call: DoubleCall, body: &Value, trouble: Option<Trouble>) -> Reply {
    match &trouble {
        Some(Trouble::Page(status)) => return Ok(page(code(*status))),
        Some(Trouble::Drop) => return Err(Dropped),
        Some(Trouble::InternalError) => return Ok(json(&refused("1", "Unknown server error"))),
        Some(Trouble::OverQuota) => return Ok(json(&refused("5", "Quote exceeds"))),
        Some(Trouble::Refuse { code, said }) => return Ok(json(&refused(code, said))),
        Some(Trouble::Say(answer)) => return Ok(json(answer)),
        Some(Trouble::Flood) => return Ok(json(&"x".repeat(FLOOD).into())),
        Some(Trouble::Redirect(to)) => return Ok(redirect(to)),
        Some(Trouble::Status { status, retry_after }) => return Ok(bare(code(*status), *retry_after)),
        _ => {}
    }
    let answer = shared.lock().answer(call, body);
    match trouble {
        Some(Trouble::LoseAnswer) => Err(Dropped),
        Some(Trouble::Slow(time)) => {
            tokio::time::sleep(time).await;
            Ok(json(&answer))
        }
        Some(Trouble::Silence) => pending::<Reply>().await,
        Some(Trouble::ForgetIds) => Ok(json(&serde_json::json!({"opr_code": "0"}))),
        Some(Trouble::CutOff) => {
            let text = answer.to_string();
            let mut end = text.len() / 2;
            while !text.is_char_boundary(end) {
                end += 1;
            }
            Ok(with_type("application/json", StatusCode::OK, text[..end].to_owned()))
        }
        _ => Ok(json(&answer)),
    }
}

impl Shared {
    /// Over quota comes before all other trouble.
    fn arrived(&self, call: DoubleCall, body: &Value) -> (Option<Trouble>, std::time::Duration) {
        let mut state = self.lock();
        let (selector, value) = selector(body);
        let mut body = body.clone();
        if let Some(members) = body.as_object_mut() {
            members.retain(|name, _| name != "secret_key" && name != "company_id");
        }
        state.record.add(RecordedCall { call, selector, value, body });
        state.answered += 1;
        if state.habits.quota.is_some_and(|quota| state.answered > quota) {
            return (Some(Trouble::OverQuota), state.habits.latency);
        }
        (state.orders.take(call), state.habits.latency)
    }

    async fn until_released(&self) {
        let mut held = self.held.subscribe();
        held.wait_for(|held| !held).await.map(drop).expect("a running double");
    }
}

/// Counts a request while it is here, however it ends.
struct InFlight<'a>(&'a Shared);

impl<'a> InFlight<'a> {
    fn enter(shared: &'a Shared) -> Self {
        shared.in_flight.send_modify(|count| *count += 1);
        let now = *shared.in_flight.borrow();
        let mut state = shared.lock();
        state.most_at_once = state.most_at_once.max(now);
        Self(shared)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.send_modify(|count| *count -= 1);
    }
}

fn json(answer: &Value) -> Response<Full<Bytes>> {
    with_type("application/json", StatusCode::OK, answer.to_string())
}

fn page(status: StatusCode) -> Response<Full<Bytes>> {
    let text = format!("<!DOCTYPE html>\n<html><body><h1>{status}</h1></body></html>");
    with_type("text/html;charset=utf-8", status, text)
}

fn redirect(to: &str) -> Response<Full<Bytes>> {
    let response = Response::builder().status(StatusCode::TEMPORARY_REDIRECT).header("location", to);
    response.body(Full::default()).expect("a redirect")
}

fn bare(status: StatusCode, retry_after: Option<u32>) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(status);
    if let Some(seconds) = retry_after {
        response = response.header("retry-after", seconds);
    }
    response.body(Full::default()).expect("an answer")
}

fn with_type(kind: &str, status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let response = Response::builder().status(status).header("content-type", kind);
    response.body(Full::from(text)).expect("an answer")
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("an HTTP status")
}
