//! `POST` and `PUT /contacts`: what a record looks like, and how it comes to be.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp};
use crate::on_both_databases;

on_both_databases!(
    a_created_contact_is_shown_in_full,
    a_contact_of_both_kinds_shows_both_values,
    every_post_adds_a_row,
    an_upsert_creates_and_then_updates,
    a_verification_is_never_taken_back_by_an_upsert,
    a_guest_is_claimed_by_the_user,
    what_a_person_entered_is_left_alone,
    a_user_has_one_primary_of_each_kind,
    a_value_that_links_nobody_is_named,
    parallel_upserts_make_one_record,
);

async fn put(app: &TestApp, body: &Value) -> Answer {
    app.call(Method::PUT, "/contacts", body).await
}

/// An upsert that was answered with this status.
async fn upserted(app: &TestApp, status: u16, body: Value) -> Value {
    let answer = put(app, &body).await;
    assert_eq!(answer.status, status, "{body}: {answer:?}");
    answer.json()
}

async fn a_created_contact_is_shown_in_full(app: TestApp) {
    let user = app.user().await;
    let email = json!({
        "kind": "email", "value": " Marty@HillValley.edu ", "source": "order", "metadata": {"orderId": "order_123", "gone": null},
    });
    let answer = app.call(Method::POST, "/contacts", &email).await;
    assert_eq!((answer.status, answer.header("location")), (201, "/contacts/1"));
    let shown = answer.json();
    assert!(shown["createdAt"].as_str().unwrap().starts_with("2026-01-01T00:00:"), "{shown}");
    assert!(shown["createdAt"].as_str().unwrap().ends_with('Z'), "{shown}");
    assert_eq!(shown["customerId"].as_str().unwrap().len(), 36);
    let expected = json!({
        "id": 1, "kind": "email", "value": "marty@hillvalley.edu", "channel": "email", "source": "order",
        "userId": null, "isPrimary": false, "isVerified": false, "verifiedAt": null,
        "metadata": {"orderId": "order_123"}, "profile": null, "customerId": shown["customerId"],
        "linkPrecedence": "primary", "linkedId": null,
        "createdAt": shown["createdAt"], "updatedAt": shown["createdAt"],
    });
    assert_eq!(shown, expected);
    let read = app.get("/contacts/1").await;
    assert_eq!((read.status, read.json()), (200, expected));
    assert_eq!(read.header("etag"), answer.header("etag"));
    assert!(read.header("etag").starts_with('"'), "{read:?}");

    let phone = json!({
        "kind": "phone", "value": "+1 202-555-0143", "source": "signup_form", "channel": "whatsapp", "userId": user,
        "isPrimary": true, "isVerified": true, "profile": {"firstName": "Marty", "address": {"city": "Hill Valley"}},
    });
    let shown = app.create("/contacts", phone).await;
    assert!(shown["customerId"] != answer.json()["customerId"]);
    assert_eq!(
        shown,
        json!({
            "id": 2, "kind": "phone", "value": "+12025550143", "channel": "whatsapp", "source": "signup_form",
            "userId": user, "isPrimary": true, "isVerified": true, "verifiedAt": shown["createdAt"],
            "metadata": {}, "profile": {"firstName": "Marty", "address": {"city": "Hill Valley"}},
            "customerId": shown["customerId"], "linkPrecedence": "primary", "linkedId": null,
            "createdAt": shown["createdAt"], "updatedAt": shown["createdAt"],
        })
    );
}

async fn a_contact_of_both_kinds_shows_both_values(app: TestApp) {
    app.identify(json!({"email": "doc@hillvalley.edu", "phoneNumber": "123456"})).await;
    app.identify(json!({"email": "emmett@hillvalley.edu", "phoneNumber": "123456"})).await;
    let shown = app.show("/contacts/2").await;
    assert_eq!(
        shown,
        json!({
            "id": 2, "kind": "both", "email": "emmett@hillvalley.edu", "phone": "123456", "channel": null,
            "source": "identify", "userId": null, "isPrimary": false, "isVerified": false, "verifiedAt": null,
            "metadata": {}, "profile": null, "customerId": shown["customerId"],
            "linkPrecedence": "secondary", "linkedId": 1,
            "createdAt": shown["createdAt"], "updatedAt": shown["createdAt"],
        })
    );
    assert_eq!(app.show("/contacts/1").await["customerId"], shown["customerId"]);
}

async fn every_post_adds_a_row(app: TestApp) {
    let body = json!({"kind": "phone", "value": 919191, "source": "order"});
    let first = app.create("/contacts", body.clone()).await;
    let second = app.create("/contacts", body).await;
    assert_eq!((&first["id"], &first["linkedId"]), (&json!(1), &Value::Null));
    assert_eq!((&second["id"], &second["linkedId"]), (&json!(2), &json!(1)));
    assert_eq!(first["customerId"], second["customerId"]);
    assert_eq!((&second["value"], &second["channel"]), (&json!("919191"), &json!("telephone")));
    app.database.assert_invariants().await;
}

async fn an_upsert_creates_and_then_updates(app: TestApp) {
    let metadata = json!({"orderId": "order_1", "cart": {"items": 2, "coupon": "88MPH"}});
    let first = json!({"kind": "email", "value": "marty@hillvalley.edu", "source": "order", "metadata": metadata,
        "profile": {"firstName": "Marty", "lastName": "McFly"}});
    let created = put(&app, &first).await;
    assert_eq!((created.status, created.header("location")), (201, "/contacts/1"));
    let patch = json!({"orderId": "order_2", "cart": {"coupon": null}, "gift": true, "none": null});
    let again = json!({"kind": "email", "value": "MARTY@hillvalley.edu", "source": "signup_form", "metadata": patch,
        "profile": {"firstName": "Martin"}});
    let updated = put(&app, &again).await;
    assert_eq!((updated.status, updated.header("location")), (200, ""));
    assert!(updated.header("etag") != created.header("etag"));
    let (before, after) = (created.json(), updated.json());
    assert_eq!(after["metadata"], json!({"orderId": "order_2", "cart": {"items": 2}, "gift": true}));
    assert_eq!(after["profile"], json!({"firstName": "Martin", "lastName": "McFly"}));
    assert_eq!((&after["id"], &after["source"]), (&json!(1), &json!("signup_form")));
    assert_eq!(after["createdAt"], before["createdAt"]);
    assert!(after["updatedAt"].as_str() > before["updatedAt"].as_str(), "{after}");

    // Another kind and another user are other records.
    upserted(&app, 201, json!({"kind": "phone", "value": "123456", "source": "order"})).await;
    assert_eq!(app.contacts().await, 2);
}

async fn a_verification_is_never_taken_back_by_an_upsert(app: TestApp) {
    let with = |verified: Value| json!({"kind": "email", "value": "doc@hillvalley.edu", "source": "auth", "isVerified": verified});
    assert_eq!(upserted(&app, 201, with(json!(false))).await["verifiedAt"], Value::Null);
    let verified = upserted(&app, 200, with(json!(true))).await;
    assert_eq!(verified["verifiedAt"], verified["updatedAt"]);
    for later in [json!(false), Value::Null, json!(true)] {
        let shown = upserted(&app, 200, with(later)).await;
        assert_eq!((&shown["isVerified"], &shown["verifiedAt"]), (&json!(true), &verified["verifiedAt"]));
    }
}

async fn a_guest_is_claimed_by_the_user(app: TestApp) {
    let of = |user: &Value| {
        json!({"kind": "email", "value": "lorraine@hillvalley.edu", "source": "auth", "isVerified": true,
            "userId": user, "metadata": {"plan": "free"}})
    };
    let guest = json!({"kind": "email", "value": "lorraine@hillvalley.edu", "source": "order", "metadata": {"orderId": "o1"}});
    let before = upserted(&app, 201, guest.clone()).await;
    app.create("/contacts", guest.clone()).await;
    let user = Value::from(app.user().await);
    let claimed = upserted(&app, 200, of(&user)).await;
    assert_eq!((&claimed["id"], &claimed["userId"]), (&json!(1), &user), "the oldest one is the user's now");
    assert_eq!((&claimed["source"], &claimed["isVerified"]), (&json!("auth"), &json!(true)));
    assert_eq!(claimed["metadata"], json!({"orderId": "o1", "plan": "free"}));
    assert_eq!(claimed["customerId"], before["customerId"]);
    assert_eq!(claimed["createdAt"], before["createdAt"]);

    assert_eq!(upserted(&app, 200, of(&user)).await["id"], 1, "and is updated from then on");
    assert_eq!(upserted(&app, 200, guest).await["id"], 2, "a guest's record stays a guest's");
    let other = app.user().await;
    let answer = put(&app, &of(&other.into())).await;
    assert_eq!((answer.status, answer.header("onefold-blocked")), (201, ""), "verified last");
    assert!(answer.json()["customerId"] != before["customerId"], "two users are never joined");
    let first = app.show("/contacts/1").await;
    assert_eq!((&first["userId"], &first["blockedBy"]), (&user, &json!("verified_elsewhere")));
    let guests = app.show("/contacts/2").await;
    assert_eq!(guests["customerId"], answer.json()["customerId"], "a guest's history is the owner's");
    app.database.assert_invariants().await;
}

async fn what_a_person_entered_is_left_alone(app: TestApp) {
    let from = |source: &str| json!({"kind": "email", "value": "biff@hillvalley.edu", "source": source});
    assert_eq!(upserted(&app, 201, from("manual")).await["id"], 1);
    assert_eq!(upserted(&app, 201, from("order")).await["id"], 2);
    assert_eq!(upserted(&app, 200, from("order")).await["id"], 2);
    assert_eq!(upserted(&app, 200, from("manual")).await["id"], 1);
}

async fn a_user_has_one_primary_of_each_kind(app: TestApp) {
    let (user, other) = (app.user().await, app.user().await);
    let of = |kind: &str, value: &str, user: &str| json!({"kind": kind, "value": value, "source": "auth", "userId": user, "isPrimary": true});
    app.create("/contacts", of("email", "one@hillvalley.edu", &user)).await;
    app.create("/contacts", of("phone", "919191", &user)).await;
    app.create("/contacts", of("email", "other@hillvalley.edu", &other)).await;
    let primaries = async || {
        let list = app.show("/contacts").await;
        let contacts = list["contacts"].as_array().unwrap().clone();
        let ids = contacts.iter().filter(|contact| contact["isPrimary"] == true);
        ids.map(|contact| contact["id"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(primaries().await, [1, 2, 3]);
    app.create("/contacts", of("email", "two@hillvalley.edu", &user)).await;
    assert_eq!(primaries().await, [2, 3, 4], "by POST");
    let before = app.get("/contacts/4").await;
    upserted(&app, 200, of("email", "one@hillvalley.edu", &user)).await;
    assert_eq!(primaries().await, [1, 2, 3], "by PUT");
    assert!(app.get("/contacts/4").await.header("etag") != before.header("etag"), "it changed as well");
    app.call(Method::PATCH, "/contacts/4", &json!({"isPrimary": true})).await;
    assert_eq!(primaries().await, [2, 3, 4], "by PATCH");
}

async fn a_value_that_links_nobody_is_named(app: TestApp) {
    let body = json!({"kind": "phone", "value": "000 000 0000", "source": "order"});
    for status in [201, 200] {
        let answer = put(&app, &body).await;
        assert_eq!((answer.status, answer.header("onefold-blocked")), (status, "value;rule=never_links"));
    }
    assert_eq!(app.get("/contacts/1").await.header("onefold-blocked"), "value;rule=never_links");
    let both = json!({"email": "a@example.com", "phoneNumber": "0000000000"});
    app.identify(both).await;
    assert_eq!(app.get("/contacts/2").await.header("onefold-blocked"), "phone;rule=never_links");
    let free = json!({"kind": "email", "value": "a@example.com", "source": "order"});
    assert_eq!(put(&app, &free).await.header("onefold-blocked"), "");
}

async fn parallel_upserts_make_one_record(app: TestApp) {
    let calls = (0..50).map(|number| {
        let body = json!({"kind": "email", "value": "clock@hillvalley.edu", "source": "order", "metadata": {(format!("n{number}")): 1}});
        let request = app.request(Method::PUT, "/contacts").header("Content-Type", "application/json");
        tokio::spawn(crate::app::send(request.body(body.to_string())))
    });
    let mut created = 0;
    for call in calls.collect::<Vec<_>>() {
        let answer = call.await.unwrap();
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
        created += u32::from(answer.status == 201);
    }
    assert_eq!((created, app.contacts().await), (1, 1));
    // Nobody's part was overwritten.
    assert_eq!(app.show("/contacts/1").await["metadata"].as_object().unwrap().len(), 50);
    app.database.assert_invariants().await;
}
