//! A server that is killed in the middle of its work, and callers who do not know what became of their requests:
//! with a key each of them is carried out exactly once.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use onefold_integrations::tls::client_builder;
use onefold_persistence::testing::TestDatabase;
use tokio::time::{interval, timeout};

/// More than a server finishes before it is killed.
const REQUESTS: usize = 400;
const CALLERS: usize = 8;

/// A key of a dead server is free after 60 s.
const PATIENCE: Duration = Duration::from_secs(150);

struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(database: &TestDatabase, folder: &tempfile::TempDir) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_onefold-server"))
            .current_dir(folder.path())
            .env("DATABASE_URL", database.url())
            .env("PORT", "0")
            .env("ONEFOLD__LOG__FILTER", "off")
            .env_remove("ONEFOLD_CONFIG")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut greeting = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
        let address =
            greeting.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        Self { process, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_loses_and_doubles_nothing_on_sqlite() {
    survive_a_kill(TestDatabase::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_loses_and_doubles_nothing_on_postgres() {
    survive_a_kill(TestDatabase::postgres().await).await;
}

async fn survive_a_kill(database: TestDatabase) {
    let folder = tempfile::tempdir().unwrap();
    drop(database.store().await);
    let token = token(&database, &folder);
    let first = Server::start(&database, &folder);
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (address, token) = (first.address.clone(), token.clone());
            tokio::spawn(async move { unanswered(&address, &token, caller).await })
        })
        .collect();
    let some = async { while database.count("SELECT COUNT(*) FROM contact").await < 40 {} };
    timeout(PATIENCE, some).await.unwrap();
    drop(first);
    let mut open = Vec::new();
    for caller in callers {
        open.extend(caller.await.unwrap());
    }
    assert!(open.len() > CALLERS, "the kill came too late to be one");

    let second = Server::start(&database, &folder);
    let mut pace = interval(Duration::from_millis(500));
    let retrying = async {
        while !open.is_empty() {
            let mut left = Vec::new();
            for request in open.drain(..) {
                if !is_answered(&second.address, &token, request).await {
                    left.push(request);
                }
            }
            open = left;
            pace.tick().await;
        }
    };
    timeout(PATIENCE, retrying).await.expect("every request is answered in the end");
    let (all, different) = ("SELECT COUNT(*) FROM contact", "SELECT COUNT(DISTINCT email) FROM contact");
    let requests = i64::try_from(REQUESTS).unwrap();
    assert_eq!((database.count(all).await, database.count(different).await), (requests, requests));
    database.assert_invariants().await;
}

fn token(database: &TestDatabase, folder: &tempfile::TempDir) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_onefold-server"))
        .args(["token", "create", "--name", "shop", "--ability", "contacts:write"])
        .current_dir(folder.path())
        .env("DATABASE_URL", database.url())
        .env_remove("ONEFOLD_CONFIG")
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Sends a caller's share of the requests, and tells which of them nobody answered.
async fn unanswered(address: &str, token: &str, caller: usize) -> Vec<usize> {
    let mut open = Vec::new();
    for request in (caller..REQUESTS).step_by(CALLERS) {
        if !is_answered(address, token, request).await {
            open.push(request);
        }
    }
    open
}

/// POST always adds a contact: without the key, a repetition would be a second one.
async fn is_answered(address: &str, token: &str, request: usize) -> bool {
    let body = format!(r#"{{"kind":"email","value":"p{request}@example.com","source":"order"}}"#);
    let sent = client_builder()
        .unwrap()
        .build()
        .unwrap()
        .post(format!("{address}/contacts"))
        .bearer_auth(token)
        .header("Idempotency-Key", format!("order-{request}"))
        .header("Content-Type", "application/json")
        .body(body)
        .send();
    match sent.await {
        Ok(answer) => match answer.status().as_u16() {
            201 => true,
            // Held by the server that died.
            409 => false,
            status => panic!("{status}"),
        },
        Err(_) => false,
    }
}
