//! Sends what the guides show and compares every answer with the page. In an answer `"…"` stands for any
//! value; in a path `…` stands for the `Location` of the answer before, and in a body for the id at its end. What people
//! do in another system goes to its double, which the pages know under the address of the demonstration.

use chrono::TimeDelta;
use onefold_api::Config;
use onefold_integrations::testing::Lasting;
use onefold_integrations::testing::openphone::{EventSignature, Subscription, Trouble};
use onefold_persistence::testing::TestDatabase;
use onefold_service::clock::Clock;
use onefold_service::imports::Imports;
use reqwest::Method;
use serde_json::Value;

use crate::app::{Answer, TestApp, send};
use crate::sync_scene::{SIGNING_KEY, SyncScene};

const CONTACTS: &str = include_str!("../../../../docs/guides/contacts.md");
const ADMIN_CONTACTS: &str = include_str!("../../../../docs/guides/admin-contacts.md");
const METAKOCKA: &str = include_str!("../../../../docs/guides/metakocka.md");
const OPENPHONE: &str = include_str!("../../../../docs/guides/openphone.md");

/// Where the pages have the doubles.
const METAKOCKA_DOUBLE: &str = "http://127.0.0.1:8099";
const OPENPHONE_DOUBLE: &str = "http://127.0.0.1:8098";

/// What a page says when no request shows it.
const DOWN: &str = "OpenPhone is down.";
const UP: &str = "OpenPhone is up again.";

/// When the job of a registration is due.
const SOON: TimeDelta = TimeDelta::seconds(3);

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_to_contacts_is_true_on_sqlite() {
    walk(CONTACTS, TestDatabase::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_to_contacts_is_true_on_postgres() {
    walk(CONTACTS, TestDatabase::postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_to_admin_contacts_is_true_on_sqlite() {
    walk(ADMIN_CONTACTS, TestDatabase::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_to_admin_contacts_is_true_on_postgres() {
    walk(ADMIN_CONTACTS, TestDatabase::postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_to_metakocka_is_true_on_sqlite() {
    walk_connected(METAKOCKA, SyncScene::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_to_metakocka_is_true_on_postgres() {
    walk_connected(METAKOCKA, SyncScene::postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_to_openphone_is_true_on_sqlite() {
    walk_reported(OPENPHONE, TestDatabase::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_to_openphone_is_true_on_postgres() {
    walk_reported(OPENPHONE, TestDatabase::postgres().await).await;
}

/// A request of the page, what is said before it, and the answer that it promises.
struct Step<'a> {
    before: &'a str,
    request: &'a str,
    status: u16,
    answer: &'a str,
}

async fn walk(page: &str, database: TestDatabase) {
    let mut imports = None;
    let app = TestApp::start_with(database, None, |app| {
        imports = Some(app.imports.clone());
        app
    })
    .await;
    let imports: Imports = imports.unwrap();
    take_steps(page, &app, &[], |_| {}, async || while imports.next().await.unwrap() {}).await;
    app.database.assert_invariants().await;
}

/// Walks a page beside a double of MetaKocka with two partners.
async fn walk_connected(page: &str, scene: SyncScene) {
    scene.double.fill(2);
    let work = async || assert!(scene.worker.work_once().await.is_ok());
    take_steps(page, &scene.app, &doubles(&scene), |_| {}, work).await;
    scene.app.database.assert_invariants().await;
}

/// Walks a page beside two doubles without anybody, one of which reports what happens there.
async fn walk_reported(page: &str, database: TestDatabase) {
    let scene = SyncScene::with(database, Config::default(), |connectors| connectors.triggers = true).await;
    scene.openphone.subscribe(Subscription {
        url: format!("{}/webhooks/openphone", scene.app.address),
        signature: EventSignature::Standard(SIGNING_KEY.into()),
        sent_at: Some(scene.clock.now().timestamp()),
    });
    assert!(page.contains(DOWN) && page.contains(UP), "the outage is there");
    let happens = |text: &str| {
        if text.contains(DOWN) {
            scene.openphone.trouble(None, Lasting::UntilTold, Trouble::Page(503));
        } else if text.contains(UP) {
            scene.openphone.end_trouble();
            scene.clock.pass(SOON);
        }
    };
    let work = async || {
        // What was done may be reported in its turn.
        while scene.worker.work_once().await.unwrap() > 0 || !scene.openphone.deliver().await.is_empty() {}
    };
    take_steps(page, &scene.app, &doubles(&scene), happens, work).await;
    scene.app.database.assert_invariants().await;
}

/// The address on the pages and that of the test.
fn doubles(scene: &SyncScene) -> [(&'static str, String); 2] {
    [
        (METAKOCKA_DOUBLE, format!("http://{}", scene.double.address())),
        (OPENPHONE_DOUBLE, format!("http://{}", scene.openphone.address())),
    ]
}

/// `happens` is told what the page says before each request; `background` is what a server does in the background,
/// done here and now before and after each.
async fn take_steps(
    page: &str,
    app: &TestApp,
    doubles: &[(&str, String)],
    happens: impl Fn(&str),
    background: impl AsyncFn(),
) {
    let steps = steps(page);
    assert!(steps.len() >= 15, "the session is there");
    let mut location = String::new();
    for step in steps {
        happens(step.before);
        background().await;
        let answer = ask(app, step.request, &location, doubles).await;
        assert_eq!(answer.status, step.status, "{}\n{answer:?}", step.request);
        compare(&answer, &step);
        if !answer.header("location").is_empty() {
            answer.header("location").clone_into(&mut location);
        }
        background().await;
    }
}

fn steps(page: &str) -> Vec<Step<'_>> {
    let parts: Vec<&str> = page.split("```").collect();
    // Text, request, text, answer, and so on; the last is text.
    let pairs = parts.chunks_exact(4).map(|parts| {
        let (kind, request) = parts[1].split_once('\n').unwrap();
        let (status, answer) = parts[3].split_once('\n').unwrap();
        assert_eq!(kind, "http", "{request}");
        let status = status.strip_prefix("json ").unwrap().parse().unwrap();
        Step { before: parts[0], request, status, answer }
    });
    pairs.collect()
}

async fn ask(app: &TestApp, request: &str, location: &str, doubles: &[(&str, String)]) -> Answer {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let mut lines = head.lines();
    let (method, path) = lines.next().unwrap().split_once(' ').unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let elsewhere = doubles.iter().find_map(|(known, real)| Some((real, path.strip_prefix(known)?)));
    let mut request = match elsewhere {
        Some((double, path)) => app.request_elsewhere(method, &format!("{double}{path}")),
        None => app.request(method, &path.replace('…', location)),
    };
    let headers: Vec<_> = lines.map(|line| line.split_once(": ").unwrap()).collect();
    for (name, value) in &headers {
        request = request.header(*name, *value);
    }
    if !headers.iter().any(|(name, _)| *name == "Content-Type") {
        request = request.header("Content-Type", "application/json");
    }
    let id = location.rsplit('/').next().unwrap();
    send(request.body(body.replace('…', id))).await
}

fn compare(answer: &Answer, step: &Step<'_>) {
    if step.answer.trim().is_empty() {
        assert_eq!(answer.body, "", "{}", step.request);
        return;
    }
    let expected: Value = serde_json::from_str(step.answer).unwrap();
    let actual = answer.json();
    assert!(fits(&expected, &actual), "{}\nexpected {expected:#}\nreceived {actual:#}", step.request);
}

fn fits(expected: &Value, actual: &Value) -> bool {
    match (expected, actual) {
        (Value::String(text), _) if text == "…" => true,
        (Value::Array(expected), Value::Array(actual)) => {
            expected.len() == actual.len() && expected.iter().zip(actual).all(|(one, other)| fits(one, other))
        }
        (Value::Object(expected), Value::Object(actual)) => {
            expected.len() == actual.len()
                && expected
                    .iter()
                    .all(|(name, value)| actual.get(name).is_some_and(|other| fits(value, other)))
        }
        (expected, actual) => expected == actual,
    }
}
