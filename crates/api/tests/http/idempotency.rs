//! A POST that is sent again with the same key: carried out once, answered as before.

use std::sync::Arc;

use chrono::TimeDelta;
use onefold_api::{Config, LimitsConfig};
use onefold_domain::id::UserId;
use onefold_persistence::testing::TestDatabase;
use onefold_service::store::Store;
use onefold_service::testing::ManualClock;
use onefold_service::user::User;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{Answer, TestApp, send};
use crate::bad_input::check;
use crate::imports::CSV;

/// A server with a clock that the test moves.
struct Server {
    app: TestApp,
    clock: Arc<ManualClock>,
}

async fn start(database: TestDatabase, limits: LimitsConfig) -> Server {
    let clock = Arc::new(ManualClock::default());
    let configure = |app: onefold_api::App| app.with_limits(&limits);
    let app = TestApp::serve(database, None, clock.clone(), configure, Config::default()).await;
    Server { app, clock }
}

/// Makes two tests of each function, one for each database.
macro_rules! on_both {
    ($($case:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(super::start(super::TestDatabase::sqlite(), super::LimitsConfig::default()).await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let database = super::TestDatabase::postgres().await;
                super::$case(super::start(database, super::LimitsConfig::default()).await).await;
            })+
        }
    };
}

on_both!(
    of_many_equal_requests_one_makes_a_contact,
    an_answer_is_given_again_with_its_headers,
    another_request_needs_another_key,
    a_refusal_is_an_answer_too,
    without_a_key_every_request_counts,
    a_key_that_is_none_is_refused,
    a_key_means_something_on_posts_only,
    who_died_before_the_change_is_taken_over,
    who_died_after_the_change_is_answered_for,
    an_answer_that_cannot_be_read_is_not_made_up,
    a_customer_is_found_again,
    after_a_day_a_key_is_new,
    a_file_is_imported_once,
);

fn contact(value: &str) -> Value {
    json!({"kind": "email", "value": value, "source": "order"})
}

impl Server {
    async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        let request = self.app.request(Method::POST, path).header("Content-Type", "application/json");
        send(request.header("Idempotency-Key", key).body(body.to_string())).await
    }

    async fn import(&self, key: &str, file: &str) -> Answer {
        let request = self.app.request(Method::POST, "/contacts/import").header("Content-Type", CSV);
        send(request.header("Idempotency-Key", key).body(file.to_owned())).await
    }

    /// Has the server die in hindsight: what its last request left behind.
    async fn die(&self, left_behind: &str) {
        self.app.database.query(&format!("UPDATE idempotency SET {left_behind}")).await;
    }
}

fn is_replayed(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == "true"
}

async fn of_many_equal_requests_one_makes_a_contact(server: Server) {
    let server = Arc::new(server);
    let sending: Vec<_> = (0..50)
        .map(|_| {
            let server = Arc::clone(&server);
            tokio::spawn(async move {
                server.post("/contacts", "order-42", &contact("marty@hillvalley.edu")).await
            })
        })
        .collect();
    let (mut first, mut running) = (0, 0);
    for answer in sending {
        let answer = answer.await.unwrap();
        match answer.status {
            201 if is_replayed(&answer) => assert_eq!(answer.json()["id"], 1),
            201 => first += 1,
            _ => {
                check(&answer, 409, "idempotency_running");
                assert_eq!(answer.header("retry-after"), "1");
                running += 1;
            }
        }
    }
    assert_eq!(first, 1, "{running} were told to wait");
    assert_eq!(server.app.contacts().await, 1);
    assert!(is_replayed(&server.post("/contacts", "order-42", &contact("marty@hillvalley.edu")).await));
    server.app.database.assert_invariants().await;
}

async fn an_answer_is_given_again_with_its_headers(server: Server) {
    let body = contact("marty@hillvalley.edu");
    let first = server.post("/contacts", "a", &body).await;
    assert_eq!((first.status, is_replayed(&first)), (201, false), "{first:?}");
    // What happens meanwhile changes nothing about it.
    server.app.call(Method::PATCH, "/contacts/1", &json!({"isPrimary": true})).await;
    let again = server.post("/contacts", "a", &body).await;
    assert_eq!((again.status, is_replayed(&again)), (201, true));
    assert_eq!(again.body, first.body);
    for name in ["location", "etag", "content-type", "cache-control"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
        assert!(!again.header(name).is_empty(), "{name}");
    }
    assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
    assert_eq!(server.app.contacts().await, 1);
}

async fn another_request_needs_another_key(server: Server) {
    let body = contact("marty@hillvalley.edu");
    server.post("/contacts", "a", &body).await;
    for (path, body) in [
        ("/contacts", contact("doc@hillvalley.edu")),
        ("/users", body.clone()),
        ("/contacts?x=y", body.clone()),
        ("/identify", body.clone()),
    ] {
        check(&server.post(path, "a", &body).await, 422, "idempotency_key_reused");
    }
    let patched =
        server.app.request(Method::POST, "/contacts").header("Content-Type", "application/json; a=b");
    let answer = send(patched.header("Idempotency-Key", "a").body(body.to_string())).await;
    check(&answer, 422, "idempotency_key_reused");
    assert_eq!(server.post("/contacts", "b", &body).await.status, 201);
    assert_eq!(server.app.contacts().await, 2);
}

async fn a_refusal_is_an_answer_too(server: Server) {
    let body = json!({"kind": "email", "value": "nonsense", "source": "order"});
    let first = server.post("/contacts", "a", &body).await;
    check(&first, 422, "invalid_request");
    let again = server.post("/contacts", "a", &body).await;
    assert_eq!((again.status, is_replayed(&again), again.body), (422, true, first.body));
    assert_eq!(again.headers["content-type"], "application/problem+json");
    check(
        &server.post("/contacts", "a", &contact("doc@hillvalley.edu")).await,
        422,
        "idempotency_key_reused",
    );
    let large = json!({"value": "x".repeat(70_000)});
    check(&server.post("/contacts", "b", &large).await, 413, "body_too_large");
}

async fn without_a_key_every_request_counts(server: Server) {
    for _ in 0..2 {
        server.app.create("/contacts", contact("marty@hillvalley.edu")).await;
    }
    assert_eq!(server.app.contacts().await, 2);
    assert_eq!(server.app.database.count("SELECT COUNT(*) FROM idempotency").await, 0);
}

async fn a_key_that_is_none_is_refused(server: Server) {
    for key in ["", "a b", &"x".repeat(256)] {
        let problem =
            check(&server.post("/contacts", key, &contact("a@b.example")).await, 422, "invalid_request");
        let message = problem["errors"]["Idempotency-Key"][0].as_str().unwrap();
        assert!(message.contains("255"), "{message}");
    }
    let twice = server.app.request(Method::POST, "/contacts").header("Idempotency-Key", "a");
    check(&send(twice.header("Idempotency-Key", "b")).await, 422, "invalid_request");
    assert_eq!(server.app.contacts().await, 0);
}

async fn a_key_means_something_on_posts_only(server: Server) {
    server.post("/contacts", "a", &contact("marty@hillvalley.edu")).await;
    for key in ["a", "a b"] {
        let get = send(server.app.request(Method::GET, "/contacts/1").header("Idempotency-Key", key)).await;
        assert_eq!((get.status, is_replayed(&get)), (200, false));
        let hook =
            send(server.app.request(Method::POST, "/webhooks/kratos").header("Idempotency-Key", key)).await;
        check(&hook, 404, "webhook_not_configured");
    }
}

/// Nobody knows of a change, so it is made: the row that a dead server's request left is the first server's own.
async fn who_died_before_the_change_is_taken_over(server: Server) {
    let body = json!({});
    let first = server.post("/users", "a", &body).await;
    server.die("answer = NULL, subject_kind = NULL, subject_id = NULL").await;
    check(&server.post("/users", "a", &body).await, 409, "idempotency_running");
    server.clock.pass(TimeDelta::seconds(60));
    let second = server.post("/users", "a", &body).await;
    assert_eq!((second.status, is_replayed(&second)), (201, false));
    assert_ne!(second.json()["id"], first.json()["id"]);
    assert_eq!(server.post("/users", "a", &body).await.json(), second.json());
}

async fn who_died_after_the_change_is_answered_for(server: Server) {
    let body = contact("marty@hillvalley.edu");
    let first = server.post("/contacts", "a", &body).await;
    // What it made is in the row since the transaction of the change.
    server.die("answer = NULL").await;
    check(&server.post("/contacts", "a", &body).await, 409, "idempotency_running");
    server.clock.pass(TimeDelta::seconds(60));
    let again = server.post("/contacts", "a", &body).await;
    assert_eq!((again.status, is_replayed(&again)), (201, true), "{again:?}");
    assert_eq!(again.json(), first.json());
    for name in ["location", "etag"] {
        assert_eq!(again.header(name), first.header(name));
    }
    check(
        &server.post("/contacts", "a", &contact("doc@hillvalley.edu")).await,
        422,
        "idempotency_key_reused",
    );
    assert_eq!(server.app.contacts().await, 1);
    // What was made has gone since.
    send(server.app.request(Method::DELETE, "/contacts/1")).await;
    check(&server.post("/contacts", "a", &body).await, 404, "unknown_contact");
    assert_eq!(server.app.contacts().await, 1);
}

async fn an_answer_that_cannot_be_read_is_not_made_up(server: Server) {
    let body = contact("marty@hillvalley.edu");
    let first = server.post("/contacts", "a", &body).await;
    server.die("answer = fingerprint, subject_kind = NULL, subject_id = NULL").await;
    check(&server.post("/contacts", "a", &body).await, 409, "idempotency_answer_lost");
    server.die("subject_kind = 'contact', subject_id = '1'").await;
    let again = server.post("/contacts", "a", &body).await;
    assert_eq!((again.status, again.json()), (201, first.json()));
    server.die("subject_kind = 'moon'").await;
    check(&server.post("/contacts", "a", &body).await, 409, "idempotency_answer_lost");
    assert_eq!(server.app.contacts().await, 1);
}

async fn a_customer_is_found_again(server: Server) {
    let body = json!({"email": "marty@hillvalley.edu"});
    let first = server.post("/identify", "a", &body).await;
    let again = server.post("/identify", "a", &body).await;
    assert_eq!((first.status, again.status, is_replayed(&again)), (200, 200, true));
    server.die("answer = NULL, subject_kind = 'customer', subject_id = 'x'").await;
    server.clock.pass(TimeDelta::seconds(60));
    let told = server.post("/identify", "a", &body).await;
    assert_eq!((told.status, is_replayed(&told), told.json()), (200, true, first.json()));
    assert_eq!(server.app.contacts().await, 1);
}

async fn after_a_day_a_key_is_new(server: Server) {
    let body = contact("marty@hillvalley.edu");
    server.post("/contacts", "a", &body).await;
    server.clock.pass(TimeDelta::hours(24) - TimeDelta::seconds(1));
    assert!(is_replayed(&server.post("/contacts", "a", &body).await));
    server.clock.pass(TimeDelta::seconds(1));
    let anew = server.post("/contacts", "a", &contact("doc@hillvalley.edu")).await;
    assert_eq!((anew.status, is_replayed(&anew)), (201, false));
    assert_eq!(server.app.contacts().await, 2);
}

async fn a_file_is_imported_once(server: Server) {
    let file = "email\nmarty@hillvalley.edu\n";
    let first = server.import("a", file).await;
    assert_eq!((first.status, is_replayed(&first)), (202, false), "{first:?}");
    let again = server.import("a", file).await;
    assert_eq!((again.status, is_replayed(&again)), (202, true));
    assert_eq!((&again.body, again.header("location")), (&first.body, first.header("location")));
    check(&server.import("a", "email\ndoc@hillvalley.edu\n").await, 422, "idempotency_key_reused");
    assert_eq!(server.app.database.count("SELECT COUNT(*) FROM import_run").await, 1);

    // A file that is not even read leaves the key as it was.
    let request = server.app.request(Method::POST, "/contacts/import").header("Content-Type", "text/plain");
    check(&send(request.header("Idempotency-Key", "b").body("x")).await, 415, "unsupported_media_type");
    let id = first.json()["id"].as_str().unwrap().to_owned();
    server.die(&format!("answer = NULL, subject_kind = 'import', subject_id = '{id}'")).await;
    server.clock.pass(TimeDelta::seconds(60));
    let told = server.import("a", file).await;
    assert_eq!(
        (told.status, is_replayed(&told), told.header("location")),
        (202, true, first.header("location"))
    );
    assert_eq!(told.json()["id"], first.json()["id"]);
}

/// A request that was given up gives its key back, and the next one is carried out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_frees_the_key() {
    let limits = LimitsConfig { request_timeout_s: 1, ..LimitsConfig::default() };
    let server = start(TestDatabase::postgres().await, limits).await;
    let id = Uuid::from_u128(7);
    let body = json!({"id": id});
    // Somebody else is about to register the same user, so the request has to wait.
    let other = server.app.database.store().await;
    let mut transaction = other.begin().await.unwrap();
    let at = chrono::DateTime::UNIX_EPOCH;
    let user = User { id: UserId(id), external_id: None, profile: None, created_at: at, updated_at: at };
    assert!(transaction.users().insert(&user).await.unwrap());
    check(&server.post("/users", "a", &body).await, 503, "timed_out");
    drop(transaction);
    let mut answer = server.post("/users", "a", &body).await;
    // The key is given back behind the answer.
    for _ in 0..1_000 {
        if answer.status != 409 {
            break;
        }
        answer = server.post("/users", "a", &body).await;
    }
    assert_eq!((answer.status, is_replayed(&answer)), (201, false), "{answer:?}");
    assert!(is_replayed(&server.post("/users", "a", &body).await));
}
