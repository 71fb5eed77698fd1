//! `/sync/runs`: comparisons that somebody asks for, how they are shown, and the brakes.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::send;
use crate::bad_input::check;
use crate::sync_scene::{BULK_SYNC, SyncScene, on_both_connected, partner, succeeded};

on_both_connected!(
    a_comparison_is_asked_for,
    a_dry_run_shows_what_it_would_do,
    runs_and_items_are_paged,
    a_run_that_is_held_is_approved,
    a_repeated_request_makes_one_run,
    what_is_refused,
);

async fn asked(scene: &SyncScene, query: &str, kind: &str) -> String {
    let body = json!({"system": "metakocka", "kind": kind});
    let answer = scene.post(&format!("/sync/runs{query}"), &body).await;
    assert_eq!((answer.status, &answer.json()["status"]), (202, &json!("queued")), "{answer:?}");
    let location = answer.header("location").to_owned();
    assert_eq!(location, format!("/sync/runs/{}", answer.json()["id"].as_str().unwrap()));
    assert_eq!(scene.app.show(&location).await, answer.json());
    location
}

async fn a_comparison_is_asked_for(scene: SyncScene) {
    scene.double.insert(partner("Bob Kos", "bob@example.com"));
    let run = asked(&scene, "", "compareFull").await;
    scene.work_after(1).await;
    let shown = scene.app.show(&run).await;
    assert_eq!(
        shown,
        json!({
            "id": run.rsplit('/').next().unwrap(), "system": "metakocka",
            "systemTitle": "MetaKocka", "kind": "compareFull", "dryRun": false,
            "approved": false, "status": "completed", "total": 1, "succeeded": 1, "failed": 0, "skipped": 0, "created": 1,
            "pushed": 0, "pulled": 0, "unchanged": 0, "conflicts": 0, "stale": 0, "detached": 0, "message": null,
            "requestedBy": "token:1", "createdAt": "2026-01-01T00:00:00Z", "startedAt": "2026-01-01T00:00:01Z",
            "updatedAt": "2026-01-01T00:00:01Z", "finishedAt": "2026-01-01T00:00:01Z",
        })
    );
    let items = scene.app.show(&format!("{run}/items")).await;
    let contact = scene.app.show("/contacts/1").await;
    let record = &scene.double.partners()[0].mk_id;
    let mapping = crate::sync_scene::mapping_of(&scene, "1").await;
    assert_eq!(
        items,
        json!({"nextCursor": null, "items": [{
            "position": 0, "subject": record, "done": true, "customerId": contact["customerId"],
            "name": "Bob Kos", "email": "bob@example.com",
            "mappingId": mapping["id"], "externalId": record, "action": "imported", "error": null, "plan": null,
        }]})
    );
}

async fn a_dry_run_shows_what_it_would_do(scene: SyncScene) {
    scene.double.insert(partner("Bob Kos", "bob@example.com"));
    let run = asked(&scene, "?dryRun=true", "compare").await;
    scene.work_after(1).await;
    let shown = scene.app.show(&run).await;
    assert_eq!((&shown["status"], &shown["dryRun"]), (&json!("completed"), &json!(true)), "{shown}");
    let items = scene.app.show(&format!("{run}/items")).await;
    assert_eq!(items["items"][0]["action"], "import");
    let known = (&items["items"][0]["name"], &items["items"][0]["email"], &items["items"][0]["customerId"]);
    assert_eq!(
        known,
        (&json!("Bob Kos"), &json!("bob@example.com"), &Value::Null),
        "who is new is named as well"
    );
    assert!(items["items"][0]["plan"].as_array().is_some_and(|plan| plan.len() > 3), "{items}");
    assert_eq!((scene.app.contacts().await, scene.rows("sync_mapping").await), (0, 0));
}

async fn runs_and_items_are_paged(scene: SyncScene) {
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(asked(&scene, "", "compare").await);
        scene.clock.pass(TimeDelta::seconds(1));
    }
    made.reverse();
    let mut seen = Vec::new();
    let mut path = "/sync/runs?limit=2".to_owned();
    loop {
        let page = scene.app.get(&path).await;
        let body = page.json();
        let runs = body["runs"].as_array().unwrap();
        seen.extend(runs.iter().map(|run| format!("/sync/runs/{}", run["id"].as_str().unwrap())));
        let Some(cursor) = body["nextCursor"].as_str() else { break };
        assert!(page.header("link").contains(cursor));
        path = format!("/sync/runs?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, made, "newest first");

    let data = succeeded(&scene.post(BULK_SYNC, &json!({"contactIds": [7, 8, 9]})).await);
    assert_eq!(data["failed"], 3);
    let newest = scene.app.show("/sync/runs?limit=1").await["runs"][0].take();
    assert_eq!((&newest["kind"], &newest["failed"]), (&json!("sync"), &json!(3)));
    let items = format!("/sync/runs/{}/items", newest["id"].as_str().unwrap());
    let first = scene.app.show(&format!("{items}?limit=2")).await;
    let second =
        scene.app.show(&format!("{items}?limit=2&cursor={}", first["nextCursor"].as_str().unwrap())).await;
    let subjects = |page: &Value| -> Vec<Value> {
        page["items"].as_array().unwrap().iter().map(|item| item["subject"].clone()).collect()
    };
    assert_eq!((subjects(&first), subjects(&second)), (vec![json!("7"), json!("8")], vec![json!("9")]));
    assert_eq!(second["nextCursor"], Value::Null);
    let error = json!({"code": "not_found", "message": "There is no such customer."});
    assert_eq!(second["items"][0]["error"], error);
}

async fn a_run_that_is_held_is_approved(scene: SyncScene) {
    for number in 0..4 {
        scene.customer(&format!("c{number}@example.com"), "Ann Lee").await;
        let record = scene.synced(&(number + 1).to_string()).await;
        if number > 0 {
            scene.double.remove(&record);
        }
    }
    let run = asked(&scene, "", "compareFull").await;
    scene.work_after(1).await;
    let held = scene.app.show(&run).await;
    assert_eq!((&held["status"], &held["approved"]), (&json!("held"), &json!(false)), "{held}");
    assert!(held["message"].as_str().unwrap().contains("3 of 4"), "{held}");

    let approved = scene.post(&format!("{run}/approve"), &json!({})).await;
    assert_eq!((approved.status, approved.header("location")), (202, run.as_str()), "{approved:?}");
    assert_eq!(approved.json()["status"], "queued");
    scene.work_after(1).await;
    let done = scene.app.show(&run).await;
    assert_eq!(
        (&done["status"], &done["approved"], &done["stale"]),
        (&json!("completed"), &json!(true), &json!(3))
    );
    check(&scene.post(&format!("{run}/approve"), &json!({})).await, 409, "run_not_held");
}

async fn a_repeated_request_makes_one_run(scene: SyncScene) {
    let request = || {
        let request =
            scene.app.request(Method::POST, "/sync/runs").header("Content-Type", "application/json");
        request.header("Idempotency-Key", "run-1").body(r#"{"system":"metakocka","kind":"compare"}"#)
    };
    let (first, second) = (send(request()).await, send(request()).await);
    assert_eq!((first.status, second.status, first.json()), (202, 202, second.json()));
    assert_eq!(second.header("location"), first.header("location"));
    assert_eq!(scene.rows("sync_run").await, 1);
}

async fn what_is_refused(scene: SyncScene) {
    for (body, fields) in [
        (json!({}), vec!["kind", "system"]),
        (json!({"system": "hubspot", "kind": "compare"}), vec!["system"]),
        (json!({"system": "metakocka", "kind": "importAll"}), vec!["kind"]),
        (json!({"system": "metakocka", "kind": "compare", "full": true}), vec!["full"]),
    ] {
        let problem = check(&scene.post("/sync/runs", &body).await, 422, "invalid_request");
        let errors = problem["errors"].as_object().unwrap();
        assert_eq!(errors.keys().map(String::as_str).collect::<Vec<_>>(), fields, "{body}: {problem}");
    }
    let none = "/sync/runs/0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11";
    check(&scene.app.get(none).await, 404, "unknown_run");
    check(&scene.app.get(&format!("{none}/items")).await, 404, "unknown_run");
    check(&scene.post(&format!("{none}/approve"), &json!({})).await, 404, "unknown_run");
    check(&scene.app.get("/sync/runs/7").await, 422, "invalid_request");
    check(&scene.app.get("/sync/runs?cursor=AAAAAAAAAAE").await, 422, "invalid_request");
    check(&scene.app.get(&format!("{none}/items?from=1")).await, 422, "invalid_request");
}
