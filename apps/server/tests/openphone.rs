//! What an operator sees of the connection to OpenPhone: the command that checks it, and the words of the log.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};

use onefold_integrations::testing::openphone::{OpenPhoneCall, OpenPhoneDouble, Trouble};
use onefold_integrations::tls::client_builder;
use onefold_persistence::testing::TestDatabase;
use serde_json::{Value, json};

/// The settings of a server; without a double there is no key.
fn command(database: &TestDatabase, double: Option<&OpenPhoneDouble>, folder: &tempfile::TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onefold-server"));
    command.current_dir(folder.path()).env_remove("ONEFOLD_CONFIG").env_remove("OPENPHONE_API_KEY");
    command.env("DATABASE_URL", database.url()).env("PORT", "0").env("ONEFOLD__LOG__FORMAT", "json");
    command.env("ONEFOLD__SYNC__INTERVAL_S", "0").env("ONEFOLD__SYNC__FULL_INTERVAL_S", "0");
    if let Some(double) = double {
        command
            .env("OPENPHONE_API_KEY", OpenPhoneDouble::API_KEY)
            .env("OPENPHONE_BASE_URL", double.base_url());
    }
    command
}

fn checked(mut command: Command) -> (bool, Vec<String>) {
    let Output { status, stdout, .. } = command.args(["openphone", "check"]).output().unwrap();
    (status.success(), String::from_utf8(stdout).unwrap().lines().map(str::to_owned).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connection_is_checked_without_a_write() {
    let (database, folder) = (TestDatabase::sqlite(), tempfile::tempdir().unwrap());
    let double = OpenPhoneDouble::start().await;
    double.define("note", "string");
    let (well, lines) = checked(command(&database, Some(&double), &folder));
    assert!(well, "{lines:#?}");
    for line in [
        "ok\tkey\tconfigured",
        "ok\tcontacts\tmay be listed: 0 on the first page",
        "ok\tcustom fields\t1 in the workspace",
        "ok\tnote\tgoes to `note`",
        "ok\ttags\tnot synced: `openphone.tags_field` is not set",
    ] {
        assert!(lines.iter().any(|known| known == line), "{line}: {lines:#?}");
    }
    assert_eq!((double.writes(), double.calls().len()), (0, 2));

    double.next(OpenPhoneCall::List, Trouble::Refuse(401));
    let (well, lines) = checked(command(&database, Some(&double), &folder));
    assert!(!well && lines.iter().any(|line| line.starts_with("FAULT\tcontacts\t")), "{lines:#?}");

    let mut wrong = command(&database, Some(&double), &folder);
    wrong.env("ONEFOLD__OPENPHONE__TAGS_FIELD", "groups");
    let (well, lines) = checked(wrong);
    assert!(!well && lines.iter().any(|line| line.starts_with("FAULT\ttags\t")), "{lines:#?}");

    let (well, lines) = checked(command(&database, None, &folder));
    let missing = lines.iter().find(|line| line.starts_with("FAULT\tkey\t")).unwrap();
    assert!(!well && missing.contains("OPENPHONE_API_KEY"), "{lines:#?}");
    assert!(lines.iter().all(|line| !line.contains(OpenPhoneDouble::API_KEY)));
}

/// The messages of a server in whose life one person registers.
async fn told(double: Option<&OpenPhoneDouble>) -> Vec<Value> {
    let (database, folder) = (TestDatabase::sqlite(), tempfile::tempdir().unwrap());
    drop(database.store().await);
    let output = command(&database, double, &folder)
        .args(["token", "create", "--name", "form", "--ability", "contacts:write"])
        .output()
        .unwrap();
    let token = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    let mut server =
        command(&database, double, &folder).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut greeting = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
    let address = greeting.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
    let body = json!({"firstName": "Ann", "lastName": "Lee", "email": "ann@example.com"});
    let request = client_builder().unwrap().build().unwrap().post(format!("{address}/api/register"));
    let answer = request.bearer_auth(token).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap();
    let mut log = String::new();
    server.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(server.wait().unwrap().success());
    assert!(!log.contains("ann@example.com"), "{log}");
    log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn line<'a>(told: &'a [Value], message: &str) -> Option<&'a Value> {
    told.iter().find(|line| line["message"].as_str().is_some_and(|text| text.starts_with(message)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_has_the_words_of_the_contract() {
    let skipped = told(None).await;
    assert!(line(&skipped, "OpenPhone API key not configured").is_some(), "{skipped:#?}");
    assert!(line(&skipped, "OpenPhone contact creation skipped (API not configured or failed)").is_some());

    let double = OpenPhoneDouble::start().await;
    let created = told(Some(&double)).await;
    assert!(line(&created, "OpenPhone API key not configured").is_none());
    assert!(line(&created, "Creating OpenPhone contact for: a…@….com").is_some(), "{created:#?}");
    let id = double.contacts()[0]["id"].as_str().unwrap().to_owned();
    assert!(line(&created, &format!("OpenPhone contact created successfully: {id}")).is_some());
    let synced = line(&created, "synced").unwrap();
    assert_eq!((&synced["outcome"], synced["level"].as_str()), (&json!("created"), Some("INFO")));
    assert!(synced["customer"].is_string(), "{synced}");

    let double = OpenPhoneDouble::start().await;
    double.next(OpenPhoneCall::Create, Trouble::Refuse(400));
    let failed = told(Some(&double)).await;
    let failure = line(&failed, "OpenPhone integration failed: ").unwrap();
    let warnings =
        failed.iter().filter(|line| line["level"] == "WARN" && line["target"] != "onefold_runtime");
    for warning in warnings {
        let named = warning["customer"].is_string() || warning["span"]["customer"].is_string();
        assert!(named, "every warning of sync names the customer: {warning}");
    }
    assert!(failure["customer"].is_string(), "{failure}");
}
