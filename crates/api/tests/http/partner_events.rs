//! `POST /webhooks/openphone`: reports of the double, signed in both ways, until they have arrived.

use onefold_api::Config;
use onefold_integrations::testing::openphone::{EventSignature, Subscription};
use onefold_persistence::testing::TestDatabase;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, send};
use crate::sync_scene::{SIGNING_KEY, SyncScene, on_both_connected, person};

on_both_connected!(
    a_change_there_arrives_here_signed_in_either_way,
    who_is_deleted_there_is_let_go,
    a_delivery_that_is_repeated_is_received_and_does_nothing,
    whoever_is_not_openphone_is_refused,
);

const WEBHOOK: &str = "/webhooks/openphone";

/// When the clock of the server stands.
const NOW: i64 = 1_767_225_600;

fn signatures() -> [EventSignature; 2] {
    [EventSignature::Older(SIGNING_KEY.into()), EventSignature::Standard(SIGNING_KEY.into())]
}

impl SyncScene {
    fn subscribe(&self, signature: EventSignature) {
        let url = format!("{}{WEBHOOK}", self.app.address);
        self.openphone.subscribe(Subscription { url, signature, sent_at: Some(NOW) });
    }

    /// What was told waits for the worker.
    async fn deliver(&self) -> Vec<Option<u16>> {
        self.openphone.deliver().await.into_iter().map(|delivery| delivery.status).collect()
    }

    async fn told(&self, signature: &EventSignature, id: &str, sent_at: i64, body: &str) -> Answer {
        let mut request = self.app.bare_request(Method::POST, WEBHOOK).body(body.to_owned());
        for (name, value) in signature.headers(id, sent_at, body) {
            request = request.header(name, value);
        }
        send(request).await
    }
}

fn event(id: &str) -> String {
    let contact = json!({"id": id, "updatedAt": "2026-01-01T00:00:00.000Z"});
    json!({"id": "EV1", "type": "contact.updated", "data": {"resource": contact}}).to_string()
}

async fn a_change_there_arrives_here_signed_in_either_way(scene: SyncScene) {
    let customer = scene.customer("ann@example.com", "Ann Lee").await;
    let contact = crate::openphone::synced(&scene, &customer).await;
    for (signature, company) in signatures().into_iter().zip(["Kos d.o.o.", "Zupan d.o.o."]) {
        scene.subscribe(signature);
        scene.openphone.edit(&contact, |contact| contact["defaultFields"]["company"] = company.into());
        assert_eq!(scene.deliver().await, [Some(204)]);
        assert_eq!(scene.rows("job").await, 1);
        scene.work_after(0).await;
        let shown = scene.app.show(&format!("/customers/{customer}")).await;
        assert_eq!(shown["profile"]["companyName"], company);
    }
    // Somebody who is new there comes in.
    scene.openphone.insert(person("Bob Kos", "bob@example.com"));
    assert_eq!(scene.deliver().await, [Some(204)]);
    scene.work_after(0).await;
    let found = scene.app.show("/customers?query=bob@example.com").await;
    assert_eq!(found["customers"][0]["profile"]["name"], "Bob Kos");
}

async fn who_is_deleted_there_is_let_go(scene: SyncScene) {
    let customer = scene.customer("ann@example.com", "Ann Lee").await;
    let contact = crate::openphone::synced(&scene, &customer).await;
    scene.subscribe(signatures()[1].clone());
    scene.openphone.remove(&contact);
    assert_eq!(scene.deliver().await, [Some(204)]);
    scene.work_after(0).await;
    let shown = scene.app.show(&format!("/customers/{customer}")).await;
    assert!(shown.get("openPhoneContactId").is_none(), "{shown}");
    assert_eq!(shown["mappings"][0]["status"], "detached");
    assert_eq!(scene.app.contacts().await, 1, "nothing is deleted here");
}

async fn a_delivery_that_is_repeated_is_received_and_does_nothing(scene: SyncScene) {
    for (signature, name) in signatures().into_iter().zip(["EV1", "msg_1"]) {
        for expected in [1, 0] {
            let answer = scene.told(&signature, name, NOW, &event("65f0a1")).await;
            assert_eq!((answer.status, answer.body.as_str()), (204, ""));
            assert_eq!(scene.rows("job").await, expected, "{name}");
            scene.work_after(0).await;
        }
    }
    // A report of something else is none of ours.
    let call = json!({"id": "EV9", "type": "call.completed", "data": {"object": {}}}).to_string();
    let answer = scene.told(&signatures()[0], "EV9", NOW, &call).await;
    assert_eq!((answer.status, scene.rows("job").await), (204, 0));
}

async fn whoever_is_not_openphone_is_refused(scene: SyncScene) {
    let code = |answer: &Answer| answer.json()["code"].as_str().unwrap_or_default().to_owned();
    let body = event("65f0a1");
    let unsigned = send(scene.app.bare_request(Method::POST, WEBHOOK).body(body.clone())).await;
    assert_eq!((unsigned.status, code(&unsigned).as_str()), (401, "invalid_signature"));
    let forged = [EventSignature::Older(b"another".into()), EventSignature::Standard(b"another".into())];
    for signature in &forged {
        assert_eq!(scene.told(signature, "msg_1", NOW, &body).await.status, 401);
    }
    for signature in &signatures() {
        assert_eq!(scene.told(signature, "msg_1", NOW - 301, &body).await.status, 401, "too late");
        assert_eq!(scene.told(signature, "msg_1", NOW + 301, &body).await.status, 401, "too early");
        let nobody = json!({"id": "EV1", "type": "contact.updated", "data": {}}).to_string();
        let answer = scene.told(signature, "msg_2", NOW, &nobody).await;
        assert_eq!((answer.status, code(&answer).as_str()), (422, "invalid_event"));
        assert_eq!(scene.told(signature, "msg_3", NOW, &" ".repeat(256 * 1024 + 1)).await.status, 413);
    }
    assert_eq!(scene.rows("job").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_signing_key_it_is_off() {
    let database = TestDatabase::sqlite();
    let scene =
        SyncScene::with(database, Config::default(), |connectors| connectors.openphone.webhook_keys.clear())
            .await;
    let answer = scene.told(&signatures()[1], "msg_1", NOW, &event("65f0a1")).await;
    assert_eq!((answer.status, answer.json()["code"].clone()), (404, Value::from("webhook_not_configured")));
}
