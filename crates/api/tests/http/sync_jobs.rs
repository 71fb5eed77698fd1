//! `/sync/jobs` and `/sync/log`: what is promised, what was given up, and what happened.

use onefold_integrations::testing::{DoubleCall, Lasting, Trouble};
use reqwest::Method;
use serde_json::{Value, json};

use crate::bad_input::check;
use crate::sync_scene::{BULK_SYNC, SYNC, SyncScene, mapping_of, on_both_connected, refused};

on_both_connected!(
    a_job_is_shown,
    a_dead_job_is_replayed,
    a_job_is_dropped,
    jobs_are_filtered_and_paged,
    attempts_are_logged,
    what_is_refused,
);

/// A customer that could not be synced, for which a job waits.
async fn failed(scene: &SyncScene, email: &str) -> String {
    let customer = scene.customer(email, "Ann Lee").await;
    scene.double.next(DoubleCall::GetPartner, Trouble::Page(500));
    refused(&scene.post(SYNC, &json!({"contactId": customer})).await, 502, "unreachable");
    customer
}

/// A customer whose job was given up.
async fn given_up(scene: &SyncScene) -> String {
    let customer = failed(scene, "ann@example.com").await;
    scene.double.trouble(None, Lasting::UntilTold, Trouble::Page(500));
    scene.work_after(60).await;
    scene.double.end_trouble();
    customer
}

async fn a_job_is_shown(scene: SyncScene) {
    let ann = failed(&scene, "ann@example.com").await;
    let expected = json!({
        "id": 1, "kind": "syncCustomer", "system": "metakocka", "customerId": ann, "externalId": null, "runId": null,
        "status": "waiting", "attempts": 0, "notBefore": "2026-01-01T00:00:30Z", "leasedUntil": null,
        "error": null, "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z",
    });
    assert_eq!(scene.app.show("/sync/jobs/1").await, expected);
    assert_eq!(scene.app.show("/sync/jobs").await, json!({"jobs": [expected], "nextCursor": null}));
}

async fn a_dead_job_is_replayed(scene: SyncScene) {
    let ann = given_up(&scene).await;
    let dead = scene.app.show("/sync/jobs/1").await;
    assert_eq!((&dead["status"], &dead["attempts"]), (&json!("dead"), &json!(1)));
    let error = json!({"code": "unreachable", "message": "The other system cannot be reached."});
    assert_eq!(dead["error"], error);

    let answer = scene.post("/sync/jobs/1/replay", &json!({})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!((&answer.json()["status"], &answer.json()["attempts"]), (&json!("waiting"), &json!(0)));
    check(&scene.post("/sync/jobs/1/replay", &json!({})).await, 409, "job_not_dead");
    scene.work_after(1).await;
    assert_eq!(mapping_of(&scene, &ann).await["syncStatus"], "synced");
    check(&scene.post("/sync/jobs/1/replay", &json!({})).await, 404, "unknown_job");
}

async fn a_job_is_dropped(scene: SyncScene) {
    let ann = given_up(&scene).await;
    let dropped = scene.app.call(Method::DELETE, "/sync/jobs/1", &Value::Null).await;
    assert_eq!((dropped.status, dropped.body.as_str()), (204, ""));
    check(&scene.app.get("/sync/jobs/1").await, 404, "unknown_job");
    check(&scene.app.call(Method::DELETE, "/sync/jobs/1", &Value::Null).await, 404, "unknown_job");
    scene.work_after(3_600).await;
    assert_eq!(mapping_of(&scene, &ann).await["syncStatus"], "error");

    // Somebody is at this one.
    let eva = scene.customer("eva@example.com", "Eva Kos").await;
    scene.double.hold();
    let calling = scene.app.request(Method::POST, BULK_SYNC).header("Content-Type", "application/json");
    let calling = tokio::spawn(calling.body(json!({"contactIds": [eva]}).to_string()).send());
    scene.double.until_in_flight(1).await;
    let running = scene.app.show("/sync/jobs?status=running").await["jobs"][0].take();
    assert_eq!((&running["kind"], &running["customerId"]), (&json!("run"), &Value::Null));
    assert!(running["runId"].is_string() && running["leasedUntil"].is_string(), "{running}");
    let path = format!("/sync/jobs/{}", running["id"]);
    check(&scene.app.call(Method::DELETE, &path, &Value::Null).await, 409, "job_running");
    scene.double.release();
    assert_eq!(calling.await.unwrap().unwrap().status(), 200);
}

async fn jobs_are_filtered_and_paged(scene: SyncScene) {
    given_up(&scene).await;
    failed(&scene, "bob@example.com").await;
    failed(&scene, "eva@example.com").await;
    let ids = async |query: &str| -> Vec<i64> {
        let page = scene.app.show(&format!("/sync/jobs?{query}")).await;
        page["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_i64().unwrap()).collect()
    };
    let all = ids("").await;
    let [given_up, _, last] = all[..] else { panic!("{all:?}") };
    assert!(all.is_sorted());
    assert_eq!(ids("status=dead").await, [given_up]);
    assert_eq!(ids("status=running").await, [0_i64; 0]);
    let page = scene.app.get("/sync/jobs?status=waiting&limit=1").await;
    let cursor = page.json()["nextCursor"].as_str().unwrap().to_owned();
    assert!(page.header("link").contains(&cursor));
    assert_eq!(ids(&format!("status=waiting&limit=1&cursor={cursor}")).await, [last]);
}

async fn attempts_are_logged(scene: SyncScene) {
    let ann = failed(&scene, "ann@example.com").await;
    let record = scene.synced(&ann).await;
    let mapping = mapping_of(&scene, &ann).await["id"].clone();
    scene.customer("bob@example.com", "Bob Kos").await;
    scene.synced("2").await;
    let log = scene.app.show(&format!("/sync/log?customerId={ann}")).await;
    let base = json!({
        "at": "2026-01-01T00:00:00Z", "system": "metakocka", "mappingId": mapping, "customerId": ann,
        "runId": null, "by": "token:1", "pulled": [], "tookMs": 0,
    });
    let attempt = |more: Value| {
        let mut attempt = base.clone();
        attempt.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        attempt
    };
    let error = json!({"code": "unreachable", "message": "The other system cannot be reached."});
    let all = ["name", "kind", "email", "street", "city", "postalCode", "country"];
    assert_eq!(
        log,
        json!({"nextCursor": null, "attempts": [
            attempt(json!({"number": 2, "externalId": record, "outcome": "created", "pushed": all, "error": null})),
            attempt(json!({"number": 1, "externalId": null, "outcome": "failed", "pushed": [], "error": error})),
        ]})
    );
    let numbers = async |query: &str| -> Vec<i64> {
        let page = scene.app.show(&format!("/sync/log?{query}")).await;
        page["attempts"].as_array().unwrap().iter().map(|one| one["number"].as_i64().unwrap()).collect()
    };
    assert_eq!(numbers("").await, [3, 2, 1]);
    assert_eq!(numbers("outcome=failed").await, [1]);
    assert_eq!(numbers(&format!("mappingId={}&system=metakocka", mapping.as_str().unwrap())).await, [2, 1]);
    let page = scene.app.show("/sync/log?limit=2").await;
    assert_eq!(numbers(&format!("limit=2&cursor={}", page["nextCursor"].as_str().unwrap())).await, [1]);
}

async fn what_is_refused(scene: SyncScene) {
    for path in ["/sync/jobs/7", "/sync/jobs/9223372036854775807"] {
        check(&scene.app.get(path).await, 404, "unknown_job");
    }
    for path in [
        "/sync/jobs/x",
        "/sync/jobs/-1",
        "/sync/jobs?status=gone",
        "/sync/log?outcome=lost",
        "/sync/log?customerId=1",
        "/sync/log?mappingId=1",
        "/sync/log?before=1",
    ] {
        check(&scene.app.get(path).await, 422, "invalid_request");
    }
}
