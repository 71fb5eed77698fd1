//! What the document says that is answered, and what is answered.

use reqwest::Method;
use serde_json::Value;

use crate::app::{Answer, TestApp, send};
use crate::openapi::validator;

async fn post(app: &TestApp, path: &str, key: &str, body: &'static str) -> Answer {
    let request = app.request(Method::POST, path).header("Idempotency-Key", key);
    let media_type = if path == "/contacts/import" { "text/csv" } else { "application/json" };
    send(request.header("Content-Type", media_type).body(body)).await
}

/// On every POST, of whichever family: a request, the same again, and another one with its key.
#[tokio::test(flavor = "multi_thread")]
async fn every_post_documents_what_it_answers() {
    let app = TestApp::sqlite().await;
    let document: Value = app.get("/openapi.json").await.json();
    for ((pattern, item), number) in document["paths"].as_object().unwrap().iter().zip(0..) {
        let Some(operation) = item.get("post") else { continue };
        let (path, key) = (pattern.replace("{id}", "7"), format!("key-{number}"));
        for body in ["[]", "[]"] {
            let answer = post(&app, &path, &key, body).await;
            assert_documented(&document, operation, &answer, &path);
        }
        let other = post(&app, &path, &key, "{}").await;
        assert_documented(&document, operation, &other, &path);
        if path.starts_with("/webhooks/") {
            continue;
        }
        assert_eq!(other.status, 422, "{path}: {other:?}");
        if path.starts_with("/ia/") {
            assert!(!other.body.contains("errors"), "no field is at fault: {other:?}");
        } else {
            assert!(other.body.contains("idempotency_key_reused"), "{path}: {other:?}");
        }
    }
}

/// The status is told of, and the body is of the form that is promised with it.
fn assert_documented(document: &Value, operation: &Value, answer: &Answer, path: &str) {
    let response = &operation["responses"][answer.status.to_string()];
    assert!(response.is_object(), "{path}: {answer:?}");
    if let Some(content) = response["content"].as_object() {
        let media_type = answer.header("content-type");
        let content =
            content.get(media_type).unwrap_or_else(|| panic!("{path}: {media_type} is not told of"));
        let (body, validator) = (answer.json(), validator(document, &content["schema"]));
        let fits = validator.validate(&body);
        assert!(fits.is_ok(), "{path}: {fits:?}: {answer:?}");
    }
}
