//! Runs the demonstrations of sync as a reader would, with the server of this build and a double: a tour ends well only
//! if every value arrived on the other side, and the five flows of `scripts/contact-sync-test` passed.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use onefold_integrations::testing::MetaKockaDouble;
use onefold_integrations::testing::openphone::{EventSignature, OpenPhoneDouble, Subscription};
use onefold_service::clock::{Clock, SystemClock};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tour_of_the_demonstration_arrives() {
    let double = MetaKockaDouble::start().await;
    double.fill(50);
    let address = double.address();
    let tour = tokio::task::spawn_blocking(move || {
        Command::new(script("demo-metakocka"))
            .arg("--tour")
            .env("ONEFOLD_SERVER", env!("CARGO_BIN_EXE_onefold-server"))
            .env("DOUBLE_URL", format!("http://{address}"))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    });
    let output = tour.await.unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    for expected in
        ["NOT MetaKocka", "-> Bled", "51 partners", "it was found again", "stale", "PASS bulk import"]
    {
        assert!(told.contains(expected), "{expected} is missing in\n{told}");
    }
    assert!(!told.contains("|onefold_"), "a tour needs no token, and so prints none");
}

/// The double is that of the test, so the step in which the demonstration holds its own is left out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tour_of_openphone_arrives() {
    let double = Arc::new(OpenPhoneDouble::start().await);
    let mut tour = Command::new(script("demo-openphone"))
        .arg("--tour")
        .env("ONEFOLD_SERVER", env!("CARGO_BIN_EXE_onefold-server"))
        .env("DOUBLE_URL", format!("http://{}", double.address()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (webhook, mut told) = webhook_of(&mut tour);
    subscribe(&double, &webhook);
    let reporting = tokio::spawn(report(Arc::clone(&double), webhook));
    // It may begin.
    tour.stdin.take().unwrap().write_all(b"\n").unwrap();
    let ended = tokio::task::spawn_blocking(move || {
        told.0.read_to_string(&mut told.1).unwrap();
        (tour.wait_with_output().unwrap(), told.1)
    });
    let (output, told) = ended.await.unwrap();
    reporting.abort();
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    for expected in [
        "NOT OpenPhone",
        "registered already",
        "-> Novak d.o.o.",
        "Lee -> Novak",
        "updated pulled",
        "detached",
    ] {
        assert!(told.contains(expected), "{expected} is missing in\n{told}");
    }
    assert!(!told.contains("|onefold_"), "a tour needs no token, and so prints none");
}

type Told = (BufReader<std::process::ChildStdout>, String);

/// The address that the demonstration wants to be reported at, and what it says besides.
fn webhook_of(tour: &mut Child) -> (String, Told) {
    let (mut output, mut told) = (BufReader::new(tour.stdout.take().unwrap()), String::new());
    loop {
        let mut line = String::new();
        assert_ne!(output.read_line(&mut line).unwrap(), 0, "it ended:\n{told}");
        told += &line;
        if let Some(webhook) = line.split([' ', ',']).find(|word| word.ends_with("/webhooks/openphone")) {
            return (webhook.to_owned(), (output, told));
        }
    }
}

/// Reports what happens in the double, for ever.
async fn report(double: Arc<OpenPhoneDouble>, webhook: String) {
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        double.deliver().await;
        subscribe(&double, &webhook);
    }
}

/// What happens from now on is signed as of now: the server does not believe what was signed long ago.
fn subscribe(double: &OpenPhoneDouble, webhook: &str) {
    let signature = EventSignature::Standard(b"double-signing-key".to_vec());
    let sent_at = Some(SystemClock.now().timestamp());
    double.subscribe(Subscription { url: webhook.to_owned(), signature, sent_at });
}

/// Without a token nothing is asked, and settings that nobody knows are told.
#[test]
fn the_flows_say_what_they_lack() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings");
    for (settings, expected) in [
        ("", "API_TOKEN is missing"),
        ("OPENPHONE_API_KEY=x\n", "API_TOKEN is missing"),
        ("TOKEN=1|x\n", "unknown setting: TOKEN"),
    ] {
        std::fs::write(&file, settings).unwrap();
        let output = Command::new(script("contact-sync-test"))
            .env("ENV_FILE", &file)
            .env_remove("API_TOKEN")
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && told.contains(expected), "{output:?}");
    }
}

fn script(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts").join(name)
}
