//! `GET /customers/{id}/activity` and `GET /sync/stats`.

use onefold_integrations::testing::openphone::{OpenPhoneCall, Trouble};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::send;
use crate::openphone;
use crate::sync_scene::{SyncScene, on_both_connected};

on_both_connected!(
    what_happened_to_a_customer_is_told_newest_first,
    a_merged_customer_has_the_activity_of_both,
    days_are_counted,
);

async fn activity(scene: &SyncScene, path: &str) -> Vec<Value> {
    scene.app.show(path).await["activity"].as_array().unwrap().clone()
}

async fn what_happened_to_a_customer_is_told_newest_first(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let contact = openphone::synced(&scene, &ann).await;
    scene.synced(&ann).await;
    scene.openphone.edit(&contact, |contact| contact["defaultFields"]["company"] = "Kos d.o.o.".into());
    openphone::synced(&scene, &ann).await;
    scene.openphone.next(OpenPhoneCall::Get, Trouble::Refuse(401));
    scene.post(openphone::SYNC, &json!({"contactId": ann})).await;

    let path = format!("/customers/{ann}/activity");
    let told = |one: &Value| {
        let text = |name: &str| one[name].as_str().unwrap_or("-").to_owned();
        [text("system"), text("outcome"), text("direction")].join(" ")
    };
    let all = activity(&scene, &path).await;
    assert_eq!(
        all.iter().map(told).collect::<Vec<_>>(),
        [
            "openphone failed -",
            "openphone updated pulled",
            "metakocka created pushed",
            "openphone created pushed"
        ]
    );
    assert_eq!(all[0]["error"]["code"], "access_denied");
    assert_eq!((&all[1]["pulled"], &all[1]["externalId"]), (&json!(["companyName"]), &json!(contact)));
    assert_eq!(activity(&scene, &format!("{path}?system=metakocka")).await.len(), 1);
    let page = scene.app.show(&format!("{path}?limit=3")).await;
    let cursor = page["nextCursor"].as_str().unwrap();
    let rest = activity(&scene, &format!("{path}?limit=3&cursor={cursor}")).await;
    assert_eq!((page["activity"].as_array().unwrap().len(), &rest[..]), (3, &all[3..]));
    // A contact's number stands for its customer.
    assert_eq!(activity(&scene, "/customers/1/activity").await.len(), 4);

    assert_eq!(scene.app.get("/customers/0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11/activity").await.status, 404);
    assert_eq!(scene.app.get(&format!("{path}?system=other")).await.status, 422);
    let token = scene.app.token_for(&["customers:read"], None).await;
    assert_eq!(send(scene.app.bare_request(Method::GET, &path).bearer_auth(token)).await.status, 403);
}

async fn a_merged_customer_has_the_activity_of_both(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let phone = json!({"kind": "phone", "value": "+38640000123"});
    let other = scene.customer_of(phone, json!({"name": "Ann L."})).await;
    openphone::synced(&scene, &ann).await;
    openphone::synced(&scene, &other).await;
    scene.app.identify(json!({"email": "ann@example.com", "phoneNumber": "+38640000123"})).await;
    for id in [ann, other] {
        let created = activity(&scene, &format!("/customers/{id}/activity")).await;
        assert_eq!(created.iter().filter(|one| one["outcome"] == "created").count(), 2);
    }
}

async fn days_are_counted(scene: SyncScene) {
    let ann = scene.customer("ann@example.com", "Ann Lee").await;
    let eva = scene.customer("eva@example.com", "Eva Kos").await;
    openphone::synced(&scene, &ann).await;
    scene.synced(&ann).await;
    scene.clock.pass(chrono::TimeDelta::days(2));
    openphone::synced(&scene, &eva).await;
    openphone::synced(&scene, &ann).await;
    let day = |date: &str, system: &str, attempts: u64, pushed: u64, outcomes: Value| json!({"date": date, "system": system, "attempts": attempts, "pushed": pushed, "pulled": 0, "outcomes": outcomes});
    let latest = day("2026-01-03", "openphone", 2, 1, json!({"created": 1, "unchanged": 1}));
    let created = || json!({"created": 1});
    let all = [
        latest.clone(),
        day("2026-01-01", "metakocka", 1, 1, created()),
        day("2026-01-01", "openphone", 1, 1, created()),
    ];
    assert_eq!(scene.app.show("/sync/stats").await, json!({"days": all}));
    assert_eq!(scene.app.show("/sync/stats?days=2").await, json!({"days": [latest]}));
    for days in ["0", "91", "x"] {
        assert_eq!(scene.app.get(&format!("/sync/stats?days={days}")).await.status, 422);
    }
}
