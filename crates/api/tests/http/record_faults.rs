//! What the endpoints of records refuse: with which status, at which field, and that nothing of it is stored.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, send};
use crate::on_both_databases;

on_both_databases!(
    every_fault_of_a_contact_names_its_field,
    every_fault_of_a_change_names_its_field,
    several_faults_are_told_at_once,
    parameters_are_checked,
    control_characters_do_no_harm,
);

const USER: &str = "0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11";

pub(crate) fn refused(answer: &Answer, status: u16, code: &str) -> Value {
    assert_eq!((answer.status, &answer.json()["code"]), (status, &code.into()), "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    answer.json()
}

/// A contact without fault, changed.
fn contact(changes: &Value) -> Value {
    let mut body = json!({"kind": "email", "value": "doc@hillvalley.edu", "source": "order"});
    json_patch_like(&mut body, changes);
    body
}

fn json_patch_like(body: &mut Value, changes: &Value) {
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
}

/// The changes, the field at fault and a word of the message.
fn faults() -> Vec<(Value, &'static str, &'static str)> {
    let large = "x".repeat(16 * 1024);
    vec![
        (json!({"kind": "fax"}), "kind", "email, phone"),
        (json!({"kind": "both"}), "kind", "email, phone"),
        (json!({"kind": null}), "kind", "Send"),
        (json!({"kind": 5}), "kind", "string"),
        (json!({"source": "orders"}), "source", "signup_form"),
        (json!({"source": "identify"}), "source", "one of"),
        (json!({"source": null}), "source", "where"),
        (json!({"value": null}), "value", "email address"),
        (json!({"value": "guest"}), "value", "@"),
        (json!({"value": "a@b..example"}), "value", "domain"),
        (json!({"value": 5}), "value", "string"),
        (json!({"value": ["a@b.example"]}), "value", "string"),
        (json!({"kind": "phone", "value": "none"}), "value", "digit"),
        (json!({"kind": "phone", "value": 1.5}), "value", "whole"),
        (json!({"userId": "5"}), "userId", "UUID"),
        (json!({"userId": USER}), "userId", "no such user"),
        (json!({"isPrimary": "yes"}), "isPrimary", "true or false"),
        (json!({"isVerified": 1}), "isVerified", "true or false"),
        (json!({"metadata": []}), "metadata", "object"),
        (json!({"metadata": "x"}), "metadata", "object"),
        (json!({"metadata": {"a": large}}), "metadata", "bytes"),
        (json!({"profile": "Doc"}), "profile", "object"),
        (json!({"profile": {"country": "Slovenia"}}), "profile.country", "two letters"),
        (json!({"profile": {"nickname": "Doc"}}), "profile.nickname", "no such member"),
        (json!({"profile": {"address": {"town": "Bled"}}}), "profile.address.town", "no such member"),
        (json!({"channel": "whatsapp"}), "channel", "email"),
        (json!({"kind": "phone", "value": "123", "channel": "email"}), "channel", "whatsapp"),
        (json!({"vaule": "x"}), "vaule", "no such field"),
    ]
}

async fn every_fault_of_a_contact_names_its_field(app: TestApp) {
    for (changes, field, word) in faults() {
        for method in [Method::POST, Method::PUT] {
            let request = app.request(method, "/contacts").json(&contact(&changes));
            let problem = refused(&send(request).await, 422, "invalid_request");
            let errors = problem["errors"].as_object().unwrap();
            assert_eq!(errors.keys().collect::<Vec<_>>(), [field], "{changes}: {problem}");
            assert!(errors[field][0].as_str().unwrap().contains(word), "{changes}: {problem}");
        }
    }
    for (body, code) in
        [("{", "malformed_json"), ("[]", "not_an_object"), ("{\"a\":1,\"a\":1}", "not_an_object")]
    {
        refused(&app.post("/contacts", body).await, 400, code);
    }
    assert_eq!(app.contacts().await, 0, "nothing of it is stored");
    assert_eq!(app.database.count("SELECT COUNT(*) FROM customer").await, 0);
    let full = json!({"metadata": {"a": "x".repeat(16 * 1024 - 8)}});
    assert_eq!(app.post("/contacts", contact(&full).to_string()).await.status, 201, "16 KiB are allowed");
}

async fn every_fault_of_a_change_names_its_field(app: TestApp) {
    let before = app.post("/contacts", contact(&json!({})).to_string()).await.json();
    for (change, field) in [
        (json!({"value": "guest"}), "value"),
        (json!({"value": null}), "value"),
        (json!({"source": "identify"}), "source"),
        (json!({"source": null}), "source"),
        (json!({"isPrimary": "no"}), "isPrimary"),
        (json!({"metadata": 5}), "metadata"),
        (json!({"metadata": {"a": "x".repeat(17_000)}}), "metadata"),
        (json!({"profile": {"country": "X"}}), "profile.country"),
        (json!({"kind": "phone"}), "kind"),
        (json!({"userId": USER}), "userId"),
        (json!({"email": "a@b.example"}), "email"),
    ] {
        let answer = send(app.request(Method::PATCH, "/contacts/1").json(&change)).await;
        let problem = refused(&answer, 422, "invalid_request");
        assert!(problem["errors"][field][0].is_string(), "{change}: {problem}");
    }
    let answer = send(app.request(Method::PATCH, "/customers/1").json(&json!({"name": "Doc"}))).await;
    assert!(refused(&answer, 422, "invalid_request")["errors"]["name"].is_array());
    assert_eq!(app.get("/contacts/1").await.json(), before, "nothing has changed");
}

async fn several_faults_are_told_at_once(app: TestApp) {
    let body = json!({"kind": "phone", "value": "none", "source": "x", "userId": "y", "metadata": 1, "z": 1,
        "profile": {"country": "X", "website": "no"}});
    let problem = refused(&app.post("/contacts", body.to_string()).await, 422, "invalid_request");
    let fields: Vec<_> = problem["errors"].as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        ["metadata", "profile.country", "profile.website", "source", "userId", "value", "z"],
        "{problem}"
    );
}

async fn parameters_are_checked(app: TestApp) {
    for (path, field) in [
        ("/contacts?limit=0", "limit"),
        ("/contacts?limit=201", "limit"),
        ("/contacts?limit=many", "limit"),
        ("/contacts?cursor=x", "cursor"),
        ("/contacts?kind=fax", "kind"),
        ("/contacts?source=fax", "source"),
        ("/contacts?userId=5", "userId"),
        ("/contacts?customerId=5", "customerId"),
        ("/contacts?kind=email&value=guest", "value"),
        ("/contacts?emial=x", "emial"),
        ("/contacts?kind=email&kind=phone", "kind"),
        ("/contacts/export?format=xml", "format"),
        ("/customers", "query"),
        ("/customers?query=ab", "query"),
        ("/customers?query=abc&limit=101", "limit"),
        ("/contacts/abc", "id"),
        ("/contacts/-1", "id"),
        ("/customers/abc", "id"),
        ("/users/abc", "id"),
        ("/users/abc/contacts", "id"),
        ("/imports/abc", "id"),
    ] {
        let problem = refused(&app.get(path).await, 422, "invalid_request");
        assert!(problem["errors"][field][0].is_string(), "{path}: {problem}");
    }
    for (path, code) in [
        ("/contacts/7", "unknown_contact"),
        ("/contacts/9223372036854775807", "unknown_contact"),
        ("/customers/7", "unknown_contact"),
        (&format!("/customers/{USER}"), "unknown_customer"),
        (&format!("/users/{USER}"), "unknown_user"),
        (&format!("/users/{USER}/contacts"), "unknown_user"),
        (&format!("/imports/{USER}"), "unknown_import"),
        (&format!("/imports/{USER}/errors"), "unknown_import"),
    ] {
        refused(&app.get(path).await, 404, code);
    }
}

/// PostgreSQL cannot store the character NUL in a text.
async fn control_characters_do_no_harm(app: TestApp) {
    let stored = contact(&json!({"metadata": {"a\u{0}b": "c\u{0}d"}}));
    let answer = app.post("/contacts", stored.to_string()).await;
    assert_eq!((answer.status, &answer.json()["metadata"]), (201, &stored["metadata"]));
    for changes in [json!({"profile": {"name": "a\u{0}b"}}), json!({"value": "a\u{0}@b.example"})] {
        refused(&app.post("/contacts", contact(&changes).to_string()).await, 422, "invalid_request");
    }
    let body = json!({"externalId": "a\u{0}b"});
    refused(&app.post("/users", body.to_string()).await, 422, "invalid_request");
    refused(&app.get("/contacts?value=a%00@b.example").await, 422, "invalid_request");
    let found = app.get("/customers?query=abc%00def").await;
    assert!(found.status == 200 || found.status == 422, "{found:?}");
}
