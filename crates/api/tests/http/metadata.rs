//! Contacts that are found by their metadata, and metadata that would not be kept as it was sent.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, send};
use crate::bad_input::check;
use crate::on_both_databases;

on_both_databases!(
    contacts_are_found_by_a_member,
    a_search_finds_a_customer_by_an_orders_number,
    a_user_finds_only_their_own,
    a_filter_that_makes_no_sense_is_refused,
    a_patch_that_cannot_be_kept_changes_nothing,
    numbers_come_back_with_all_their_digits,
);

async fn ids(app: &TestApp, query: &str) -> Vec<i64> {
    let page = app.show(&format!("/contacts?{query}")).await;
    page["contacts"].as_array().unwrap().iter().map(|contact| contact["id"].as_i64().unwrap()).collect()
}

async fn add(app: &TestApp, email: &str, metadata: Value) -> Value {
    app.create("/contacts", json!({"kind": "email", "value": email, "source": "order", "metadata": metadata}))
        .await
}

async fn contacts_are_found_by_a_member(app: TestApp) {
    add(
        &app,
        "marty@hillvalley.edu",
        json!({"orderId": "order_123", "items": 2, "gift": true, "tier": "a b&c"}),
    )
    .await;
    add(
        &app,
        "doc@hillvalley.edu",
        json!({"orderId": "order_124", "items": 2, "crm": {"orderId": "order_123"}}),
    )
    .await;
    app.identify(json!({"email": "doc@hillvalley.edu", "phoneNumber": "+12025550143"})).await;
    for (query, expected) in [
        ("metadata.orderId=order_123", vec![1]),
        ("metadata.items=2", vec![1, 2]),
        ("metadata.gift=true&metadata.items=2", vec![1]),
        ("metadata.tier=a+b%26c", vec![1]),
        ("metadata.items=2&value=doc@hillvalley.edu", vec![2]),
        ("metadata.orderId=order_12", vec![]),
        ("metadata.crm.orderId=order_123", vec![]),
        ("metadata.orderId=", vec![1, 2, 3]),
    ] {
        assert_eq!(ids(&app, query).await, expected, "{query}");
    }
    let page = app.get("/contacts?metadata.items=2&limit=1").await;
    let next = page.header("link").trim_start_matches('<').split_once('>').unwrap().0.to_owned();
    assert!(next.contains("metadata.items=2"), "{next}");
    assert_eq!(app.show(&next).await["contacts"][0]["id"], 2);
    let export = app.get("/contacts/export?metadata.orderId=order_124").await;
    assert_eq!(export.body.lines().count(), 1, "{}", export.body);
}

async fn a_search_finds_a_customer_by_an_orders_number(app: TestApp) {
    let contact = add(&app, "marty@hillvalley.edu", json!({"orderId": "order_123"})).await;
    add(&app, "doc@hillvalley.edu", json!({"orderId": "order_124"})).await;
    for query in ["order_123", "ORDER_123", "marty+r_123"] {
        let page = app.show(&format!("/customers?query={query}")).await;
        let found: Vec<_> = page["customers"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
        assert_eq!(found, [&contact["customerId"]], "{query}");
    }
}

async fn a_user_finds_only_their_own(app: TestApp) {
    let (own, other) = (app.user().await, app.user().await);
    for (user, email) in [(&own, "marty@hillvalley.edu"), (&other, "doc@hillvalley.edu")] {
        let body = json!({"kind": "email", "value": email, "source": "order", "userId": user, "metadata": {"tier": "gold"}});
        app.create("/contacts", body).await;
    }
    add(&app, "guest@hillvalley.edu", json!({"tier": "gold"})).await;
    let token = app.token_for(&["contacts:read"], Some(&own)).await;
    let request = app.bare_request(Method::GET, "/contacts?metadata.tier=gold").bearer_auth(token);
    let found = send(request).await.json();
    assert_eq!(found["contacts"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found["contacts"][0]["userId"], json!(own));
}

async fn a_filter_that_makes_no_sense_is_refused(app: TestApp) {
    let long = "x".repeat(256);
    let many: String = (0..6).map(|number| format!("metadata.m{number}=1&")).collect();
    for (query, field, word) in [
        (format!("metadata.a={long}"), "metadata.a".to_owned(), "255"),
        (format!("metadata.{long}=a"), format!("metadata.{long}"), "255"),
        ("metadata.a=%00".to_owned(), "metadata.a".to_owned(), "zero"),
        ("metadata.a=1&metadata.a=2".to_owned(), "metadata.a".to_owned(), "twice"),
        (many, "metadata".to_owned(), "5 members"),
        ("metadataorderId=1".to_owned(), "metadataorderId".to_owned(), "metadata.{name}"),
    ] {
        let problem = check(&app.get(&format!("/contacts?{query}")).await, 422, "invalid_request");
        let message = problem["errors"][&field][0].as_str().unwrap_or_default();
        assert!(message.contains(word), "{query}: {problem}");
    }
}

async fn a_patch_that_cannot_be_kept_changes_nothing(app: TestApp) {
    let before = add(&app, "marty@hillvalley.edu", json!({"a": 1})).await;
    for (body, field) in [
        (r#"{"metadata":{"a":2,"b":{"c":1,"c":2}}}"#, "metadata.b.c"),
        (r#"{"metadata":{"a":340282366920938463463374607431768211456}}"#, "metadata.a"),
        (r#"{"metadata":{"a":[1.00000000000000000001]}}"#, "metadata.a.0"),
        (r#"{"profile":{"name":"A","name":"B"}}"#, "profile.name"),
    ] {
        let request = app.request(Method::PATCH, "/contacts/1").header("Content-Type", "application/json");
        let problem = check(&send(request.body(body)).await, 422, "invalid_request");
        assert!(problem["errors"][field].is_array(), "{body}: {problem}");
    }
    let profile = r#"{"profile":{"address":{"city":"A","city":"B"}}}"#;
    let customer = format!("/customers/{}", before["customerId"].as_str().unwrap());
    let request = app.request(Method::PATCH, &customer).header("Content-Type", "application/json");
    let problem = check(&send(request.body(profile)).await, 422, "invalid_request");
    assert!(problem["errors"]["profile.address.city"].is_array(), "{problem}");
    assert_eq!(app.show("/contacts/1").await, before);
}

async fn numbers_come_back_with_all_their_digits(app: TestApp) {
    let metadata =
        r#"{"a":18446744073709551615,"b":-9223372036854775808,"c":0.30000000000000004,"d":5e-324,"e":1.1}"#;
    let body = format!(
        r#"{{"kind":"email","value":"marty@hillvalley.edu","source":"order","metadata":{metadata}}}"#
    );
    assert_eq!(app.post("/contacts", body).await.status, 201);
    for _ in 0..2 {
        let shown = app.get("/contacts/1").await.body;
        assert!(shown.contains(metadata), "{shown}");
        // Read and written once more.
        let change = json!({"isVerified": true});
        assert_eq!(app.call(Method::PATCH, "/contacts/1", &change).await.status, 200);
    }
}
