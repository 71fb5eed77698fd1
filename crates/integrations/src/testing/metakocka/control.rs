//! The other side of a demonstration, played with `curl`: what a person in the web application would see and
//! change, what was asked of the double, and trouble. MetaKocka has nothing of this.

use std::time::Duration;

use hyper::body::Bytes;
use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{DoubleCall, DoubleChange, Lasting, Shared, Trouble};

/// How many partners are shown when nobody says.
const SHOWN: usize = 20;

const MOST_SHOWN: usize = 1_000;

/// How many requests that write are shown.
const WRITES_SHOWN: usize = 20;

/// A status and what it says.
pub(super) type Told = (StatusCode, Value);

/// The body of `POST /double/trouble`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ordered {
    trouble: Kind,
    /// Every kind, unless one is named.
    call: Option<DoubleCall>,
    /// Until told otherwise, unless said.
    times: Option<u32>,
    /// For `slow`.
    milliseconds: Option<u64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// The end of all trouble.
    None,
    Slow,
    Broken,
    OverQuota,
    LostAnswer,
}

/// Answers what is asked beneath `/double/`.
pub(super) fn answer(shared: &Shared, method: &Method, path: &str, query: &str, body: &Bytes) -> Told {
    let told = match (method, path.split_once('/').unwrap_or((path, ""))) {
        (&Method::GET, ("partners", "")) => partners(shared, query),
        (&Method::GET, ("partners", id)) => partner(shared, id),
        (&Method::PATCH, ("partners", id)) => change(shared, id, body),
        (&Method::DELETE, ("partners", id)) => remove(shared, id),
        (&Method::GET, ("calls", "")) => Ok((StatusCode::OK, calls(shared))),
        (&Method::POST, ("trouble", "")) => trouble(shared, body),
        _ => Err((
            StatusCode::NOT_FOUND,
            "GET partners?limit=, GET, PATCH or DELETE partners/{id}, GET calls, POST trouble".to_owned(),
        )),
    };
    told.unwrap_or_else(|(status, error)| (status, json!({"error": error})))
}

type Result<T = Told> = std::result::Result<T, (StatusCode, String)>;

fn partners(shared: &Shared, query: &str) -> Result {
    let limit = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "limit");
    let limit = limit.map_or(Ok(SHOWN), |(_, limit)| limit.parse());
    let limit = limit.ok().filter(|limit| (1..=MOST_SHOWN).contains(limit));
    let limit = limit.ok_or_else(|| refused(&format!("limit must be between 1 and {MOST_SHOWN}")))?;
    let state = shared.lock();
    let shown: Vec<_> = state.register.all().take(limit).collect();
    Ok((StatusCode::OK, json!({"count": state.register.len(), "partners": shown})))
}

fn partner(shared: &Shared, id: &str) -> Result {
    shared.lock().register.get(id).map(|partner| (StatusCode::OK, json!(partner))).ok_or_else(nobody)
}

fn change(shared: &Shared, id: &str, body: &Bytes) -> Result {
    let change: DoubleChange = read(body)?;
    let changed = shared.lock().change(id, &change).ok_or_else(nobody)?;
    tracing::info!(partner = id, "DOUBLE: changed by hand");
    Ok((StatusCode::OK, json!(changed)))
}

fn remove(shared: &Shared, id: &str) -> Result {
    shared.lock().register.remove(id).ok_or_else(nobody)?;
    tracing::info!(partner = id, "DOUBLE: removed by hand");
    Ok((StatusCode::OK, json!({"removed": id})))
}

fn calls(shared: &Shared) -> Value {
    let state = shared.lock();
    let writes = state.record.calls().rev().filter(|recorded| recorded.call.writes());
    let writes: Vec<_> = writes.take(WRITES_SHOWN).collect();
    json!({"counts": state.record.counts(), "latest_writes": writes})
}

fn trouble(shared: &Shared, body: &Bytes) -> Result {
    let ordered: Ordered = read(body)?;
    let trouble = match (ordered.trouble, ordered.milliseconds) {
        (Kind::None, None) => None,
        (Kind::Slow, Some(milliseconds)) => Some(Trouble::Slow(Duration::from_millis(milliseconds))),
        (Kind::Broken, None) => Some(Trouble::Page(500)),
        (Kind::OverQuota, None) => Some(Trouble::OverQuota),
        (Kind::LostAnswer, None) => Some(Trouble::LoseAnswer),
        _ => return Err(refused("milliseconds belong to slow, and to nothing else")),
    };
    let lasting = ordered.times.map_or(Lasting::UntilTold, Lasting::Times);
    let mut state = shared.lock();
    let Some(trouble) = trouble else {
        if ordered.call.is_some() || ordered.times.is_some() {
            return Err(refused("none ends all trouble, and takes no call and no times"));
        }
        state.orders.clear();
        tracing::info!("DOUBLE: all trouble ended");
        return Ok((StatusCode::OK, json!({"trouble": null})));
    };
    tracing::info!(?trouble, call = ?ordered.call, ?lasting, "DOUBLE: trouble ordered");
    let told = json!({"trouble": format!("{trouble:?}"), "lasting": format!("{lasting:?}")});
    state.orders.add(ordered.call, lasting, trouble);
    Ok((StatusCode::OK, told))
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| refused(&error.to_string()))
}

fn refused(said: &str) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, said.to_owned())
}

fn nobody() -> (StatusCode, String) {
    (StatusCode::NOT_FOUND, "no such partner".to_owned())
}
