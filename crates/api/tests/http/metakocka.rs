//! `/api/metakocka/contacts`: single sync, mapping status and single import, in the exact form of the contract.

use onefold_integrations::testing::DoubleChange;
use reqwest::Method;
use serde_json::{Value, json};

use onefold_persistence::testing::TestDatabase;

use crate::app::{TestApp, send};
use crate::imports::{CSV, NDJSON};
use crate::sync_scene::{IMPORT, SYNC, SyncScene, mapping_of, on_both_connected, partner, succeeded};

on_both_connected!(
    a_contact_is_synced,
    what_was_corrected_there_survives_a_move,
    a_mapping_is_shown,
    a_customer_shows_its_records_elsewhere,
    a_partner_is_imported,
    dry_runs_write_nothing,
    a_repeated_request_is_answered_as_before,
    callers_do_not_speak_for_metakocka,
    whoever_hangs_up_leaves_nothing_half_done,
);

async fn a_contact_is_synced(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let answer = scene.post(SYNC, &json!({"contactId": ann})).await;
    let partners = scene.double.partners();
    assert_eq!(partners.len(), 1);
    assert_eq!(partners[0].customer, "Ann Lee");
    let mapping = mapping_of(&scene, &ann).await["id"].clone();
    assert!(mapping.as_str().is_some_and(|id| id.parse::<uuid::Uuid>().is_ok()), "{mapping}");
    let expected = json!({"success": true, "data": {"mappingId": mapping, "metakockaId": partners[0].mk_id}});
    assert_eq!((answer.status, answer.json()), (200, expected.clone()));
    for contact in [json!(1), json!("1"), json!(ann.to_uppercase())] {
        let again = scene.post(SYNC, &json!({"contactId": contact})).await;
        assert_eq!((again.status, again.json()), (200, expected.clone()), "{contact}");
    }
    assert_eq!((scene.double.partner_count(), scene.double.writes()), (1, 1));

    scene.moves_to(&ann, "Bled").await;
    assert_eq!(scene.synced(&ann).await, partners[0].mk_id);
    assert_eq!(scene.double.partners()[0].addresses[0].city, "Bled");
    let change = DoubleChange { city: Some("Kranj".to_owned()), ..DoubleChange::default() };
    scene.double.change(&partners[0].mk_id, &change).unwrap();
    scene.synced(&ann).await;
    assert_eq!(scene.city_of(&ann).await, "Kranj");
}

/// An email that nothing but the record joins, and values that outdo better sources: both are evidence, which an export
/// carries and which holds when evidence around it changes.
async fn what_was_corrected_there_survives_a_move(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    scene.moves_to(&ann, "Bled").await;
    let record = scene.synced(&ann).await;
    let change = DoubleChange {
        city: Some("Kranj".to_owned()),
        email: Some("lee@example.com".to_owned()),
        ..DoubleChange::default()
    };
    scene.double.change(&record, &change).unwrap();
    scene.synced(&ann).await;
    let shown = async |app: &TestApp, id: &str| {
        let customer = app.show(&format!("/customers/{id}")).await;
        let points = customer["contactPoints"].as_array().unwrap().iter().map(|point| point["value"].clone());
        (customer["profile"].clone(), customer["profileSetAt"].clone(), points.collect::<Vec<_>>())
    };
    let here = shown(&scene.app, &ann).await;
    assert_eq!(here.0["address"]["city"], "Kranj");
    assert_eq!(here.2, ["ann@example.com", "lee@example.com"]);
    for (format, media_type) in [("ndjson", NDJSON), ("csv", CSV)] {
        let file = scene.app.get(&format!("/contacts/export?format={format}")).await.body;
        let other = TestApp::start(TestDatabase::sqlite(), None).await;
        let done = other.import(media_type, "", file.clone()).await;
        assert_eq!(done["failed"], 0, "{format}: {done}");
        let id = other.show("/contacts/1").await["customerId"].as_str().unwrap().to_owned();
        assert_eq!(shown(&other, &id).await, here, "{format}");
        other.database.assert_invariants().await;
    }
    // Laid from nothing when a contact beside them is withdrawn, they are one customer as before.
    let body = json!({"kind": "phone", "value": "+38640000123", "source": "order"});
    let phone = scene.app.create("/contacts", body).await;
    scene.app.identify(json!({"email": "ann@example.com", "phoneNumber": "+38640000123"})).await;
    assert_eq!(shown(&scene.app, &ann).await.2.len(), 3);
    scene.app.call(Method::DELETE, &format!("/contacts/{}", phone["id"]), &Value::Null).await;
    assert_eq!(shown(&scene.app, &ann).await, here);
}

async fn a_mapping_is_shown(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let data = succeeded(&scene.post(SYNC, &json!({"contactId": ann})).await);
    let record = data["metakockaId"].as_str().unwrap();
    // The number that was asked for is answered, beside the customer that it stands for.
    for (query, contact) in [
        (format!("contactId={ann}"), json!(ann)),
        ("contactId=1".to_owned(), json!(1)),
        (format!("metakockaId={record}"), json!(ann)),
    ] {
        let expected = json!({"success": true, "data": {
            "id": data["mappingId"], "contactId": contact, "customerId": ann, "metakockaId": record,
            "metakockaType": "partner", "syncStatus": "synced", "lastSyncedAt": "2026-01-01T00:00:00Z",
        }});
        let answer = scene.app.get(&format!("/api/metakocka/contacts/mappings?{query}")).await;
        assert_eq!((answer.status, answer.json()), (200, expected), "{query}");
    }
}

async fn a_customer_shows_its_records_elsewhere(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let path = format!("/customers/{ann}");
    let before = scene.app.get(&path).await;
    assert_eq!(before.json()["mappings"], json!([]));
    let record = scene.synced(&ann).await;
    let tag = before.header("etag");
    // What changed is the mapping alone.
    let after = send(scene.app.request(Method::GET, &path).header("If-None-Match", tag)).await;
    let mapping = json!({
        "system": "metakocka", "recordType": "partner", "externalId": record, "status": "synced",
        "detachedReason": null, "lastSyncedAt": "2026-01-01T00:00:00Z",
    });
    assert_eq!((after.status, &after.json()["mappings"]), (200, &json!([mapping])));
    let known = scene.app.request(Method::GET, &path).header("If-None-Match", after.header("etag"));
    assert_eq!(send(known).await.status, 304);
    // It is no reason to refuse a change of the profile, by whichever of the two it was seen.
    for tag in [tag, after.header("etag")] {
        let patch =
            scene.app.request(Method::PATCH, &path).header("If-Match", tag).json(&json!({"profile": {}}));
        assert_eq!(send(patch).await.status, 200, "{tag}");
    }
}

async fn a_partner_is_imported(scene: SyncScene) {
    let record = scene.double.insert(partner("Bob Kos", "bob@example.com")).mk_id;
    let answer = scene.post(IMPORT, &json!({"metakockaId": record})).await;
    let contact = scene.app.show("/contacts/1").await;
    assert_eq!((&contact["source"], &contact["value"]), (&json!("metakocka"), &json!("bob@example.com")));
    let mapping = mapping_of(&scene, "1").await["id"].clone();
    let expected =
        json!({"success": true, "data": {"contactId": contact["customerId"], "mappingId": mapping}});
    assert_eq!((answer.status, answer.json()), (200, expected.clone()));
    // As a number, as JSON libraries write it that take it for one.
    let number: Value = serde_json::from_str(&record).unwrap();
    let again = scene.post(IMPORT, &json!({"metakockaId": number})).await;
    assert_eq!((again.status, again.json()), (200, expected));
    assert_eq!((scene.app.contacts().await, scene.double.writes()), (1, 0));
    let listed = scene.app.show("/contacts?source=metakocka").await;
    assert_eq!(listed["contacts"].as_array().unwrap().len(), 1);
}

async fn dry_runs_write_nothing(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let record = scene.double.insert(partner("Bob Kos", "bob@example.com")).mk_id;
    let dry =
        async |path: &str, body: Value| succeeded(&scene.post(&format!("{path}?dryRun=true"), &body).await);
    let mut create = dry(SYNC, json!({"contactId": ann})).await;
    let plan = create["plan"].take();
    assert_eq!(
        create,
        json!({"dryRun": true, "action": "create", "contactId": ann, "metakockaId": null, "mappingId": null, "plan": null})
    );
    let city = json!({"field": "city", "write": "remote", "value": "Ljubljana"});
    assert!(plan.as_array().unwrap().contains(&city), "{plan}");
    let mut import = dry(IMPORT, json!({"metakockaId": record})).await;
    let plan = import["plan"].take();
    assert_eq!(
        import,
        json!({"dryRun": true, "action": "import", "contactId": null, "metakockaId": record, "mappingId": null, "plan": null})
    );
    assert!(plan.as_array().unwrap().iter().all(|field| field["write"] == "local"), "{plan}");
    assert_eq!(
        (scene.rows("sync_mapping").await, scene.app.contacts().await, scene.double.writes()),
        (0, 1, 0)
    );

    let known = succeeded(&scene.post(SYNC, &json!({"contactId": ann})).await);
    scene.moves_to(&ann, "Bled").await;
    let update = dry(SYNC, json!({"contactId": 1})).await;
    assert_eq!(
        update,
        json!({
            "dryRun": true, "action": "update", "contactId": ann, "metakockaId": known["metakockaId"],
            "mappingId": known["mappingId"],
            "plan": [{"field": "city", "write": "remote", "value": "Bled", "instead": null}],
        })
    );
    assert_eq!(scene.double.writes(), 1, "the one that was no dry run");
}

async fn a_repeated_request_is_answered_as_before(scene: SyncScene) {
    scene.customer("ann@example.com", "Ann Lee").await;
    let request = || {
        let request = scene.app.request(Method::POST, SYNC).header("Content-Type", "application/json");
        request.header("Idempotency-Key", "sync-1").body(r#"{"contactId":1}"#)
    };
    let (first, second) = (send(request()).await, send(request()).await);
    assert_eq!(succeeded(&first), succeeded(&second));
    assert_eq!(second.header("idempotency-replayed"), "true");
    let asked = scene.double.calls().len();
    send(request()).await;
    assert_eq!(scene.double.calls().len(), asked, "nobody was asked again");
}

async fn callers_do_not_speak_for_metakocka(scene: SyncScene) {
    let body = json!({"kind": "email", "value": "ann@example.com", "source": "metakocka"});
    let answer = scene.post("/contacts", &body).await;
    assert_eq!(answer.status, 422, "{answer:?}");
    assert!(answer.json()["errors"]["source"].is_array());
}

async fn whoever_hangs_up_leaves_nothing_half_done(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    scene.double.hold();
    let request = scene.app.request(Method::POST, SYNC).header("Content-Type", "application/json");
    let calling = tokio::spawn(request.body(json!({"contactId": ann}).to_string()).send());
    scene.double.until_in_flight(1).await;
    calling.abort();
    scene.double.release();
    // The customer is busy until the work is done, and then it is in step.
    loop {
        if mapping_of(&scene, &ann).await["syncStatus"] == "synced" {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(scene.double.partner_count(), 1);
}
