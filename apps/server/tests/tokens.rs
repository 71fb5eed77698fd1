//! Tokens as an operator meets them: printed once at the first start, made in a shell, refused when revoked.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use onefold_integrations::tls::client_builder;
use onefold_persistence::testing::TestDatabase;
use reqwest::Method;

/// The program in a folder and on a database of its own.
struct Machine {
    folder: tempfile::TempDir,
    database: TestDatabase,
}

/// A server that is killed with this value.
struct Server {
    process: Child,
    /// The lines that it greets with, up to the one that a token would be on.
    greeting: Vec<String>,
}

impl Machine {
    fn on(database: TestDatabase) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database }
    }

    fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onefold-server"));
        command.current_dir(self.folder.path()).env("DATABASE_URL", self.database.url());
        command.env("PORT", "0").env_remove("ONEFOLD_CONFIG");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.program().args(arguments).output().unwrap()
    }

    fn token(&self, arguments: &[&str]) -> String {
        let output = self.run(&[&["token", "create"], arguments].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Serves until the log says so.
    fn serve(&self) -> Server {
        let mut process = self.program().spawn().unwrap();
        let log = BufReader::new(process.stderr.take().unwrap());
        assert!(log.lines().any(|line| line.unwrap().contains("\"serving\"")), "it did not start");
        // The greeting was written before, and the pipe holds it.
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let available = String::from_utf8(output.fill_buf().unwrap().to_vec()).unwrap();
        Server { process, greeting: available.lines().map(str::to_owned).collect() }
    }
}

impl Server {
    fn address(&self) -> &str {
        self.greeting[0].split_whitespace().find(|word| word.starts_with("http://")).unwrap()
    }

    fn token(&self) -> Option<&str> {
        self.greeting.iter().map(|line| line.trim()).find(|line| line.contains("|onefold_"))
    }

    async fn status(&self, token: &str, method: Method, path: &str) -> u16 {
        let request =
            client_builder().unwrap().build().unwrap().request(method, format!("{}{path}", self.address()));
        request.bearer_auth(token).send().await.unwrap().status().as_u16()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn the_first_start_prints_a_token_once_on_sqlite() {
    first_start(&Machine::on(TestDatabase::sqlite())).await;
}

#[tokio::test]
async fn the_first_start_prints_a_token_once_on_postgres() {
    first_start(&Machine::on(TestDatabase::postgres().await)).await;
}

async fn first_start(machine: &Machine) {
    let server = machine.serve();
    let token = server.token().expect("a token").to_owned();
    assert_eq!(server.status(&token, Method::GET, "/tokens").await, 200);
    assert_eq!(server.status("1|guessed", Method::GET, "/tokens").await, 401);
    drop(server);

    let server = machine.serve();
    assert_eq!(server.token(), None, "once");
    assert_eq!(server.status(&token, Method::GET, "/tokens").await, 200);
    // Revoked by another process, and worth nothing in this one.
    let id = token.split('|').next().unwrap();
    assert!(machine.run(&["token", "revoke", id]).status.success());
    assert_eq!(server.status(&token, Method::GET, "/tokens").await, 401);
    assert!(!machine.run(&["token", "revoke", id]).status.success(), "there is none any more");
    drop(server);
    assert_eq!(machine.serve().token(), None, "whoever revoked it meant to");
}

#[tokio::test]
async fn a_token_is_made_in_a_shell() {
    let machine = Machine::on(TestDatabase::sqlite());
    let token = machine.token(&["--name", "ci", "--ability", "contacts:read", "--ability", "identify"]);
    let server = machine.serve();
    assert_eq!(server.token(), None, "there was one already");
    assert_eq!(server.status(&token, Method::GET, "/contacts").await, 200);
    assert_eq!(server.status(&token, Method::GET, "/customers?query=doc").await, 403);

    let listed = String::from_utf8(machine.run(&["token", "list"]).stdout).unwrap();
    let secret = token.split('|').nth(1).unwrap();
    assert!(listed.contains("ci\tidentify,contacts:read") && !listed.contains(secret), "{listed}");
    for arguments in [
        &["--name", "x"][..],
        &["--name", "x", "--ability", "contacts"],
        &["--name", "", "--ability", "*"],
        &["--name", "x", "--ability", "*", "--user", "0198f3a1-7c1e-7bd0-a9a4-0f5b6f3b6c11"],
    ] {
        let output = machine.run(&[&["token", "create"], arguments].concat());
        assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}: {output:?}");
    }
}

#[tokio::test]
async fn another_address_needs_a_token_first() {
    let machine = Machine::on(TestDatabase::sqlite());
    let elsewhere = |command: &mut Command| -> Output {
        command.env("ONEFOLD__SERVER__HOST", "0.0.0.0").output().unwrap()
    };
    let refused = elsewhere(&mut machine.program());
    let message = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success());
    assert!(message.contains("0.0.0.0") && message.contains("token create"), "{message}");

    let token = machine.token(&["--name", "shop", "--ability", "identify"]);
    let mut command = machine.program();
    command.env("ONEFOLD__SERVER__HOST", "0.0.0.0");
    let mut process = command.spawn().unwrap();
    let log = BufReader::new(process.stderr.take().unwrap());
    assert!(log.lines().any(|line| line.unwrap().contains("\"serving\"")), "it did not start");
    let mut greeting = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
    let server = Server { process, greeting: vec![greeting.replace("0.0.0.0", "127.0.0.1")] };
    let identify = client_builder().unwrap().build().unwrap().post(format!("{}/identify", server.address()));
    let identify = identify.header("Content-Type", "application/json").body(r#"{"email":"a@example.com"}"#);
    let bare = identify.try_clone().unwrap().send().await.unwrap();
    assert_eq!(bare.status().as_u16(), 401);
    assert_eq!(identify.bearer_auth(token).send().await.unwrap().status().as_u16(), 200);
}
