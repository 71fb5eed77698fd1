//! Runs the sessions of the README and of the guide to identify against the real server and compares every answer. A page
//! that shows something else than what happens fails here.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

#[test]
fn the_session_of_the_readme_is_true() {
    assert_eq!(walk(include_str!("../../../README.md")), 4, "the session is there");
}

#[test]
fn the_guide_to_identify_is_true() {
    assert_eq!(walk(include_str!("../../../docs/guides/identify.md")), 11, "the session is there");
}

/// How many commands there were.
fn walk(page: &str) -> usize {
    let server = Server::start();
    let mut commands = 0;
    for block in console_blocks(page) {
        for step in block.split("$ ").filter(|step| !step.trim().is_empty()) {
            let (command, expected) = step.split_once('\n').unwrap();
            let command = command.replace("http://127.0.0.1:3000", &server.address);
            let output =
                Command::new("sh").args(["-c", &command]).env("TOKEN", &server.token).output().unwrap();
            assert!(output.status.success(), "{command}: {output:?}");
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), expected.trim(), "{command}");
            commands += 1;
        }
    }
    commands
}

fn console_blocks(page: &str) -> impl Iterator<Item = &str> {
    page.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next())
}

/// The server with a database of its own, gone when dropped.
struct Server {
    process: Child,
    address: String,
    /// The one that the first start prints.
    token: String,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_onefold-server"))
            .current_dir(folder.path())
            .env("PORT", "0")
            .env("ONEFOLD__LOG__FILTER", "warn")
            .env_remove("DATABASE_URL")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let greeting = lines.next().unwrap();
        let address =
            greeting.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        let token = lines.find(|line| line.contains("|onefold_")).unwrap().trim().to_owned();
        Self { process, address, token, _folder: folder }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
