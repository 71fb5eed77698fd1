//! What the document says that is answered, and what is answered.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::app::{Answer, TestApp, send};

async fn post(app: &TestApp, path: &str, key: &str, body: &str) -> Answer {
    let request = app.request(Method::POST, path).header("Idempotency-Key", key);
    let media_type = if path == "/contacts/import" { "text/csv" } else { "application/json" };
    send(request.header("Content-Type", media_type).body(body.to_owned())).await
}

/// On every POST, of whichever family: the first request, the same again, and another with its key.
#[tokio::test(flavor = "multi_thread")]
async fn every_post_documents_what_it_answers() {
    let app = TestApp::sqlite().await;
    let document: Value = app.get("/openapi.json").await.json();
    let mut reused = BTreeSet::new();
    for ((pattern, item), number) in document["paths"].as_object().unwrap().iter().zip(0..) {
        let Some(operation) = item.get("post") else { continue };
        let path = pattern.replace("{id}", "7");
        let documented = &operation["responses"];
        for body in ["{}", "{}", "{\"other\":1}"] {
            let answer = post(&app, &path, &format!("key-{number}"), body).await;
            let status = answer.status.to_string();
            assert!(documented[&status].is_object(), "{path} {body}: {answer:?}");
            if answer.body.contains("idempotency_key_reused")
                || answer.body.contains("idempotency key was used")
            {
                assert_eq!(answer.status, 422, "{path}: {answer:?}");
                reused.insert(pattern.as_str());
            }
        }
    }
    let posts = document["paths"].as_object().unwrap().iter().filter(|(_, item)| item.get("post").is_some());
    let keyed: BTreeSet<_> =
        posts.map(|(path, _)| path.as_str()).filter(|path| !path.starts_with("/webhooks/")).collect();
    assert_eq!(reused, keyed, "a key that is used for another request is told everywhere");
}
