//! What a caller gets who asks for too much, sends too much, or takes too long.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use chrono::TimeDelta;
use onefold_api::{Config, LimitsConfig};
use onefold_persistence::testing::TestDatabase;
use onefold_service::store::Store;
use onefold_service::testing::ManualClock;
use reqwest::Method;

use crate::app::{Answer, TestApp, send};
use crate::bad_input::check;

const BODY: &str = r#"{"email":"marty@hillvalley.edu"}"#;

/// A server behind a proxy on this machine, with a clock that the test moves.
async fn server(limits: LimitsConfig) -> (TestApp, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    let config = Config {
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()],
        ..Config::default()
    };
    let app =
        TestApp::serve(TestDatabase::sqlite(), None, clock.clone(), |app| app.with_limits(&limits), config)
            .await;
    (app, clock)
}

/// A server that is called directly.
async fn unproxied(limits: LimitsConfig) -> TestApp {
    TestApp::start_with(TestDatabase::sqlite(), None, |app| app.with_limits(&limits)).await
}

async fn from(app: &TestApp, forwarded: &str) -> Answer {
    send(app.request(Method::GET, "/health/live").header("X-Forwarded-For", forwarded)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_address_has_its_own_number() {
    let (app, clock) = server(LimitsConfig { address_per_minute: 2, ..LimitsConfig::default() }).await;
    let first = from(&app, "203.0.113.5").await;
    assert_eq!((first.status, first.header("ratelimit-policy")), (200, "\"address\";q=2;w=60"));
    assert_eq!((first.header("ratelimit"), first.header("retry-after")), ("\"address\";r=1;t=30", ""));
    assert_eq!(from(&app, "198.51.100.1, 203.0.113.5, 10.0.0.4").await.status, 200);

    let refused = from(&app, "203.0.113.5").await;
    check(&refused, 429, "too_many_requests");
    assert_eq!((refused.header("ratelimit"), refused.header("retry-after")), ("\"address\";r=0;t=60", "30"));
    assert_eq!(refused.header("x-content-type-options"), "nosniff", "refusals are answers like any other");
    assert_eq!(from(&app, "203.0.113.6").await.status, 200);
    assert_eq!(from(&app, "2001:db8::1").await.status, 200);
    assert_eq!(from(&app, "2001:db8::2").await.status, 200);
    assert_eq!(from(&app, "2001:db8::3").await.status, 429, "one subscriber's network");

    clock.pass(TimeDelta::seconds(30));
    assert_eq!(from(&app, "203.0.113.5").await.status, 200);
    assert_eq!(from(&app, "203.0.113.5").await.status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn this_machine_is_not_limited() {
    let app = unproxied(LimitsConfig { address_per_minute: 1, ..LimitsConfig::default() }).await;
    for _ in 0..5 {
        let answer = app.get("/health/live").await;
        assert_eq!((answer.status, answer.header("ratelimit")), (200, ""));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_names_nobody_is_no_way_around() {
    for said in ["", "unknown", "127.0.0.1", "::1", "127.0.0.1:80", "8.8.8.8, localhost"] {
        let (app, _) = server(LimitsConfig { address_per_minute: 1, ..LimitsConfig::default() }).await;
        assert_eq!(from(&app, said).await.status, 200, "{said}");
        assert_eq!(from(&app, said).await.status, 429, "{said}");
    }
    let (app, _) = server(LimitsConfig { address_per_minute: 1, ..LimitsConfig::default() }).await;
    assert_eq!(app.get("/health/live").await.status, 200);
    assert_eq!(app.get("/health/live").await.status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_trust_nobody_is_believed() {
    let app = unproxied(LimitsConfig { address_per_minute: 1, ..LimitsConfig::default() }).await;
    for _ in 0..5 {
        assert_eq!(from(&app, "203.0.113.5").await.status, 200, "the peer is this machine");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_has_a_size() {
    let (app, _) = server(LimitsConfig::default()).await;
    let with =
        |length: usize| send(app.request(Method::GET, "/health/live").header("X-Long", "x".repeat(length)));
    assert_eq!(with(15 * 1024).await.status, 200);
    let problem = check(&with(16 * 1024).await, 431, "head_too_large");
    assert!(problem["detail"].as_str().unwrap().contains("16 KiB"));
    check(&app.get(&format!("/contacts?value={}", "x".repeat(17 * 1024))).await, 431, "head_too_large");
    let (app, _) = server(LimitsConfig { header_bytes: 0, ..LimitsConfig::default() }).await;
    let long = app.request(Method::GET, "/health/live").header("X-Long", "x".repeat(60 * 1024));
    assert_eq!(send(long).await.status, 200);
}

/// Sends a text over a connection of its own, and reads until the server closes it.
async fn raw(app: &TestApp, text: String) -> String {
    let address = app.address.strip_prefix("http://").unwrap().to_owned();
    tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let app = unproxied(LimitsConfig { request_timeout_s: 1, ..LimitsConfig::default() }).await;
    let head = "POST /identify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n";
    let answer = raw(&app, format!("{head}{{")).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\"request_timeout\"") && answer.contains("connection: close"), "{answer}");
    assert_eq!(app.contacts().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_takes_too_long_is_not_waited_for() {
    let (app, _) = server(LimitsConfig { request_timeout_s: 1, ..LimitsConfig::default() }).await;
    let other = app.database.store().await;
    // SQLite has one writer, and this one keeps the right to write.
    let busy = other.begin().await.unwrap();
    let answer = app.post("/identify", BODY).await;
    check(&answer, 503, "timed_out");
    assert_eq!(answer.header("retry-after"), "1");
    drop(busy);
    assert_eq!(app.post("/identify", BODY).await.status, 200, "the server goes on");
}

/// Files that stream are given longer than a request, piece by piece.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_keeps_coming_has_time() {
    let (app, _) = server(LimitsConfig { request_timeout_s: 1, ..LimitsConfig::default() }).await;
    let other = app.database.store().await;
    let busy = other.begin().await.unwrap();
    let request = app.request(Method::POST, "/contacts/import").header("Content-Type", "text/csv");
    let sending = tokio::spawn(send(request.body("email\nmarty@hillvalley.edu\n")));
    check(&app.post("/identify", BODY).await, 503, "timed_out");
    drop(busy);
    assert_eq!(sending.await.unwrap().status, 202);
}
