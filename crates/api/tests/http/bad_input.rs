//! What is refused: with which status and code, at which field, and that nothing of it is stored.

use reqwest::Method;
use serde_json::Value;

use crate::app::{Answer, TestApp, send};
use crate::on_both_databases;

on_both_databases!(every_fault_names_its_field, unusual_values_are_accepted);

pub(crate) fn check(answer: &Answer, status: u16, code: &str) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.json();
    assert_eq!(problem["code"], code, "{answer:?}");
    assert_eq!(problem["status"], status);
    assert_eq!(problem["requestId"], answer.header("x-request-id"));
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.ends_with('.')));
    problem
}

/// Body, the fields at fault, and a word of the message of each.
const FAULTS: [(&str, &[(&str, &str)]); 32] = [
    (r"{}", &[("email", "or both"), ("phoneNumber", "or both")]),
    (r#"{"email":null,"phoneNumber":null}"#, &[("email", "or both"), ("phoneNumber", "or both")]),
    (r#"{"phone":"123"}"#, &[("email", "or both"), ("phoneNumber", "or both")]),
    (r#"{"email":""}"#, &[("email", "empty")]),
    (r#"{"email":"  ","phoneNumber":"123"}"#, &[("email", "empty")]),
    (r#"{"email":"a@b.example","phoneNumber":""}"#, &[("phoneNumber", "empty")]),
    (r#"{"email":"guest"}"#, &[("email", "@")]),
    (r#"{"email":"null"}"#, &[("email", "@")]),
    (r#"{"email":"[object Object]"}"#, &[("email", "@")]),
    (r#"{"email":"@x.example"}"#, &[("email", "before")]),
    (r#"{"email":"a@"}"#, &[("email", "after")]),
    (r#"{"email":"a@b@c.example"}"#, &[("email", "more than one @")]),
    (r#"{"email":"a b@c.example"}"#, &[("email", "blank")]),
    (r#"{"email":"a\u0000@c.example"}"#, &[("email", "control")]),
    (r#"{"email":5}"#, &[("email", "string")]),
    (r#"{"email":["a@b.example"]}"#, &[("email", "string")]),
    (r#"{"email":{"a":1},"phoneNumber":true}"#, &[("email", "string"), ("phoneNumber", "number")]),
    (r#"{"phoneNumber":"n/a"}"#, &[("phoneNumber", "digit")]),
    (r#"{"phoneNumber":1.5}"#, &[("phoneNumber", "whole")]),
    (r#"{"phoneNumber":-15}"#, &[("phoneNumber", "whole")]),
    (r#"{"phoneNumber":1e9}"#, &[("phoneNumber", "whole")]),
    (r#"{"phoneNumber":"1\u00002"}"#, &[("phoneNumber", "control")]),
    (r#"{"phoneNumber":"123456789012345678901234567890123"}"#, &[("phoneNumber", "15 digits")]),
    (r#"{"phoneNumber":123456789012345678901234567890123}"#, &[("phoneNumber", "15 digits")]),
    (r#"{"phoneNumber":"*100#"}"#, &[("phoneNumber", "hidden")]),
    (r#"{"phoneNumber":"call after 5pm"}"#, &[("phoneNumber", "words")]),
    (r#"{"phoneNumber":"+1202555O149"}"#, &[("phoneNumber", "letter")]),
    (r#"{"phoneNumber":"4.91512E+11"}"#, &[("phoneNumber", "spreadsheet")]),
    (
        r#"{"phoneNumber":"2025550143 / +1 202 555 0187"}"#,
        &[("phoneNumber", "2 numbers, 2025550143 and +12025550187; send one")],
    ),
    (r#"{"email":"\"a b\"@x.example"}"#, &[("email", "blank")]),
    (r#"{"email":"a;b@x.example"}"#, &[("email", "before the @")]),
    (r#"{"email":"emoji😀@x.example"}"#, &[("email", "before the @")]),
];

async fn every_fault_names_its_field(app: TestApp) {
    for (body, fields) in FAULTS {
        let problem = check(&app.post("/identify", body).await, 400, "invalid_request");
        let errors = problem["errors"].as_object().unwrap();
        assert_eq!(errors.len(), fields.len(), "{body}: {problem}");
        for (field, word) in fields {
            let message = errors[*field][0].as_str().unwrap();
            assert!(message.contains(word), "{body}: {message}");
        }
    }
    let long = format!(r#"{{"email":"{}@x.example"}}"#, "a".repeat(250));
    let problem = check(&app.post("/identify", long).await, 400, "invalid_request");
    assert!(problem["errors"]["email"][0].as_str().unwrap().contains("254"));

    for body in
        ["", "{", r#"{"email":}"#, "nonsense", r#"{"email":"a@b.example"} trailing"#, "{\"email\":\"\u{1}\"}"]
    {
        check(&app.post("/identify", body).await, 400, "malformed_json");
    }
    check(&app.post("/identify", &b"{\"email\":\"\xff@x.example\"}"[..]).await, 400, "malformed_json");
    check(&app.post("/identify", r#"{"email":"\ud800@x.example"}"#).await, 400, "invalid_request");
    for body in ["[]", "null", "5", r#""a@b.example""#, r#"{"email":null,"email":"a@b.example"}"#] {
        check(&app.post("/identify", body).await, 400, "not_an_object");
    }
    assert_eq!(app.contacts().await, 0, "nothing of it is stored");
}

async fn unusual_values_are_accepted(app: TestApp) {
    for body in [
        r#"{"email":"root@localhost"}"#,
        r#"{"email":"o'hara+x@my_host.example"}"#,
        r#"{"email":"\u00fcnal@b\u00fccher.example"}"#,
        r#"{"phoneNumber":0}"#,
        r#"{"phoneNumber":"Tel. 5551234 (please)"}"#,
        r#"{"phoneNumber":123456789012345}"#,
        r#"{"email":"用户@x.example","phoneNumber":"\uff11\uff12\uff13"}"#,
    ] {
        let answer = app.post("/identify", body).await;
        assert_eq!(answer.status, 200, "{body}: {answer:?}");
    }
    app.database.assert_invariants().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_http_itself_can_get_wrong() {
    let app = TestApp::sqlite().await;
    let blank = " ".repeat(64 * 1024);
    check(&app.post("/identify", format!("{blank}{{}}")).await, 413, "body_too_large");

    let put = send(app.request(Method::PUT, "/identify")).await;
    check(&put, 405, "method_not_allowed");
    assert_eq!(put.header("allow"), "POST");
    check(&app.get("/identify").await, 405, "method_not_allowed");
    check(&send(app.request(Method::POST, "/metrics")).await, 405, "method_not_allowed");

    check(&app.get("/nowhere").await, 404, "unknown_path");
    check(&app.post("/identify/", "{}").await, 404, "unknown_path");

    let body = r#"{"email":"a@b.example"}"#;
    for kind in ["text/plain", "application/xml", ""] {
        let request = app.request(Method::POST, "/identify").header("Content-Type", kind).body(body);
        check(&send(request).await, 415, "unsupported_media_type");
    }
    check(&send(app.request(Method::POST, "/identify").body(body)).await, 415, "unsupported_media_type");
    let charset =
        app.request(Method::POST, "/identify").header("Content-Type", "application/json; charset=utf-8");
    assert_eq!(send(charset.body(body)).await.status, 200);
}
