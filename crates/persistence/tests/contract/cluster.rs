//! The throw-away server itself: if it outlived its tests, machines would fill up with them.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use onefold_persistence::testing::PostgresCluster;

/// Makes the test below hold a server until it is killed, instead of passing at once.
const HOLD: &str = "ONEFOLD_TEST_HOLD_CLUSTER";

#[test]
fn ends_with_a_process_that_is_killed() {
    let program = std::env::current_exe().expect("the path of this program");
    let mut holder = Command::new(program)
        .args(["--exact", "cluster::holds_a_server_when_told_to", "--nocapture"])
        .env(HOLD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("this program should start again");
    let output = BufReader::new(holder.stdout.take().expect("a pipe"));
    let folder = output
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.split_once("server in ").map(|(_, folder)| folder.to_owned()))
        .expect("the holder should say where its server is");
    assert!(Path::new(&folder).join("data/postmaster.pid").exists());

    holder.kill().expect("the holder should die"); // SIGKILL
    holder.wait().expect("the holder should be gone");
    // The supervisor shares this pipe, so its end is the supervisor's end.
    let mut rest = String::new();
    holder.stderr.take().expect("a pipe").read_to_string(&mut rest).expect("a pipe that ends");
    assert!(!Path::new(&folder).exists(), "{folder} is still there: {rest}");
}

#[test]
fn holds_a_server_when_told_to() {
    if std::env::var_os(HOLD).is_some() {
        let cluster = PostgresCluster::start();
        println!("server in {}", cluster.folder().display());
        let _ = std::io::stdin().read(&mut [0]);
    }
}
