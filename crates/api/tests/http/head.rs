//! `HEAD`: what `GET` answers, without the body. Read from the wire, since a client would hide a body that comes.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::app::{TestApp, send};
use crate::on_both_databases;

on_both_databases!(every_get_is_answered_to_head_without_a_body);

/// Status and header fields as they came, and what came behind them.
struct Raw {
    status: String,
    headers: BTreeMap<String, String>,
    body: String,
}

/// Of the moment, or of the request.
const PASSING: [&str; 5] = ["date", "x-request-id", "ratelimit", "ratelimit-policy", "retry-after"];

async fn ask(app: &TestApp, method: &str, path: &str, token: Option<&str>) -> Raw {
    let host = app.address.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{token}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let (status, fields) = head.split_once("\r\n").unwrap();
    let fields = fields.lines().filter_map(|line| line.split_once(": "));
    let fields = fields.map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let headers = fields.filter(|(name, _)| !PASSING.contains(&name.as_str())).collect();
    Raw { status: status.to_owned(), headers, body: body.to_owned() }
}

async fn every_get_is_answered_to_head_without_a_body(app: TestApp) {
    let id =
        app.create("/contacts", json!({"kind": "email", "value": "doc@hillvalley.edu", "source": "order"}));
    let id = id.await["id"].to_string();
    app.user().await;
    let document: Value = app.get("/openapi.json").await.json();
    let documented = document["paths"].as_object().unwrap().iter();
    let gets =
        documented.filter(|(_, item)| item.get("get").is_some()).map(|(path, _)| path.replace("{id}", &id));
    let others = [
        "/openapi.json",
        "/docs",
        "/docs/",
        "/docs/swagger-ui.css",
        "/customers?query=doc",
        "/contacts?limit=1",
        "/contacts/99",
        "/contacts/export?format=csv",
        "/contacts?nothing=1",
        "/nothing",
    ];
    let paths: Vec<String> = gets.chain(others.map(str::to_owned)).collect();
    assert!(paths.len() > 30, "{paths:?}");
    let (all, none) = (app.token_for(&["*"], None).await, app.token_for(&["identify"], None).await);
    for path in paths {
        for token in [None, Some("1|onefold_wrong"), Some(none.as_str()), Some(all.as_str())] {
            let (get, head) = (ask(&app, "GET", &path, token).await, ask(&app, "HEAD", &path, token).await);
            assert_eq!(head.body, "", "{path}");
            assert_eq!((&head.status, head.headers.len()), (&get.status, get.headers.len()), "{path}");
            for (name, value) in &get.headers {
                // Counts of what was asked before are in it.
                let differs = path == "/metrics" && name == "content-length";
                assert!(
                    differs || head.headers.get(name) == Some(value),
                    "{path} {name}: {:?}",
                    head.headers
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_get_is_not_answered_head_is_not() {
    let app = TestApp::sqlite().await;
    for (method, path, allow) in [
        (Method::HEAD, "/identify", "POST"),
        (Method::HEAD, "/ia/admin/contacts", "POST"),
        (Method::HEAD, "/api/register", "POST"),
        (Method::DELETE, "/contacts", "GET, HEAD, POST, PUT"),
        (Method::POST, "/customers", "GET, HEAD"),
        (Method::POST, "/api/metakocka/contacts/mappings", "GET, HEAD"),
        (Method::POST, "/metrics", "GET, HEAD"),
    ] {
        let answer = send(app.request(method.clone(), path)).await;
        assert_eq!((answer.status, answer.header("allow")), (405, allow), "{method} {path}");
    }
}

/// It is counted like any other, and so tells when there are too many.
#[tokio::test(flavor = "multi_thread")]
async fn a_head_is_counted() {
    let app = TestApp::sqlite().await;
    let remaining = async |method: Method| {
        let answer = send(app.request(method, "/contacts")).await;
        answer.header("ratelimit").to_owned()
    };
    assert!(remaining(Method::GET).await.starts_with("\"token\";r="));
    assert!(remaining(Method::HEAD).await.starts_with("\"token\";r="));
}
