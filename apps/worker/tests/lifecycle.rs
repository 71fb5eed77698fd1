//! The worker starts, says what it does, and stops when told.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[test]
fn it_says_what_it_does_and_stops_on_a_signal() {
    let folder = tempfile::tempdir().unwrap();
    // The server's own section must not disturb it.
    std::fs::write(
        folder.path().join("onefold.toml"),
        "[server]\nport = 3000\n[limits]\n[worker]\nport = 0\n",
    )
    .unwrap();
    for signal in ["-TERM", "-INT"] {
        let mut process = Command::new(env!("CARGO_BIN_EXE_onefold-worker"))
            .args(["--config", "onefold.toml"])
            .current_dir(folder.path())
            .env_remove("DATABASE_URL")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        assert!(
            lines.next().unwrap().unwrap().contains("worker is ready (database: SQLite in data/onefold.db)")
        );
        assert!(lines.next().unwrap().unwrap().contains("/health and /metrics"));
        for (system, setting) in [("MetaKocka", "METAKOCKA_SECRET_KEY"), ("OpenPhone", "OPENPHONE_API_KEY")] {
            let line = lines.next().unwrap().unwrap();
            assert!(line.starts_with(system) && line.contains(setting), "{line}");
            assert!(line.contains("nothing is synced"), "{line}");
        }
        assert!(Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap().success());
        assert!(process.wait().unwrap().success(), "{signal}");
    }
}

/// Without a name all systems that are configured are meant: with none that is a mistake, which names every setting.
#[test]
fn a_comparison_says_which_settings_are_missing() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, told, untold) in [
        (&["plan"][..], "OPENPHONE_API_KEY", "\0"),
        (&["run", "--once"], "METAKOCKA_SECRET_KEY", "\0"),
        (&["plan", "--system", "openphone"], "OPENPHONE_API_KEY", "METAKOCKA"),
        (&["run", "--once", "--system", "metakocka"], "METAKOCKA_SECRET_KEY", "OPENPHONE"),
        (&["plan", "--system", "hubspot"], "metakocka, openphone", "\0"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_onefold-worker"))
            .args(arguments)
            .current_dir(folder.path())
            .env_remove("DATABASE_URL")
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{arguments:?}: {said}");
        assert!(said.contains(told) && !said.contains(untold), "{arguments:?}: {said}");
    }
}
