//! A server that is killed while somebody registers, at moments of which OpenPhone knows more than we do: whoever was
//! registered is there, once, when a server has been up again for a while.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use onefold_integrations::testing::openphone::{OpenPhoneCall, OpenPhoneDouble, Trouble};
use onefold_integrations::tls::client_builder;
use onefold_persistence::testing::TestDatabase;
use serde_json::{Value, json};
use tokio::time::{interval, timeout};

const PEOPLE: usize = 8;

/// Leases run out meanwhile; longer where other tests take the processors.
const PATIENCE: Duration = Duration::from_secs(240);

struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(database: &TestDatabase, double: &OpenPhoneDouble, folder: &tempfile::TempDir) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_onefold-server"))
            .current_dir(folder.path())
            .envs(settings(database, double))
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

/// Short leases: whoever comes next has to wait for them.
fn settings(database: &TestDatabase, double: &OpenPhoneDouble) -> Vec<(&'static str, String)> {
    let texts = [
        ("PORT", "0"),
        ("OPENPHONE_API_KEY", OpenPhoneDouble::API_KEY),
        ("ONEFOLD__LOG__FILTER", "off"),
        ("ONEFOLD__OPENPHONE__REQUEST_TIMEOUT_MS", "1000"),
        ("ONEFOLD__OPENPHONE__QUEUE_TIMEOUT_MS", "500"),
        ("ONEFOLD__SYNC__WORKER", "inside"),
        ("ONEFOLD__SYNC__LEASE_S", "3"),
        ("ONEFOLD__SYNC__POLL_MS", "50"),
        ("ONEFOLD__SYNC__INTERVAL_S", "0"),
        ("ONEFOLD__SYNC__FULL_INTERVAL_S", "0"),
    ];
    let mut all: Vec<_> = texts.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    all.extend([("DATABASE_URL", database.url()), ("OPENPHONE_BASE_URL", double.base_url())]);
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_registers_during_a_kill_is_there_once_on_sqlite() {
    survive(TestDatabase::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_registers_during_a_kill_is_there_once_on_postgres() {
    survive(TestDatabase::postgres().await).await;
}

async fn survive(database: TestDatabase) {
    let folder = tempfile::tempdir().unwrap();
    drop(database.store().await);
    let double = OpenPhoneDouble::start().await;
    let token = token(&database, &double, &folder);
    for person in 0..PEOPLE {
        let server = Server::start(&database, &double, &folder);
        let call = if person % 2 == 0 { OpenPhoneCall::Create } else { OpenPhoneCall::List };
        let (before, calls) = (double.count(call), double.contacts().len());
        // What is asked for is done; the answer would come when nobody waits for it any more.
        double.next(call, Trouble::Slow(Duration::from_secs(5)));
        let registering = tokio::spawn(register(server.address.clone(), token.clone(), person));
        // A job that somebody killed before left behind may be the one that asks; the person is to be registered as well.
        let stored = format!("SELECT COUNT(*) FROM contact WHERE email = 'ann{person}@example.com'");
        let asked = async {
            while double.count(call) == before || database.count(&stored).await == 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, asked).await.unwrap();
        drop(server);
        // Places of calls that died with the last one may be kept still: then the person was told at once that it is done
        // later.
        if let Some(answer) = registering.await.unwrap() {
            assert_eq!(answer["success"], true, "{answer}");
        }
        double.end_trouble();
        assert!(double.contacts().len() <= calls + 1);
    }
    finish(&database, &double, &folder).await;

    let server = Server::start(&database, &double, &folder);
    for person in 0..PEOPLE {
        // The caller, who was not answered, tries again, and learns that it is done.
        let again = register(server.address.clone(), token.clone(), person).await.unwrap();
        assert_eq!(again["error"]["code"], "already_registered", "{again}");
    }
    let contacts = double.contacts();
    assert_eq!(contacts.len(), PEOPLE, "one contact for each");
    let mut references: Vec<_> = contacts.iter().map(|contact| contact["externalId"].to_string()).collect();
    references.sort();
    references.dedup();
    assert_eq!(references.len(), PEOPLE);
    let mapped = "SELECT COUNT(*) FROM sync_mapping WHERE external_id IS NOT NULL AND status = 'synced'";
    assert_eq!(database.count(mapped).await, i64::try_from(PEOPLE).unwrap());
    database.assert_invariants().await;
}

/// The answer, if there was one.
async fn register(address: String, token: String, person: usize) -> Option<Value> {
    let body = json!({
        "firstName": "Ann", "lastName": "Lee", "email": format!("ann{person}@example.com"),
        "phone": format!("+3864000010{person}"),
    });
    let request = client_builder().unwrap().build().unwrap().post(format!("{address}/api/register"));
    request.bearer_auth(token).json(&body).send().await.ok()?.json().await.ok()
}

/// Lets a server work until nothing waits any more.
async fn finish(database: &TestDatabase, double: &OpenPhoneDouble, folder: &tempfile::TempDir) {
    let _server = Server::start(database, double, folder);
    let mut pace = interval(Duration::from_millis(100));
    let working = async {
        while database.count("SELECT COUNT(*) FROM job").await > 0 {
            pace.tick().await;
        }
    };
    timeout(PATIENCE, working).await.expect("every job is done in the end");
}

fn token(database: &TestDatabase, double: &OpenPhoneDouble, folder: &tempfile::TempDir) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_onefold-server"))
        .args(["token", "create", "--name", "form", "--ability", "contacts:write"])
        .current_dir(folder.path())
        .envs(settings(database, double))
        .env_remove("ONEFOLD_CONFIG")
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
