//! `onefold-server import`: what it prints, how it ends, and that a crash in the middle of a file neither loses a
//! row nor stores one twice.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use onefold_integrations::tls::client_builder;
use onefold_persistence::testing::TestDatabase;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{interval, timeout};

fn program(folder: &Path, database: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onefold-server"));
    // No setting of the machine may change what is tested.
    command.env_clear().env("PORT", "0").env("DATABASE_URL", database).env("ONEFOLD__LOG__FILTER", "warn");
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// An operator's shell in a folder with a database.
struct Shell {
    folder: TempDir,
}

impl Shell {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let database = format!("sqlite:{}?mode=rwc", self.folder.path().join("onefold.db").display());
        let mut command = program(self.folder.path(), &database);
        command.arg("import").args(arguments);
        command
    }

    /// What the command prints, if it ends well.
    fn import(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What the command prints, and what it says at the end, if it fails.
    fn refused(&self, arguments: &[&str]) -> (String, String) {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        assert_eq!(status.code(), Some(1), "{arguments:?}");
        let last = String::from_utf8(stderr).unwrap().trim().lines().last().unwrap().to_owned();
        (String::from_utf8(stdout).unwrap(), last)
    }

    fn write(&self, name: &str, file: &str) {
        std::fs::write(self.folder.path().join(name), file).unwrap();
    }
}

/// The counts of a summary: all that does not depend on the clock.
fn counted(output: &str) -> (&str, &str) {
    let summary = output.lines().next().unwrap();
    (summary.split(" in ").next().unwrap(), summary.split_once(": ").unwrap().1)
}

#[test]
fn exports_of_users_and_contacts_come_back_once() {
    let shell = Shell::new();
    let hub = "0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c99";
    let user = "0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c44";
    let at = "2025-12-01T09:00:00Z";
    shell.write(
        "users.csv",
        &format!("kind,id,externalId,firstName,createdAt,updatedAt,originHub\nuser,{user},user_456,'=Ann,{at},{at},{hub}\n"),
    );
    let contact = |number: u32| {
        format!(
            "{{\"kind\":\"email\",\"value\":\"doc@hillvalley.edu\",\"source\":\"order\",\"metadata\":{{\"orderId\":{number}}},\
             \"userId\":\"{user}\",\"createdAt\":\"{at}\",\"updatedAt\":\"{at}\",\"originHub\":\"{hub}\",\"originId\":{number}}}\n"
        )
    };
    shell.write("contacts.ndjson", &(1..=3).map(contact).collect::<String>());
    for (created, unchanged) in [(1, 0), (0, 1)] {
        let expected = format!("{created} created, 0 updated, {unchanged} unchanged, 0 failed");
        assert_eq!(counted(&shell.import(&["users.csv"])).1, expected);
        let expected = format!("{} created, 0 updated, {} unchanged, 0 failed", 3 * created, 3 * unchanged);
        assert_eq!(counted(&shell.import(&["contacts.ndjson"])).1, expected);
    }
    let (_, said) = shell.refused(&["users.csv", "--match-by", "userId"]);
    assert!(said.contains("found by where they come from"), "{said}");
}

#[test]
fn a_file_is_imported_and_its_failures_are_told() {
    let shell = Shell::new();
    shell
        .write("people.csv", "email,country\nmarty@hillvalley.edu,US\nguest,\ndoc@hillvalley.edu,Slovenia\n");
    let output = shell.import(&["people.csv"]);
    assert_eq!(counted(&output), ("3 rows", "1 created, 0 updated, 0 unchanged, 2 failed"));
    let failures: Vec<_> = output.lines().skip(1).collect();
    assert_eq!(failures[0], "line 3: email: The email has no @; write it as name@domain.");
    assert!(failures[1].starts_with("line 4: country: "), "{output}");
    assert_eq!(failures.len(), 2);
    let again = shell.import(&["people.csv"]);
    assert_eq!(counted(&again).1, "0 created, 0 updated, 1 unchanged, 2 failed");

    let many: String = (0..1_025).map(|_| "{}\n").collect();
    shell.write("many.ndjson", &many);
    let output = shell.import(&["many.ndjson", "--dry-run"]);
    assert_eq!(counted(&output).0, "(dry run) 1,025 rows");
    assert_eq!(output.lines().count(), 22, "the first twenty");
    assert!(output.lines().last().unwrap().contains("GET /imports/"), "{output}");
}

#[test]
fn what_cannot_be_done_is_said_and_told_by_the_exit_code() {
    let shell = Shell::new();
    shell.write("people.csv", "email\nmarty@hillvalley.edu\nguest\ndoc@hillvalley.edu\n");
    shell.write("names.csv", "name\nMarty\n");
    shell.write("people", "email\n");
    let (output, message) = shell.refused(&["people.csv", "--stop-on-error"]);
    assert_eq!(counted(&output), ("2 rows", "1 created, 0 updated, 0 unchanged, 1 failed"));
    assert!(message.contains("Stopped at the first row"), "{message}");
    for (arguments, word) in [
        (&["names.csv"][..], "no column `email` or `phone`"),
        (&["people.csv", "--match-by", "userId"], "no column `userId`"),
        (&["people.csv", "--match-by", "email"], "`value` or `userId`"),
        (&["people.csv", "--format", "xml"], "no format `xml`"),
        (&["people"], "say --format csv"),
        (&["-"], "say --format csv"),
        (&["absent.csv"], "cannot open absent.csv"),
    ] {
        let (_, message) = shell.refused(arguments);
        assert!(message.starts_with("onefold-server: ") && message.contains(word), "{message}");
    }
}

#[test]
fn a_file_can_come_from_another_program() {
    let shell = Shell::new();
    let mut process = shell.command(&["-", "--format", "ndjson"]).stdin(Stdio::piped()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(b"{\"email\":\"marty@hillvalley.edu\"}\n").unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let output = String::from_utf8(output.stdout).unwrap();
    assert_eq!(counted(&output), ("1 row", "1 created, 0 updated, 0 unchanged, 0 failed"));
}

#[tokio::test]
async fn a_crash_loses_and_doubles_nothing_on_sqlite() {
    survive_a_crash(TestDatabase::sqlite()).await;
}

#[tokio::test]
async fn a_crash_loses_and_doubles_nothing_on_postgres() {
    survive_a_crash(TestDatabase::postgres().await).await;
}

/// The program is killed in the middle of a file; a server on the same database goes on with it as soon as the
/// claim of the dead one has run out.
async fn survive_a_crash(database: TestDatabase) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("people.csv"), people()).unwrap();
    // The tables are there before anybody looks into them.
    drop(database.store().await);
    let mut import = Running::start(program(folder.path(), &database.url()).args(["import", "people.csv"]));
    let took = first_line(import.process.stderr.take().unwrap());
    let id = took.trim().rsplit(' ').next().unwrap();
    eventually(Duration::from_secs(60), async || database.count(STORED).await > 0).await;
    drop(import);
    let stored = database.count(STORED).await;
    assert!(stored < ROWS, "the kill came too late to be one");
    assert_eq!(database.count(CONTACTS).await, database.count(CREATED).await, "both or neither are stored");

    let create = ["token", "create", "--name", "watcher", "--ability", "contacts:read"];
    let token = program(folder.path(), &database.url()).args(create).output().unwrap().stdout;
    let token = String::from_utf8(token).unwrap().trim().to_owned();
    let mut server = Running::start(program(folder.path(), &database.url()).arg("serve"));
    let announced = first_line(server.process.stdout.take().unwrap());
    let address = announced.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    let path = format!("{address}/imports/{id}");
    let client = client_builder().unwrap().build().unwrap();
    let show = async || -> Value {
        let answer = client.get(&path).bearer_auth(&token).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    };
    eventually(Duration::from_secs(180), async || show().await["status"] == "completed").await;
    let done = show().await;
    let counts = ["rowsRead", "created", "updated", "unchanged", "failed"].map(|name| done[name].as_i64());
    assert_eq!(counts, [ROWS, DISTINCT, 0, REPEATED, FAILED].map(Some));
    assert_eq!(database.count(CONTACTS).await, DISTINCT);
    assert_eq!(database.count("SELECT COUNT(*) FROM import_failure").await, FAILED);
    assert_eq!(database.count("SELECT COUNT(*) FROM import_chunk").await, 0, "the file is let go");
    // The pairs were found across batches, before and after the crash.
    assert_eq!(database.count("SELECT COUNT(*) FROM customer WHERE root_id = id").await, ROWS / 2);
}

const STORED: &str = "SELECT COALESCE(MAX(rows_read), 0) FROM import_run";
const CREATED: &str = "SELECT rows_created FROM import_run";
const CONTACTS: &str = "SELECT COUNT(*) FROM contact";

const ROWS: i64 = 60_000;
const FAILED: i64 = ROWS / 1_000;
const REPEATED: i64 = ROWS / 10 - FAILED;
const DISTINCT: i64 = ROWS - REPEATED - FAILED;

/// Every tenth row repeats an earlier one, and every hundredth of these is none. Two people share a phone.
fn people() -> String {
    let mut file = "email,phone,first_name,notes\n".to_owned();
    for row in 0..ROWS {
        let person = if row % 10 == 9 { row - 9 } else { row };
        match row % 1_000 {
            999 => writeln!(file, "guest,,,").unwrap(),
            _ => {
                let phone = 3_000_001 + person / 2;
                writeln!(file, "p{person}@hillvalley.edu,{phone},Calvin,\"one\ntwo\"").unwrap();
            }
        }
    }
    file
}

/// A process that is killed with this value, as `kill -9` does it.
struct Running {
    process: Child,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        Self { process: command.spawn().unwrap() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn first_line(output: impl std::io::Read) -> String {
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).unwrap();
    line
}

/// Looks again and again until it is so.
async fn eventually(patience: Duration, so: impl AsyncFn() -> bool) {
    let looking = async {
        let mut pace = interval(Duration::from_millis(50));
        while !so().await {
            pace.tick().await;
        }
    };
    timeout(patience, looking).await.expect("it should have come to pass by now");
}
