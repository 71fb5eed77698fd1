//! The program as an operator meets it: one-line errors, logs, and an orderly end.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use onefold_runtime::testing::{Setting, settings};

fn server(folder: &Path) -> Command {
    // A server that starts although it should not must end the test, not hang it.
    // In the foreground, or it passes a signal on twice, and the second one ends the server at once.
    let mut command = Command::new("timeout");
    command.args(["--foreground", "20", env!("CARGO_BIN_EXE_onefold-server")]);
    command.current_dir(folder).env("PORT", "0").env_remove("DATABASE_URL").env_remove("ONEFOLD_CONFIG");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn a_mistake_in_the_configuration_is_told_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.toml"), "[server]\nworkers = \"many\"\n").unwrap();
    std::fs::write(folder.path().join("policy.toml"), "max_contact_points = 1\n").unwrap();
    for (variable, value, expected) in [
        ("DATABASE_URL", "mysql://localhost/x", "sqlite://"),
        ("PORT", "99999", "server.port"),
        ("ONEFOLD_CONFIG", "absent.toml", "absent.toml"),
        ("ONEFOLD_CONFIG", "bad.toml", "server.workers"),
        ("ONEFOLD__SERVER__HOST", "0.0.0.0", "identify_without_token"),
        ("ONEFOLD__SERVER__CORS_ORIGINS", "*", "name those that may"),
        ("ONEFOLD__SERVER__CORS_ORIGINS", "[\"https://shop.example/\"]", "without a path"),
        ("ONEFOLD__SERVER__TRUSTED_PROXIES", "10.0.0.0/33", "server.trusted_proxies"),
        ("ONEFOLD__LIMITS__TOKEN_PER_MINUTE", "-1", "limits.token_per_minute"),
        ("ONEFOLD__LIMITS__HEADER_BYTES", "200000", "at most 131072"),
        ("ONEFOLD__DATABASE__MAX_CONNECTIONS", "0", "between 1 and 500"),
        ("ONEFOLD__LINKING__DEFAULT_REGION", "Slovenia", "default_region"),
        ("ONEFOLD__LINKING__POLICY_FILE", "policy.toml", "at least 2"),
        ("ONEFOLD__LINKING__MAX_CONTACT_POINTS", "1", "at least 2"),
        ("ONEFOLD__LOG__FILTER", "=;=", "log.filter"),
        ("ONEFOLD__SERVER__RUN_WAIT_S", "30", "limits.request_timeout_s"),
        ("ONEFOLD__LIMITS__REQUEST_TIMEOUT_S", "25", "server.run_wait_s"),
        ("ONEFOLD__DATABASE__ACQUIRE_TIMEOUT_MS", "30000", "limits.request_timeout_s"),
        ("ONEFOLD__REGISTRATION__PUSH_TIMEOUT_MS", "30000", "limits.request_timeout_s"),
        ("ONEFOLD__SERVER__PROT", "1", "ONEFOLD__SERVER__PORT"),
        ("ONEFOLD_SERVER_PORT", "1", "ONEFOLD__SERVER__PORT"),
        ("ONEFOLD__SERVER__HOST", "localhost", "\"localhost\" cannot be used: it takes an IP address"),
        ("ONEFOLD__SYNC__WORKER", "nowhere", "one of `auto`, `inside`, `outside`"),
        ("ONEFOLD__KRATOS__INTERRUPT", "yes", "`true` or `false`"),
        ("ONEFOLD__DATABASE__POOLER", "session", "one of `none`, `transaction`"),
        ("DATABASE_URL", "sqlite:///proc/onefold/x.db?mode=rwc", "folder"),
    ] {
        let output = server(folder.path()).env(variable, value).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{variable}={value}");
        assert_eq!(message.trim().lines().count(), 1, "{message}");
        assert!(message.starts_with("onefold-server: ") && message.contains(expected), "{message}");
    }
}

/// Every key of every section is given a text, a number, a list and a table. What it says then is for a person.
#[test]
fn no_mistake_is_told_in_the_words_of_the_language_it_is_written_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut told = 0;
    for Setting { key, variables, .. } in settings() {
        let variable = &variables[0];
        for value in ["x y", "-1", "1.5", "[1, true]", "{a = 1}", "true"] {
            let output = server(folder.path()).arg("migrate").env(variable, value).output().unwrap();
            if output.status.success() {
                continue;
            }
            let message = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(message.trim().lines().count(), 1, "{variable}={value}: {message}");
            assert!(message.contains(&format!("`{key}`")), "{variable}={value}: {message}");
            let words = message.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_');
            let typed = |word: &&str| {
                [
                    "u8", "u16", "u32", "u64", "usize", "i64", "bool", "struct", "enum", "Vec", "Option",
                    "sequence", "map",
                ]
                .contains(word)
            };
            assert_eq!(words.clone().find(typed), None, "{variable}={value}: {message}");
            told += 1;
        }
    }
    assert!(told > 200, "{told}");
}

/// Kubernetes tells every container of a service that is called onefold.
#[test]
fn names_that_orchestrators_set_are_told_in_the_log_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = server(folder.path());
    command.env("ONEFOLD_PORT", "tcp://10.0.0.1:3000").env("ONEFOLD_SERVICE_HOST", "10.0.0.1");
    command.env("ONEFOLD_PORT_3000_TCP_ADDR", "10.0.0.1").env("ONEFOLD_SERVER_PORT", "tcp://10.0.0.1:3000");
    let output = command.arg("migrate").output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{log}");
    let told = "ONEFOLD_PORT ONEFOLD_PORT_3000_TCP_ADDR ONEFOLD_SERVER_PORT ONEFOLD_SERVICE_HOST";
    assert!(log.lines().filter(|line| line.contains(told)).count() == 1, "{log}");
}

#[test]
fn the_first_signal_ends_it_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = server(folder.path()).spawn().unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert!(line.starts_with("Onefold serves on http://127.0.0.1:"), "{line}");

    let stopped = Command::new("kill").args(["-TERM", &process.id().to_string()]).status().unwrap();
    assert!(stopped.success() && process.wait().unwrap().success());
    let mut log = String::new();
    process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    // Not a terminal, so every line is JSON.
    let last: serde_json::Value = serde_json::from_str(log.trim().lines().last().unwrap()).unwrap();
    assert_eq!(last["message"], "stopped");
    assert!(folder.path().join("data/onefold.db").is_file());
    assert!(!folder.path().join("data/onefold.db-wal").exists(), "the database was closed in order");
}

#[test]
fn commands_print_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let run = |command: &str| {
        let output = server(folder.path()).arg(command).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(run("openapi"), include_str!("../../../docs/openapi.json"));
    assert!(run("policy").contains("[never_link]"));
    assert!(run("migrate").contains("up to date"));
    assert!(run("migrate").contains("up to date"));
}
