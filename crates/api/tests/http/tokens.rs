//! Making, listing and revoking tokens.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, send};
use crate::on_both_databases;

on_both_databases!(
    a_token_is_made_listed_and_revoked,
    a_body_with_faults_makes_no_token,
    nobody_gives_what_they_do_not_have,
    nobody_takes_or_sees_what_permits_more,
    nobody_outlives_their_own_end,
    the_last_use_is_noted,
);

async fn a_token_is_made_listed_and_revoked(app: TestApp) {
    let user = app.user().await;
    let made = app
        .create(
            "/tokens",
            json!({"name": "shop", "abilities": ["identify", "contacts:read"], "userId": user,
                   "expiresAt": "2030-01-31T00:00:00+01:00"}),
        )
        .await;
    let token = made["token"].as_str().unwrap();
    let id = made["id"].as_i64().unwrap();
    assert!(
        token.starts_with(&format!("{id}|onefold_")) && token.len() == format!("{id}|").len() + 56,
        "{token}"
    );
    assert_eq!(made["expiresAt"], "2030-01-30T23:00:00Z");
    assert_eq!(made["userId"], user.as_str());
    assert_eq!(made["lastUsedAt"], Value::Null);

    app.create("/tokens", json!({"name": "other", "abilities": ["*"]})).await;
    let page = app.show("/tokens?limit=2").await;
    let names: Vec<_> = page["tokens"].as_array().unwrap().iter().map(|token| &token["name"]).collect();
    assert_eq!(names, ["test", "shop"]);
    assert!(!page.to_string().contains(token.split('|').nth(1).unwrap()), "the secret is shown once");
    let rest = app.show(&format!("/tokens?limit=2&cursor={}", page["nextCursor"].as_str().unwrap())).await;
    assert_eq!((rest["tokens"][0]["name"].as_str(), rest["nextCursor"].as_str()), (Some("other"), None));

    assert_eq!(app.call(Method::DELETE, &format!("/tokens/{id}"), &Value::Null).await.status, 204);
    let left = app.show("/tokens").await;
    assert_eq!(left["tokens"].as_array().unwrap().len(), 2);
    assert_eq!(app.database.count("SELECT COUNT(*) FROM access_token").await, 3, "kept, for the record");
}

async fn a_body_with_faults_makes_no_token(app: TestApp) {
    let good = json!({"name": "shop", "abilities": ["identify"]});
    for (change, field) in [
        (json!({"name": null}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"name": "a\nb"}), "name"),
        (json!({"name": "x".repeat(256)}), "name"),
        (json!({"name": 5}), "name"),
        (json!({"abilities": null}), "abilities"),
        (json!({"abilities": []}), "abilities"),
        (json!({"abilities": ["contacts"]}), "abilities"),
        (json!({"abilities": "identify"}), "abilities"),
        (json!({"abilities": [1]}), "abilities"),
        (json!({"userId": "me"}), "userId"),
        (json!({"userId": "0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11"}), "userId"),
        (json!({"expiresAt": "tomorrow"}), "expiresAt"),
        (json!({"expiresAt": "2001-01-01T00:00:00Z"}), "expiresAt"),
        (json!({"expiresAt": "+10000-01-01T00:00:00Z"}), "expiresAt"),
        (json!({"expiresAt": "9999-12-31T23:59:59-01:00"}), "expiresAt"),
        (json!({"ability": "identify"}), "ability"),
    ] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = app.call(Method::POST, "/tokens", &body).await;
        assert_eq!(answer.status, 422, "{body}: {answer:?}");
        assert!(answer.json()["errors"][field].is_array(), "{body}: {answer:?}");
    }
    assert_eq!(app.show("/tokens").await["tokens"].as_array().unwrap().len(), 1);
    for id in ["x", "1x", "99999999999999999999"] {
        assert_eq!(
            app.call(Method::DELETE, &format!("/tokens/{id}"), &Value::Null).await.status,
            422,
            "{id}"
        );
    }
}

async fn nobody_gives_what_they_do_not_have(app: TestApp) {
    let keeper = app.token_for(&["tokens:manage", "contacts:read"], None).await;
    for (abilities, status) in [
        (json!(["contacts:read"]), 201),
        (json!(["tokens:manage", "contacts:read"]), 201),
        (json!(["contacts:write"]), 403),
        (json!(["contacts:read", "*"]), 403),
    ] {
        let body = json!({"name": "x", "abilities": abilities}).to_string();
        let request = app.bare_request(Method::POST, "/tokens").header("Content-Type", "application/json");
        let answer = send(request.bearer_auth(&keeper).body(body)).await;
        assert_eq!(answer.status, status, "{abilities}: {answer:?}");
    }
}

async fn nobody_takes_or_sees_what_permits_more(app: TestApp) {
    let all = app.token_for(&["*"], None).await;
    let keeper = app.token_for(&["tokens:manage"], None).await;
    let sync = app.token_for(&["tokens:manage", "sync:read"], None).await;
    let nothing = app.token_for(&[], None).await;
    let id = |token: &str| token.split_once('|').unwrap().0.to_owned();
    let by = async |token: &str, method: Method, path: &str| {
        send(app.bare_request(method, path).bearer_auth(token)).await
    };
    let listed = async |token: &str| {
        let page = by(token, Method::GET, "/tokens?limit=200").await.json();
        assert_eq!(page["nextCursor"], Value::Null);
        let ids = page["tokens"].as_array().unwrap().iter().map(|token| token["id"].to_string());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(listed(&keeper).await, [id(&keeper), id(&nothing)]);
    assert_eq!(listed(&sync).await, [id(&keeper), id(&sync), id(&nothing)]);
    assert_eq!(listed(&all).await.len(), 5, "with the one of the test");
    for other in [&all, &sync] {
        let answer = by(&keeper, Method::DELETE, &format!("/tokens/{}", id(other))).await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (404, Some("unknown_token")),
            "{answer:?}"
        );
    }
    assert_eq!(by(&all, Method::GET, "/contacts").await.status, 200, "it is good as before");
    assert_eq!(by(&sync, Method::DELETE, &format!("/tokens/{}", id(&nothing))).await.status, 204);
    assert_eq!(by(&sync, Method::DELETE, &format!("/tokens/{}", id(&keeper))).await.status, 204);
    assert_eq!(by(&sync, Method::DELETE, &format!("/tokens/{}", id(&sync))).await.status, 204, "its own");
    assert_eq!(by(&sync, Method::GET, "/tokens").await.status, 401);
}

async fn nobody_outlives_their_own_end(app: TestApp) {
    let end = "2030-01-31T00:00:00Z";
    let brief = app.token_until(&["*"], end.parse().unwrap()).await;
    for (expires_at, status) in [
        (json!(end), 201),
        (json!("2029-01-01T00:00:00Z"), 201),
        (json!("2030-01-31T00:00:00.000001Z"), 403),
        (json!("9999-12-31T23:59:59Z"), 403),
        (Value::Null, 403),
    ] {
        let body = json!({"name": "x", "abilities": ["*"], "expiresAt": expires_at}).to_string();
        let request = app.bare_request(Method::POST, "/tokens").header("Content-Type", "application/json");
        let answer = send(request.bearer_auth(&brief).body(body)).await;
        assert_eq!(answer.status, status, "{expires_at}: {answer:?}");
        if status == 403 {
            assert_eq!(answer.json()["code"], "outlives_maker");
            assert!(answer.json()["detail"].as_str().unwrap().contains(end), "{answer:?}");
        }
    }
}

async fn the_last_use_is_noted(app: TestApp) {
    let token = app.token_for(&["contacts:read"], None).await;
    let last_use = async || app.show("/tokens").await["tokens"][1]["lastUsedAt"].clone();
    assert_eq!(last_use().await, Value::Null);
    assert_eq!(send(app.bare_request(Method::GET, "/contacts").bearer_auth(&token)).await.status, 200);
    // It is noted beside the request.
    let noted = async { while last_use().await.is_null() {} };
    tokio::time::timeout(Duration::from_secs(10), noted).await.unwrap();
}
