//! Several systems at once: each has its own runs, conflicts, jobs and log, and none is in another's way.

use reqwest::Method;
use serde_json::{Value, json};

use crate::bad_input::check;
use crate::openphone::{SYNC, mapping_of, synced};
use crate::sync_scene::{SyncScene, on_both_connected, partner, person, refused};

on_both_connected!(
    each_is_compared_by_itself,
    a_conflict_is_resolved_where_it_arose,
    the_log_is_filtered_by_system,
    a_run_that_is_held_is_approved,
);

async fn compared(scene: &SyncScene, system: &str) -> Value {
    let answer = scene.post("/sync/runs", &json!({"system": system, "kind": "compare"})).await;
    assert_eq!((answer.status, &answer.json()["system"]), (202, &json!(system)), "{answer:?}");
    scene.work_after(1).await;
    scene.app.show(answer.header("location")).await
}

/// Calls a customer otherwise.
async fn is_called(scene: &SyncScene, customer: &str, name: &str) {
    let patch = json!({"profile": {"name": name}});
    let answer = scene.app.call(Method::PATCH, &format!("/customers/{customer}"), &patch).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

async fn each_is_compared_by_itself(scene: SyncScene) {
    scene.double.insert(partner("Bob Kos", "bob@example.com"));
    scene.openphone.insert(person("Eva Zajc", "eva@example.com"));
    let run = compared(&scene, "openphone").await;
    assert_eq!((&run["status"], &run["created"]), (&json!("completed"), &json!(1)), "{run}");
    assert_eq!((scene.app.contacts().await, scene.double.calls().len()), (1, 0));
    let run = compared(&scene, "metakocka").await;
    assert_eq!((&run["status"], &run["created"]), (&json!("completed"), &json!(1)), "{run}");
    let page = scene.app.show("/sync/runs").await;
    let systems: Vec<_> = page["runs"].as_array().unwrap().iter().map(|run| &run["system"]).collect();
    assert_eq!(systems, ["metakocka", "openphone"], "newest first");
    for (system, value) in [("metakocka", "bob@example.com"), ("openphone", "eva@example.com")] {
        let page = scene.app.show(&format!("/contacts?source={system}")).await;
        assert_eq!(page["contacts"][0]["value"], value, "{page}");
    }
    check(&scene.post("/sync/runs", &json!({"kind": "compare"})).await, 422, "invalid_request");
}

async fn a_conflict_is_resolved_where_it_arose(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    scene.synced(&ann).await;
    let record = synced(&scene, &ann).await;
    is_called(&scene, &ann, "Ann Berry").await;
    let rename = |contact: &mut Value| contact["defaultFields"]["lastName"] = json!("Kos");
    scene.openphone.edit(&record, rename).unwrap();
    let details = refused(&scene.post(SYNC, &json!({"contactId": ann})).await, 409, "conflict");
    assert_eq!(details["conflicts"], json!([1]));
    let shown = scene.app.show("/sync/conflicts/1").await;
    assert_eq!((&shown["system"], &shown["subject"]), (&json!("openphone"), &json!("name")));
    assert_eq!((&shown["local"], &shown["remote"]), (&json!("Ann Berry"), &json!("Ann Kos")));
    for (system, count) in [("openphone", 1), ("metakocka", 0)] {
        let page = scene.app.show(&format!("/sync/conflicts?system={system}")).await;
        assert_eq!(page["conflicts"].as_array().unwrap().len(), count, "{page}");
    }
    let calls = scene.double.calls().len();
    let answer = scene.post("/sync/conflicts/1/resolve", &json!({"resolution": "local"})).await;
    let sync = &answer.json()["sync"];
    assert_eq!((answer.status, &sync["status"]), (200, &json!("synced")), "{answer:?}");
    assert_eq!(sync["externalId"], json!(record));
    assert_eq!(scene.openphone.contact(&record).unwrap()["defaultFields"]["lastName"], "Berry");
    assert_eq!(scene.double.calls().len(), calls, "the other system has no part in it");
    assert_eq!(mapping_of(&scene, &ann).await["syncStatus"], "synced");
}

async fn the_log_is_filtered_by_system(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let (partner, record) = (scene.synced(&ann).await, synced(&scene, &ann).await);
    for (system, id) in [("metakocka", partner), ("openphone", record)] {
        let log = scene.app.show(&format!("/sync/log?system={system}&customerId={ann}")).await;
        let attempts = log["attempts"].as_array().unwrap();
        assert_eq!(attempts.len(), 1, "{log}");
        assert_eq!((&attempts[0]["system"], &attempts[0]["externalId"]), (&json!(system), &json!(id)));
    }
    check(&scene.app.get("/sync/log?system=hubspot").await, 422, "invalid_request");
}

async fn a_run_that_is_held_is_approved(scene: SyncScene) {
    for number in 0..3 {
        let customer = scene.customer(&format!("p{number}@example.com"), "Ann Lee").await;
        scene.synced(&customer).await;
        let record = synced(&scene, &customer).await;
        scene.openphone.remove(&record);
    }
    let run = compared(&scene, "openphone").await;
    assert_eq!(run["status"], "held", "{run}");
    let id = run["id"].as_str().unwrap();
    let answer = scene.post(&format!("/sync/runs/{id}/approve"), &json!({})).await;
    assert_eq!((answer.status, &answer.json()["status"]), (202, &json!("queued")), "{answer:?}");
    scene.work_after(1).await;
    let run = scene.app.show(&format!("/sync/runs/{id}")).await;
    assert_eq!((&run["status"], &run["stale"]), (&json!("completed"), &json!(3)), "{run}");
    for number in 1..=3 {
        let kept = crate::sync_scene::mapping_of(&scene, &number.to_string()).await;
        assert_eq!(kept["syncStatus"], "synced", "of the other system nothing is missing");
    }
}
