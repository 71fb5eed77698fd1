//! A machine with the program on it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use onefold_integrations::tls::client_builder;
use onefold_persistence::testing::TestDatabase;
use reqwest::Method;

/// The program in a folder and on a database of its own.
pub(crate) struct Machine {
    folder: tempfile::TempDir,
    pub(crate) database: TestDatabase,
}

/// A server that is killed with this value.
pub(crate) struct Server {
    pub(crate) process: Child,
    /// The lines that it greets with, up to the one that a token would be on.
    pub(crate) greeting: Vec<String>,
}

impl Machine {
    pub(crate) fn on(database: TestDatabase) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database }
    }

    pub(crate) fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onefold-server"));
        command.current_dir(self.folder.path()).env("DATABASE_URL", self.database.url());
        command.env("PORT", "0").env_remove("ONEFOLD_CONFIG");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.program().args(arguments).output().unwrap()
    }

    pub(crate) fn token(&self, arguments: &[&str]) -> String {
        let output = self.run(&[&["token", "create"], arguments].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Serves until the log says so.
    pub(crate) fn serve(&self) -> Server {
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
    pub(crate) fn address(&self) -> &str {
        self.greeting[0].split_whitespace().find(|word| word.starts_with("http://")).unwrap()
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.greeting.iter().map(|line| line.trim()).find(|line| line.contains("|onefold_"))
    }

    pub(crate) async fn status(&self, token: &str, method: Method, path: &str) -> u16 {
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
