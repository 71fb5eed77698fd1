//! The document that is served, the one that is committed, and the routes say the same.

use serde_json::Value;

use crate::app::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn the_committed_document_is_the_one_that_is_served() {
    let app = TestApp::sqlite().await;
    let served = app.get("/openapi.json").await;
    assert_eq!(served.header("content-type"), "application/json");
    let committed = include_str!("../../../../docs/openapi.json");
    assert!(served.body == committed, "docs/openapi.json is not what the server says: run `just openapi`");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_path_exists() {
    let app = TestApp::sqlite().await;
    let document: Value = app.get("/openapi.json").await.json();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() >= 4);
    for path in paths.keys() {
        assert_ne!(app.get(path).await.status, 404, "{path}");
    }
}
