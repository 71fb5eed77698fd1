//! What every answer says to browsers, and which websites may call.

use onefold_api::{Config, Origin};
use onefold_persistence::testing::TestDatabase;
use onefold_service::testing::ManualClock;
use reqwest::Method;
use serde_json::json;

use crate::app::{Answer, TestApp, send};

const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

fn assert_secure(answer: &Answer, policy: &str) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("cross-origin-resource-policy", "same-origin"),
        ("content-security-policy", policy),
        ("server", ""),
    ] {
        assert_eq!(answer.header(name), value, "{name}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_secured() {
    let app = TestApp::sqlite().await;
    app.create("/contacts", json!({"kind": "email", "value": "marty@hillvalley.edu", "source": "order"}))
        .await;
    for path in [
        "/contacts/1",
        "/contacts",
        "/contacts/99",
        "/contacts/export",
        "/customers?query=marty",
        "/health/live",
        "/metrics",
        "/nowhere",
        "/identify",
    ] {
        let answer = app.get(path).await;
        assert_secure(&answer, NOTHING);
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
    let answer = app.post("/identify", "{").await;
    assert_secure(&answer, NOTHING);
    assert_eq!((answer.status, answer.header("cache-control")), (400, "no-store"));
    let document = app.get("/openapi.json").await;
    assert_secure(&document, NOTHING);
    assert_eq!(document.header("cache-control"), "");
}

/// The page may load what it consists of, and nothing from elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_may_run_its_own_scripts() {
    let app = TestApp::sqlite().await;
    let page = app.get("/docs/").await;
    let policy = page.header("content-security-policy").to_owned();
    assert_secure(&page, &policy);
    assert_eq!(page.header("cache-control"), "");
    for part in ["default-src 'none'", "script-src 'self';", "connect-src 'self';", "frame-ancestors 'none'"]
    {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(policy.contains("style-src 'self' 'unsafe-inline'") && policy.contains("img-src 'self' data:"));
    // A script inside the page would need another policy.
    assert!(!page.body.contains("<style") && !page.body.contains("onload="), "{}", page.body);
    for script in page.body.split("<script").skip(1) {
        assert!(script.trim_start().starts_with("src=\"./"), "{script}");
    }
    assert_secure(&app.get("/docs/swagger-ui-bundle.js").await, &policy);
}

async fn open_to(origins: &[&str]) -> TestApp {
    let cors_origins = origins.iter().map(|origin| Origin::try_from((*origin).to_owned()).unwrap()).collect();
    let config = Config { cors_origins, ..Config::default() };
    let clock = std::sync::Arc::new(ManualClock::default());
    TestApp::serve(TestDatabase::sqlite(), None, clock, |app| app, config).await
}

async fn preflight(app: &TestApp, origin: &str, method: &str, headers: &str) -> Answer {
    let request = app
        .request(Method::OPTIONS, "/contacts/1")
        .header("Origin", origin)
        .header("Access-Control-Request-Method", method)
        .header("Access-Control-Request-Headers", headers);
    send(request).await
}

fn list(answer: &Answer, name: &str) -> Vec<String> {
    let mut items: Vec<_> =
        answer.header(name).split(',').map(|item| item.trim().to_ascii_lowercase()).collect();
    items.sort_unstable();
    items
}

#[tokio::test(flavor = "multi_thread")]
async fn without_origins_there_is_no_cors() {
    let app = TestApp::sqlite().await;
    let get = send(app.request(Method::GET, "/health/live").header("Origin", "https://shop.example")).await;
    let asked = preflight(&app, "https://shop.example", "PATCH", "if-match").await;
    assert_eq!((get.status, asked.status), (200, 405));
    for answer in [get, asked] {
        assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_website_that_is_named_may_call() {
    let app = open_to(&["https://shop.example", "http://localhost:5173"]).await;
    let asked =
        preflight(&app, "https://shop.example", "PATCH", "authorization, if-match, content-type").await;
    assert_eq!((asked.status, asked.header("access-control-allow-origin")), (200, "https://shop.example"));
    assert_eq!(
        list(&asked, "access-control-allow-methods"),
        ["delete", "get", "head", "patch", "post", "put"]
    );
    assert_eq!(preflight(&app, "https://shop.example", "HEAD", "authorization").await.status, 200);
    assert_eq!(asked.header("access-control-allow-credentials"), "");
    let allowed = list(&asked, "access-control-allow-headers");
    assert!(allowed.contains(&"idempotency-key".to_owned()), "{allowed:?}");
    assert_secure(&asked, NOTHING);

    let get = send(app.request(Method::GET, "/nowhere").header("Origin", "http://localhost:5173")).await;
    assert_eq!((get.status, get.header("access-control-allow-origin")), (404, "http://localhost:5173"));
    let exposed = list(&get, "access-control-expose-headers");
    for name in ["etag", "idempotency-replayed", "location", "ratelimit", "retry-after", "x-request-id"] {
        assert!(exposed.contains(&name.to_owned()), "{name}: {exposed:?}");
    }
    assert!(get.header("vary").to_ascii_lowercase().contains("origin"), "{get:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_website_may_not() {
    let app = open_to(&["https://shop.example"]).await;
    for origin in ["https://evil.example", "http://shop.example", "https://shop.example:444", "null"] {
        let get = send(app.request(Method::GET, "/health/live").header("Origin", origin)).await;
        assert_eq!(get.header("access-control-allow-origin"), "", "{origin}");
        let asked = preflight(&app, origin, "GET", "accept").await;
        assert_eq!(asked.header("access-control-allow-origin"), "", "{origin}");
    }
    let asked = preflight(&app, "https://shop.example", "PATCH", "x-other").await;
    assert_eq!(asked.status, 400, "a header that nothing here reads");
}
