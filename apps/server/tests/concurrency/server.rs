//! The real server in a process of its own.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;

/// A process that ends with this value.
pub(crate) struct Server {
    address: String,
    process: Child,
    folder: TempDir,
    /// A server that cannot print would fail.
    _output: BufReader<ChildStdout>,
}

impl Server {
    /// Returns when it serves.
    pub(crate) async fn start(database: String) -> Self {
        tokio::task::spawn_blocking(move || Self::spawn(&database)).await.unwrap()
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn process(&self) -> u32 {
        self.process.id()
    }

    /// `kill -9`: whatever it was doing, it does nothing any more.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn spawn(database: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        // A file that may not grow is an error to the server, and not its end.
        let mut process = Command::new("/bin/sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\"", env!("CARGO_BIN_EXE_onefold-server")])
            // No setting of the machine may change what is tested.
            .env_clear()
            .env("PORT", "0")
            .env("DATABASE_URL", database)
            .env("ONEFOLD__LOG__FILTER", "warn")
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let words = line.strip_prefix("Onefold serves on ").unwrap_or_default();
        let address = words.split_whitespace().next().unwrap_or_default().to_owned();
        let server = Self { address, process, folder, _output: output };
        assert!(server.address.starts_with("http://"), "the server did not start: {line}{}", server.log());
        server
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            println!("log of {}:\n{}", self.address, self.log());
        }
    }
}
