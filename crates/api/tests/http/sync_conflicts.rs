//! `/sync/conflicts`: how they are shown, and what each decision leads to.

use onefold_integrations::testing::{DoubleCall, DoubleChange, Trouble};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::Answer;
use crate::bad_input::check;
use crate::sync_scene::{SYNC, SyncScene, mapping_of, on_both_connected, refused};

on_both_connected!(
    a_conflict_is_shown,
    conflicts_are_filtered_and_paged,
    our_value_is_chosen,
    their_value_is_chosen,
    a_third_value_is_chosen,
    a_rule_is_overruled,
    a_decision_waits_when_metakocka_is_away,
    two_customers_of_one_record_are_merged,
    two_customers_of_one_record_stay_two,
    two_records_of_one_customer,
    a_record_that_was_deleted_is_made_anew,
    a_record_that_was_deleted_is_let_go,
    what_is_refused,
);

/// A customer whose city both sides changed, and its partner.
async fn torn(scene: &SyncScene, email: &str) -> (String, String) {
    let customer = scene.customer(email, "Ann Lee").await;
    let record = scene.synced(&customer).await;
    scene.moves_to(&customer, "Bled").await;
    let change = DoubleChange { city: Some("Kranj".to_owned()), ..DoubleChange::default() };
    scene.double.change(&record, &change).unwrap();
    refused(&scene.post(SYNC, &json!({"contactId": customer})).await, 409, "conflict");
    (customer, record)
}

async fn resolve(scene: &SyncScene, id: i64, body: Value) -> Answer {
    scene.post(&format!("/sync/conflicts/{id}/resolve"), &body).await
}

/// Resolves a conflict after which all is in step.
async fn resolved(scene: &SyncScene, id: i64, body: Value) -> Value {
    let answer = resolve(scene, id, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let mut conflict = answer.json();
    let sync = conflict["sync"].take();
    assert_eq!(sync["status"], "synced", "{answer:?}");
    assert_eq!((&sync["conflicts"], &sync["error"]), (&json!([]), &Value::Null));
    assert!(sync["mappingId"].is_string() && sync["externalId"].is_string(), "{sync}");
    conflict
}

fn city_there(scene: &SyncScene, record: &str) -> String {
    scene.double.partner(record).unwrap().addresses[0].city.clone()
}

async fn a_conflict_is_shown(scene: SyncScene) {
    let (ann, _) = torn(&scene, "ann@example.com").await;
    let mapping = mapping_of(&scene, &ann).await;
    let expected = json!({
        "id": 1, "system": "metakocka", "systemTitle": "MetaKocka", "mappingId": mapping["id"], "customerId": ann,
        "customer": {"id": ann, "name": "Ann Lee", "companyName": null, "emails": ["ann@example.com"], "phones": []},
        "otherCustomer": null, "subject": "city",
        "choices": [
            {"answer": "local", "effect": "MetaKocka gets “Bled” instead of “Kranj”."},
            {"answer": "remote", "effect": "Ann Lee gets “Kranj” here instead of “Bled”."},
            {"answer": "value", "effect": "MetaKocka and Ann Lee here get the value that you send."},
        ],
        "base": "Ljubljana", "agreedAt": "2026-01-01T00:00:00Z", "local": "Bled", "remote": "Kranj", "status": "open", "rule": null,
        "resolution": null, "answers": ["local", "remote", "value"], "resolvedBy": null,
        "createdAt": "2026-01-01T00:00:00Z", "resolvedAt": null,
    });
    assert_eq!(scene.app.show("/sync/conflicts/1").await, expected);
    let list = json!({"conflicts": [expected], "nextCursor": null});
    assert_eq!(scene.app.show("/sync/conflicts").await, list);
}

async fn conflicts_are_filtered_and_paged(scene: SyncScene) {
    let (ann, _) = torn(&scene, "ann@example.com").await;
    torn(&scene, "bob@example.com").await;
    torn(&scene, "eva@example.com").await;
    resolved(&scene, 3, json!({"resolution": "local"})).await;
    let ids = async |query: &str| -> Vec<i64> {
        let page = scene.app.show(&format!("/sync/conflicts?{query}")).await;
        page["conflicts"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect()
    };
    assert_eq!(ids("").await, [1, 2, 3]);
    assert_eq!(ids("status=open").await, [1, 2]);
    assert_eq!(ids("status=resolved&system=metakocka").await, [3]);
    assert_eq!(ids(&format!("customerId={ann}")).await, [1]);
    let first = scene.app.get("/sync/conflicts?status=open&limit=1").await;
    let cursor = first.json()["nextCursor"].as_str().unwrap().to_owned();
    assert!(first.header("link").contains(&format!("status=open&limit=1&cursor={cursor}>; rel=\"next\"")));
    assert_eq!(ids(&format!("status=open&limit=1&cursor={cursor}")).await, [2]);
    for query in ["status=shut", "system=hubspot", "customerId=1", "cursor=x", "limit=0", "after=1"] {
        let answer = scene.app.get(&format!("/sync/conflicts?{query}")).await;
        let problem = check(&answer, 422, "invalid_request");
        assert_eq!(problem["errors"].as_object().unwrap().len(), 1, "{query}: {problem}");
    }
}

async fn our_value_is_chosen(scene: SyncScene) {
    let (ann, record) = torn(&scene, "ann@example.com").await;
    let conflict = resolved(&scene, 1, json!({"resolution": "local"})).await;
    assert_eq!((&conflict["status"], &conflict["resolution"]), (&json!("resolved"), &json!("local")));
    assert_eq!((&conflict["answers"], &conflict["resolvedBy"]), (&json!([]), &json!("token:1")));
    assert_eq!(conflict["resolvedAt"], "2026-01-01T00:00:00Z");
    assert_eq!((city_there(&scene, &record), scene.city_of(&ann).await), ("Bled".to_owned(), json!("Bled")));
}

async fn their_value_is_chosen(scene: SyncScene) {
    let (ann, record) = torn(&scene, "ann@example.com").await;
    resolved(&scene, 1, json!({"resolution": "remote"})).await;
    assert_eq!(
        (city_there(&scene, &record), scene.city_of(&ann).await),
        ("Kranj".to_owned(), json!("Kranj"))
    );
}

async fn a_third_value_is_chosen(scene: SyncScene) {
    let (ann, record) = torn(&scene, "ann@example.com").await;
    let conflict = resolved(&scene, 1, json!({"value": " Piran "})).await;
    assert_eq!(conflict["resolution"], "value");
    assert_eq!(
        (city_there(&scene, &record), scene.city_of(&ann).await),
        ("Piran".to_owned(), json!("Piran"))
    );
}

async fn a_rule_is_overruled(scene: SyncScene) {
    scene.app.call(Method::PUT, "/sync/rules", &json!({"metakocka": {"city": "remote"}})).await;
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let record = scene.synced(&ann).await;
    scene.moves_to(&ann, "Bled").await;
    let change = DoubleChange { city: Some("Kranj".to_owned()), ..DoubleChange::default() };
    scene.double.change(&record, &change).unwrap();
    scene.synced(&ann).await;
    assert_eq!(scene.city_of(&ann).await, "Kranj");
    let settled = scene.app.show("/sync/conflicts/1").await;
    assert_eq!((&settled["status"], &settled["rule"]), (&json!("settled"), &json!("remote")));
    assert_eq!((&settled["local"], &settled["answers"][0]), (&json!("Bled"), &json!("local")));
    resolved(&scene, 1, json!({"resolution": "local"})).await;
    assert_eq!((city_there(&scene, &record), scene.city_of(&ann).await), ("Bled".to_owned(), json!("Bled")));
}

async fn a_decision_waits_when_metakocka_is_away(scene: SyncScene) {
    let (_, record) = torn(&scene, "ann@example.com").await;
    scene.double.next(DoubleCall::GetPartner, Trouble::Page(500));
    let answer = resolve(&scene, 1, json!({"resolution": "local"})).await;
    assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("resolved")), "{answer:?}");
    assert_eq!(
        answer.json()["sync"],
        json!({"status": "pending", "mappingId": null, "externalId": null, "conflicts": [], "error": {
            "code": "unreachable", "message": "The other system cannot be reached.",
        }})
    );
    assert_eq!(city_there(&scene, &record), "Kranj");
    scene.work_after(60).await;
    assert_eq!(city_there(&scene, &record), "Bled", "the job did it");
}

/// Two customers of one tax number, one known by an email and one by a phone, of which the first has the record.
async fn twins(scene: &SyncScene) -> (String, String) {
    let firm = json!({"companyName": "Vrtnarija Lee d.o.o.", "taxNumber": "SI10000017"});
    let one = scene.customer_of(json!({"kind": "email", "value": "ann@example.com"}), firm.clone()).await;
    let other = scene.customer_of(json!({"kind": "phone", "value": "+38640123456"}), firm).await;
    scene.synced(&one).await;
    let answer = scene.post(SYNC, &json!({"contactId": other})).await;
    assert_eq!(refused(&answer, 409, "conflict")["conflicts"], json!([1]));
    let conflict = scene.app.show("/sync/conflicts/1").await;
    assert_eq!((&conflict["subject"], &conflict["local"]), (&json!("samePartner"), &json!(one)));
    assert_eq!(conflict["answers"], json!(["merge", "separate"]));
    assert_eq!((&conflict["otherCustomer"]["id"], &conflict["customer"]["id"]), (&json!(one), &json!(other)));
    assert_eq!(conflict["otherCustomer"]["emails"], json!(["ann@example.com"]));
    let effects = [&conflict["choices"][0]["effect"], &conflict["choices"][1]["effect"]];
    assert!(
        effects[0].as_str().unwrap().starts_with("Ann Lee and Ann Lee become one customer"),
        "{conflict}"
    );
    assert!(effects[1].as_str().unwrap().contains("a partner of its own in MetaKocka"), "{conflict}");
    (one, other)
}

async fn two_customers_of_one_record_are_merged(scene: SyncScene) {
    let (one, other) = twins(&scene).await;
    resolved(&scene, 1, json!({"resolution": "merge"})).await;
    let survivor = scene.app.show(&format!("/customers/{other}")).await["id"].clone();
    assert_eq!(survivor, scene.app.show(&format!("/customers/{one}")).await["id"]);
    assert_eq!(scene.double.partner_count(), 1);
}

async fn two_customers_of_one_record_stay_two(scene: SyncScene) {
    let (one, other) = twins(&scene).await;
    resolved(&scene, 1, json!({"resolution": "separate"})).await;
    let records = [mapping_of(&scene, &one).await, mapping_of(&scene, &other).await];
    assert_ne!(records[0]["metakockaId"], records[1]["metakockaId"]);
    assert_eq!(scene.double.partner_count(), 2);
}

async fn two_records_of_one_customer(scene: SyncScene) {
    let one = scene.customer("ann@example.com", "Ann Lee").await;
    let phone = json!({"kind": "phone", "value": "+38640123456"});
    let other = scene.customer_of(phone, json!({"name": "Ann Lee"})).await;
    let (first, second) = (scene.synced(&one).await, scene.synced(&other).await);
    assert_ne!(first, second);
    scene.app.identify(json!({"email": "ann@example.com", "phoneNumber": "+38640123456"})).await;
    refused(&scene.post(SYNC, &json!({"contactId": other})).await, 409, "conflict");
    let open = scene.app.show("/sync/conflicts?status=open").await;
    let conflict = open["conflicts"].as_array().unwrap().iter().find(|one| one["subject"] == "sameCustomer");
    let conflict = conflict.unwrap();
    assert_eq!((&conflict["local"], &conflict["remote"]), (&json!(first), &json!(second)));
    let id = conflict["id"].as_i64().unwrap();
    check(&resolve(&scene, id, json!({"resolution": "merge"})).await, 422, "invalid_request");
    let answer = resolve(&scene, id, json!({"resolution": "remote"})).await;
    assert_eq!((answer.status, &answer.json()["sync"]["externalId"]), (200, &json!(second)), "{answer:?}");
    assert_eq!(mapping_of(&scene, &one).await["metakockaId"], json!(second));
}

/// A customer whose partner was deleted and missed, and the number of the question.
async fn deleted(scene: &SyncScene) -> (String, String) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let record = scene.synced(&ann).await;
    scene.double.remove(&record);
    refused(&scene.post(SYNC, &json!({"contactId": ann})).await, 404, "missing_remotely");
    let conflict = scene.app.show("/sync/conflicts/1").await;
    assert_eq!((&conflict["subject"], &conflict["remote"]), (&json!("gone"), &json!(record)));
    assert_eq!(conflict["answers"], json!(["recreate", "release"]));
    assert_eq!(conflict["choices"][1]["effect"], "Ann Lee stays here, without a partner in MetaKocka.");
    (ann, record)
}

async fn a_record_that_was_deleted_is_made_anew(scene: SyncScene) {
    let (ann, record) = deleted(&scene).await;
    check(&resolve(&scene, 1, json!({"resolution": "local"})).await, 422, "invalid_request");
    resolved(&scene, 1, json!({"resolution": "recreate"})).await;
    let mapping = mapping_of(&scene, &ann).await;
    assert_eq!((&mapping["syncStatus"], mapping["metakockaId"] == json!(record)), (&json!("synced"), false));
    assert_eq!(scene.double.partner_count(), 1);
}

async fn a_record_that_was_deleted_is_let_go(scene: SyncScene) {
    let (ann, record) = deleted(&scene).await;
    let answer = resolve(&scene, 1, json!({"resolution": "release"})).await;
    assert_eq!((answer.status, &answer.json()["sync"]["status"]), (200, &json!("released")), "{answer:?}");
    let mapping = mapping_of(&scene, &ann).await;
    assert_eq!((&mapping["syncStatus"], &mapping["metakockaId"]), (&json!("detached"), &json!(record)));
    scene.work_after(60).await;
    assert_eq!(scene.double.partner_count(), 0);
}

async fn what_is_refused(scene: SyncScene) {
    torn(&scene, "ann@example.com").await;
    for body in [
        json!({}),
        json!({"resolution": "local", "value": "Piran"}),
        json!({"resolution": "mine"}),
        json!({"resolution": "merge"}),
        json!({"resolution": null}),
        json!({"value": 5}),
        json!({"resolution": "local", "note": "x"}),
    ] {
        let problem = check(&resolve(&scene, 1, body.clone()).await, 422, "invalid_request");
        assert!(!problem["errors"].as_object().unwrap().is_empty(), "{body}: {problem}");
    }
    check(&resolve(&scene, 7, json!({"resolution": "local"})).await, 404, "unknown_conflict");
    check(&scene.app.get("/sync/conflicts/7").await, 404, "unknown_conflict");
    check(&scene.app.get("/sync/conflicts/x").await, 422, "invalid_request");
    assert_eq!(scene.app.show("/sync/conflicts/1").await["status"], "open");
    resolved(&scene, 1, json!({"resolution": "local"})).await;
    check(&resolve(&scene, 1, json!({"resolution": "remote"})).await, 409, "conflict_resolved");
}
