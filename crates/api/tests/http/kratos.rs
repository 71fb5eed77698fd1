//! `POST /webhooks/kratos`: who may call, what is stored, what is answered.

use std::sync::Arc;

use onefold_api::{KratosConfig, KratosWebhook};
use onefold_integrations::kratos::Kratos;
use onefold_persistence::testing::{PostgresCluster, TestDatabase};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, send};

const PATH: &str = "/webhooks/kratos";
const FIRST: &str = "first-secret-0123456789";
const SECOND: &str = "second-secret-0123456789";
const PASSWORD: &str = "password-0123456789";
const ANN: &str = "9f425a8d-7efc-4768-8f23-7647a74fdf13";
const BOB: &str = "2b7d3c62-1f0b-4f0c-9d5e-6f4d0c8a7e11";
const NIL: &str = "00000000-0000-0000-0000-000000000000";

async fn app(database: TestDatabase, config: Value) -> TestApp {
    let config: KratosConfig = serde_json::from_value(config).unwrap();
    let kratos = KratosWebhook::new(&config, Arc::new(Kratos::default())).unwrap();
    TestApp::start_with(database, None, |app| app.with_kratos(kratos)).await
}

/// Makes two tests of each function, one for each database, with the webhook configured.
macro_rules! on_both_databases {
    ($($case:ident: $config:tt),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(super::app(super::TestDatabase::sqlite(), serde_json::json!($config)).await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let database = super::TestDatabase::postgres().await;
                super::$case(super::app(database, serde_json::json!($config)).await).await;
            })+
        }
    };
}

on_both_databases!(
    an_account_is_followed_through_its_life: {"secrets": super::FIRST},
    a_call_counts_once: {"secrets": super::FIRST},
    what_it_reports_is_on_record: {"secrets": super::FIRST},
    parallel_calls_make_one_user: {"secrets": super::FIRST},
    two_accounts_with_one_email_stay_two: {"secrets": super::FIRST},
    what_cannot_be_stored_breaks_no_flow: {"secrets": super::FIRST},
    a_flow_is_interrupted_when_it_may_be: {"secrets": super::FIRST, "interrupt": true},
);

fn post(app: &TestApp, body: impl Into<reqwest::Body>) -> RequestBuilder {
    app.bare_request(reqwest::Method::POST, PATH).header("Content-Type", "application/json").body(body)
}

async fn hook(app: &TestApp, body: &Value) -> Answer {
    send(post(app, body.to_string()).header("X-Kratos-Secret", FIRST)).await
}

async fn accepted(app: &TestApp, body: &Value) {
    let answer = hook(app, body).await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{answer:?}");
}

fn call(event: &str, id: &str, traits: &Value, addresses: &[(&str, &str, bool)]) -> Value {
    let address = |&(via, value, verified): &(&str, &str, bool)| json!({"id": ANN, "value": value, "via": via, "verified": verified, "status": "sent"});
    let addresses: Vec<_> = addresses.iter().map(address).collect();
    json!({"event": event, "identity": {
        "id": id, "state": "active", "traits": traits, "verifiable_addresses": addresses,
    }})
}

/// A person's call with one email, which is not among the addresses.
fn entered(event: &str, id: &str, email: &str) -> Value {
    call(event, id, &json!({"email": email}), &[])
}

async fn count(app: &TestApp, condition: &str) -> i64 {
    app.database.count(&format!("SELECT COUNT(*) FROM contact WHERE {condition}")).await
}

fn problem(answer: &Answer, status: u16, code: &str) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.json();
    assert_eq!(problem["code"], code, "{answer:?}");
    problem
}

async fn an_account_is_followed_through_its_life(app: TestApp) {
    app.identify(json!({"email": "ann@example.com"})).await;
    let traits = |email: &str| json!({"email": email, "phone": "+1 202 555 0143", "name": {"first": "Ann"}});
    let email = |value, verified| [("email", value, verified)];
    accepted(&app, &call("registration", ANN, &traits("Ann@example.com"), &email("ann@example.com", false)))
        .await;
    assert_eq!(app.database.count("SELECT COUNT(*) FROM user_account").await, 1);
    assert_eq!(app.contacts().await, 2, "the guest's contact was claimed");
    assert_eq!(count(&app, "source = 'auth' AND is_primary AND user_id IS NOT NULL").await, 2);

    accepted(&app, &call("verification", ANN, &traits("Ann@example.com"), &email("ann@example.com", true)))
        .await;
    assert_eq!(count(&app, "verified_at IS NOT NULL").await, 1);

    accepted(&app, &call("settings", ANN, &traits("new@example.com"), &email("new@example.com", false)))
        .await;
    let detached = "email = 'ann@example.com' AND NOT is_primary AND verified_at IS NOT NULL AND metadata LIKE \
                    '{\"kratos\":{\"detachedAt\":%'";
    assert_eq!((app.contacts().await, count(&app, detached).await), (3, 1));
    assert_eq!(count(&app, "email = 'new@example.com' AND is_primary").await, 1);
    let answer = app.identify(json!({"email": "new@example.com"})).await;
    assert_eq!(answer["contact"]["emails"], json!(["ann@example.com", "new@example.com"]));
    app.database.assert_invariants().await;
}

async fn a_call_counts_once(app: TestApp) {
    let with = |trigger: &str, email: &str| {
        let body = entered("settings", ANN, email).to_string();
        post(&app, body).header("X-Kratos-Secret", FIRST).header("Ory-Webhook-Trigger-ID", trigger)
    };
    assert_eq!(send(with("t-1", "a@example.com")).await.status, 204);
    assert_eq!(send(with("t-1", "b@example.com")).await.status, 204);
    assert_eq!(app.contacts().await, 1, "a repetition");
    assert_eq!(send(with("t-2", "b@example.com")).await.status, 204);
    assert_eq!(app.contacts().await, 2);
}

async fn what_it_reports_is_on_record(app: TestApp) {
    for email in ["a@example.com", "a@example.com", "b@example.com"] {
        accepted(&app, &entered("settings", ANN, email)).await;
    }
    let trail = app.show("/audit").await;
    let (_token, entries) = trail["entries"].as_array().unwrap().split_last().unwrap();
    let actions: Vec<_> = entries.iter().rev().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["user.created", "contact.created", "contact.updated", "contact.created"]);
    for entry in entries {
        assert_eq!((&entry["actor"]["kind"], &entry["actor"]["name"]), (&json!("webhook"), &json!("kratos")));
    }
    assert!(entries[1]["after"]["metadata"]["kratos"]["detachedAt"].is_string(), "given up");
}

async fn parallel_calls_make_one_user(app: TestApp) {
    let body =
        call("registration", ANN, &json!({"phone": "+12025550143"}), &[("email", "a@example.com", true)]);
    let calls = (0..20).map(|n| {
        let request = post(&app, body.to_string()).header("X-Kratos-Secret", FIRST);
        // Half of them repeat each other, half are calls of their own.
        let trigger = if n % 2 == 0 { "same".to_owned() } else { n.to_string() };
        tokio::spawn(send(request.header("Ory-Webhook-Trigger-ID", trigger)))
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().status, 204);
    }
    assert_eq!(app.contacts().await, 2);
    assert_eq!(count(&app, "is_primary").await, 2);
    app.database.assert_invariants().await;
}

async fn two_accounts_with_one_email_stay_two(app: TestApp) {
    for id in [ANN, BOB, ANN, BOB] {
        let shared = [("email", "family@example.com", true)];
        accepted(&app, &call("settings", id, &json!({}), &shared)).await;
    }
    assert_eq!(app.contacts().await, 2);
    assert_eq!(app.database.count("SELECT COUNT(*) FROM customer WHERE root_id = id").await, 2);
    // Who verified it last has it; that the provider repeats itself changes nothing.
    assert_eq!(count(&app, "email_blocked_by = 'verified_elsewhere'").await, 1);
    app.database.assert_invariants().await;
}

async fn what_cannot_be_stored_breaks_no_flow(app: TestApp) {
    accepted(&app, &entered("registration", NIL, "guest")).await;
    assert_eq!(app.database.count("SELECT COUNT(*) FROM user_account").await, 0, "Kratos only asked");
    let traits = json!({"email": "guest", "phone": "+12025550143", "name": 5});
    accepted(&app, &call("registration", ANN, &traits, &[])).await;
    assert_eq!((app.contacts().await, count(&app, "phone = '+12025550143'").await), (1, 1));
}

async fn a_flow_is_interrupted_when_it_may_be(app: TestApp) {
    let refused = |pointer: &str, id: u32, text: &str| {
        json!({"messages": [{"instance_ptr": pointer, "messages": [
            {"id": id, "text": text, "type": "error", "context": {}},
        ]}]})
    };
    let no_email = refused("#/traits/email", 9_000_001, "The email has no @; write it as name@domain.");
    for body in [entered("registration", NIL, "guest"), entered("settings", ANN, "guest")] {
        let answer = hook(&app, &body).await;
        assert_eq!((answer.status, answer.json()), (400, no_email.clone()), "{body}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
    assert_eq!(app.contacts().await, 0);
    accepted(&app, &entered("registration", NIL, "ann@example.com")).await;
    let mut check = entered("settings", ANN, "ann@example.com");
    check["check_only"] = true.into();
    accepted(&app, &check).await;
    assert_eq!(app.contacts().await, 0, "they only asked");

    let verified = [("email", "ann@example.com", true)];
    accepted(&app, &call("registration", ANN, &json!({}), &verified)).await;
    let taken = refused("#/traits/email", 9_000_006, "This address belongs to another account.");
    let answer = hook(&app, &entered("registration", NIL, "ANN@example.com")).await;
    assert_eq!((answer.status, answer.json()), (400, taken));
    // Kratos has stored these already: a refusal would only show the person an error.
    accepted(&app, &call("verification", BOB, &json!({"phone": "none"}), &verified)).await;
    accepted(&app, &entered("registration", BOB, "ann@example.com")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_kratos_may_call() {
    let config = json!({"secrets": [FIRST, SECOND], "user": "kratos", "password": PASSWORD});
    let app = app(TestDatabase::sqlite(), config).await;
    // Refused before it is read: the body is none.
    let ask = || post(&app, "{");
    let wrong = format!("{FIRST}x");
    for request in [
        ask(),
        ask().header("X-Kratos-Secret", ""),
        ask().header("X-Kratos-Secret", "wrong"),
        ask().header("X-Kratos-Secret", wrong),
        ask().header("X-Kratos-Secret", &FIRST[..FIRST.len() - 1]),
        ask().header("Authorization", format!("Bearer {FIRST}")),
        ask().basic_auth("kratos", Some("wrong")),
        ask().basic_auth("kratos", Some(FIRST)),
        ask().basic_auth("somebody", Some(PASSWORD)),
        ask().header("Authorization", "Basic"),
        ask().header("Authorization", "Basic !"),
    ] {
        let answer = send(request).await;
        problem(&answer, 401, "webhook_unauthorized");
        assert_eq!(answer.header("www-authenticate"), "Basic realm=\"webhooks\"");
    }
    for request in [
        ask().header("X-Kratos-Secret", FIRST),
        ask().header("X-Kratos-Secret", SECOND),
        ask().basic_auth("kratos", Some(PASSWORD)),
    ] {
        problem(&send(request).await, 422, "invalid_notice");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_secret_the_webhook_is_off() {
    let app = TestApp::sqlite().await;
    problem(&hook(&app, &json!({})).await, 404, "webhook_not_configured");
    problem(&app.get(PATH).await, 405, "method_not_allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_template_is_told() {
    let app = app(TestDatabase::sqlite(), json!({"secrets": FIRST})).await;
    let raw = |body: String| send(post(&app, body).header("X-Kratos-Secret", FIRST));
    for (body, word) in [
        ("", "JSON"),
        ("{", "JSON"),
        ("{}", "`identity`"),
        ("[]", "`identity`"),
        (r#"{"identity":{}}"#, "`id`"),
        (r#"{"identity":{"id":"ann"}}"#, "UUID"),
    ] {
        let problem = problem(&raw(body.to_owned()).await, 422, "invalid_notice");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{problem}");
    }
    problem(&raw(" ".repeat(256 * 1024 + 1)).await, 413, "body_too_large");
    let padded = format!("{}{}", entered("settings", ANN, "a@example.com"), " ".repeat(200 * 1024));
    assert_eq!(raw(padded).await.status, 204, "larger than other bodies may be");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_kratos_is_asked_to_try_again() {
    let cluster = PostgresCluster::start();
    let app = app(TestDatabase::on(&cluster).await, json!({"secrets": FIRST})).await;
    cluster.stop();
    let body = entered("registration", ANN, "ann@example.com");
    let answer = hook(&app, &body).await;
    problem(&answer, 503, "unavailable");
    assert_eq!(answer.header("retry-after"), "1");
    cluster.restart();
    accepted(&app, &body).await;
    assert_eq!(app.contacts().await, 1);
}
