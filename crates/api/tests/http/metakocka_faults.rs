//! What the MetaKocka endpoints refuse: each status in the contract's form.

use std::time::Duration;

use onefold_api::Config;
use onefold_integrations::testing::{DoubleCall, DoubleChange, Trouble};
use onefold_persistence::testing::TestDatabase;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, send};
use crate::sync_scene::{
    BULK_IMPORT, BULK_SYNC, Connectors, IMPORT, SYNC, SyncScene, on_both_connected, partner, refused,
    succeeded,
};

const MAPPINGS: &str = "/api/metakocka/contacts/mappings";

on_both_connected!(
    what_is_not_there,
    a_conflict_stops_a_sync,
    a_customer_that_is_being_synced,
    fields_that_metakocka_needs,
);

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests() {
    let scene = SyncScene::sqlite().await;
    let faults: [(&str, Value, &[&str]); 24] = [
        (SYNC, json!({}), &["contactId"]),
        (SYNC, json!({"contactId": null}), &["contactId"]),
        (SYNC, json!({"contactId": "ann"}), &["contactId"]),
        (SYNC, json!({"contactId": 1.5}), &["contactId"]),
        (SYNC, json!({"contactId": 0}), &["contactId"]),
        (SYNC, json!({"contactId": [1]}), &["contactId"]),
        (SYNC, json!({"contactId": 1, "contactIds": [2]}), &["contactIds"]),
        (IMPORT, json!({}), &["metakockaId"]),
        (IMPORT, json!({"metakockaId": ""}), &["metakockaId"]),
        (IMPORT, json!({"metakockaId": "1".repeat(65)}), &["metakockaId"]),
        (BULK_SYNC, json!({}), &["contactIds"]),
        (BULK_SYNC, json!({"contactIds": []}), &["contactIds"]),
        (BULK_SYNC, json!({"contactIds": 1}), &["contactIds"]),
        (
            BULK_SYNC,
            json!({"contactIds": [1, "ann", null, {}]}),
            &["contactIds[1]", "contactIds[2]", "contactIds[3]"],
        ),
        (BULK_SYNC, json!({"contactIds": vec![1; 10_001]}), &["contactIds"]),
        (BULK_SYNC, json!({"contactIds": vec!["x"; 200]}), &[]),
        (BULK_IMPORT, json!({}), &["metakockaIds"]),
        (BULK_IMPORT, json!({"metakockaIds": null, "importAll": null}), &["metakockaIds"]),
        (BULK_IMPORT, json!({"metakockaIds": []}), &["metakockaIds"]),
        (BULK_IMPORT, json!({"metakockaIds": ["1"], "importAll": true}), &["metakockaIds"]),
        (BULK_IMPORT, json!({"importAll": false}), &["metakockaIds"]),
        (BULK_IMPORT, json!({"importAll": "yes"}), &["importAll"]),
        ("/api/metakocka/contacts/sync?dryRun=1", json!({"contactId": 1}), &["dryRun"]),
        ("/api/metakocka/contacts/import?dry=true", json!({"metakockaId": "1"}), &["dry"]),
    ];
    for (path, body, fields) in faults {
        let details = refused(&scene.post(path, &body).await, 400, "invalid_request");
        let told: Vec<_> = details.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(told == fields || (fields.is_empty() && told.len() == 100), "{path} {body}: {details}");
        assert!(details.as_object().unwrap().values().all(|messages| messages[0].is_string()), "{details}");
    }
    for query in ["", "?contactId=1&metakockaId=1", "?contactId=ann", "?metakockaId=%20", "?contact=1"] {
        refused(&scene.app.get(&format!("{MAPPINGS}{query}")).await, 400, "invalid_request");
    }
    refused(&scene.app.post(SYNC, "{").await, 400, "malformed_json");
    refused(&scene.app.post(SYNC, "[]").await, 400, "not_an_object");
    assert_eq!((scene.double.calls().len(), scene.rows("sync_run").await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_middleware_refuses() {
    let scene = SyncScene::sqlite().await;
    let app = &scene.app;
    let user = app.user().await;
    let with = async |token: &str| {
        let request = app.bare_request(Method::POST, SYNC).header("Content-Type", "application/json");
        send(request.bearer_auth(token).body(r#"{"contactId":1}"#)).await
    };
    refused(&with("1|wrong").await, 401, "unauthenticated");
    refused(&with(&app.token_for(&["sync:read"], None).await).await, 403, "ability_missing");
    refused(&with(&app.token_for(&["*"], Some(&user)).await).await, 403, "user_token");
    refused(&with(&app.token_for(&["sync:run"], None).await).await, 404, "not_found");
    for path in ["/api/metakocka/contacts/nothing", "/api/nothing"] {
        refused(&app.get(path).await, 404, "unknown_path");
    }
    let method = app.get(SYNC).await;
    refused(&method, 405, "method_not_allowed");
    assert_eq!(method.header("allow"), "POST");
    let text = app.request(Method::POST, SYNC).header("Content-Type", "text/plain").body("{}");
    refused(&send(text).await, 415, "unsupported_media_type");
    let blank = |kib: usize| format!("{}{{}}", " ".repeat(kib * 1024));
    refused(&app.post(SYNC, blank(64)).await, 413, "body_too_large");
    refused(&app.post(BULK_SYNC, blank(511)).await, 400, "invalid_request");
    refused(&app.post(BULK_SYNC, blank(512)).await, 413, "body_too_large");
    let keyed = |kib: usize| {
        let request = app.request(Method::POST, BULK_SYNC).header("Content-Type", "application/json");
        request.header("Idempotency-Key", format!("k{kib}")).body(blank(kib))
    };
    refused(&send(keyed(511)).await, 400, "invalid_request");
    refused(&send(keyed(512)).await, 413, "body_too_large");
}

/// Without the settings nothing but the settings is asked for, and what is stored is still shown.
#[tokio::test(flavor = "multi_thread")]
async fn without_settings() {
    let app = TestApp::sqlite().await;
    let missing = json!({"missing": ["METAKOCKA_SECRET_KEY", "METAKOCKA_COMPANY_ID"]});
    for (path, body) in [
        (SYNC, json!({"contactId": 1})),
        (IMPORT, json!({"metakockaId": "1"})),
        (BULK_SYNC, json!({"contactIds": [1]})),
        (BULK_IMPORT, json!({"importAll": true})),
    ] {
        for path in [path.to_owned(), format!("{path}?dryRun=true")] {
            let answer = app.call(Method::POST, &path, &body).await;
            assert_eq!(refused(&answer, 503, "not_configured"), missing, "{path}");
            assert!(answer.body.contains("set METAKOCKA_SECRET_KEY"), "{answer:?}");
        }
    }
    refused(&app.get(&format!("{MAPPINGS}?metakockaId=1")).await, 404, "unknown_mapping");
    let run = json!({"system": "metakocka", "kind": "compare"});
    let answer = app.call(Method::POST, "/sync/runs", &run).await;
    assert_eq!((answer.status, &answer.json()["code"]), (503, &json!("not_configured")));
    for path in ["/sync/rules", "/sync/conflicts", "/sync/runs", "/sync/jobs", "/sync/log"] {
        app.show(path).await;
    }
}

async fn what_is_not_there(scene: SyncScene) {
    for contact in [json!(7), json!("0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11")] {
        refused(&scene.post(SYNC, &json!({"contactId": contact})).await, 404, "not_found");
    }
    refused(&scene.post(IMPORT, &json!({"metakockaId": "12"})).await, 404, "partner_not_found");
    refused(&scene.app.get(&format!("{MAPPINGS}?contactId=7")).await, 404, "not_found");
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    refused(&scene.app.get(&format!("{MAPPINGS}?contactId={ann}")).await, 404, "unknown_mapping");
    let record = scene.synced(&ann).await;
    scene.double.remove(&record);
    refused(&scene.post(SYNC, &json!({"contactId": ann})).await, 404, "missing_remotely");
    let mapping = succeeded(&scene.app.get(&format!("{MAPPINGS}?contactId={ann}")).await);
    assert_eq!(mapping["syncStatus"], "stale");
}

async fn a_conflict_stops_a_sync(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let record = scene.synced(&ann).await;
    scene.moves_to(&ann, "Bled").await;
    let change = DoubleChange { city: Some("Kranj".to_owned()), ..DoubleChange::default() };
    scene.double.change(&record, &change).unwrap();
    let details = refused(&scene.post(SYNC, &json!({"contactId": ann})).await, 409, "conflict");
    assert_eq!(details, json!({"conflicts": [1], "resolve": "POST /sync/conflicts/{id}/resolve"}));
    let mapping = succeeded(&scene.app.get(&format!("{MAPPINGS}?contactId={ann}")).await);
    assert_eq!(mapping["syncStatus"], "conflict");
    refused(&scene.post(IMPORT, &json!({"metakockaId": record})).await, 409, "conflict");
    let dry = scene.post(&format!("{SYNC}?dryRun=true"), &json!({"contactId": ann})).await;
    assert_eq!(succeeded(&dry)["action"], "conflict");
}

async fn a_customer_that_is_being_synced(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    scene.double.hold();
    let first = scene.app.request(Method::POST, SYNC).header("Content-Type", "application/json");
    let first = tokio::spawn(send(first.body(json!({"contactId": ann}).to_string())));
    scene.double.until_in_flight(1).await;
    let second = scene.post(SYNC, &json!({"contactId": 1})).await;
    refused(&second, 409, "busy");
    assert_eq!(second.header("retry-after"), "5");
    scene.double.release();
    succeeded(&first.await.unwrap());
    assert_eq!(scene.double.partner_count(), 1);
}

async fn fields_that_metakocka_needs(scene: SyncScene) {
    scene.app.create("/contacts", json!({"kind": "email", "value": "a@x.example", "source": "order"})).await;
    for path in [SYNC.to_owned(), format!("{SYNC}?dryRun=true")] {
        let details = refused(&scene.post(&path, &json!({"contactId": 1})).await, 422, "invalid_fields");
        let reasons = details.as_object().unwrap();
        assert_eq!(reasons["street"], "Street is missing.");
        for field in ["name", "street", "city", "postalCode", "country"] {
            assert!(reasons.contains_key(field), "{details}");
        }
    }
    let long = json!({"address": {"street": "Lipova pot 7", "city": "x".repeat(200), "postalCode": "1000"}});
    scene.customer_of(json!({"kind": "email", "value": "b@x.example"}), long).await;
    let details = refused(&scene.post(SYNC, &json!({"contactId": 2})).await, 422, "invalid_fields");
    assert!(details["city"].as_str().unwrap().contains("more than"), "{details}");
    let nobody = scene.double.insert(partner("Nobody", "")).mk_id;
    for path in [IMPORT.to_owned(), format!("{IMPORT}?dryRun=true")] {
        refused(&scene.post(&path, &json!({"metakockaId": nobody})).await, 422, "no_contact_point");
    }
    assert_eq!(scene.double.writes(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_metakocka_says() {
    let short = |connectors: &mut Connectors| {
        connectors.metakocka.request_timeout_ms = 500;
        connectors.metakocka.breaker_failures = 100;
    };
    let scene = SyncScene::with(TestDatabase::sqlite(), Config::default(), short).await;
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let troubles = [
        (Trouble::Page(500), 502, "unreachable"),
        (Trouble::Slow(Duration::from_secs(2)), 502, "timed_out"),
        (Trouble::Say(json!({"opr_code": []})), 502, "unexpected_answer"),
        (Trouble::OverQuota, 503, "quota_exceeded"),
    ];
    for (trouble, status, code) in troubles {
        scene.double.next(DoubleCall::GetPartner, trouble);
        let answer = scene.post(SYNC, &json!({"contactId": ann})).await;
        refused(&answer, status, code);
        assert_eq!(answer.header("retry-after").is_empty(), status == 502, "{answer:?}");
    }
    let said = "Davčna številka ni veljavna";
    let refuse = Trouble::Refuse { code: "9".to_owned(), said: said.to_owned() };
    scene.double.next(DoubleCall::AddPartner, refuse);
    let answer = scene.post(SYNC, &json!({"contactId": ann})).await;
    assert_eq!(refused(&answer, 502, "rejected"), json!({"code": "9"}));
    assert!(answer.json()["error"]["message"].as_str().unwrap().contains(said), "{answer:?}");
    scene.double.next(DoubleCall::AddPartner, Trouble::LoseAnswer);
    refused(&scene.post(SYNC, &json!({"contactId": ann})).await, 502, "uncertain");
    scene.synced(&ann).await;
    assert_eq!(scene.double.partner_count(), 1, "found again, not created twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_metakocka_is_down_it_is_left_alone() {
    let once = |connectors: &mut Connectors| {
        connectors.metakocka.breaker_failures = 1;
        connectors.metakocka.breaker_pause_s = 30;
    };
    let scene = SyncScene::with(TestDatabase::sqlite(), Config::default(), once).await;
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    scene.double.next(DoubleCall::GetPartner, Trouble::Page(500));
    refused(&scene.post(SYNC, &json!({"contactId": ann})).await, 502, "unreachable");
    let asked = scene.double.calls().len();
    let answer = scene.post(SYNC, &json!({"contactId": ann})).await;
    refused(&answer, 503, "circuit_open");
    assert_eq!((answer.header("retry-after"), scene.double.calls().len()), ("30", asked));
    scene.clock.pass(chrono::TimeDelta::seconds(31));
    scene.synced(&ann).await;
}
