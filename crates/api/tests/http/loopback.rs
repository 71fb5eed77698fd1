//! What is open to this machine, and who is not this machine whatever they say.

use onefold_api::Config;
use onefold_persistence::testing::TestDatabase;
use onefold_service::testing::ManualClock;
use reqwest::Method;

use crate::access::raw;
use crate::app::{TestApp, send};

const BODY: &str = r#"{"email":"doc@hillvalley.edu"}"#;

async fn behind_a_proxy() -> TestApp {
    let proxies = vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
    let config = Config { trusted_proxies: proxies, ..Config::default() };
    let clock = std::sync::Arc::new(ManualClock::default());
    TestApp::serve(TestDatabase::sqlite(), None, clock, |app| app, config).await
}

/// The status of each of the two routes that are open on loopback.
async fn statuses(app: &TestApp, headers: &[(&str, &str)]) -> [u16; 2] {
    let mut statuses = [0; 2];
    let routes = [(Method::POST, "/identify"), (Method::GET, "/metrics")];
    for (status, (method, path)) in statuses.iter_mut().zip(routes) {
        let mut request = app.bare_request(method, path).header("Content-Type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        *status = send(if path == "/identify" { request.body(BODY) } else { request }).await.status;
    }
    statuses
}

/// A page in a browser can be led to this machine under a name of its own.
#[tokio::test(flavor = "multi_thread")]
async fn it_is_open_to_this_machine_only() {
    let app = TestApp::sqlite().await;
    for host in ["localhost:3000", "127.0.0.1", "[::1]:3000"] {
        assert_eq!(statuses(&app, &[("Host", host)]).await, [200, 200], "{host}");
    }
    for host in ["onefold.example.com", "localhost.example.com", "localhost.", "10.0.0.1", ""] {
        assert_eq!(statuses(&app, &[("Host", host)]).await, [401, 401], "{host}");
    }
    let token = app.token_for(&["identify"], None).await;
    let request = app.bare_request(Method::POST, "/identify").header("Content-Type", "application/json");
    let request = request.header("Host", "onefold.example.com").bearer_auth(token).body(BODY);
    assert_eq!(send(request).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_calls_nobody_by_name_is_not_let_in() {
    let app = TestApp::sqlite().await;
    for (version, hosts) in [
        ("1.0", &[][..]),
        ("1.0", &[""]),
        ("1.1", &[]),
        ("1.1", &[""]),
        ("1.1", &["localhost", "localhost"]),
        ("1.1", &["localhost", "example.com"]),
        ("1.1", &["example.com", "localhost"]),
    ] {
        let hosts: String = hosts.iter().map(|host| format!("Host: {host}\r\n")).collect();
        for (line, length) in [("POST /identify", BODY.len()), ("GET /metrics", 0)] {
            let body = &BODY[..length];
            let head =
                format!("Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close");
            let answer = raw(&app, &format!("{line} HTTP/{version}\r\n{hosts}{head}\r\n\r\n{body}")).await;
            let status = answer.split(' ').nth(1).unwrap_or_default();
            assert!(["400", "401"].contains(&status), "{line} {version} {hosts}: {answer}");
        }
    }
    for (target, host, status) in [
        ("http://localhost/identify", "localhost", "200"),
        ("http://127.0.0.1:80/identify", "localhost", "200"),
        ("http://example.com/identify", "localhost", "401"),
        ("http://localhost/identify", "example.com", "401"),
    ] {
        let head =
            format!("Host: {host}\r\nContent-Type: application/json\r\nContent-Length: {}", BODY.len());
        let answer =
            raw(&app, &format!("POST {target} HTTP/1.1\r\n{head}\r\nConnection: close\r\n\r\n{BODY}")).await;
        assert_eq!(answer.split(' ').nth(1), Some(status), "{target} {host}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_by_a_proxy_is_not_this_machine() {
    let app = behind_a_proxy().await;
    for said in [
        "",
        "unknown",
        "127.0.0.1",
        "::1",
        "[::1]:80",
        "127.0.0.1:80",
        "::ffff:127.0.0.1",
        "203.0.113.5",
        "1,2",
    ] {
        let headers = [("Host", "localhost"), ("X-Forwarded-For", said)];
        assert_eq!(statuses(&app, &headers).await, [401, 401], "{said}");
    }
    assert_eq!(statuses(&app, &[("Host", "localhost")]).await, [401, 401], "it names nobody");
    assert_eq!(statuses(&app, &[("Host", "localhost"), ("Forwarded", "for=127.0.0.1")]).await, [401, 401]);
}

/// A proxy that nobody has named in the configuration gives itself away by what it adds.
#[tokio::test(flavor = "multi_thread")]
async fn the_marks_of_a_proxy_close_what_is_open() {
    let app = TestApp::sqlite().await;
    for mark in [
        ("X-Forwarded-For", "203.0.113.5"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("Forwarded", "for=127.0.0.1"),
        ("X-Forwarded-Host", "localhost"),
        ("X-Real-IP", "127.0.0.1"),
        ("Via", "1.1 proxy"),
    ] {
        assert_eq!(statuses(&app, &[("Host", "localhost"), mark]).await, [401, 401], "{mark:?}");
    }
}
