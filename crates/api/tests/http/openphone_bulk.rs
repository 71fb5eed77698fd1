//! Bulk sync and bulk import of OpenPhone: the same runs and answers as MetaKocka's, under OpenPhone's names.

use onefold_integrations::testing::Lasting;
use onefold_integrations::testing::openphone::{OpenPhoneCall, Trouble};
use serde_json::{Value, json};

use crate::openphone::{BULK_IMPORT, BULK_SYNC, mapping_of};
use crate::sync_scene::{SyncScene, on_both_connected, person, refused, succeeded};

on_both_connected!(
    many_customers_are_synced,
    many_contacts_are_imported,
    all_contacts_are_imported,
    dry_runs_write_nothing,
);

async fn many_customers_are_synced(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    scene.app.create("/contacts", json!({"kind": "email", "value": "no@x.example", "source": "order"})).await;
    let mut data = succeeded(&scene.post(BULK_SYNC, &json!({"contactIds": [ann, "2", 999]})).await);
    let error = data["results"][1]["error"].take();
    assert_eq!(error["code"], "invalid_fields");
    assert!(error["message"].as_str().unwrap().contains("name is missing"), "{error}");
    let first = mapping_of(&scene, &ann).await;
    assert_eq!(
        data,
        json!({"total": 3, "succeeded": 1, "failed": 2, "results": [
            {"contactId": ann, "success": true, "mappingId": first["id"], "openPhoneId": first["openPhoneId"], "error": null},
            {"contactId": "2", "success": false, "mappingId": null, "openPhoneId": null, "error": null},
            {"contactId": 999, "success": false, "mappingId": null, "openPhoneId": null,
                "error": {"code": "not_found", "message": "There is no such customer."}},
        ]})
    );
    assert_eq!((scene.openphone.contacts().len(), scene.double.partner_count()), (1, 0));
    let run = scene.app.show("/sync/runs").await["runs"][0].clone();
    assert_eq!((&run["system"], &run["kind"]), (&json!("openphone"), &json!("sync")));
}

async fn many_contacts_are_imported(scene: SyncScene) {
    let bob = scene.openphone.insert(person("Bob Kos", "bob@example.com"))["id"].clone();
    let nobody = scene.openphone.insert(json!({"defaultFields": {"firstName": "Nobody"}}))["id"].clone();
    let answer = scene.post(BULK_IMPORT, &json!({"openPhoneIds": [bob, nobody, 12, bob]})).await;
    let contact = scene.app.show("/contacts/1").await["customerId"].clone();
    let mapping = mapping_of(&scene, "1").await["id"].clone();
    assert_eq!(
        answer.json(),
        json!({"success": true, "data": {"total": 3, "imported": 1, "failed": 1, "skipped": 1, "results": [
            {"openPhoneId": bob, "success": true, "contactId": contact, "mappingId": mapping, "error": null},
            {"openPhoneId": nobody, "success": false, "contactId": null, "mappingId": null, "error": {
                "code": "no_contact_point", "message": "The partner has neither an email address nor a phone number."}},
            {"openPhoneId": 12, "success": false, "contactId": null, "mappingId": null, "error": {
                "code": "partner_not_found", "message": "The other system knows no such partner."}},
        ]}}),
        "{answer:?}"
    );
}

async fn all_contacts_are_imported(scene: SyncScene) {
    let mut made = Vec::new();
    for number in 0..60 {
        let email = format!("p{number}@example.com");
        made.push(scene.openphone.insert(person("Bob Kos", &email))["id"].clone());
    }
    let data = succeeded(&scene.post(BULK_IMPORT, &json!({"importAll": true})).await);
    assert_eq!((&data["total"], &data["imported"], &data["failed"]), (&json!(60), &json!(60), &json!(0)));
    let results = data["results"].as_array().unwrap();
    let told: Vec<_> = results.iter().map(|result| &result["openPhoneId"]).collect();
    assert!(made.iter().all(|id| told.contains(&id)), "of more than one page");
    assert!(results.iter().all(|result| result["success"] == true && result["contactId"].is_string()));
    assert_eq!((scene.app.contacts().await, scene.openphone.writes()), (60, 0));
}

async fn dry_runs_write_nothing(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let bob = scene.openphone.insert(person("Bob Kos", "bob@example.com"))["id"].clone();
    for (path, body, action) in [
        (BULK_SYNC, json!({"contactIds": [ann]}), "create"),
        (BULK_IMPORT, json!({"openPhoneIds": [bob]}), "import"),
        (BULK_IMPORT, json!({"importAll": true}), "import"),
    ] {
        let data = succeeded(&scene.post(&format!("{path}?dryRun=true"), &body).await);
        let result = &data["results"][0];
        assert_eq!((&result["success"], &result["action"]), (&json!(true), &json!(action)), "{data}");
        let fields: Vec<_> = result["plan"].as_array().unwrap().iter().map(|plan| &plan["field"]).collect();
        assert!(fields.contains(&&json!("name")) && !fields.contains(&&json!("city")), "{data}");
    }
    let rows = (scene.rows("sync_mapping").await, scene.app.contacts().await, scene.openphone.writes());
    assert_eq!(rows, (0, 1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_cannot_go_on_says_why() {
    let scene = SyncScene::sqlite().await;
    let denied: Value = json!({"message": "Ključ ne velja", "code": "0200401", "status": 401});
    scene.openphone.trouble(Some(OpenPhoneCall::List), Lasting::UntilTold, Trouble::Say(401, denied));
    let answer = scene.post(BULK_IMPORT, &json!({"importAll": true})).await;
    // A key can be mended, so the run waits; it is given up after the last attempt, here the first.
    let run = refused(&answer, 502, "run_failed")["runId"].as_str().unwrap().to_owned();
    let shown = scene.app.show(&format!("/sync/runs/{run}")).await;
    assert_eq!((&shown["system"], &shown["status"]), (&json!("openphone"), &json!("failed")), "{shown}");
}
