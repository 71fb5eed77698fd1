//! What is refused of contact records: at which field, with which word, and that nothing of it is stored.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::bad_input::check;
use crate::on_both_databases;

on_both_databases!(
    every_fault_of_a_new_contact_names_its_field,
    every_fault_of_a_change_names_its_field,
    every_fault_of_a_list_names_its_parameter,
    metadata_may_have_16_kib,
    a_zero_character_is_treated_alike_everywhere,
    unusual_values_are_accepted,
);

/// Members that replace those of a good body, the fields at fault, and a word of the message of each.
const FAULTS: [(&str, &[(&str, &str)]); 43] = [
    (r#"{"kind":null}"#, &[("kind", "email or phone")]),
    (r#"{"kind":"fax"}"#, &[("kind", "email, phone")]),
    (r#"{"kind":"both"}"#, &[("kind", "email, phone")]),
    (r#"{"kind":5}"#, &[("kind", "string")]),
    (r#"{"source":null}"#, &[("source", "where")]),
    (r#"{"source":"identify"}"#, &[("source", "order, auth, signup_form, manual, import")]),
    (r#"{"source":"ORDER"}"#, &[("source", "order")]),
    (r#"{"value":null}"#, &[("value", "email address or the phone")]),
    (r#"{"value":""}"#, &[("value", "empty")]),
    (r#"{"value":"guest"}"#, &[("value", "@")]),
    (r#"{"value":"a@b@c.example"}"#, &[("value", "more than one @")]),
    (r#"{"value":"a\u0000@c.example"}"#, &[("value", "control")]),
    (r#"{"value":"\ud800@c.example"}"#, &[("value", "escape")]),
    (r#"{"value":5}"#, &[("value", "string")]),
    (r#"{"value":["a@b.example"]}"#, &[("value", "string")]),
    (r#"{"kind":"phone","value":"n/a"}"#, &[("value", "digit")]),
    (r#"{"kind":"phone","value":1.5}"#, &[("value", "whole")]),
    (r#"{"kind":"phone","value":"123456789012345678901234567890123"}"#, &[("value", "15 digits")]),
    (r#"{"userId":"42"}"#, &[("userId", "UUID")]),
    (r#"{"userId":42}"#, &[("userId", "string")]),
    (r#"{"userId":""}"#, &[("userId", "UUID")]),
    (r#"{"isPrimary":"true"}"#, &[("isPrimary", "true or false")]),
    (r#"{"isVerified":1}"#, &[("isVerified", "true or false")]),
    (r#"{"metadata":[]}"#, &[("metadata", "no JSON object")]),
    (r#"{"metadata":"{}"}"#, &[("metadata", "no JSON object")]),
    (r#"{"metadata":{"a":"\ud800"}}"#, &[("metadata.a", "escape")]),
    (r#"{"metadata":{"a":1e999}}"#, &[("metadata.a", "out of range")]),
    (r#"{"metadata":{"a":{"b":[1,18446744073709551616]}}}"#, &[("metadata.a.b.1", "string")]),
    (r#"{"metadata":{"a":-9223372036854775809}}"#, &[("metadata.a", "string")]),
    (r#"{"metadata":{"a":0.1234567890123456789}}"#, &[("metadata.a", "string")]),
    (r#"{"metadata":{"a":1,"b":2,"a":1}}"#, &[("metadata.a", "twice")]),
    (r#"{"metadata":{"a":{"b":[{"c":1,"\u0063":1}]}}}"#, &[("metadata.a.b.0.c", "twice")]),
    (r#"{"profile":{"name":"Ann","name":"Bob"}}"#, &[("profile.name", "twice")]),
    (r#"{"profile":{"address":{"city":"X","city":"Y"}}}"#, &[("profile.address.city", "twice")]),
    (r#"{"profile":"Marty"}"#, &[("profile", "no object")]),
    (r#"{"profile":{"country":"USA"}}"#, &[("profile.country", "two letters")]),
    (r#"{"profile":{"nickname":"Calvin"}}"#, &[("profile.nickname", "no such member")]),
    (r#"{"profile":{"address":{"town":"X"}}}"#, &[("profile.address.town", "no such member")]),
    (r#"{"channel":"whatsapp"}"#, &[("channel", "email")]),
    (r#"{"kind":"phone","value":"1","channel":"email"}"#, &[("channel", "telephone, whatsapp, telegram")]),
    (r#"{"customerId":"x"}"#, &[("customerId", "no such field; known are kind, value")]),
    (r#"{"user_id":"x","Value":1}"#, &[("user_id", "no such field"), ("Value", "no such field")]),
    (
        r#"{"kind":"fax","source":"x","value":{},"userId":"x","metadata":1,"profile":{"country":"?","name":1},"x":0}"#,
        &[
            ("kind", "one of"),
            ("source", "one of"),
            ("value", "string"),
            ("userId", "UUID"),
            ("metadata", "object"),
            ("profile.country", "letters"),
            ("profile.name", "text"),
            ("x", "no such field"),
        ],
    ),
];

/// Sends the body and looks for exactly these faults.
async fn refused(app: &TestApp, method: Method, path: &str, body: &str, fields: &[(&str, &str)]) {
    let request = app.request(method.clone(), path).header("Content-Type", "application/json");
    let answer = crate::app::send(request.body(body.to_owned())).await;
    faults(&check(&answer, 422, "invalid_request"), fields, &format!("{method} {body}"));
}

fn faults(problem: &Value, fields: &[(&str, &str)], what: &str) {
    let errors = problem["errors"].as_object().unwrap();
    assert_eq!(errors.len(), fields.len(), "{what}: {problem}");
    for (field, word) in fields {
        let message = errors.get(*field).and_then(|messages| messages[0].as_str()).unwrap_or_default();
        assert!(message.contains(word), "{what}: {problem}");
    }
}

/// A good body with some members replaced. Put together as text, for not all of it can be read as values.
fn body(members: &str) -> String {
    let good = [
        ("\"kind\":", r#""kind":"email""#),
        ("\"value\":", r#""value":"marty@hillvalley.edu""#),
        ("\"source\":", r#""source":"order""#),
    ];
    let mut all = vec![&members[1..members.len() - 1]];
    all.extend(good.iter().filter(|(name, _)| !members.contains(name)).map(|(_, member)| *member));
    format!("{{{}}}", all.join(","))
}

async fn every_fault_of_a_new_contact_names_its_field(app: TestApp) {
    for method in [Method::POST, Method::PUT] {
        for (members, fields) in FAULTS {
            refused(&app, method.clone(), "/contacts", &body(members), fields).await;
        }
        let long = body(&format!(r#"{{"value":"{}@x.example"}}"#, "a".repeat(250)));
        refused(&app, method.clone(), "/contacts", &long, &[("value", "254")]).await;
        let deep = body(&format!(r#"{{"metadata":{{"a":{}1{}}}}}"#, "[".repeat(32), "]".repeat(32)));
        refused(&app, method.clone(), "/contacts", &deep, &[("metadata", "32 levels")]).await;
        let all = [("kind", "email or phone"), ("value", "Send the"), ("source", "where")];
        refused(&app, method.clone(), "/contacts", "{}", &all).await;
        for (body, code) in [
            ("{", "malformed_json"),
            ("[]", "not_an_object"),
            (r#"{"kind":"email","kind":"phone"}"#, "not_an_object"),
        ] {
            let request = app.request(method.clone(), "/contacts").header("Content-Type", "application/json");
            check(&crate::app::send(request.body(body)).await, 400, code);
        }
        let invalid = &b"{\"kind\":\"email\",\"value\":\"\xff@x.example\",\"source\":\"order\"}"[..];
        let request = app.request(method.clone(), "/contacts").header("Content-Type", "application/json");
        check(&crate::app::send(request.body(invalid)).await, 400, "malformed_json");
    }
    assert_eq!(app.contacts().await, 0, "nothing of it is stored");
    assert_eq!(app.database.count("SELECT COUNT(*) FROM customer").await, 0);
}

async fn every_fault_of_a_change_names_its_field(app: TestApp) {
    let before = app
        .create("/contacts", json!({"kind": "email", "value": "marty@hillvalley.edu", "source": "order"}))
        .await;
    app.identify(json!({"email": "doc@hillvalley.edu", "phoneNumber": "123456"})).await;
    for (id, body, fields) in [
        (1, r#"{"value":null}"#, &[("value", "cannot be removed")][..]),
        (1, r#"{"value":"guest"}"#, &[("value", "@")]),
        (1, r#"{"value":123456}"#, &[("value", "string")]),
        (1, r#"{"email":"doc@hillvalley.edu"}"#, &[("email", "no such field")]),
        (1, r#"{"kind":"phone"}"#, &[("kind", "no such field")]),
        (1, r#"{"userId":null}"#, &[("userId", "no such field")]),
        (1, r#"{"source":null}"#, &[("source", "cannot be removed")]),
        (1, r#"{"source":"identify"}"#, &[("source", "order, auth")]),
        (1, r#"{"isVerified":"yes"}"#, &[("isVerified", "true or false")]),
        (1, r#"{"metadata":[]}"#, &[("metadata", "no JSON object")]),
        (1, r#"{"profile":5}"#, &[("profile", "no object")]),
        (1, r#"{"profile":{"country":"USA"}}"#, &[("profile.country", "two letters")]),
        (1, r#"{"profile":{"nickname":null}}"#, &[("profile.nickname", "no such member")]),
        (
            1,
            r#"{"metadata":1,"isPrimary":1,"x":1}"#,
            &[("metadata", "object"), ("isPrimary", "true"), ("x", "no such")],
        ),
        (2, r#"{"value":"x@hillvalley.edu"}"#, &[("value", "no such field")]),
        (2, r#"{"email":null}"#, &[("email", "cannot be removed")]),
        (2, r#"{"phone":"n/a"}"#, &[("phone", "digit")]),
        (2, r#"{"email":"x@hillvalley.edu","phone":"1"}"#, &[("phone", "two requests")]),
    ] {
        refused(&app, Method::PATCH, &format!("/contacts/{id}"), body, fields).await;
    }
    for id in ["0", "-1", "x", "1.0", "99999999999999999999"] {
        refused(&app, Method::PATCH, &format!("/contacts/{id}"), "{}", &[("id", "whole number")]).await;
    }
    check(&app.call(Method::PATCH, "/contacts/3", &json!({})).await, 404, "unknown_contact");
    assert_eq!(app.show("/contacts/1").await, before, "nothing of it is stored");
}

async fn every_fault_of_a_list_names_its_parameter(app: TestApp) {
    for (query, fields) in [
        ("limit=0", &[("limit", "from 1 to 200")][..]),
        ("limit=201", &[("limit", "from 1 to 200")]),
        ("limit=ten", &[("limit", "whole number")]),
        ("cursor=x", &[("cursor", "nextCursor")]),
        ("cursor=AAAAAAAAAAAA", &[("cursor", "nextCursor")]),
        ("cursor=__________8", &[("cursor", "nextCursor")]),
        ("cursor=%00", &[("cursor", "nextCursor")]),
        ("kind=fax", &[("kind", "email, phone, both")]),
        ("source=x", &[("source", "identify")]),
        ("userId=x", &[("userId", "UUID")]),
        ("customerId=7", &[("customerId", "UUID")]),
        ("kind=email&value=guest", &[("value", "@")]),
        ("value=guest", &[("value", "digit")]),
        ("value=a%00%40b.example", &[("value", "control")]),
        ("limit=1&limit=2", &[("limit", "twice")]),
        ("user=x&page=2", &[("user", "known are kind"), ("page", "no such parameter")]),
        (
            "limit=0&cursor=x&kind=x&q=1",
            &[("limit", "200"), ("cursor", "next"), ("kind", "one"), ("q", "no such")],
        ),
    ] {
        let problem = check(&app.get(&format!("/contacts?{query}")).await, 422, "invalid_request");
        faults(&problem, fields, query);
    }
}

async fn metadata_may_have_16_kib(app: TestApp) {
    const MOST: usize = 16 * 1024;
    let with = |text: usize| json!({"kind": "email", "value": "marty@hillvalley.edu", "source": "order", "metadata": {"a": "x".repeat(text)}});
    // {"a":""} is 8 of them.
    for method in [Method::POST, Method::PUT] {
        let over = with(MOST - 8 + 1).to_string();
        refused(&app, method, "/contacts", &over, &[("metadata", "16384 bytes")]).await;
    }
    assert_eq!(app.contacts().await, 0);
    let shown = app.create("/contacts", with(MOST - 8)).await;
    assert_eq!(shown["metadata"]["a"].as_str().unwrap().len(), MOST - 8);
    // Small changes that make it too large together.
    let more = json!({"metadata": {"b": 1}}).to_string();
    refused(&app, Method::PATCH, "/contacts/1", &more, &[("metadata", "16384 bytes")]).await;
    let mut more = with(0);
    more["metadata"] = json!({"b": 1});
    refused(&app, Method::PUT, "/contacts", &more.to_string(), &[("metadata", "16384 bytes")]).await;
    assert_eq!(app.show("/contacts/1").await, shown);
    let smaller = json!({"metadata": {"a": null, "b": 1}});
    let changed = app.call(Method::PATCH, "/contacts/1", &smaller).await;
    assert_eq!((changed.status, &changed.json()["metadata"]), (200, &json!({"b": 1})));
}

async fn a_zero_character_is_treated_alike_everywhere(app: TestApp) {
    let metadata = json!({"a\u{0}b": ["\u{0}", {"\u{0}": null}], "\u{1}": "\u{7f}"});
    let good =
        json!({"kind": "email", "value": "marty@hillvalley.edu", "source": "order", "metadata": metadata});
    let shown = app.create("/contacts", good.clone()).await;
    assert_eq!(shown["metadata"], metadata, "in metadata it is kept as it came");
    assert_eq!(app.show("/contacts/1").await, shown);
    assert_eq!(app.call(Method::PUT, "/contacts", &good).await.json()["metadata"], metadata);
    let mut profile = good;
    for field in ["firstName", "notes", "role"] {
        profile["profile"] = json!({field: "Mar\u{0}ty"});
        let faults = [(&*format!("profile.{field}"), "control")];
        refused(&app, Method::POST, "/contacts", &profile.to_string(), &faults).await;
        let patch = json!({"profile": profile["profile"]}).to_string();
        refused(&app, Method::PATCH, "/contacts/1", &patch, &faults).await;
    }
    profile["profile"] = json!({"a\u{0}": 1});
    refused(&app, Method::POST, "/contacts", &profile.to_string(), &[("profile.a\u{0}", "no such")]).await;
}

async fn unusual_values_are_accepted(app: TestApp) {
    for members in [
        r#"{"value":"root@localhost"}"#,
        r#"{"value":"\u00fcnal@b\u00fccher.example"}"#,
        r#"{"kind":"phone","value":0}"#,
        r#"{"kind":"phone","value":"Tel. 5551234 (please)","channel":"telegram"}"#,
        r#"{"kind":"phone","value":123456789012345}"#,
        r#"{"isPrimary":null,"isVerified":null,"metadata":null,"profile":null,"channel":null,"userId":null}"#,
        r#"{"isPrimary":true,"channel":"email","metadata":{}}"#,
        r#"{"profile":{"firstName":null,"address":{},"notes":" "}}"#,
        r#"{"metadata":{"big":12345678901234567890,"text":"😀 \" \\ '"}}"#,
    ] {
        let answer = app.post("/contacts", body(members)).await;
        assert_eq!(answer.status, 201, "{members}: {answer:?}");
        assert_eq!(app.show(answer.header("location")).await, answer.json());
    }
    app.database.assert_invariants().await;
}
