//! What the OpenPhone endpoints refuse: with the names and the settings of OpenPhone.

use onefold_api::Config;
use onefold_persistence::testing::TestDatabase;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, send};
use crate::openphone::{BULK_IMPORT, BULK_SYNC, IMPORT, MAPPINGS, SYNC, synced};
use crate::sync_scene::{Connectors, SyncScene, refused};

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests() {
    let scene = SyncScene::sqlite().await;
    let faults: [(&str, Value, &str); 8] = [
        (SYNC, json!({}), "contactId"),
        (IMPORT, json!({}), "openPhoneId"),
        (IMPORT, json!({"openPhoneId": "1", "metakockaId": "1"}), "metakockaId"),
        (BULK_SYNC, json!({"contactIds": []}), "contactIds"),
        (BULK_IMPORT, json!({}), "openPhoneIds"),
        (BULK_IMPORT, json!({"openPhoneIds": ["1", {}]}), "openPhoneIds[1]"),
        (BULK_IMPORT, json!({"openPhoneIds": ["1"], "importAll": true}), "openPhoneIds"),
        (BULK_IMPORT, json!({"importAll": false}), "openPhoneIds"),
    ];
    for (path, body, field) in faults {
        let details = refused(&scene.post(path, &body).await, 400, "invalid_request");
        assert_eq!(details.as_object().unwrap().keys().collect::<Vec<_>>(), [field], "{path} {body}");
        let said = details.to_string();
        assert!(!said.contains("MetaKocka") && !said.contains("partner"), "{said}");
    }
    for query in ["", "?contactId=1&openPhoneId=1", "?metakockaId=1", "?openPhoneId=%20"] {
        refused(&scene.app.get(&format!("{MAPPINGS}{query}")).await, 400, "invalid_request");
    }
    assert_eq!((scene.openphone.calls().len(), scene.rows("sync_run").await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_middleware_refuses() {
    let scene = SyncScene::sqlite().await;
    let app = &scene.app;
    for (method, path, ability) in [
        (Method::POST, SYNC, "sync:read"),
        (Method::POST, BULK_SYNC, "sync:read"),
        (Method::POST, IMPORT, "sync:read"),
        (Method::POST, BULK_IMPORT, "sync:read"),
        (Method::GET, MAPPINGS, "sync:run"),
    ] {
        let token = app.token_for(&[ability], None).await;
        let request = app.bare_request(method.clone(), path).header("Content-Type", "application/json");
        let answer = send(request.body("{}").bearer_auth(token)).await;
        refused(&answer, 403, "ability_missing");
        refused(&send(app.bare_request(method, path)).await, 401, "unauthenticated");
    }
    let blank = |kib: usize| format!("{}{{}}", " ".repeat(kib * 1024));
    for path in [BULK_SYNC, BULK_IMPORT] {
        refused(&app.post(path, blank(511)).await, 400, "invalid_request");
        refused(&app.post(path, blank(512)).await, 413, "body_too_large");
    }
    refused(&app.post(SYNC, blank(64)).await, 413, "body_too_large");
}

/// Every call names the setting of this system, whether nothing is put together or only the key is missing; what is
/// stored is still shown, and the other system goes on.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_key() {
    let keyless = |connectors: &mut Connectors| connectors.openphone.api_key = None;
    let scene = SyncScene::with(TestDatabase::sqlite(), Config::default(), keyless).await;
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    scene.synced(&ann).await;
    let bare = TestApp::sqlite().await;
    for app in [&scene.app, &bare] {
        for (path, body) in [
            (SYNC, json!({"contactId": 1})),
            (IMPORT, json!({"openPhoneId": "1"})),
            (BULK_SYNC, json!({"contactIds": [1]})),
            (BULK_IMPORT, json!({"importAll": true})),
        ] {
            for path in [path.to_owned(), format!("{path}?dryRun=true")] {
                let answer = app.call(Method::POST, &path, &body).await;
                let missing = refused(&answer, 503, "not_configured");
                assert_eq!(missing, json!({"missing": ["OPENPHONE_API_KEY"]}), "{path}");
            }
        }
        refused(&app.get(&format!("{MAPPINGS}?openPhoneId=1")).await, 404, "unknown_mapping");
        let run = json!({"system": "openphone", "kind": "compare"});
        let answer = app.call(Method::POST, "/sync/runs", &run).await;
        assert_eq!((answer.status, &answer.json()["code"]), (503, &json!("not_configured")));
        assert!(
            answer.body.contains("OPENPHONE_API_KEY") && !answer.body.contains("METAKOCKA"),
            "{answer:?}"
        );
        let rules = json!({"openphone": {"name": "local"}});
        assert_eq!(app.call(Method::PUT, "/sync/rules", &rules).await.status, 200, "they can be put before");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there() {
    let scene = SyncScene::sqlite().await;
    refused(&scene.post(SYNC, &json!({"contactId": 7})).await, 404, "not_found");
    refused(&scene.post(IMPORT, &json!({"openPhoneId": "12"})).await, 404, "partner_not_found");
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let partner = scene.synced(&ann).await;
    let mapping = format!("{MAPPINGS}?contactId={ann}");
    refused(&scene.app.get(&mapping).await, 404, "unknown_mapping");
    refused(&scene.app.get(&format!("{MAPPINGS}?openPhoneId={partner}")).await, 404, "unknown_mapping");
    let record = synced(&scene, &ann).await;
    scene.openphone.remove(&record);
    refused(&scene.post(SYNC, &json!({"contactId": ann})).await, 404, "missing_remotely");
}
