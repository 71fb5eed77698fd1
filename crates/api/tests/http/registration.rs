//! `POST /api/register`.

use onefold_api::Config;
use onefold_integrations::testing::Lasting;
use onefold_integrations::testing::openphone::{OpenPhoneCall, Trouble};
use onefold_persistence::testing::TestDatabase;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, send};
use crate::sync_scene::{SyncScene, on_both_connected, refused};

on_both_connected!(
    a_person_is_registered_and_in_openphone,
    a_word_behind_a_number_goes_nowhere,
    the_token_is_good_for_the_users_own_data,
    what_a_guest_left_is_claimed,
    what_was_claimed_is_not_shown_before_the_address_is_verified,
    the_same_person_again_is_refused_and_told_to_those_who_may_know,
    a_registration_that_is_sent_again_is_answered_as_before,
    an_outage_is_pending_and_made_up_for,
    a_refusal_there_is_told_without_their_words,
);

const REGISTER: &str = "/api/register";

fn ann() -> Value {
    json!({"firstName": " Ann", "lastName": "Lee", "email": "Ann@Example.com", "phone": "040 000 123", "companyName": "Lee d.o.o."})
}

async fn register(scene: &SyncScene, body: &Value) -> Value {
    let answer = scene.post(REGISTER, body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

async fn a_person_is_registered_and_in_openphone(scene: SyncScene) {
    let answer = scene.post(REGISTER, &ann()).await;
    let body = answer.json();
    let contact = scene.openphone.contacts()[0]["id"].clone();
    let (customer, user) = (body["customer"]["id"].clone(), body["customer"]["userId"].clone());
    let expected = json!({
        "success": true, "message": "Customer registered successfully",
        "customer": {
            "id": customer, "userId": user, "firstName": "Ann", "lastName": "Lee", "email": "ann@example.com",
            "phone": "+38640000123", "companyName": "Lee d.o.o.", "openPhoneContactId": contact,
        },
        "gocardless": {"integrated": false},
        "openphone": {"integrated": true, "contactId": contact},
        "tokens": {
            "accessToken": body["tokens"]["accessToken"], "tokenType": "Bearer", "expiresAt": "2026-01-31T00:00:00Z",
        },
    });
    assert_eq!((answer.status, &body), (201, &expected));
    assert_eq!(answer.header("location"), format!("/customers/{}", customer.as_str().unwrap()));
    let shown = scene.app.show(answer.header("location")).await;
    assert_eq!((&shown["openPhoneContactId"], &shown["users"][0]), (&contact, &user));
    let sources: Vec<_> =
        shown["contacts"].as_array().unwrap().iter().map(|one| one["source"].clone()).collect();
    assert_eq!(sources, ["signup_form", "signup_form"]);
    assert_eq!(scene.openphone.contacts()[0]["defaultFields"]["phoneNumbers"][0]["value"], "+38640000123");
}

async fn a_word_behind_a_number_goes_nowhere(scene: SyncScene) {
    let body = json!({"firstName": "Ann", "lastName": "Lee", "email": "<mailto:ann@example.com>", "phone": "+49 30 23125756 (home)"});
    let registered = register(&scene, &body).await;
    assert_eq!(registered["customer"]["email"], "ann@example.com");
    assert_eq!(registered["customer"]["phone"], "+493023125756");
    let there = &scene.openphone.contacts()[0]["defaultFields"];
    assert_eq!(there["phoneNumbers"][0]["value"], "+493023125756");
    assert_eq!(there["emails"][0]["value"], "ann@example.com");
}

async fn the_token_is_good_for_the_users_own_data(scene: SyncScene) {
    scene.customer("somebody@example.com", "Some Body").await;
    let body = register(&scene, &ann()).await;
    let token = body["tokens"]["accessToken"].as_str().unwrap();
    let get = async |path: &str| {
        let answer = send(scene.app.bare_request(Method::GET, path).bearer_auth(token)).await;
        (answer.status, answer.body)
    };
    let (status, contacts) = get("/contacts").await;
    assert!(status == 200 && contacts.contains("ann@example.com") && !contacts.contains("somebody"));
    let customer = body["customer"]["id"].as_str().unwrap();
    assert_eq!(get(&format!("/customers/{customer}")).await.0, 403);
    let again = scene.app.bare_request(Method::POST, REGISTER).bearer_auth(token).json(&ann());
    refused(&send(again).await, 403, "user_token");
}

async fn what_a_guest_left_is_claimed(scene: SyncScene) {
    let email = json!({"kind": "email", "value": "ann@example.com"});
    let customer = scene.customer_of(email, json!({"name": "A. Lee"})).await;
    let body = register(&scene, &ann()).await;
    assert_eq!(body["customer"]["id"], customer);
    assert_eq!(scene.app.show("/contacts/1").await["userId"], body["customer"]["userId"]);
}

async fn what_was_claimed_is_not_shown_before_the_address_is_verified(scene: SyncScene) {
    let email = json!({"kind": "email", "value": "ann@example.com"});
    scene.customer_of(email, json!({"name": "A. Lee"})).await;
    let body = register(&scene, &ann()).await;
    let token = body["tokens"]["accessToken"].as_str().unwrap();
    let user = body["customer"]["userId"].as_str().unwrap();
    let call = async |method: Method, path: &str| {
        let request = scene.app.bare_request(method, path).bearer_auth(token);
        let answer = send(request.header("Content-Type", "application/json").body("{}")).await;
        (answer.status, answer.body.contains("ann@example.com"))
    };
    let lists =
        ["/contacts".to_owned(), format!("/users/{user}/contacts"), format!("/contacts?userId={user}")];
    for path in &lists {
        assert_eq!(call(Method::GET, path).await, (200, false), "{path}");
    }
    for method in [Method::GET, Method::PATCH, Method::DELETE] {
        assert_eq!(call(method.clone(), "/contacts/1").await.0, 404, "{method}");
    }
    assert_eq!(call(Method::PUT, "/ia/admin/contacts/1").await.0, 403);
    let verified = json!({"kind": "email", "value": "ann@example.com", "source": "auth", "userId": user, "isVerified": true});
    assert_eq!(scene.app.call(Method::PUT, "/contacts", &verified).await.status, 200);
    for path in &lists {
        assert_eq!(call(Method::GET, path).await, (200, true), "{path}");
    }
    assert_eq!(call(Method::GET, "/contacts/1").await, (200, true));
}

async fn the_same_person_again_is_refused_and_told_to_those_who_may_know(scene: SyncScene) {
    let body = register(&scene, &ann()).await;
    let again = json!({"firstName": "Anna", "lastName": "L", "email": "ann@example.com"});
    let details = refused(&scene.post(REGISTER, &again).await, 409, "already_registered");
    assert_eq!(details, json!({"customerId": body["customer"]["id"]}));
    let token = scene.app.token_for(&["contacts:write"], None).await;
    let request = scene.app.bare_request(Method::POST, REGISTER).bearer_auth(token).json(&again);
    assert_eq!(refused(&send(request).await, 409, "already_registered"), json!({}));
    let other = json!({"firstName": "B", "lastName": "L", "email": "b@example.com", "userId": body["customer"]["userId"]});
    refused(&scene.post(REGISTER, &other).await, 409, "already_registered");
    assert_eq!(scene.app.contacts().await, 2, "nothing is half-stored");
}

async fn a_registration_that_is_sent_again_is_answered_as_before(scene: SyncScene) {
    let send_it = async || -> Answer {
        let request = scene.app.request(Method::POST, REGISTER).header("Idempotency-Key", "form-1");
        send(request.json(&ann())).await
    };
    let (first, second) = (send_it().await, send_it().await);
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(first.body, second.body);
    assert_eq!((scene.app.contacts().await, scene.openphone.contacts().len()), (2, 1));
}

async fn an_outage_is_pending_and_made_up_for(scene: SyncScene) {
    scene.openphone.trouble(None, Lasting::UntilTold, Trouble::Page(503));
    let body = register(&scene, &ann()).await;
    assert_eq!(body["openphone"], json!({"integrated": false, "status": "pending"}));
    assert_eq!(body["customer"]["openPhoneContactId"], Value::Null);
    scene.openphone.end_trouble();
    scene.work_after(3_600).await;
    let there = scene.openphone.contacts();
    assert_eq!(there.len(), 1);
    let customer = body["customer"]["id"].as_str().unwrap();
    assert_eq!(scene.app.show(&format!("/customers/{customer}")).await["openPhoneContactId"], there[0]["id"]);
}

async fn a_refusal_there_is_told_without_their_words(scene: SyncScene) {
    let said =
        json!({"message": "ann@example.com is on a list", "code": "0800403", "status": 400, "title": "No"});
    scene.openphone.next(OpenPhoneCall::Create, Trouble::Say(400, said));
    let body = register(&scene, &ann()).await;
    assert_eq!(
        (&body["openphone"]["integrated"], &body["openphone"]["status"]),
        (&json!(false), &json!("failed"))
    );
    let reason = &body["openphone"]["reason"];
    assert_eq!(reason["code"], "rejected");
    assert!(!reason.to_string().contains("list"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_it_is_skipped() {
    let database = TestDatabase::sqlite();
    let scene =
        SyncScene::with(database, Config::default(), |connectors| connectors.openphone.api_key = None).await;
    let body = register(&scene, &ann()).await;
    assert_eq!(body["openphone"], json!({"integrated": false, "status": "skipped"}));
    let alone = TestApp::sqlite().await;
    let answer = alone.call(Method::POST, REGISTER, &ann()).await;
    assert_eq!(answer.json()["openphone"]["status"], "skipped");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_told_by_its_field() {
    let scene = SyncScene::sqlite().await;
    let whole = "x".repeat(201);
    for (change, fields) in [
        (json!({"firstName": null, "lastName": " ", "email": null}), vec!["email", "firstName", "lastName"]),
        (json!({"email": "ann"}), vec!["email"]),
        (json!({"email": 7}), vec!["email"]),
        (json!({"phone": "no"}), vec!["phone"]),
        (json!({"companyName": whole}), vec!["companyName"]),
        (json!({"userId": "7"}), vec!["userId"]),
        (json!({"password": "secret"}), vec!["password"]),
    ] {
        let mut body = ann();
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let details = refused(&scene.post(REGISTER, &body).await, 400, "invalid_request");
        assert_eq!(details.as_object().unwrap().keys().collect::<Vec<_>>(), fields, "{body}");
        assert!(!details.to_string().contains("secret"));
    }
    assert_eq!(scene.app.contacts().await, 0);
    for (body, status) in [("[]", 400), ("{", 400), (r#"{"email":"a@b.si","email":"b@b.si"}"#, 400)] {
        assert_eq!(scene.app.post(REGISTER, body).await.status, status, "{body}");
    }
    let token = scene.app.token_for(&["customers:read"], None).await;
    let request = scene.app.bare_request(Method::POST, REGISTER).bearer_auth(token).json(&ann());
    refused(&send(request).await, 403, "ability_missing");
    refused(&send(scene.app.bare_request(Method::POST, REGISTER).json(&ann())).await, 401, "unauthenticated");
}
