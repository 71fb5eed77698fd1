//! HTTP, and trouble. Plain `hyper`, since a framework would not drop a connection on request.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderValue;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::calls::{Outcome, service_error};
use super::contract;
use super::record::{OpenPhoneCall, RecordedCall};
use super::rules::Fault;
use super::{OpenPhoneDouble, Shared, Trouble};

/// On every answer, so that nobody takes one for OpenPhone's.
const MARK: (&str, &str) = ("x-double", "a stand-in, not OpenPhone");

/// The most bytes of a request.
const LARGEST_REQUEST: usize = 1024 * 1024;

/// More bytes than a page of contacts may have.
const FLOOD: usize = 10 * 1024 * 1024;

/// More requests than any test makes.
const MOST_RECORDED: usize = 100_000;

/// Closes the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the double drops this connection")]
struct Dropped;

type Reply = Result<Response<Full<Bytes>>, Dropped>;

/// Runs until it is aborted; its connections end with it.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let address = listener.local_addr().ok();
    tracing::warn!(?address, "THIS IS A DOUBLE: a stand-in for tests and demonstrations, NOT OpenPhone");
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
    let mut response = reply(&shared, request).await?;
    response.headers_mut().insert(MARK.0, HeaderValue::from_static(MARK.1));
    Ok(response)
}

async fn reply(shared: &Shared, request: Request<Incoming>) -> Reply {
    let (head, body) = request.into_parts();
    let Some((call, id)) = route(&head.method, head.uri.path()) else {
        return Ok(page(StatusCode::NOT_FOUND));
    };
    let key = head.headers.get("authorization").and_then(|key| key.to_str().ok());
    // The raw key: with `Bearer` before it it is another one.
    if key != Some(OpenPhoneDouble::API_KEY) {
        let said = if key.is_none() { "Missing authorization header" } else { "Unauthorized" };
        let body = json!({"error": {"message": said, "key": "Unauthorized", "trace": "0"}});
        return Ok(shared.answer(call, (StatusCode::UNAUTHORIZED, Some(body))));
    }
    let body = Limited::new(body, LARGEST_REQUEST).collect().await.map_err(|_| Dropped)?.to_bytes();
    let body = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&body) };
    let Ok(body) = body else {
        let fault = Fault::new("", "Invalid JSON");
        return Ok(shared.answer(call, service_error(call, StatusCode::BAD_REQUEST, &[fault])));
    };
    let query = head.uri.query().unwrap_or_default();
    let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let (method, path) = (head.method.to_string(), head.uri.path().to_owned());
    let asked = RecordedCall { call, method, path, id, query, body };
    let trouble = shared.arrived(&asked);
    tracing::info!(?call, ?trouble, "DOUBLE: a call");
    answer(shared, &asked, trouble).await
}

fn route(method: &Method, path: &str) -> Option<(OpenPhoneCall, Option<String>)> {
    let path = path.strip_prefix("/v1/")?;
    let id = path.strip_prefix("contacts/").filter(|id| !id.is_empty() && !id.contains('/'));
    let id = id.map(ToOwned::to_owned);
    match (method, path, id) {
        (&Method::GET, "contacts", _) => Some((OpenPhoneCall::List, None)),
        (&Method::POST, "contacts", _) => Some((OpenPhoneCall::Create, None)),
        (&Method::GET, "contact-custom-fields", _) => Some((OpenPhoneCall::ListFields, None)),
        (&Method::GET, _, Some(id)) => Some((OpenPhoneCall::Get, Some(id))),
        (&Method::PATCH, _, Some(id)) => Some((OpenPhoneCall::Update, Some(id))),
        (&Method::DELETE, _, Some(id)) => Some((OpenPhoneCall::Delete, Some(id))),
        _ => None,
    }
}

async fn answer(shared: &Shared, asked: &RecordedCall, trouble: Option<Trouble>) -> Reply {
    match &trouble {
        Some(Trouble::Page(status)) => return Ok(page(code(*status))),
        Some(Trouble::Refuse(status)) => {
            return Ok(json_answer(service_error(asked.call, code(*status), &[])));
        }
        Some(Trouble::TooMany { retry_after, rate_limit }) => {
            return Ok(too_many(*retry_after, *rate_limit));
        }
        Some(Trouble::Say(status, body)) => return Ok(json_answer((code(*status), Some(body.clone())))),
        Some(Trouble::Drop) => return Err(Dropped),
        Some(Trouble::Redirect(to)) => return Ok(redirect(to)),
        Some(Trouble::Flood) => {
            return Ok(json_answer((StatusCode::OK, Some("x".repeat(FLOOD).into()))));
        }
        _ => {}
    }
    let (status, body) = shared.lock().answer(asked);
    let answer = shared.answer(asked.call, (status, body.clone()));
    match trouble {
        Some(Trouble::LoseAnswer) => Err(Dropped),
        Some(Trouble::Slow(time)) => {
            tokio::time::sleep(time).await;
            Ok(answer)
        }
        Some(Trouble::Silence) => pending::<Reply>().await,
        Some(Trouble::CutOff) => {
            let text = body.unwrap_or_default().to_string();
            let half: String = text.chars().take(text.chars().count() / 2).collect();
            Ok(with_type("application/json", status, half))
        }
        _ => Ok(answer),
    }
}

impl Shared {
    /// Too many within a second come before all other trouble.
    fn arrived(&self, asked: &RecordedCall) -> Option<Trouble> {
        let mut state = self.lock();
        if state.calls.len() < MOST_RECORDED {
            state.calls.push(asked.clone());
            state.arrivals.push(Instant::now());
        }
        if let Some(most) = state.habits.per_second {
            let now = Instant::now();
            state.recent.retain(|arrived| now.duration_since(*arrived) < Duration::from_secs(1));
            if state.recent.len() >= most {
                let rate_limit = Some("\"per-second\"; r=0; t=1");
                return Some(Trouble::TooMany { retry_after: None, rate_limit });
            }
            state.recent.push_back(now);
        }
        state.orders.take(asked.call)
    }

    /// An answer that no test ordered. One that breaks the contract is not sent. A panic here ends this connection only, so
    /// the double panics again when its test drops it.
    fn answer(&self, call: OpenPhoneCall, outcome: Outcome) -> Response<Full<Bytes>> {
        if cfg!(debug_assertions)
            && let Some(breach) = contract::breach(call, &outcome)
        {
            self.lock().breach.get_or_insert_with(|| breach.clone());
            panic!("{breach}");
        }
        json_answer(outcome)
    }
}

fn json_answer((status, body): Outcome) -> Response<Full<Bytes>> {
    let Some(body) = body else {
        return Response::builder().status(status).body(Full::default()).expect("an answer");
    };
    let mut response = with_type("application/json; charset=utf-8", status, body.to_string());
    response.headers_mut().insert("ratelimit", HeaderValue::from_static("\"per-second\"; r=9; t=1"));
    response
}

fn too_many(retry_after: Option<u32>, rate_limit: Option<&'static str>) -> Response<Full<Bytes>> {
    let text = json!({"message": "API rate limit exceeded"}).to_string();
    let mut response = with_type("application/json", StatusCode::TOO_MANY_REQUESTS, text);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert("retry-after", seconds.into());
    }
    if let Some(limit) = rate_limit {
        response.headers_mut().insert("ratelimit", HeaderValue::from_static(limit));
    }
    response
}

fn page(status: StatusCode) -> Response<Full<Bytes>> {
    let text = format!("<!DOCTYPE html>\n<html><body><h1>{status}</h1></body></html>");
    with_type("text/html;charset=utf-8", status, text)
}

fn redirect(to: &str) -> Response<Full<Bytes>> {
    let response = Response::builder().status(StatusCode::TEMPORARY_REDIRECT).header("location", to);
    response.body(Full::default()).expect("a redirect")
}

fn with_type(kind: &str, status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let response = Response::builder().status(status).header("content-type", kind);
    response.body(Full::from(text)).expect("an answer")
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("an HTTP status")
}
