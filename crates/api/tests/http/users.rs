//! `/users`: the accounts that contacts may belong to.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::bad_input::check;
use crate::on_both_databases;

on_both_databases!(
    a_user_is_registered_and_shown,
    nobody_is_registered_twice,
    contacts_of_a_user_are_listed,
    a_user_that_does_not_exist_owns_nothing,
    a_registration_with_faults_is_refused,
    users_are_listed_page_by_page,
    a_user_is_named_by_the_external_id,
);

const EINSTEIN: &str = "0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11";

async fn a_user_is_registered_and_shown(app: TestApp) {
    let body = json!({"id": EINSTEIN, "externalId": "crm:42", "profile": {"firstName": "Einstein", "country": "us"}});
    let answer = app.call(Method::POST, "/users", &body).await;
    assert_eq!((answer.status, answer.header("location")), (201, format!("/users/{EINSTEIN}").as_str()));
    let shown = answer.json();
    let expected = json!({
        "id": EINSTEIN, "externalId": "crm:42", "profile": {"firstName": "Einstein", "country": "US"},
        "createdAt": shown["createdAt"], "updatedAt": shown["createdAt"],
    });
    assert_eq!(shown, expected);
    assert_eq!(app.show(&format!("/users/{EINSTEIN}")).await, expected);

    let shown = app.create("/users", json!({"id": null, "profile": {}})).await;
    assert_eq!((&shown["externalId"], &shown["profile"]), (&Value::Null, &Value::Null));
    assert_eq!(app.show(&format!("/users/{}", shown["id"].as_str().unwrap())).await, shown);
}

async fn nobody_is_registered_twice(app: TestApp) {
    app.create("/users", json!({"id": EINSTEIN, "externalId": "crm:42"})).await;
    app.user().await;
    app.user().await;
    for taken in [
        json!({"id": EINSTEIN, "externalId": "crm:42"}),
        json!({"id": EINSTEIN}),
        json!({"externalId": "crm:42"}),
        json!({"id": "0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c12", "externalId": "crm:42"}),
    ] {
        let problem = check(&app.call(Method::POST, "/users", &taken).await, 409, "user_exists");
        assert!(problem["detail"].as_str().unwrap().contains(EINSTEIN), "{problem}");
    }
    assert_eq!(app.database.count("SELECT COUNT(*) FROM user_account").await, 3);
}

async fn contacts_of_a_user_are_listed(app: TestApp) {
    let (user, other) = (app.user().await, app.user().await);
    for (number, owner) in [(1, &user), (2, &other), (3, &user), (4, &user)] {
        let value = format!("9191{number}");
        app.create("/contacts", json!({"kind": "phone", "value": value, "source": "auth", "userId": owner}))
            .await;
    }
    let path = format!("/users/{user}/contacts");
    let page = app.get(&format!("{path}?limit=2")).await;
    let ids = |list: &Value| -> Vec<i64> {
        let contacts = list["contacts"].as_array().unwrap();
        contacts.iter().map(|contact| contact["id"].as_i64().unwrap()).collect()
    };
    assert_eq!(ids(&page.json()), [1, 3]);
    let next = format!("{path}?limit=2&cursor={}", page.json()["nextCursor"].as_str().unwrap());
    assert_eq!(page.header("link"), format!("<{next}>; rel=\"next\""));
    let rest = app.show(&next).await;
    assert_eq!((ids(&rest), &rest["nextCursor"]), (vec![4], &Value::Null));
    // A user's contacts are one customer, however different they are.
    assert_eq!(app.show("/customers/4").await["users"], json!([user]));
    assert_eq!(app.show("/customers/4").await["contactCount"], 3);
}

async fn a_user_that_does_not_exist_owns_nothing(app: TestApp) {
    check(&app.get(&format!("/users/{EINSTEIN}")).await, 404, "unknown_user");
    check(&app.get(&format!("/users/{EINSTEIN}/contacts")).await, 404, "unknown_user");
    for unreadable in ["/users/42", "/users/x/contacts"] {
        let problem = check(&app.get(unreadable).await, 422, "invalid_request");
        assert!(problem["errors"]["id"][0].as_str().unwrap().contains("UUID"), "{problem}");
    }
    let body =
        json!({"kind": "email", "value": "marty@hillvalley.edu", "source": "auth", "userId": EINSTEIN});
    for method in [Method::POST, Method::PUT] {
        let problem = check(&app.call(method, "/contacts", &body).await, 422, "invalid_request");
        assert!(problem["errors"]["userId"][0].as_str().unwrap().contains("no such user"), "{problem}");
    }
    assert_eq!(app.contacts().await, 0, "nothing of it is stored");
    assert_eq!(app.database.count("SELECT COUNT(*) FROM customer").await, 0);
}

async fn a_registration_with_faults_is_refused(app: TestApp) {
    for (body, field, word) in [
        (json!({"id": "42"}), "id", "UUID"),
        (json!({"id": 42}), "id", "string"),
        (json!({"externalId": ""}), "externalId", "1 to 255"),
        (json!({"externalId": "x".repeat(256)}), "externalId", "1 to 255"),
        (json!({"externalId": "a\u{0}b"}), "externalId", "control"),
        (json!({"profile": []}), "profile", "no object"),
        (json!({"profile": {"website": "javascript:alert(1)"}}), "profile.website", "web address"),
        (json!({"email": "doc@hillvalley.edu"}), "email", "known are id, externalId, profile"),
    ] {
        let answer = app.call(Method::POST, "/users", &body).await;
        let problem = check(&answer, 422, "invalid_request");
        assert_eq!(problem["errors"].as_object().unwrap().len(), 1, "{body}: {problem}");
        assert!(problem["errors"][field][0].as_str().unwrap().contains(word), "{body}: {problem}");
    }
    check(&app.post("/users", "[]").await, 400, "not_an_object");
    assert_eq!(app.database.count("SELECT COUNT(*) FROM user_account").await, 0);
    assert_eq!(app.create("/users", json!({"externalId": "x".repeat(255)})).await["profile"], Value::Null);
}

async fn users_are_listed_page_by_page(app: TestApp) {
    let mut made = Vec::new();
    for number in 0..5 {
        made.push(app.create("/users", json!({"externalId": format!("crm:{number}")})).await);
    }
    made.sort_by_key(|user| user["id"].as_str().unwrap().to_owned());
    let (mut listed, mut path) = (Vec::new(), "/users?limit=2".to_owned());
    loop {
        let page = app.get(&path).await;
        assert_eq!(page.status, 200, "{page:?}");
        listed.extend(page.json()["users"].as_array().unwrap().iter().cloned());
        let cursor = page.json()["nextCursor"].clone();
        let Some(cursor) = cursor.as_str() else { break };
        path = format!("/users?limit=2&cursor={cursor}");
        assert_eq!(page.header("link"), format!("<{path}>; rel=\"next\""));
    }
    assert_eq!(listed, made);
    let one = app.show("/users?externalId=crm:3").await;
    assert_eq!((one["users"].as_array().unwrap().len(), &one["nextCursor"]), (1, &Value::Null));
    assert_eq!(one["users"][0]["externalId"], "crm:3");
    assert_eq!(app.show("/users?externalId=crm:9").await, json!({"users": [], "nextCursor": null}));
    for query in ["limit=0", "cursor=x", "externalId=a%00b", "name=ann"] {
        check(&app.get(&format!("/users?{query}")).await, 422, "invalid_request");
    }
}

async fn a_user_is_named_by_the_external_id(app: TestApp) {
    let user = app.create("/users", json!({"externalId": "user_456"})).await["id"].clone();
    // A system may name its users by UUIDs as well.
    let twisted = app.create("/users", json!({"externalId": EINSTEIN})).await["id"].clone();
    let body =
        |name: &str, value: &str| json!({"kind": "email", "value": value, "source": "order", "userId": name});
    for (name, owner) in [("user_456", &user), (user.as_str().unwrap(), &user), (EINSTEIN, &twisted)] {
        for method in [Method::POST, Method::PUT] {
            let value = format!("{}@hillvalley.edu", name.replace('_', "-"));
            let answer = app.call(method, "/contacts", &body(name, &value)).await;
            assert!(answer.status < 300, "{answer:?}");
            assert_eq!(&answer.json()["userId"], owner, "{name}");
        }
    }
    for path in ["/contacts?userId=user_456", "/contacts/export?userId=user_456"] {
        assert_eq!(app.get(path).await.body.matches("\"userId\":").count(), 2, "{path}");
    }
    let token = json!({"name": "ann", "abilities": ["contacts:read"], "userId": "user_456"});
    assert_eq!(app.create("/tokens", token).await["userId"], user);
    assert_eq!(app.get("/audit?userId=user_456").await.status, 200);
    // A claim by that name, and a file.
    app.create("/contacts", json!({"kind": "phone", "value": "919191", "source": "order"})).await;
    let claim = json!({"kind": "phone", "value": "919191", "source": "auth", "userId": "user_456"});
    let claimed = app.call(Method::PUT, "/contacts", &claim).await;
    assert_eq!((claimed.status, &claimed.json()["userId"]), (200, &user));
    let file = "email,userId\nfile@hillvalley.edu,user_456\nfile@hillvalley.edu,user_457\n";
    let done = app.import("text/csv", "", file).await;
    assert_eq!((&done["created"], &done["failed"]), (&json!(1), &json!(1)), "{done}");
    let by_user =
        app.import("text/csv", "matchBy=userId", "email,userId\nnew@hillvalley.edu,user_456\n").await;
    assert_eq!((&by_user["updated"], &by_user["failed"]), (&json!(1), &json!(0)), "{by_user}");
    // Nobody is called so.
    for (method, path) in [
        (Method::POST, "/contacts"),
        (Method::PUT, "/contacts"),
        (Method::GET, "/contacts?userId=user_457"),
        (Method::GET, "/contacts/export?userId=user_457"),
        (Method::GET, "/audit?userId=user_457"),
    ] {
        let answer = app.call(method.clone(), path, &body("user_457", "x@hillvalley.edu")).await;
        let problem = check(&answer, 422, "invalid_request");
        assert!(
            problem["errors"]["userId"][0].as_str().unwrap().contains("external id"),
            "{path}: {problem}"
        );
    }
}
