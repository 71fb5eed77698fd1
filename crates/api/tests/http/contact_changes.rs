//! Lists of contacts, and `PATCH` and `DELETE` of single ones, with the conditions they may be under.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, send};
use crate::bad_input::check;
use crate::on_both_databases;

on_both_databases!(
    a_list_holds_what_is_asked_for,
    pages_show_each_contact_once,
    a_patch_changes_what_it_names,
    another_value_links_anew,
    a_stale_change_is_refused,
    a_condition_that_cannot_be_read_is_refused,
    what_the_caller_has_already_is_not_sent,
    a_withdrawn_contact_counts_no_more,
);

async fn patch(app: &TestApp, id: i64, body: Value) -> Answer {
    app.call(Method::PATCH, &format!("/contacts/{id}"), &body).await
}

async fn patched(app: &TestApp, id: i64, body: Value) -> Value {
    let answer = patch(app, id, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn listed(app: &TestApp, query: &str) -> Vec<i64> {
    let list = app.show(&format!("/contacts?{query}")).await;
    let contacts = list["contacts"].as_array().unwrap();
    contacts.iter().map(|contact| contact["id"].as_i64().unwrap()).collect()
}

/// A request under a condition.
async fn under(app: &TestApp, method: Method, path: &str, (header, value): (&str, &str)) -> Answer {
    let request = app.request(method, path).header("Content-Type", "application/json").header(header, value);
    send(request.body(r#"{"metadata":{"seen":true}}"#)).await
}

async fn a_list_holds_what_is_asked_for(app: TestApp) {
    let user = app.user().await;
    for (kind, value, source, user) in [
        ("email", "marty@hillvalley.edu", "order", None),
        ("phone", "+1 202 555 0143", "import", None),
        ("email", "doc@hillvalley.edu", "auth", Some(&user)),
        ("email", "marty@hillvalley.edu", "manual", None),
    ] {
        let body = json!({"kind": kind, "value": value, "source": source, "userId": user});
        app.create("/contacts", body).await;
    }
    app.identify(json!({"email": "doc@hillvalley.edu", "phoneNumber": "+12025550143"})).await;
    let customer = app.show("/contacts/1").await["customerId"].as_str().unwrap().to_owned();
    for (query, expected) in [
        ("", &[1, 2, 3, 4][..]),
        ("kind=email", &[1, 3, 4]),
        ("kind=both", &[]),
        ("value=MARTY@hillvalley.edu%20", &[1, 4]),
        ("value=001%20(202)%20555-0143&kind=phone", &[2]),
        ("value=%2B1%20(202)%20555-0143", &[2]),
        ("kind=email&source=auth&value=", &[3]),
        ("kind=phone&source=auth", &[]),
        (&format!("userId={user}"), &[3]),
        (&format!("customerId={customer}"), &[1, 4]),
        ("userId=0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11", &[]),
        ("source=identify", &[]),
        ("limit=200", &[1, 2, 3, 4]),
    ] {
        assert_eq!(listed(&app, query).await, expected, "{query}");
    }
}

async fn pages_show_each_contact_once(app: TestApp) {
    for number in 0..7 {
        let body = json!({"kind": "phone", "value": format!("91919{number}"), "source": "order"});
        app.create("/contacts", body).await;
    }
    app.create("/contacts", json!({"kind": "email", "value": "doc@hillvalley.edu", "source": "auth"})).await;
    let mut seen = Vec::new();
    let mut path = "/contacts?limit=3&source=order".to_owned();
    loop {
        let page = app.get(&path).await;
        let json = page.json();
        let contacts = json["contacts"].as_array().unwrap();
        seen.extend(contacts.iter().map(|contact| contact["id"].as_i64().unwrap()));
        let Some(cursor) = json["nextCursor"].as_str() else {
            assert_eq!(page.header("link"), "");
            break;
        };
        assert_eq!(contacts.len(), 3);
        let next = format!("/contacts?limit=3&source=order&cursor={cursor}");
        assert_eq!(page.header("link"), format!("<{next}>; rel=\"next\""));
        path = next;
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7]);
    // Full to the last place, and still the end.
    assert_eq!(app.show("/contacts?limit=7&source=order").await["nextCursor"], Value::Null);
}

async fn a_patch_changes_what_it_names(app: TestApp) {
    let body = json!({"kind": "email", "value": "marty@hillvalley.edu", "source": "order", "isVerified": true,
        "metadata": {"a": 1, "b": {"c": 2, "d": 3}}, "profile": {"firstName": "Marty", "address": {"city": "Hill Valley"}}});
    let before = app.create("/contacts", body).await;
    let merge = json!({"metadata": {"a": null, "b": {"c": 4}}, "profile": {"lastName": "McFly", "address": {"street": "Main 1"}}});
    let request =
        app.request(Method::PATCH, "/contacts/1").header("Content-Type", "application/merge-patch+json");
    let answer = send(request.body(merge.to_string())).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let after = answer.json();
    let mut expected = before.clone();
    expected["metadata"] = json!({"b": {"c": 4, "d": 3}});
    expected["profile"] = json!({"firstName": "Marty", "lastName": "McFly",
        "address": {"city": "Hill Valley", "street": "Main 1"}});
    expected["updatedAt"] = after["updatedAt"].clone();
    assert_eq!(after, expected);
    assert!(after["updatedAt"].as_str() > before["updatedAt"].as_str());

    let after = patched(&app, 1, json!({"isVerified": false, "source": "manual", "isPrimary": true})).await;
    assert_eq!((&after["isVerified"], &after["verifiedAt"]), (&json!(false), &Value::Null));
    assert_eq!((&after["source"], &after["isPrimary"]), (&json!("manual"), &json!(true)));
    let after = patched(&app, 1, json!({"metadata": null, "profile": null, "isPrimary": null})).await;
    assert_eq!((&after["metadata"], &after["profile"]), (&json!({}), &Value::Null));
    assert_eq!(after["isPrimary"], false);
    assert_eq!(app.show("/contacts/1").await, after);
}

async fn another_value_links_anew(app: TestApp) {
    app.identify(json!({"email": "doc@hillvalley.edu", "phoneNumber": "123456"})).await;
    let body =
        json!({"kind": "email", "value": "marty@hillvalley.edu", "source": "order", "isVerified": true});
    let apart = app.create("/contacts", body).await;
    let doc = app.show("/contacts/1").await["customerId"].clone();
    let joined = patched(&app, 2, json!({"value": "DOC@hillvalley.edu"})).await;
    assert_eq!((&joined["value"], &joined["customerId"]), (&json!("doc@hillvalley.edu"), &doc));
    assert_eq!((&joined["linkPrecedence"], &joined["linkedId"]), (&json!("secondary"), &json!(1)));
    assert_eq!(joined["isVerified"], false, "another value has yet to be verified");
    let parted = patched(&app, 2, json!({"value": "marty@hillvalley.edu"})).await;
    assert!(parted["customerId"] != doc, "{parted}");
    assert_eq!(parted["linkPrecedence"], apart["linkPrecedence"]);
    let same = patched(&app, 1, json!({"phone": 717171})).await;
    assert_eq!((&same["email"], &same["phone"]), (&json!("doc@hillvalley.edu"), &json!("717171")));
    assert_eq!(app.identify(json!({"phoneNumber": "123456"})).await["contact"]["emails"], json!([]));
    app.database.assert_invariants().await;
}

async fn a_stale_change_is_refused(app: TestApp) {
    let body = json!({"kind": "email", "value": "marty@hillvalley.edu", "source": "order"});
    app.create("/contacts", body.clone()).await;
    let first = app.get("/contacts/1").await.header("etag").to_owned();
    let wanted = async |tag: &str| under(&app, Method::PATCH, "/contacts/1", ("If-Match", tag)).await.status;
    assert_eq!(wanted(&first).await, 200);
    for stale in [first.as_str(), "\"x\"", &format!("W/{first}")] {
        check(&under(&app, Method::PATCH, "/contacts/1", ("If-Match", stale)).await, 412, "stale");
        check(&under(&app, Method::DELETE, "/contacts/1", ("If-Match", stale)).await, 412, "stale");
    }
    let present = app.get("/contacts/1").await;
    assert_eq!(present.json()["metadata"], json!({"seen": true}));
    let among_others = format!("\"x\", {}", present.header("etag"));
    assert_eq!(wanted(&among_others).await, 200);
    assert_eq!(wanted("*").await, 200);
    // A contact's place among others is part of what is shown of it.
    let older = app.get("/contacts/1").await;
    app.create("/contacts", body).await;
    let second = app.get("/contacts/2").await.header("etag").to_owned();
    let gone = under(&app, Method::DELETE, "/contacts/1", ("If-Match", older.header("etag"))).await;
    assert_eq!(gone.status, 204, "{gone:?}");
    check(&under(&app, Method::PATCH, "/contacts/2", ("If-Match", &second)).await, 412, "stale");
}

async fn a_condition_that_cannot_be_read_is_refused(app: TestApp) {
    let body = json!({"kind": "email", "value": "marty@hillvalley.edu", "source": "order"});
    let customer = app.create("/contacts", body).await["customerId"].as_str().unwrap().to_owned();
    let tag = app.get("/contacts/1").await.header("etag").replace('"', "");
    for unreadable in ["", "x", tag.as_str(), "\"x", ","] {
        for (method, path) in [
            (Method::PATCH, "/contacts/1"),
            (Method::DELETE, "/contacts/1"),
            (Method::PATCH, &format!("/customers/{customer}")),
        ] {
            let answer = under(&app, method, path, ("If-Match", unreadable)).await;
            let problem = check(&answer, 422, "invalid_request");
            assert!(problem["errors"]["If-Match"][0].as_str().unwrap().contains("quotes"), "{problem}");
        }
    }
    assert_eq!(app.show("/contacts/1").await["metadata"], json!({}));
}

async fn what_the_caller_has_already_is_not_sent(app: TestApp) {
    let body = json!({"kind": "email", "value": "marty@hillvalley.edu", "source": "order"});
    app.create("/contacts", body).await;
    let tag = app.get("/contacts/1").await.header("etag").to_owned();
    for known in [tag.as_str(), &format!("W/{tag}"), &format!("\"x\", {tag}"), "*"] {
        let answer = under(&app, Method::GET, "/contacts/1", ("If-None-Match", known)).await;
        assert_eq!((answer.status, answer.body.as_str()), (304, ""), "{known}");
        assert_eq!(answer.header("etag"), tag);
    }
    for other in ["\"x\"", "x", ""] {
        let answer = under(&app, Method::GET, "/contacts/1", ("If-None-Match", other)).await;
        assert_eq!(answer.status, 200, "{other}");
    }
    patched(&app, 1, json!({"metadata": {"new": 1}})).await;
    let changed = under(&app, Method::GET, "/contacts/1", ("If-None-Match", &tag)).await;
    assert_eq!(changed.status, 200);
}

async fn a_withdrawn_contact_counts_no_more(app: TestApp) {
    app.identify(json!({"email": "george@hillvalley.edu", "phoneNumber": "919191"})).await;
    app.identify(json!({"email": "biffsucks@hillvalley.edu", "phoneNumber": "717171"})).await;
    app.identify(json!({"email": "george@hillvalley.edu", "phoneNumber": "616161"})).await;
    let bridge = json!({"kind": "phone", "value": "717171", "source": "order"});
    app.create("/contacts", bridge).await;
    let second = app.show("/contacts/2").await;
    let path = |id: i64| format!("/contacts/{id}");
    let gone = app.call(Method::DELETE, &path(1), &Value::Null).await;
    assert_eq!((gone.status, gone.body.as_str()), (204, ""));
    for method in [Method::GET, Method::PATCH, Method::DELETE] {
        check(&app.call(method, &path(1), &json!({})).await, 404, "unknown_contact");
    }
    assert_eq!(listed(&app, "").await, [2, 3, 4]);
    let promoted = app.show("/contacts/3").await;
    assert_eq!((&promoted["linkPrecedence"], &promoted["linkedId"]), (&json!("primary"), &Value::Null));
    assert_eq!(app.identify(json!({"phoneNumber": "919191"})).await["contact"]["emails"], json!([]));
    // What never depended on it stays as it was.
    assert_eq!(app.show("/contacts/2").await, second);
    for id in [2, 4] {
        assert_eq!(app.call(Method::DELETE, &path(id), &Value::Null).await.status, 204);
    }
    let customer = format!("/customers/{}", second["customerId"].as_str().unwrap());
    check(&app.get(&customer).await, 404, "unknown_customer");
    app.database.assert_invariants().await;
}
