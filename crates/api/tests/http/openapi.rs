//! The document that is served, the one that is committed, and the routes say the same.

use jsonschema::Validator;
use serde_json::{Value, json};

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

/// Every example in the document, wherever it stands, is what its schema allows.
#[tokio::test(flavor = "multi_thread")]
async fn every_example_is_what_its_schema_allows() {
    let app = TestApp::sqlite().await;
    let document: Value = app.get("/openapi.json").await.json();
    let mut checked = 0;
    check_examples(&document, &document, "#", &mut checked);
    assert!(checked >= 100, "the examples are there: {checked}");
}

fn check_examples(document: &Value, node: &Value, place: &str, checked: &mut usize) {
    match node {
        Value::Object(members) => {
            // Of a parameter or a body the schema stands beside the example; a schema holds its own.
            let schema = members.get("schema").unwrap_or(node);
            let examples = members.get("examples").and_then(Value::as_array);
            for example in members.get("example").into_iter().chain(examples.into_iter().flatten()) {
                if let Err(error) = validator(document, schema).validate(example) {
                    panic!("{place}: {example} is none: {error}");
                }
                *checked += 1;
            }
            // An example may have members of these names, and is no schema.
            for (name, member) in
                members.iter().filter(|(name, _)| !["example", "examples"].contains(&name.as_str()))
            {
                check_examples(document, member, &format!("{place}/{name}"), checked);
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                check_examples(document, element, &format!("{place}/{index}"), checked);
            }
        }
        _ => {}
    }
}

/// Validates by a schema, beside the named schemas, which it may refer to.
pub(crate) fn validator(document: &Value, schema: &Value) -> Validator {
    let whole = json!({"components": document["components"], "allOf": [schema]});
    jsonschema::draft202012::options().should_validate_formats(true).build(&whole).unwrap()
}
