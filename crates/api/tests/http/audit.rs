//! `GET /audit`: what every way in leaves behind.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, send};
use crate::bad_input::check;
use crate::on_both_databases;

on_both_databases!(
    every_change_through_the_api_is_shown,
    entries_show_who_what_when_before_and_after,
    entries_are_filtered_and_paged,
    parameters_with_faults_are_refused,
    only_reading_is_possible,
    tokens_are_on_record_without_their_secrets,
    a_users_token_names_the_user,
    states_are_shown_to_those_who_may_read_them,
);

/// The trail, oldest first, without the token that the test calls with.
async fn trail(app: &TestApp) -> Vec<Value> {
    let mut entries = app.show("/audit?limit=200").await["entries"].as_array().unwrap().clone();
    assert_eq!(entries.pop().unwrap()["action"], "token.created");
    entries.reverse();
    entries
}

async fn every_change_through_the_api_is_shown(app: TestApp) {
    let user = app.user().await;
    app.identify(json!({"email": "doc@hillvalley.edu"})).await;
    let body = json!({"kind": "phone", "value": "123456", "source": "order"});
    app.create("/contacts", body.clone()).await;
    app.create("/contacts", json!({"kind": "email", "value": "b@x.example", "source": "order"})).await;
    let claim = json!({"kind": "phone", "value": "123456", "source": "order", "userId": user});
    assert_eq!(app.call(Method::PUT, "/contacts", &claim).await.status, 200);
    let renamed = app.call(Method::PATCH, "/contacts/1", &json!({"value": "emmett@hillvalley.edu"})).await;
    assert_eq!(renamed.status, 200);
    let patch = json!({"profile": {"companyName": "Clocks"}});
    assert_eq!(app.call(Method::PATCH, "/customers/1", &patch).await.status, 200);
    assert_eq!(send(app.request(Method::DELETE, "/contacts/3")).await.status, 204);
    app.import("text/csv", "", "email,country\nb@x.example,US\nemmett@hillvalley.edu,SI\n").await;

    let actions: Vec<Value> = trail(&app).await.into_iter().map(|mut entry| entry["action"].take()).collect();
    assert_eq!(
        actions,
        [
            "user.created",
            "contact.created",
            "contact.created",
            "contact.created",
            "contact.claimed",
            "contact.updated",
            "contact.created",
            "contact.withdrawn",
            "import.received",
            "import.updated",
        ]
    );
    // What changes nothing leaves nothing, and neither does what is refused.
    app.identify(json!({"email": "emmett@hillvalley.edu"})).await;
    app.call(Method::PATCH, "/contacts/1", &json!({"kind": "phone"})).await;
    app.call(Method::PATCH, "/contacts/2", &json!({})).await;
    assert_eq!(trail(&app).await.len(), 10);
}

async fn entries_show_who_what_when_before_and_after(app: TestApp) {
    let body =
        json!({"kind": "email", "value": "Doc@HillValley.edu", "source": "order", "metadata": {"a": 1.0}});
    let contact = app.create("/contacts", body).await;
    let change = app.request(Method::PATCH, "/contacts/1").header("Content-Type", "application/json");
    let change = change.header("X-Request-Id", "change-1").body(json!({"metadata": {"b": "ü"}}).to_string());
    assert_eq!(send(change).await.status, 200);

    let entries = trail(&app).await;
    let after = json!({
        "id": 1, "kind": "email", "email": "doc@hillvalley.edu", "phone": null, "channel": "email",
        "source": "order", "userId": null, "isPrimary": false, "verifiedAt": null, "metadata": {"a": 1.0},
        "profile": null, "customerId": contact["customerId"], "importId": null, "blocked": {},
    });
    let caller = json!({"kind": "token", "name": null, "tokenId": 1, "userId": null});
    let first = &entries[0];
    assert_eq!(
        first,
        &json!({
            "number": 2, "at": contact["createdAt"], "actor": caller, "action": "contact.created",
            "subject": {"kind": "contact", "id": "1"}, "customerId": contact["customerId"],
            "requestId": first["requestId"], "before": null, "after": after, "missingAbilities": [],
            "hash": first["hash"], "previousHash": first["previousHash"],
        })
    );
    assert!(first["requestId"].as_str().is_some_and(|id| !id.is_empty()));
    assert_eq!(first["hash"].as_str().unwrap().len(), 64);
    let second = &entries[1];
    assert_eq!((&second["requestId"], &second["previousHash"]), (&json!("change-1"), &first["hash"]));
    assert_eq!((&second["before"], &second["after"]["metadata"]), (&after, &json!({"a": 1.0, "b": "ü"})));
}

async fn entries_are_filtered_and_paged(app: TestApp) {
    let contact = app
        .create("/contacts", json!({"kind": "email", "value": "doc@hillvalley.edu", "source": "order"}))
        .await;
    let user = app.user().await;
    app.call(Method::PATCH, "/contacts/1", &json!({"source": "manual"})).await;
    let numbers = async |query: &str| -> Vec<i64> {
        let page = app.show(&format!("/audit?{query}")).await;
        page["entries"].as_array().unwrap().iter().map(|entry| entry["number"].as_i64().unwrap()).collect()
    };
    assert_eq!(numbers("").await, [4, 3, 2, 1]);
    assert_eq!(numbers("subject=contact:1").await, [4, 2]);
    assert_eq!(numbers(&format!("subject=user:{user}")).await, [3]);
    assert_eq!(numbers(&format!("customerId={}", contact["customerId"].as_str().unwrap())).await, [4, 2]);
    assert_eq!(numbers("action=user.created").await, [3]);
    assert_eq!(numbers("tokenId=1").await, [4, 3, 2]);
    assert_eq!(numbers(&format!("userId={user}")).await, [0_i64; 0], "it did nothing");
    let second = app.show("/audit?action=user.created").await["entries"][0]["at"].clone();
    let second = second.as_str().unwrap();
    assert_eq!(numbers(&format!("since={second}")).await, [4, 3]);
    assert_eq!(numbers(&format!("until={}", second.replace('Z', "+00:00"))).await, [2, 1]);

    let page = app.get("/audit?subject=contact:1&limit=1").await;
    let next =
        format!("/audit?subject=contact:1&limit=1&cursor={}", page.json()["nextCursor"].as_str().unwrap());
    assert_eq!(page.header("link"), format!("<{next}>; rel=\"next\""));
    let rest = app.show(&next).await;
    assert_eq!((&rest["entries"][0]["number"], &rest["nextCursor"]), (&json!(2), &Value::Null));
}

async fn parameters_with_faults_are_refused(app: TestApp) {
    for (query, field, word) in [
        ("subject=contact", "subject", "contact:7"),
        ("subject=person:7", "subject", "contact:7"),
        ("customerId=7", "customerId", "UUID"),
        ("tokenId=x", "tokenId", "whole number"),
        ("userId=7", "userId", "UUID"),
        ("action=deleted", "action", "contact.created"),
        ("since=yesterday", "since", "2026-11-21T08:30:00Z"),
        ("until=2026-11-21", "until", "2026-11-21T08:30:00Z"),
        ("limit=201", "limit", "1 to 200"),
        ("cursor=x", "cursor", "nextCursor"),
        ("actor=me", "actor", "known are subject"),
    ] {
        let problem = check(&app.get(&format!("/audit?{query}")).await, 422, "invalid_request");
        assert!(problem["errors"][field][0].as_str().unwrap().contains(word), "{query}: {problem}");
    }
}

async fn only_reading_is_possible(app: TestApp) {
    app.user().await;
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = send(app.request(method, "/audit")).await;
        check(&answer, 405, "method_not_allowed");
        assert_eq!(answer.header("allow"), "GET, HEAD");
    }
    assert_eq!(trail(&app).await.len(), 1);
}

async fn tokens_are_on_record_without_their_secrets(app: TestApp) {
    let made = app.create("/tokens", json!({"name": "shop", "abilities": ["identify"]})).await;
    let path = format!("/tokens/{}", made["id"]);
    assert_eq!(send(app.request(Method::DELETE, &path)).await.status, 204);
    let entries = trail(&app).await;
    let shown = json!({"id": made["id"], "name": "shop", "abilities": ["identify"], "userId": null, "expiresAt": null});
    assert_eq!((&entries[0]["action"], &entries[0]["after"]), (&json!("token.created"), &shown));
    assert_eq!((&entries[1]["action"], &entries[1]["before"]), (&json!("token.revoked"), &shown));
    let subject = json!({"kind": "token", "id": made["id"].to_string()});
    assert_eq!((&entries[0]["subject"], &entries[1]["subject"]), (&subject, &subject));
}

/// Each reads the trail, and of states only what they may read elsewhere.
async fn states_are_shown_to_those_who_may_read_them(app: TestApp) {
    app.user().await;
    app.create("/tokens", json!({"name": "shop", "abilities": ["identify"]})).await;
    app.import("text/csv", "", "email,notes\nmarty@hillvalley.edu,secret words\n").await;
    app.import("text/csv", "", "email,notes\nmarty@hillvalley.edu,other words\n").await;
    app.identify(json!({"email": "doc@hillvalley.edu"})).await;
    app.identify(json!({"phoneNumber": "123456"})).await;
    app.identify(json!({"email": "doc@hillvalley.edu", "phoneNumber": "123456"})).await;
    let rules = app.call(Method::PUT, "/sync/rules", &json!({"metakocka": {"email": "local"}})).await;
    let has_rules = rules.status == 200;
    let everything = app.show("/audit?limit=200").await;

    let kinds = ["contact", "customer", "user", "import", "token", "sync"];
    for (abilities, shown) in [
        (&["audit:read"][..], &[][..]),
        (&["audit:read", "contacts:write", "customers:write", "identify", "sync:run"], &[]),
        (&["audit:read", "contacts:read"], &["contact", "user", "import"]),
        (&["audit:read", "customers:read"], &["customer"]),
        (&["audit:read", "tokens:manage"], &["token"]),
        (&["audit:read", "sync:read"], &["sync"]),
        (&["*"], &kinds),
    ] {
        let token = app.token_for(abilities, None).await;
        let page = send(app.bare_request(Method::GET, "/audit?limit=200").bearer_auth(&token)).await;
        assert_eq!(page.status, 200, "{page:?}");
        let page = page.json();
        let mut seen = Vec::new();
        for (entry, whole) in everything["entries"]
            .as_array()
            .unwrap()
            .iter()
            .rev()
            .zip(page["entries"].as_array().unwrap().iter().rev())
            .map(|(whole, entry)| (entry, whole))
        {
            let kind = entry["subject"]["kind"].as_str().unwrap();
            let is_shown = shown.contains(&kind);
            for state in ["before", "after"] {
                let expected = if is_shown { &whole[state] } else { &Value::Null };
                assert_eq!(&entry[state], expected, "{abilities:?}: {entry}");
            }
            assert_eq!(entry["missingAbilities"].as_array().unwrap().is_empty(), is_shown, "{entry}");
            for member in ["number", "at", "actor", "action", "subject", "customerId", "requestId", "hash"] {
                assert_eq!(entry[member], whole[member], "{member} is for every reader");
            }
            seen.push(kind.to_owned());
        }
        for kind in kinds.iter().filter(|kind| has_rules || **kind != "sync") {
            assert!(seen.iter().any(|seen| seen == kind), "there is no entry of {kind}");
        }
        if shown.is_empty() {
            let text = page.to_string();
            for word in ["hillvalley", "words", "shop", "123456"] {
                assert!(!text.contains(word), "{word}: {text}");
            }
        }
    }
    for weaker in ["tokens:manage", "contacts:read"] {
        let token = app.token_for(&[weaker], None).await;
        let refused = send(app.bare_request(Method::GET, "/audit").bearer_auth(&token)).await;
        check(&refused, 403, "ability_missing");
    }
}

async fn a_users_token_names_the_user(app: TestApp) {
    let user = app.user().await;
    let token = app.token_for(&["contacts:write"], Some(&user)).await;
    let body = json!({"kind": "email", "value": "ann@example.com", "source": "auth"}).to_string();
    let request = app.bare_request(Method::POST, "/contacts").header("Content-Type", "application/json");
    assert_eq!(send(request.bearer_auth(&token).body(body)).await.status, 201);
    let page = app.show(&format!("/audit?userId={user}")).await;
    let actor = &page["entries"][0]["actor"];
    assert_eq!((&actor["userId"], &actor["tokenId"]), (&json!(user), &json!(2)));
    assert_eq!(page["entries"][0]["action"], "contact.created");
    // What is open to everybody is done by nobody in particular.
    let identify = app.bare_request(Method::POST, "/identify").header("Content-Type", "application/json");
    assert_eq!(send(identify.body(r#"{"email":"doc@hillvalley.edu"}"#)).await.status, 200);
    assert_eq!(trail(&app).await.last().unwrap()["actor"]["kind"], "anonymous");
}
