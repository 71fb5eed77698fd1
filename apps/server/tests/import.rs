//! `onefold-server import` as an operator uses it, and what is left of an import when its process is killed.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use onefold_domain::{
    Clock, Environment, ImportId, ImportStatus, Imports, LinkPolicy, SystemClock, SystemRandomness,
};
use onefold_persistence::testing::TestDatabase;
use uuid::Uuid;

/// Long after the killed process said when it would be back.
struct Later;

impl Clock for Later {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::hours(1)
    }
}

fn server(database: &TestDatabase, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onefold-server"));
    command.env_clear().env("DATABASE_URL", database.url()).env("ONEFOLD__LOG__FILTER", "warn");
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn import(database: &TestDatabase, file: &Path, options: &[&str]) -> (bool, String, String) {
    let folder = file.parent().unwrap();
    let Output { status, stdout, stderr } =
        server(database, folder).arg("import").arg(file).args(options).output().unwrap();
    (status.success(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn a_file_is_imported_from_a_shell() {
    let (database, folder) = (TestDatabase::sqlite(), tempfile::tempdir().unwrap());
    let text = "email,phone,name\ndoc@hillvalley.edu,123456,Doc\nguest,,\nmarty@hillvalley.edu,,Marty\n";
    let csv = file(folder.path(), "customers.csv", text);

    let (well, said, _) = import(&database, &csv, &["--dry-run"]);
    assert!(well && said.starts_with("(dry run) 3 rows in ") && said.contains("2 created"), "{said}");
    assert_eq!(database.count("SELECT COUNT(*) FROM contact").await, 0);

    let (well, said, _) = import(&database, &csv, &[]);
    assert!(well && said.contains("2 created, 0 updated, 0 unchanged, 1 failed"), "{said}");
    assert!(said.contains("line 3: email: The email has no @; write it as name@domain."), "{said}");

    let (well, said, _) = import(&database, &csv, &[]);
    assert!(well && said.contains("0 created, 0 updated, 2 unchanged, 1 failed"), "{said}");

    let (well, _, complaint) = import(&database, &csv, &["--stop-on-error"]);
    assert!(!well && complaint.contains("Stopped at the first row that failed"), "{complaint}");

    let useless = file(folder.path(), "useless.csv", "name,city\nDoc,Hill Valley\n");
    let (well, _, complaint) = import(&database, &useless, &[]);
    assert!(!well && complaint.contains("no column `email` or `phone`"), "{complaint}");
    for (name, word) in [("absent.csv", "cannot open"), ("customers.xlsx", "--format csv")] {
        let (well, _, complaint) = import(&database, &folder.path().join(name), &[]);
        assert!(!well && complaint.contains(word), "{complaint}");
    }
    database.assert_invariants().await;
}

#[tokio::test]
async fn a_killed_import_is_finished_by_another_process_on_sqlite() {
    killed(TestDatabase::sqlite()).await;
}

#[tokio::test]
async fn a_killed_import_is_finished_by_another_process_on_postgres() {
    killed(TestDatabase::postgres().await).await;
}

/// Rows of which some repeat earlier ones, some lead customers together, and some are none.
fn rows() -> (String, usize, usize) {
    let (mut text, mut distinct, mut broken) = ("email,phone\n".to_owned(), BTreeSet::new(), 0);
    for number in 0..60_000_u32 {
        let email = number.wrapping_mul(2_654_435_761) % 40_000;
        if number % 1_000 == 7 {
            broken += 1;
            text.push_str("guest,\n");
            continue;
        }
        let phone =
            if number % 5 == 0 { format!("+1202{:07}", 2_000_000 + email / 2) } else { String::new() };
        let row = format!("m{email}@hillvalley.edu,{phone}\n");
        let _ = write!(text, "{row}");
        distinct.insert(row);
    }
    (text, distinct.len(), broken)
}

async fn killed(database: TestDatabase) {
    let folder = tempfile::tempdir().unwrap();
    let (text, distinct, broken) = rows();
    let csv = file(folder.path(), "many.csv", &text);
    let mut process = server(&database, folder.path()).arg("migrate").spawn().unwrap();
    assert!(process.wait().unwrap().success());

    let mut process = server(&database, folder.path()).arg("import").arg(&csv).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while database.count("SELECT COALESCE(MAX(rows_read), 0) FROM import_run").await == 0 {
        assert!(Instant::now() < deadline, "the import should begin");
        tokio::task::yield_now().await;
    }
    process.kill().unwrap();
    process.wait().unwrap();

    let rows = database.query("SELECT id FROM import_run").await;
    let id = ImportId(rows[0].try_get_by_index::<Uuid>(0).unwrap());
    let env = Environment::new(
        Arc::new(database.store().await),
        Arc::new(LinkPolicy::shipped()),
        Arc::new(Later),
        Arc::new(SystemRandomness),
    );
    let imports = Imports::new(env, None);
    let left = imports.import(id).await.unwrap().unwrap();
    assert!(left.status == ImportStatus::Running && left.counts.read < 60_000, "{left:?}");
    assert_eq!(database.count("SELECT COUNT(*) FROM contact").await.unsigned_abs(), left.counts.created);

    assert!(imports.next().await.unwrap(), "somebody has to go on with it");
    let done = imports.import(id).await.unwrap().unwrap();
    assert_eq!((done.status, done.counts.read), (ImportStatus::Completed, 60_000));
    assert_eq!((done.counts.created, done.counts.failed), (distinct as u64, broken as u64));
    assert_eq!(done.counts.unchanged, 60_000 - done.counts.created - done.counts.failed);
    assert_eq!(database.count("SELECT COUNT(*) FROM contact").await, i64::try_from(distinct).unwrap());
    assert_eq!(database.count("SELECT COUNT(*) FROM import_chunk").await, 0, "the file is let go");
    assert!(!imports.next().await.unwrap());
    database.assert_invariants().await;
}
