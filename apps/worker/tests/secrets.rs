//! The worker prints nothing secret either, whatever is wrong with its configuration. The server's test goes through
//! every key; both programs read them with the same code.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::{Command, Stdio};

const CANARY: &str = "c4nary-b1rd";

/// Those that the worker reads. The server's own sections are not looked at here.
const SECRET: [&str; 7] = [
    "DATABASE__URL",
    "METAKOCKA__SECRET_KEY",
    "METAKOCKA__COMPANY_ID",
    "METAKOCKA__BASE_URL",
    "OPENPHONE__API_KEY",
    "OPENPHONE__BASE_URL",
    "OPENPHONE__WEBHOOK_KEYS",
];

fn silent_of_it(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onefold-worker"));
    command.args(arguments).current_dir(folder).env_clear().envs(variables.iter().copied());
    command.env("ONEFOLD__DATABASE__ACQUIRE_TIMEOUT_MS", "50").env("ONEFOLD__LOG__FILTER", "trace");
    let output = command.stdin(Stdio::null()).output().unwrap();
    for printed in [&output.stdout, &output.stderr] {
        let printed = String::from_utf8_lossy(printed);
        assert!(!printed.contains(CANARY), "{variables:?}: {printed}");
    }
}

#[test]
fn nothing_secret_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let (list, table) = (format!("[\"{CANARY}\", 1]"), format!("{{a = \"{CANARY}\"}}"));
    let open = format!("https://u:{CANARY}@127.0.0.1/?{CANARY}");
    for key in SECRET {
        for value in [CANARY, &list, &table, &open] {
            for name in [format!("ONEFOLD__{key}"), format!("ONEFOLD__{key}S"), format!("ONEFOLD_{key}")] {
                silent_of_it(folder.path(), &["jobs", "list"], &[(&name, value)]);
            }
        }
    }
    for url in [
        format!("postgres://u:{CANARY}@127.0.0.1:1/d"),
        format!("postgres://u:{CANARY}/@127.0.0.1/d"),
        format!("postgres://u@127.0.0.1:1/d?pasword={CANARY}"),
    ] {
        for arguments in [&["run"][..], &["run", "--once"], &["plan"], &["jobs", "list"], &["runs", "list"]] {
            silent_of_it(folder.path(), arguments, &[("DATABASE_URL", &url)]);
        }
    }
}

/// What the server refuses, in the same words.
#[test]
fn a_database_that_is_not_there_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_onefold-worker"))
        .current_dir(folder.path())
        .env_clear()
        .env("DATABASE_URL", "postgres://u@127.0.0.1:1/d")
        .env("ONEFOLD__DATABASE__ACQUIRE_TIMEOUT_MS", "50")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.trim().lines().count() == 1, "{said}");
    assert!(said.contains("127.0.0.1:1 takes no connections (connection refused)"), "{said}");
}
