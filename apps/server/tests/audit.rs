//! `onefold-server audit verify`: what it prints, and how it ends when somebody tampered with the trail.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::{Command, Output};

use onefold_persistence::testing::TestDatabase;

/// Runs a command on this database, in a folder of its own.
fn run(folder: &Path, database: &TestDatabase, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onefold-server"));
    // No setting of the machine may change what is tested.
    command.env_clear().env("DATABASE_URL", database.url()).env("ONEFOLD__LOG__FILTER", "warn");
    command.current_dir(folder).args(arguments).output().unwrap()
}

#[tokio::test]
async fn tampering_is_found_on_sqlite() {
    let drop = ["DROP TRIGGER audit_entry_no_update", "DROP TRIGGER audit_entry_no_delete"];
    tampering_is_found(&TestDatabase::sqlite(), &drop).await;
}

#[tokio::test]
async fn tampering_is_found_on_postgres() {
    let drop = ["DROP TRIGGER audit_entry_append_only ON audit_entry"];
    tampering_is_found(&TestDatabase::postgres().await, &drop).await;
}

async fn tampering_is_found(database: &TestDatabase, unguard: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let verify = |arguments: &[&str]| {
        let output = run(folder.path(), database, &[&["audit", "verify"], arguments].concat());
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    assert_eq!(verify(&[]), (Some(0), "0 entries\n".to_owned()));

    for country in ["US", "SI", "AT"] {
        let file = format!("email,country\nmarty@hillvalley.edu,{country}\n");
        std::fs::write(folder.path().join("people.csv"), file).unwrap();
        assert!(run(folder.path(), database, &["import", "people.csv"]).status.success());
    }
    // Three files, two of which changed what the first one brought.
    let (code, said) = verify(&[]);
    let head = said.lines().nth(1).unwrap().strip_prefix("head ").unwrap().to_owned();
    assert_eq!((code, said.lines().next()), (Some(0), Some("5 entries, all as they were written")));
    assert!(head.starts_with("5:") && head.len() == 2 + 64, "{head}");
    assert_eq!(verify(&["--expect-head", &head]).0, Some(0));
    assert_eq!(database.count("SELECT COUNT(*) FROM audit_entry WHERE actor = 'command_line'").await, 5);
    assert_eq!(verify(&["--expect-head", "five"]).0, Some(2), "no head");

    for guard in unguard {
        database.query(guard).await;
    }
    database.query("DELETE FROM audit_entry WHERE number = 5").await;
    assert_eq!(verify(&[]).0, Some(0), "by itself it is sound");
    let (code, said) = verify(&["--expect-head", &head]);
    assert_eq!(code, Some(1));
    assert!(said.trim().ends_with("tampered with: entry 5 is missing"), "{said}");
    database.query("UPDATE audit_entry SET state_after = '{}' WHERE number = 2").await;
    let (code, said) = verify(&[]);
    assert_eq!(code, Some(1));
    assert_eq!(
        said,
        "onefold-server: the audit trail was tampered with: what entry 2 says does not match its hash\n"
    );

    // An empty trail is missed without a head.
    let missed = |said: &str| {
        said.starts_with("onefold-server: the audit trail is not whole: no entry tells how import")
    };
    database.query("DELETE FROM audit_entry").await;
    let (code, said) = verify(&[]);
    assert!(code == Some(1) && missed(&said), "{said}");
    // Whose contacts are older than their trail has lost none.
    database.query("UPDATE seaql_migrations SET applied_at = applied_at + 3600").await;
    assert_eq!(verify(&[]), (Some(0), "0 entries\n".to_owned()));
}
