//! What may be the matter with a server's storage, for a while.

use std::process::Command;

use onefold_persistence::testing::SmallDisk;

use crate::server::Server;

pub(crate) enum Fault {
    /// `SQLITE_FULL`, mostly while committing.
    FullDisk(SmallDisk),
    /// The system refuses what is written behind the first page of any file: `SQLITE_IOERR`.
    FailingWrites,
}

impl Fault {
    pub(crate) fn begins(&self, server: &Server) {
        match self {
            Self::FullDisk(disk) => disk.fill(),
            Self::FailingWrites => limit_files(server, "4096:"),
        }
    }

    pub(crate) fn ends(&self, server: &Server) {
        match self {
            Self::FullDisk(disk) => disk.free(),
            Self::FailingWrites => limit_files(server, "unlimited:"),
        }
    }
}

/// Sets the soft limit of a running process, which takes no rights.
fn limit_files(server: &Server, limit: &str) {
    let process = server.process().to_string();
    let set = Command::new("prlimit").args(["--pid", &process, &format!("--fsize={limit}")]).status();
    assert!(set.unwrap().success(), "`prlimit` of util-linux should run");
}
