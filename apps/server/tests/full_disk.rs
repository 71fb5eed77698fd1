//! A disk that is full, as an operator meets it: what callers, readiness and the log say, what an import says, and that
//! all of it ends by itself. Without the right to mount a small disk, files that may not grow stand in for it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use onefold_integrations::tls::client_builder;
use onefold_persistence::testing::{SmallDisk, count};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{interval, timeout};

/// More than a 24 MB disk takes.
const ROWS: usize = 30_000;

#[tokio::test]
async fn nothing_that_was_answered_is_lost_and_everybody_is_told() {
    let place = Place::new();
    let server = Server::start(&place);
    let before = server.identify(0..20).await;
    assert_eq!(before, [StatusCode::OK; 20]);

    place.fail(&server);
    let during = server.identify(20..120).await;
    let refused = during.iter().filter(|status| **status == StatusCode::SERVICE_UNAVAILABLE).count();
    assert!(refused > 50, "{during:?}");
    assert!(during.iter().all(|status| [200, 503].contains(&status.as_u16())), "{during:?}");
    let code = place.code();
    assert_eq!(
        server.contact("refused@hillvalley.edu").await,
        (StatusCode::SERVICE_UNAVAILABLE, code.into())
    );
    let ready = server.get("/health/ready").await;
    assert_eq!((ready.0, &ready.1["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(code)));
    assert_eq!(server.get("/health/live").await.0, StatusCode::OK);

    place.work(&server);
    server.ready_again().await;
    let (created, _) = server.contact("accepted@hillvalley.edu").await;
    assert_eq!(created, StatusCode::CREATED);
    let after = server.identify(120..140).await;
    assert_eq!(after, [StatusCode::OK; 20]);

    let log = server.log();
    let told = log.lines().filter(|line| line.contains("nothing can be stored")).count();
    // A small write may fit where a larger one did not, but the log does not grow with the requests.
    assert!((1..=refused / 4).contains(&told), "{told} times:\n{log}");
    drop(server);
    let restarted = Server::start(&place);
    let statuses = [before, during, after].concat();
    for (number, _) in statuses.iter().enumerate().filter(|(_, status)| **status == StatusCode::OK) {
        assert_eq!(restarted.found(&person(number)).await, 1, "customer {number} was answered and is gone");
    }
    assert_eq!(restarted.found("accepted@hillvalley.edu").await, 1);
    assert_eq!(restarted.found("refused@hillvalley.edu").await, 0);
}

/// The command counts what is stored and no row more, and a server that finds space goes on with the rest.
#[tokio::test]
async fn an_import_that_finds_no_space_is_honest_and_goes_on_later() {
    let place = Place::new();
    let people = place.folder.path().join("people.csv");
    let rows: String =
        (0..ROWS).map(|row| format!("{},+1202{:07}\n", person(row), 2_000_000 + row)).collect();
    std::fs::write(&people, format!("email,phone\n{rows}")).unwrap();

    let output = place.limited_command(&["import", people.to_str().unwrap()]).output().unwrap();
    let (said, error) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(1), "{said}{error}");
    let last = error.trim().lines().last().unwrap();
    assert!(last.contains("the import was interrupted") && last.contains(place.reason()), "{error}");
    let created = said.split(": ").nth(1).unwrap().split(" created").next().unwrap().replace(',', "");
    let created: usize = created.parse().unwrap();
    assert!(created > 0 && created < ROWS, "{said}");

    // Elsewhere, with space for all of it.
    let roomy = place.moved();
    assert_eq!(roomy.contacts().await, created, "{said}");
    let server = Server::start(&roomy);
    let done = async {
        let mut pace = interval(Duration::from_millis(200));
        while roomy.contacts().await < ROWS {
            pace.tick().await;
        }
    };
    timeout(Duration::from_secs(120), done).await.expect("the server should go on with the import");
    drop(server);
    assert_eq!(roomy.contacts().await, ROWS);
}

fn person(number: usize) -> String {
    format!("m{number}@hillvalley.edu")
}

/// Where a database is, and how it is made to fail.
struct Place {
    folder: TempDir,
    disk: Option<SmallDisk>,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), disk: SmallDisk::mount(24) }
    }

    /// A copy of this database, on the disk on which the other tests have theirs.
    fn moved(&self) -> Self {
        let moved = Self { folder: tempfile::tempdir().unwrap(), disk: None };
        for suffix in ["", "-wal"] {
            let name = format!("onefold.db{suffix}");
            let from = self.file().with_file_name(&name);
            if from.exists() {
                std::fs::copy(from, moved.folder.path().join(&name)).unwrap();
            }
        }
        moved
    }

    fn file(&self) -> PathBuf {
        self.disk.as_ref().map_or(self.folder.path(), SmallDisk::folder).join("onefold.db")
    }

    fn code(&self) -> &'static str {
        if self.disk.is_some() { "storage_full" } else { "storage_failed" }
    }

    fn reason(&self) -> &'static str {
        if self.disk.is_some() { "disk is full" } else { "storage fails" }
    }

    fn command(&self, before: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("/bin/sh");
        let program = env!("CARGO_BIN_EXE_onefold-server");
        command.args(["-c", &format!("trap '' XFSZ; {before} exec \"$0\" \"$@\""), program]).args(arguments);
        // No setting of the machine may change what is tested.
        command.env_clear().env("PORT", "0").env("ONEFOLD__LOG__FILTER", "warn");
        command.env("DATABASE_URL", format!("sqlite:{}?mode=rwc", self.file().display()));
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(Stdio::piped());
        command
    }

    /// One that finds no space at last: on the small disk, or where a file may have 8 MB.
    fn limited_command(&self, arguments: &[&str]) -> Command {
        self.command(if self.disk.is_some() { "" } else { "ulimit -f 16384;" }, arguments)
    }

    fn fail(&self, server: &Server) {
        match &self.disk {
            Some(disk) => disk.fill(),
            None => limit_files(server, "65536:"),
        }
    }

    fn work(&self, server: &Server) {
        match &self.disk {
            Some(disk) => disk.free(),
            None => limit_files(server, "unlimited:"),
        }
    }

    /// What another program reads in the file.
    async fn contacts(&self) -> usize {
        let url = format!("sqlite://{}", self.file().display());
        usize::try_from(count(&url, "SELECT COUNT(*) FROM contact").await).unwrap()
    }
}

/// Sets the soft limit of a running process, which takes no rights.
fn limit_files(server: &Server, limit: &str) {
    let process = server.process.id().to_string();
    let set = Command::new("prlimit").args(["--pid", &process, &format!("--fsize={limit}")]).status();
    assert!(set.unwrap().success(), "`prlimit` of util-linux should run");
}

struct Server {
    process: Child,
    address: String,
    token: String,
    log: PathBuf,
    http: Client,
    _output: BufReader<ChildStdout>,
}

impl Server {
    fn start(place: &Place) -> Self {
        let token_file = place.folder.path().join("token");
        let log = place.folder.path().join(format!("log-{}", fastrand::u64(..)));
        let mut command = place.command("", &["serve"]);
        let mut process = command.stderr(File::create(&log).unwrap()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut lines = Vec::new();
        let first = !token_file.exists();
        // Address, three lines with an example, and, at the first start, two with the token.
        for _ in 0..if first { 6 } else { 4 } {
            let mut line = String::new();
            output.read_line(&mut line).unwrap();
            lines.push(line.trim().to_owned());
        }
        let words = lines[0].strip_prefix("Onefold serves on ").unwrap_or_default();
        let address = words.split_whitespace().next().unwrap_or_default().to_owned();
        if first {
            std::fs::write(&token_file, &lines[5]).unwrap();
        }
        let token = std::fs::read_to_string(&token_file).unwrap();
        let http = client_builder().unwrap().build().unwrap();
        let server = Self { process, address, token, log, http, _output: output };
        assert!(server.address.starts_with("http://"), "{lines:?}{}", server.log());
        server
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// One after the other; the status of each.
    async fn identify(&self, people: std::ops::Range<usize>) -> Vec<StatusCode> {
        let mut statuses = Vec::new();
        for number in people {
            let body = json!({"email": person(number)});
            statuses.push(self.post("/identify", &body).await.0);
        }
        statuses
    }

    async fn contact(&self, email: &str) -> (StatusCode, Value) {
        let (status, body) =
            self.post("/contacts", &json!({"kind": "email", "value": email, "source": "order"})).await;
        (status, body["code"].clone())
    }

    async fn found(&self, email: &str) -> usize {
        let (_, body) = self.get(&format!("/contacts?value={}", email.replace('@', "%40"))).await;
        body["contacts"].as_array().map_or_else(|| panic!("{body}"), Vec::len)
    }

    async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = self.http.post(format!("{}{path}", self.address)).bearer_auth(self.token.trim());
        let response = request.json(body).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let request = self.http.get(format!("{}{path}", self.address)).bearer_auth(self.token.trim());
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    async fn ready_again(&self) {
        let ready = async {
            let mut pace = interval(Duration::from_millis(50));
            while self.get("/health/ready").await.0 != StatusCode::OK {
                pace.tick().await;
            }
        };
        timeout(Duration::from_secs(20), ready).await.expect("readiness should come back by itself");
    }
}

impl Drop for Server {
    /// `kill -9`: nothing is put in order.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
