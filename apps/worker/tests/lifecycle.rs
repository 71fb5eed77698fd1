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
        let missing = lines.next().unwrap().unwrap();
        assert!(
            missing.contains("METAKOCKA_SECRET_KEY") && missing.contains("nothing is synced"),
            "{missing}"
        );
        assert!(Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap().success());
        assert!(process.wait().unwrap().success(), "{signal}");
    }
}
