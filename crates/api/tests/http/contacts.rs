//! `/contacts` as a caller sees it: shapes, upserts, claims, pages, changes, conditions.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, send};
use crate::on_both_databases;
use crate::record_faults::refused;

on_both_databases!(
    a_contact_of_two_values_has_both,
    create_always_adds,
    fifty_parallel_upserts_make_one_record,
    a_user_has_one_primary_of_each_kind,
    every_filter_holds_and_pages_lead_to_the_end,
    another_value_links_anew,
    conditions_are_kept,
    a_withdrawn_contact_counts_no_more,
    blocked_values_are_told,
);

const USER: &str = "0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11";

pub(crate) async fn create(app: &TestApp, body: Value) -> Value {
    let answer = app.post("/contacts", body.to_string()).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

async fn patch(app: &TestApp, path: &str, body: Value) -> Answer {
    send(app.request(Method::PATCH, path).json(&body)).await
}

pub(crate) async fn register(app: &TestApp) {
    assert_eq!(app.post("/users", json!({"id": USER}).to_string()).await.status, 201);
}

async fn a_contact_of_two_values_has_both(app: TestApp) {
    app.identify(json!({"email": "doc@hillvalley.edu", "phoneNumber": "123456"})).await;
    let answer = app.get("/contacts/1").await;
    let mut contact = answer.json();
    for volatile in ["customerId", "createdAt", "updatedAt"] {
        assert!(contact[volatile].take().is_string());
    }
    let expected = json!({"id": 1, "kind": "both", "email": "doc@hillvalley.edu", "phone": "123456", "channel": null,
        "source": "identify", "userId": null, "isPrimary": false, "isVerified": false, "verifiedAt": null,
        "metadata": {}, "profile": null, "customerId": null, "linkPrecedence": "primary", "linkedId": null,
        "createdAt": null, "updatedAt": null});
    assert_eq!(contact, expected);
    let changed = patch(&app, "/contacts/1", json!({"phone": "654321"})).await.json();
    assert_eq!((&changed["phone"], &changed["email"]), (&json!("654321"), &json!("doc@hillvalley.edu")));
    refused(
        &patch(&app, "/contacts/1", json!({"phone": "1", "email": "a@b.example"})).await,
        422,
        "invalid_request",
    );
}

async fn create_always_adds(app: TestApp) {
    let body = json!({"kind": "phone", "value": 123_456, "source": "order", "isVerified": true, "channel": "telegram"});
    let answer = app.post("/contacts", body.to_string()).await;
    assert_eq!((answer.status, answer.header("location")), (201, "/contacts/1"));
    let first = answer.json();
    assert_eq!((&first["value"], &first["channel"]), (&json!("123456"), &json!("telegram")));
    assert_eq!(first["verifiedAt"], first["createdAt"]);
    let second = create(&app, body).await;
    assert_eq!(
        (&second["id"], &second["linkedId"], &second["linkPrecedence"]),
        (&json!(2), &json!(1), &json!("secondary"))
    );
    assert_eq!(first["customerId"], second["customerId"]);
}

async fn fifty_parallel_upserts_make_one_record(app: TestApp) {
    let body = json!({"kind": "email", "value": "doc@hillvalley.edu", "source": "order"});
    let requests =
        (0..50).map(|_| app.request(Method::PUT, "/contacts").json(&body)).map(send).map(tokio::spawn);
    let mut statuses = Vec::new();
    for request in requests.collect::<Vec<_>>() {
        statuses.push(request.await.unwrap().status);
    }
    statuses.sort_unstable();
    let mut expected = vec![200; 49];
    expected.push(201);
    assert_eq!(statuses, expected);
    assert_eq!(app.contacts().await, 1);
    app.database.assert_invariants().await;
}

async fn a_user_has_one_primary_of_each_kind(app: TestApp) {
    register(&app).await;
    for (kind, value) in
        [("email", "doc@hillvalley.edu"), ("email", "emmett@hillvalley.edu"), ("phone", "123456")]
    {
        create(
            &app,
            json!({"kind": kind, "value": value, "source": "auth", "userId": USER, "isPrimary": true}),
        )
        .await;
    }
    let primaries = || async {
        let contacts = app.get(&format!("/users/{USER}/contacts")).await.json();
        let contacts = contacts["contacts"].as_array().unwrap().clone();
        contacts
            .iter()
            .filter(|contact| contact["isPrimary"] == true)
            .map(|contact| contact["id"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(primaries().await, [2, 3]);
    assert_eq!(patch(&app, "/contacts/1", json!({"isPrimary": true})).await.status, 200);
    assert_eq!(primaries().await, [1, 3]);
    assert_eq!(patch(&app, "/contacts/1", json!({"isPrimary": null})).await.status, 200);
    assert_eq!(primaries().await, [3]);
}

async fn every_filter_holds_and_pages_lead_to_the_end(app: TestApp) {
    register(&app).await;
    for number in 0..7 {
        let source = if number % 2 == 0 { "order" } else { "signup_form" };
        create(
            &app,
            json!({"kind": "email", "value": format!("m{number}@hillvalley.edu"), "source": source}),
        )
        .await;
    }
    create(&app, json!({"kind": "phone", "value": "+1 202 555 0143", "source": "auth", "userId": USER}))
        .await;
    let customer = app.get("/contacts/3").await.json()["customerId"].as_str().unwrap().to_owned();
    for (query, expected) in [
        ("source=order", vec![1, 3, 5, 7]),
        ("source=order&kind=phone", vec![]),
        ("kind=phone", vec![8]),
        ("value=M3@HillValley.edu", vec![4]),
        ("value=001%20202%20555-0143", vec![8]),
        (&format!("userId={USER}"), vec![8]),
        (&format!("customerId={customer}"), vec![3]),
        (&format!("customerId={customer}&source=auth"), vec![]),
    ] {
        let answer = app.get(&format!("/contacts?{query}")).await.json();
        assert_eq!((ids(&answer), &answer["nextCursor"]), (expected, &Value::Null), "{query}");
    }
    let mut seen = Vec::new();
    let mut path = "/contacts?source=order&limit=3".to_owned();
    while !path.is_empty() {
        let answer = app.get(&path).await;
        seen.push(ids(&answer.json()));
        let link = answer.header("link").trim_start_matches('<');
        path = link.split_once('>').map_or(String::new(), |(next, _)| next.to_owned());
    }
    assert_eq!(seen, [vec![1, 3, 5], vec![7]]);
}

fn ids(page: &Value) -> Vec<i64> {
    page["contacts"].as_array().unwrap().iter().map(|contact| contact["id"].as_i64().unwrap()).collect()
}

async fn another_value_links_anew(app: TestApp) {
    let doc = create(
        &app,
        json!({"kind": "email", "value": "doc@hillvalley.edu", "source": "order", "isVerified": true}),
    )
    .await;
    let marty =
        create(&app, json!({"kind": "email", "value": "marty@hillvalley.edu", "source": "order"})).await;
    assert_ne!(doc["customerId"], marty["customerId"]);
    let answer = send(
        app.request(Method::PATCH, "/contacts/1")
            .header("Content-Type", "application/merge-patch+json")
            .body(r#"{"value":"MARTY@hillvalley.edu","metadata":{"a":1},"profile":{"name":"Marty"}}"#),
    )
    .await;
    let moved = answer.json();
    assert_eq!((&moved["value"], &moved["isVerified"]), (&json!("marty@hillvalley.edu"), &json!(false)));
    assert_eq!(app.get("/contacts/2").await.json()["customerId"], moved["customerId"]);
    let back = patch(
        &app,
        "/contacts/1",
        json!({"value": "doc@hillvalley.edu", "metadata": {"a": null}, "profile": null}),
    )
    .await;
    assert_eq!((&back.json()["metadata"], &back.json()["profile"]), (&json!({}), &Value::Null));
    assert_ne!(app.get("/contacts/2").await.json()["customerId"], back.json()["customerId"]);
    app.database.assert_invariants().await;
}

async fn conditions_are_kept(app: TestApp) {
    let body = json!({"kind": "email", "value": "doc@hillvalley.edu", "source": "order"});
    let created = app.post("/contacts", body.to_string()).await;
    let read = app.get("/contacts/1").await;
    assert_eq!(created.header("etag"), read.header("etag"));
    for path in ["/contacts/1", "/customers/1"] {
        let seen = app.get(path).await.header("etag").to_owned();
        let with = |method: Method, name: &str, value: &str| {
            send(app.request(method, path).header(name, value).json(&json!({"profile": {"name": "Doc"}})))
        };
        assert_eq!(with(Method::GET, "If-None-Match", &seen).await.status, 304);
        assert_eq!(with(Method::GET, "If-None-Match", "\"other\"").await.status, 200);
        refused(&with(Method::PATCH, "If-Match", "\"other\"").await, 412, "stale");
        refused(&with(Method::PATCH, "If-Match", &format!("W/{seen}")).await, 412, "stale");
        refused(&with(Method::PATCH, "If-Match", "other").await, 422, "invalid_request");
        let changed = with(Method::PATCH, "If-Match", &format!("\"other\", {seen}")).await;
        assert_eq!(changed.status, 200, "{changed:?}");
        assert_ne!(changed.header("etag"), seen);
        refused(&with(Method::PATCH, "If-Match", &seen).await, 412, "stale");
        assert_eq!(with(Method::PATCH, "If-Match", "*").await.status, 200);
    }
    refused(
        &send(app.request(Method::DELETE, "/contacts/1").header("If-Match", created.header("etag"))).await,
        412,
        "stale",
    );
}

async fn a_withdrawn_contact_counts_no_more(app: TestApp) {
    create(&app, json!({"kind": "email", "value": "doc@hillvalley.edu", "source": "order"})).await;
    app.identify(json!({"email": "doc@hillvalley.edu", "phoneNumber": "123456"})).await;
    app.identify(json!({"email": "emmett@hillvalley.edu", "phoneNumber": "123456"})).await;
    let gone = send(app.request(Method::DELETE, "/contacts/2")).await;
    assert_eq!((gone.status, gone.body.as_str()), (204, ""));
    refused(&app.get("/contacts/2").await, 404, "unknown_contact");
    refused(&send(app.request(Method::DELETE, "/contacts/2")).await, 404, "unknown_contact");
    // It was all that held the two together.
    let doc = app.get("/customers/1").await.json();
    let emmett = app.get("/customers/3").await.json();
    assert_eq!((&doc["contactCount"], &emmett["contactCount"]), (&json!(1), &json!(1)));
    assert_ne!(doc["id"], emmett["id"]);
    app.database.assert_invariants().await;
}

async fn blocked_values_are_told(app: TestApp) {
    let body = json!({"kind": "phone", "value": "0000000000", "source": "order"});
    let answer = app.post("/contacts", body.to_string()).await;
    assert_eq!(answer.header("onefold-blocked"), "value;rule=never_links");
    assert_eq!(app.get("/contacts/1").await.header("onefold-blocked"), "value;rule=never_links");
    let customer = app.get("/customers/1").await.json();
    assert_eq!(customer["contactPoints"][0]["blockedBy"], "never_links");
}
