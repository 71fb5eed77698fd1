//! Sends what the guides show and compares every answer with the page. In an answer `"…"` stands for any
//! value; in a path `…` stands for the `Location` of the answer before. What people do in another system goes to its
//! double, which the pages know under the address of the demonstration.

use onefold_domain::Imports;
use onefold_persistence::testing::TestDatabase;
use reqwest::Method;
use serde_json::Value;

use crate::app::{Answer, TestApp, send};
use crate::sync_scene::SyncScene;

const CONTACTS: &str = include_str!("../../../../docs/guides/contacts.md");
const ADMIN_CONTACTS: &str = include_str!("../../../../docs/guides/admin-contacts.md");
const METAKOCKA: &str = include_str!("../../../../docs/guides/metakocka.md");

/// Where the pages have the double.
const DOUBLE: &str = "http://127.0.0.1:8099";

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

/// A request of the page and the answer that it promises.
struct Step<'a> {
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
    take_steps(page, &app, "", async || while imports.next().await.unwrap() {}).await;
    app.database.assert_invariants().await;
}

/// The same beside a double with two partners.
async fn walk_connected(page: &str, scene: SyncScene) {
    scene.double.fill(2);
    let double = format!("http://{}", scene.double.address());
    let work = async || assert!(scene.worker.work_once().await.is_ok());
    take_steps(page, &scene.app, &double, work).await;
    scene.app.database.assert_invariants().await;
}

/// `background` is what a server does in the background, done here and now after each step.
async fn take_steps(page: &str, app: &TestApp, double: &str, background: impl AsyncFn()) {
    let steps = steps(page);
    assert!(steps.len() >= 15, "the session is there");
    let mut location = String::new();
    for step in steps {
        let answer = ask(app, step.request, &location, double).await;
        assert_eq!(answer.status, step.status, "{}\n{answer:?}", step.request);
        compare(&answer, &step);
        if !answer.header("location").is_empty() {
            answer.header("location").clone_into(&mut location);
        }
        background().await;
    }
}

fn steps(page: &str) -> Vec<Step<'_>> {
    let blocks: Vec<&str> = page.split("```").skip(1).step_by(2).collect();
    let pairs = blocks.chunks(2).map(|pair| {
        let (kind, request) = pair[0].split_once('\n').unwrap();
        let (status, answer) = pair[1].split_once('\n').unwrap();
        assert_eq!(kind, "http", "{request}");
        Step { request, status: status.strip_prefix("json ").unwrap().parse().unwrap(), answer }
    });
    pairs.collect()
}

async fn ask(app: &TestApp, request: &str, location: &str, double: &str) -> Answer {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let mut lines = head.lines();
    let (method, path) = lines.next().unwrap().split_once(' ').unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = match path.strip_prefix(DOUBLE) {
        Some(path) => app.request_elsewhere(method, &format!("{double}{path}")),
        None => app.request(method, &path.replace('…', location)),
    };
    let headers: Vec<_> = lines.map(|line| line.split_once(": ").unwrap()).collect();
    for (name, value) in &headers {
        request = request.header(*name, *value);
    }
    if !headers.iter().any(|(name, _)| *name == "Content-Type") {
        request = request.header("Content-Type", "application/json");
    }
    send(request.body(body.to_owned())).await
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
