//! Health, metrics, request ids, and the page with the documentation.

use onefold_persistence::testing::{PostgresCluster, TestDatabase};
use reqwest::Method;
use serde_json::json;

use crate::app::{TestApp, send};
use crate::on_both_databases;

on_both_databases!(a_running_server_is_live_and_ready, metrics_are_served);

async fn a_running_server_is_live_and_ready(app: TestApp) {
    for path in ["/health", "/health/live", "/health/ready"] {
        let answer = app.get(path).await;
        assert_eq!((answer.status, answer.json()), (200, json!({"status": "ok"})), "{path}");
    }
}

async fn metrics_are_served(app: TestApp) {
    let answer = app.get("/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").starts_with("text/plain"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_a_server_is_live_but_not_ready() {
    let cluster = PostgresCluster::start();
    let app = TestApp::start(TestDatabase::on(&cluster).await, None).await;
    cluster.stop();
    assert_eq!(app.get("/health/live").await.status, 200);
    for path in ["/health/ready", "/health"] {
        let ready = app.get(path).await;
        assert_eq!((ready.status, ready.header("retry-after")), (503, "1"), "{path}");
    }
    let answer = app.post("/identify", r#"{"email":"a@b.example"}"#).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.json()["code"], "unavailable");
    for secret in ["postgres", "127.0.0.1", "onefold_", "socket", "refused"] {
        assert!(!answer.body.contains(secret), "{}", answer.body);
    }
    cluster.restart();
    assert_eq!(app.post("/identify", r#"{"email":"a@b.example"}"#).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_itself_says_what_answers_and_where_the_documents_are() {
    let app = TestApp::sqlite().await;
    let home = send(app.bare_request(Method::GET, "/")).await;
    let version = env!("CARGO_PKG_VERSION");
    let expected =
        json!({"name": "Onefold", "version": version, "documentation": "/docs", "openapi": "/openapi.json"});
    assert_eq!((home.status, home.json()), (200, expected));
    for document in ["documentation", "openapi"] {
        let path = home.json()[document].as_str().unwrap().to_owned();
        assert_eq!(send(app.bare_request(Method::GET, &path)).await.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_is_made_or_taken_over() {
    let app = TestApp::sqlite().await;
    let made = app.get("/health/live").await;
    assert_eq!(made.header("x-request-id").len(), 36);
    let with = |id: &str| send(app.request(Method::GET, "/health/live").header("X-Request-Id", id));
    assert_eq!(with("order-42").await.header("x-request-id"), "order-42");
    for unfit in ["", "a b", "<script>", &"x".repeat(129)] {
        assert_eq!(with(unfit).await.header("x-request-id").len(), 36, "{unfit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_needs_nothing_from_outside() {
    let app = TestApp::sqlite().await;
    let page = app.get("/docs").await;
    assert_eq!(page.status, 200, "the client follows to /docs/");
    let files = ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-initializer.js"];
    for file in files {
        assert!(page.body.contains(file), "{file}");
        assert_eq!(app.get(&format!("/docs/{file}")).await.status, 200, "{file}");
    }
    assert!(!page.body.contains("src=\"http") && !page.body.contains("href=\"http"), "{}", page.body);
    assert!(app.get("/docs/swagger-initializer.js").await.body.contains("/openapi.json"));
}
