//! `/api/openphone/contacts`: the same as for MetaKocka, under OpenPhone's names.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::send;
use crate::sync_scene::{SyncScene, on_both_connected, person, succeeded};

on_both_connected!(
    a_customer_is_synced,
    a_mapping_is_shown,
    a_customer_shows_its_contact_there,
    a_contact_is_imported,
    dry_runs_write_nothing,
);

pub(crate) const SYNC: &str = "/api/openphone/contacts/sync";
pub(crate) const IMPORT: &str = "/api/openphone/contacts/import";
pub(crate) const BULK_SYNC: &str = "/api/openphone/contacts/bulk-sync";
pub(crate) const BULK_IMPORT: &str = "/api/openphone/contacts/bulk-import";
pub(crate) const MAPPINGS: &str = "/api/openphone/contacts/mappings";

/// Syncs a customer that can be synced; returns its contact's id there.
pub(crate) async fn synced(scene: &SyncScene, contact: &str) -> String {
    let data = succeeded(&scene.post(SYNC, &json!({"contactId": contact})).await);
    data["openPhoneId"].as_str().unwrap().to_owned()
}

/// How a customer stands with OpenPhone.
pub(crate) async fn mapping_of(scene: &SyncScene, contact: &str) -> Value {
    succeeded(&scene.app.get(&format!("{MAPPINGS}?contactId={contact}")).await)
}

async fn a_customer_is_synced(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let answer = scene.post(SYNC, &json!({"contactId": ann})).await;
    let there = scene.openphone.contacts();
    assert_eq!(there.len(), 1);
    assert_eq!(
        (&there[0]["defaultFields"]["firstName"], &there[0]["externalId"]),
        (&json!("Ann"), &json!(ann))
    );
    let mapping = mapping_of(&scene, &ann).await["id"].clone();
    let expected = json!({"success": true, "data": {"mappingId": mapping, "openPhoneId": there[0]["id"]}});
    assert_eq!((answer.status, answer.json()), (200, expected.clone()));
    let again = scene.post(SYNC, &json!({"contactId": 1})).await;
    assert_eq!((again.status, again.json()), (200, expected));
    assert_eq!((scene.openphone.contacts().len(), scene.openphone.writes()), (1, 1));
    assert_eq!(scene.double.calls().len(), 0, "the other system is left alone");
}

async fn a_mapping_is_shown(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let record = synced(&scene, &ann).await;
    let id = mapping_of(&scene, &ann).await["id"].clone();
    for (query, contact) in
        [("contactId=1".to_owned(), json!(1)), (format!("openPhoneId={record}"), json!(ann))]
    {
        let expected = json!({
            "id": id, "contactId": contact, "customerId": ann, "openPhoneId": record,
            "openPhoneType": "contact", "syncStatus": "synced", "lastSyncedAt": "2026-01-01T00:00:00Z",
        });
        assert_eq!(succeeded(&scene.app.get(&format!("{MAPPINGS}?{query}")).await), expected, "{query}");
    }
}

async fn a_customer_shows_its_contact_there(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let path = format!("/customers/{ann}");
    let before = scene.app.get(&path).await;
    assert!(before.json().get("openPhoneContactId").is_none());
    let partner = scene.synced(&ann).await;
    assert!(scene.app.show(&path).await.get("openPhoneContactId").is_none(), "that is no contact there");
    let record = synced(&scene, &ann).await;
    let known = scene.app.request(Method::GET, &path).header("If-None-Match", before.header("etag"));
    let after = send(known).await.json();
    assert_eq!(after["openPhoneContactId"], json!(record));
    let mappings: Vec<_> = after["mappings"].as_array().unwrap().iter().collect();
    let shown = |mapping: &Value| (mapping["system"].clone(), mapping["externalId"].clone());
    let mappings: Vec<_> = mappings.into_iter().map(shown).collect();
    assert_eq!(mappings, [(json!("metakocka"), json!(partner)), (json!("openphone"), json!(record))]);
    let listed = scene.app.show("/customers?query=ann@example.com").await;
    assert!(listed["customers"][0].get("openPhoneContactId").is_none(), "{listed}");
}

async fn a_contact_is_imported(scene: SyncScene) {
    let bob = scene.openphone.insert(person("Bob Kos", "bob@example.com"))["id"].clone();
    let answer = scene.post(IMPORT, &json!({"openPhoneId": bob})).await;
    let contact = scene.app.show("/contacts/1").await;
    assert_eq!((&contact["source"], &contact["value"]), (&json!("openphone"), &json!("bob@example.com")));
    let mapping = mapping_of(&scene, "1").await["id"].clone();
    let expected =
        json!({"success": true, "data": {"contactId": contact["customerId"], "mappingId": mapping}});
    assert_eq!((answer.status, answer.json()), (200, expected.clone()));
    let again = scene.post(IMPORT, &json!({"openPhoneId": bob})).await;
    assert_eq!((again.status, again.json()), (200, expected));
    assert_eq!((scene.app.contacts().await, scene.openphone.writes()), (1, 0));
}

async fn dry_runs_write_nothing(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let bob = scene.openphone.insert(person("Bob Kos", "bob@example.com"))["id"].clone();
    let dry =
        async |path: &str, body: Value| succeeded(&scene.post(&format!("{path}?dryRun=true"), &body).await);
    let mut create = dry(SYNC, json!({"contactId": ann})).await;
    let name = json!({"field": "name", "write": "remote", "value": "Ann Lee"});
    assert!(create["plan"].take().as_array().unwrap().contains(&name));
    assert_eq!(
        create,
        json!({"dryRun": true, "action": "create", "contactId": ann, "openPhoneId": null, "mappingId": null, "plan": null})
    );
    let import = dry(IMPORT, json!({"openPhoneId": bob})).await;
    assert_eq!((&import["action"], &import["openPhoneId"]), (&json!("import"), &bob));
    assert_eq!(
        (scene.rows("sync_mapping").await, scene.app.contacts().await, scene.openphone.writes()),
        (0, 1, 0)
    );
}
