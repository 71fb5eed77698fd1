//! Runs the demonstration of sync as a reader would, with the server of this build and a double: its tour ends well only
//! if every value arrived on the other side, and the five flows of `scripts/contact-sync-test` passed.

use std::path::Path;
use std::process::{Command, Stdio};

use onefold_integrations::testing::MetaKockaDouble;

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

/// Without a token nothing is asked, and settings that nobody knows are told.
#[test]
fn the_flows_say_what_they_lack() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings");
    for (settings, expected) in [("", "API_TOKEN is missing"), ("TOKEN=1|x\n", "unknown setting: TOKEN")] {
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
