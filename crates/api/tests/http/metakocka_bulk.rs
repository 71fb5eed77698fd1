//! Bulk sync and bulk import: runs that a caller waits for, in the exact form of the contract.

use onefold_api::Config;
use onefold_integrations::testing::{DoubleCall, Lasting, Trouble};
use onefold_persistence::testing::TestDatabase;
use serde_json::{Value, json};

use crate::sync_scene::{
    BULK_IMPORT, BULK_SYNC, SyncScene, mapping_of, on_both_connected, partner, refused, succeeded,
};

on_both_connected!(
    many_contacts_are_synced,
    an_id_that_stands_twice_is_worked_on_once,
    contacts_of_one_customer_are_not_in_each_others_way,
    many_partners_are_imported,
    all_partners_are_imported,
    dry_runs_write_nothing,
    all_that_need_it_are_synced,
    too_many_new_partners_are_held,
    what_is_asked_for_is_a_list_or_all,
);

async fn many_contacts_are_synced(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let bob = scene.customer("bob@example.com", "Bob Kos").await;
    scene.app.create("/contacts", json!({"kind": "email", "value": "no@x.example", "source": "order"})).await;
    let answer = scene.post(BULK_SYNC, &json!({"contactIds": [ann, 2, "3", "999"]})).await;
    let (first, second) = (mapping_of(&scene, &ann).await, mapping_of(&scene, &bob).await);
    let third = mapping_of(&scene, "3").await;
    assert_eq!((&first["syncStatus"], &third["syncStatus"]), (&json!("synced"), &json!("error")));
    let mut data = succeeded(&answer);
    let error = data["results"][2]["error"].take();
    assert_eq!(error["code"], "invalid_fields");
    assert!(error["message"].as_str().unwrap().contains("street is missing"), "{error}");
    assert_eq!(
        data,
        json!({"total": 4, "succeeded": 2, "failed": 2, "results": [
            {"contactId": ann, "success": true, "mappingId": first["id"], "metakockaId": first["metakockaId"], "error": null},
            {"contactId": 2, "success": true, "mappingId": second["id"], "metakockaId": second["metakockaId"], "error": null},
            {"contactId": "3", "success": false, "mappingId": null, "metakockaId": null, "error": null},
            {"contactId": "999", "success": false, "mappingId": null, "metakockaId": null,
                "error": {"code": "not_found", "message": "There is no such customer."}},
        ]})
    );
    assert_eq!(scene.double.partner_count(), 2);
}

async fn an_id_that_stands_twice_is_worked_on_once(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let ids = json!([ann, ann.to_uppercase(), ann]);
    let data = succeeded(&scene.post(BULK_SYNC, &json!({"contactIds": ids})).await);
    assert_eq!((&data["total"], &data["succeeded"]), (&json!(1), &json!(1)), "{data}");
    assert_eq!(data["results"].as_array().unwrap().len(), 1);
}

async fn contacts_of_one_customer_are_not_in_each_others_way(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    for number in 1..4 {
        let phone = format!("+3864012345{number}");
        scene.app.identify(json!({"email": "ann@example.com", "phoneNumber": phone})).await;
    }
    let data = succeeded(&scene.post(BULK_SYNC, &json!({"contactIds": [1, 2, 3, 4, ann]})).await);
    assert_eq!((&data["succeeded"], &data["failed"]), (&json!(5), &json!(0)), "{data}");
    assert_eq!(scene.double.partner_count(), 1);
}

async fn many_partners_are_imported(scene: SyncScene) {
    let bob = scene.double.insert(partner("Bob Kos", "bob@example.com")).mk_id;
    let nobody = scene.double.insert(partner("Nobody", "")).mk_id;
    let number: Value = serde_json::from_str(&bob).unwrap();
    let answer = scene.post(BULK_IMPORT, &json!({"metakockaIds": [number, nobody, "12"]})).await;
    let contact = scene.app.show("/contacts/1").await["customerId"].clone();
    let mapping = mapping_of(&scene, "1").await;
    assert_eq!(
        answer.json(),
        json!({"success": true, "data": {"total": 3, "imported": 1, "failed": 1, "skipped": 1, "results": [
            {"metakockaId": number, "success": true, "contactId": contact, "mappingId": mapping["id"], "error": null},
            {"metakockaId": nobody, "success": false, "contactId": null, "mappingId": null, "error": {
                "code": "no_contact_point", "message": "The partner has neither an email address nor a phone number."}},
            {"metakockaId": "12", "success": false, "contactId": null, "mappingId": null, "error": {
                "code": "partner_not_found", "message": "The other system knows no such partner."}},
        ]}}),
        "{answer:?}"
    );
}

async fn all_partners_are_imported(scene: SyncScene) {
    scene.double.fill(12);
    let data = succeeded(&scene.post(BULK_IMPORT, &json!({"importAll": true})).await);
    assert_eq!((&data["total"], &data["imported"], &data["failed"]), (&json!(12), &json!(12), &json!(0)));
    let results = data["results"].as_array().unwrap();
    let records: Vec<_> = results.iter().map(|result| result["metakockaId"].as_str().unwrap()).collect();
    assert!(scene.double.partners().iter().all(|partner| records.contains(&partner.mk_id.as_str())));
    assert!(results.iter().all(|result| result["success"] == true && result["contactId"].is_string()));
    assert!(data.get("runId").is_none());
    let again = succeeded(&scene.post(BULK_IMPORT, &json!({"importAll": true})).await);
    assert_eq!((&again["total"], &again["imported"]), (&json!(12), &json!(12)), "they are known");
    assert_eq!(scene.app.contacts().await, i64::try_from(records.len()).unwrap());
}

async fn all_that_need_it_are_synced(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let bob = scene.customer("bob@example.com", "Bob Kos").await;
    scene.synced(&ann).await;
    let plan = succeeded(&scene.post(&format!("{BULK_SYNC}?dryRun=true"), &json!({"all": true})).await);
    assert_eq!((&plan["total"], &plan["results"][0]["action"]), (&json!(1), &json!("create")), "{plan}");
    assert_eq!(scene.double.partner_count(), 1);
    let data = succeeded(&scene.post(BULK_SYNC, &json!({"all": true})).await);
    let mapping = mapping_of(&scene, &bob).await;
    assert_eq!(
        data,
        json!({"total": 1, "succeeded": 1, "failed": 0, "results": [
            {"contactId": bob, "name": "Bob Kos", "email": "bob@example.com", "success": true,
             "mappingId": mapping["id"], "metakockaId": mapping["metakockaId"], "error": null},
        ]})
    );
    let again = succeeded(&scene.post(BULK_SYNC, &json!({"all": true})).await);
    assert_eq!(again, json!({"total": 0, "succeeded": 0, "failed": 0, "results": []}));
}

async fn too_many_new_partners_are_held(scene: SyncScene) {
    for number in 0..3 {
        scene.customer(&format!("p{number}@example.com"), "Ann Lee").await;
    }
    let answer = scene.post(BULK_SYNC, &json!({"all": true})).await;
    let data = answer.json()["data"].take();
    assert_eq!(
        (answer.status, &data["status"], &data["total"]),
        (202, &json!("held"), &json!(3)),
        "{answer:?}"
    );
    let why = "3 customers would get a new partner in MetaKocka, more than 2 in one run.";
    assert_eq!(data["message"], why);
    let location = answer.header("location").to_owned();
    assert_eq!(scene.app.show(&location).await["kind"], "syncAll");
    assert_eq!(scene.post(&format!("{location}/approve"), &json!({})).await.status, 202);
    scene.work_after(1).await;
    let run = scene.app.show(&location).await;
    assert_eq!((&run["status"], &run["created"]), (&json!("completed"), &json!(3)), "{run}");
    assert_eq!(scene.double.partner_count(), 3);
}

async fn what_is_asked_for_is_a_list_or_all(scene: SyncScene) {
    for body in
        [json!({"all": false}), json!({"all": true, "contactIds": [1]}), json!({"all": "yes"}), json!({})]
    {
        let details = refused(&scene.post(BULK_SYNC, &body).await, 400, "invalid_request");
        assert!(!details.as_object().unwrap().is_empty(), "{body}: {details}");
    }
    assert_eq!(scene.rows("sync_run").await, 0);
}

async fn dry_runs_write_nothing(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let bob = scene.double.insert(partner("Bob Kos", "bob@example.com")).mk_id;
    for (path, body, action) in [
        (BULK_SYNC, json!({"contactIds": [ann]}), "create"),
        (BULK_IMPORT, json!({"metakockaIds": [bob]}), "import"),
        (BULK_IMPORT, json!({"importAll": true}), "import"),
    ] {
        let data = succeeded(&scene.post(&format!("{path}?dryRun=true"), &body).await);
        let result = &data["results"][0];
        assert_eq!((&result["success"], &result["action"]), (&json!(true), &json!(action)), "{data}");
        assert!(result["plan"].as_array().is_some_and(|plan| plan.len() > 3), "{data}");
    }
    assert_eq!(
        (scene.rows("sync_mapping").await, scene.app.contacts().await, scene.double.writes()),
        (0, 1, 0)
    );
}

/// A server that does not wait at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_takes_long_is_answered_with_its_id() {
    let config = Config { run_wait_s: 0, ..Config::default() };
    let scene = SyncScene::with(TestDatabase::sqlite(), config, |_| {}).await;
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    scene.double.hold();
    let answer = scene.post(BULK_SYNC, &json!({"contactIds": [ann]})).await;
    let body = answer.json();
    let id = body["data"]["runId"].as_str().unwrap();
    let status = &body["data"]["status"];
    assert!(status == "queued" || status == "running", "{body}");
    let data = json!({"runId": id, "status": status, "total": 1, "succeeded": 0, "failed": 0});
    assert_eq!((answer.status, &body), (202, &json!({"success": true, "data": data})));
    let location = answer.header("location").to_owned();
    assert_eq!(location, format!("/sync/runs/{id}"));

    scene.double.release();
    let run = loop {
        let run = scene.app.show(&location).await;
        if run["status"] == "completed" {
            break run;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((&run["kind"], &run["succeeded"]), (&json!("sync"), &json!(1)));
    assert_eq!(scene.double.partner_count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_cannot_go_on_says_what_metakocka_said() {
    let scene = SyncScene::sqlite().await;
    scene.double.fill(1);
    let said = Trouble::Refuse { code: "9".to_owned(), said: "Ni dovoljeno".to_owned() };
    scene.double.trouble(None, Lasting::UntilTold, said);
    let answer = scene.post(BULK_IMPORT, &json!({"importAll": true})).await;
    let run = refused(&answer, 502, "run_failed")["runId"].as_str().unwrap().to_owned();
    assert_eq!(scene.app.show(&format!("/sync/runs/{run}")).await["status"], "failed");
    assert!(answer.body.contains("Ni dovoljeno"), "{answer:?}");
    assert!(scene.double.count(DoubleCall::GetPartner) > 0);
}

/// Of more results than an answer holds, those that failed come first and the rest is paged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_results_are_cut() {
    let scene = SyncScene::sqlite().await;
    let ids: Vec<Value> = (1..=1_001).map(|id| json!(id)).collect();
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let data = succeeded(&scene.post(BULK_SYNC, &json!({"contactIds": ids})).await);
    assert_eq!((&data["total"], &data["succeeded"]), (&json!(1_001), &json!(1)));
    let results = data["results"].as_array().unwrap();
    assert_eq!((results.len(), &results[0]["contactId"]), (1_000, &json!(2)), "the failed ones first");
    assert!(results.iter().all(|result| result["success"] == false));
    let items = format!("/sync/runs/{}/items", data["runId"].as_str().unwrap());
    let page = scene.app.show(&format!("{items}?limit=1")).await;
    assert_eq!(page["items"][0]["customerId"], json!(ann));
}
