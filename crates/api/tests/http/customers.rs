//! `/customers/{id}`: whom contacts add up to, and what a person says about it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, send};
use crate::bad_input::check;
use crate::on_both_databases;

on_both_databases!(
    a_customer_is_shown_with_all_that_is_known,
    the_number_of_a_contact_stands_for_its_customer,
    a_merged_customer_answers_with_its_survivor,
    a_person_outranks_every_source_and_can_be_undone,
    a_person_can_rule_that_there_is_no_such_thing,
    a_stale_correction_is_refused,
    a_correction_with_faults_is_refused,
    only_some_contacts_of_many_are_shown,
);

async fn correct(app: &TestApp, id: &str, body: &Value) -> Answer {
    app.call(Method::PATCH, &format!("/customers/{id}"), body).await
}

/// The customer's id.
fn customer(contact: &Value) -> String {
    contact["customerId"].as_str().unwrap().to_owned()
}

async fn a_customer_is_shown_with_all_that_is_known(app: TestApp) {
    let user = app.user().await;
    let email = |source: &str, profile: Value| json!({"kind": "email", "value": "marty@hillvalley.edu", "source": source, "profile": profile});
    let first = app.create("/contacts", email("order", json!({"firstName": "M.", "country": "US"}))).await;
    let second = email("import", json!({"firstName": "Marty", "lastName": "McFly"}));
    let second = app.create("/contacts", second).await;
    let mut verified = email("auth", json!({"firstName": "Martin"}));
    (verified["userId"], verified["isVerified"], verified["isPrimary"]) =
        (json!(user), json!(true), json!(true));
    let third = app.create("/contacts", verified).await;
    let phone = json!({"kind": "phone", "value": "+1 202 555 0143", "source": "signup_form", "userId": user});
    let fourth = app.create("/contacts", phone).await;

    let id = customer(&first);
    let shown = app.show(&format!("/customers/{id}")).await;
    let mut contacts = Vec::new();
    for contact in 1..=4 {
        contacts.push(app.show(&format!("/contacts/{contact}")).await);
    }
    let point = |kind: &str, value: &str, seen: [&Value; 2], sources: Value| {
        json!({
            "kind": kind, "value": value, "isVerified": false, "verifiedAt": null, "isPrimary": false,
            "firstSeenAt": seen[0]["createdAt"], "lastSeenAt": seen[1]["updatedAt"], "sources": sources, "blockedBy": null,
        })
    };
    let mut email =
        point("email", "marty@hillvalley.edu", [&first, &third], json!(["order", "import", "auth"]));
    (email["isVerified"], email["isPrimary"]) = (json!(true), json!(true));
    email["verifiedAt"] = third["verifiedAt"].clone();
    let phone = point("phone", "+12025550143", [&fourth, &fourth], json!(["signup_form"]));
    let expected = json!({
        "id": id, "primaryContactId": 1,
        "profile": {"firstName": "Martin", "lastName": "McFly", "country": "US"},
        "profileSources": {"firstName": 3, "lastName": 2, "country": 1},
        "profileSetAt": {"firstName": third["updatedAt"], "lastName": second["updatedAt"], "country": first["updatedAt"]},
        "contactPoints": [email, phone], "users": [user], "contacts": contacts, "contactCount": 4, "mappings": [],
        "createdAt": shown["createdAt"], "updatedAt": shown["updatedAt"],
    });
    assert_eq!(shown, expected);
    let answer = app.get(&format!("/customers/{id}")).await;
    let tag = answer.header("etag");
    let known = app.request(Method::GET, &format!("/customers/{id}")).header("If-None-Match", tag);
    assert_eq!(send(known).await.status, 304);
}

async fn the_number_of_a_contact_stands_for_its_customer(app: TestApp) {
    app.identify(json!({"email": "doc@hillvalley.edu", "phoneNumber": "123456"})).await;
    app.identify(json!({"email": "emmett@hillvalley.edu", "phoneNumber": "123456"})).await;
    let shown = app.show("/customers/2").await;
    assert_eq!((&shown["primaryContactId"], &shown["contactCount"]), (&json!(1), &json!(2)));
    assert_eq!(app.show(&format!("/customers/{}", shown["id"].as_str().unwrap())).await, shown);
    check(&app.get("/customers/3").await, 404, "unknown_contact");
    check(&app.get("/customers/0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11").await, 404, "unknown_customer");
    for unreadable in ["doc", "1.5", "99999999999999999999"] {
        let problem = check(&app.get(&format!("/customers/{unreadable}")).await, 422, "invalid_request");
        assert!(problem["errors"]["id"][0].as_str().unwrap().contains("UUID"), "{problem}");
    }
}

async fn a_merged_customer_answers_with_its_survivor(app: TestApp) {
    app.identify(json!({"email": "george@hillvalley.edu", "phoneNumber": "919191"})).await;
    app.identify(json!({"email": "biffsucks@hillvalley.edu", "phoneNumber": "717171"})).await;
    let absorbed = customer(&app.show("/contacts/2").await);
    app.identify(json!({"email": "george@hillvalley.edu", "phoneNumber": "717171"})).await;
    let survivor = customer(&app.show("/contacts/1").await);
    assert!(absorbed != survivor);
    let shown = app.show(&format!("/customers/{absorbed}")).await;
    assert_eq!((&shown["id"], &shown["contactCount"]), (&json!(survivor), &json!(2)));
    let body = json!({"profile": {"name": "George"}});
    let corrected = correct(&app, &absorbed, &body).await.json();
    assert_eq!((&corrected["id"], &corrected["profile"]), (&json!(survivor), &body["profile"]));
    let list = app.show(&format!("/contacts?customerId={survivor}")).await;
    assert_eq!(list["contacts"].as_array().unwrap().len(), 3);
}

async fn a_person_outranks_every_source_and_can_be_undone(app: TestApp) {
    let body = json!({"kind": "email", "value": "marty@hillvalley.edu", "source": "auth", "isVerified": true,
        "profile": {"firstName": "Marty", "address": {"city": "Hill Valley", "street": "Main 1"}}});
    let id = customer(&app.create("/contacts", body).await);
    let before = app.show(&format!("/customers/{id}")).await;
    let patch =
        json!({"profile": {"firstName": "Clint", "address": {"street": "Main 2"}, "companyName": "Clocks"}});
    let request = app.request(Method::PATCH, &format!("/customers/{id}"));
    let request = request.header("Content-Type", "application/merge-patch+json");
    let answer = send(request.body(patch.to_string())).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let after = answer.json();
    let address = json!({"city": "Hill Valley", "street": "Main 2"});
    let profile = json!({"firstName": "Clint", "address": address, "companyName": "Clocks"});
    assert_eq!(after["profile"], profile);
    assert_eq!(after["profileSources"], json!({"firstName": 2, "address": 2, "companyName": 2}));
    let manual = &after["contacts"][1];
    assert_eq!((&manual["source"], &manual["value"]), (&json!("manual"), &json!("marty@hillvalley.edu")));

    // Whatever comes later, the person's word stands.
    let later = json!({"kind": "email", "value": "marty@hillvalley.edu", "source": "auth", "isVerified": true,
        "profile": {"firstName": "Martin"}});
    app.call(Method::PUT, "/contacts", &later).await;
    assert_eq!(app.show(&format!("/customers/{id}")).await["profile"], profile);
    assert_eq!(app.call(Method::DELETE, "/contacts/2", &Value::Null).await.status, 204);
    let undone = app.show(&format!("/customers/{id}")).await;
    let mut expected = before["profile"].clone();
    expected["firstName"] = json!("Martin");
    assert_eq!((&undone["profile"], &undone["contactCount"]), (&expected, &json!(1)));
    app.database.assert_invariants().await;
}

async fn a_person_can_rule_that_there_is_no_such_thing(app: TestApp) {
    let body = json!({"kind": "email", "value": "marty@hillvalley.edu", "source": "order",
        "profile": {"firstName": "Marty", "companyName": "None Inc."}});
    let id = customer(&app.create("/contacts", body).await);
    let answer = correct(&app, &id, &json!({"profile": {"companyName": null}})).await;
    let ruled = answer.json();
    assert_eq!(ruled["profile"], json!({"firstName": "Marty"}), "{answer:?}");
    assert_eq!(ruled["profileSources"], json!({"firstName": 1, "companyName": 2}));
    app.call(Method::DELETE, "/contacts/2", &Value::Null).await;
    assert_eq!(app.show(&format!("/customers/{id}")).await["profile"]["companyName"], "None Inc.");
    // Nothing is said, so nothing is kept.
    for nothing in [json!({}), json!({"profile": {}})] {
        assert_eq!(correct(&app, &id, &nothing).await.json()["contactCount"], 1);
    }
}

async fn a_stale_correction_is_refused(app: TestApp) {
    let body = json!({"kind": "email", "value": "marty@hillvalley.edu", "source": "order"});
    let path = format!("/customers/{}", customer(&app.create("/contacts", body).await));
    let correct = async |tag: &str, name: &str| {
        let request = app.request(Method::PATCH, &path).header("Content-Type", "application/json");
        send(request.header("If-Match", tag).body(json!({"profile": {"name": name}}).to_string())).await
    };
    let seen = app.get(&path).await.header("etag").to_owned();
    let answer = correct(&seen, "Marty").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    check(&correct(&seen, "Martin").await, 412, "stale");
    assert_eq!(app.show(&path).await["profile"], json!({"name": "Marty"}));
    assert_eq!(correct(answer.header("etag"), "Clint").await.status, 200);
    // A change of a contact is one of its customer, too.
    let seen = app.get(&path).await.header("etag").to_owned();
    app.call(Method::PATCH, "/contacts/1", &json!({"metadata": {"a": 1}})).await;
    check(&correct(&seen, "Martin").await, 412, "stale");
    assert_eq!(correct("*", "Martin").await.status, 200);
}

async fn a_correction_with_faults_is_refused(app: TestApp) {
    let body = json!({"kind": "email", "value": "marty@hillvalley.edu", "source": "order"});
    let id = customer(&app.create("/contacts", body).await);
    for (body, field, word) in [
        (json!({"profile": null}), "profile", "cannot be removed"),
        (json!({"profile": "Marty"}), "profile", "no object"),
        (json!({"profile": {"country": "Slovenia"}}), "profile.country", "two letters"),
        (json!({"profile": {"nickname": null}}), "profile.nickname", "no such member"),
        (json!({"profile": {"notes": "a\u{0}b"}}), "profile.notes", "control"),
        (json!({"name": "Marty"}), "name", "known are profile"),
    ] {
        let problem = check(&correct(&app, &id, &body).await, 422, "invalid_request");
        assert_eq!(problem["errors"].as_object().unwrap().len(), 1, "{body}: {problem}");
        assert!(problem["errors"][field][0].as_str().unwrap().contains(word), "{body}: {problem}");
    }
    let unknown = "0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11";
    check(&correct(&app, unknown, &json!({"profile": {"name": "X"}})).await, 404, "unknown_customer");
    assert_eq!(app.contacts().await, 1, "nothing of it is stored");
}

async fn only_some_contacts_of_many_are_shown(app: TestApp) {
    let line = |number: u32| format!("doc@hillvalley.edu,+1202555{number:04}\n");
    let file: String = (0..210).map(line).collect();
    app.import("text/csv", "", format!("email,phone\n{file}")).await;
    let shown = app.show("/customers/1").await;
    assert_eq!(shown["contactCount"].as_u64().unwrap(), u64::try_from(app.contacts().await).unwrap());
    assert_eq!(shown["contacts"].as_array().unwrap().len(), 200);
}
