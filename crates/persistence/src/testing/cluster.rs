//! A PostgreSQL server that lives no longer than the process that started it, even if that one is
//! killed. A small shell script watches over it (`supervisor.sh`) and notices by a pipe that closes.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

const SUPERVISOR: &str = include_str!("supervisor.sh");

/// What the tests say when there is no PostgreSQL. They do not skip: half of the behaviour would go
/// untested without anybody noticing.
const NOT_INSTALLED: &str = "PostgreSQL's programs were found neither in PATH nor below \
    /usr/lib/postgresql. The tests need them: `apt-get install postgresql`";

/// What is committed survives the server but not the machine. `synchronous_commit = off` would be no
/// faster then, and lose what was committed just before `stop`.
const FAST: [&str; 2] = ["fsync = off", "full_page_writes = off"];

/// A server of its own. Clones share it; the last one takes it away.
#[derive(Clone)]
pub struct PostgresCluster {
    supervisor: Arc<Supervisor>,
}

impl PostgresCluster {
    /// The server that all tests of this process share. The first to ask waits a second for it.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<PostgresCluster> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// One for a test that takes the database away.
    #[must_use]
    pub fn start() -> Self {
        Self { supervisor: Arc::new(Supervisor::start(&FAST)) }
    }

    /// One that writes to the disk like a real one, for benchmarks. `settings` are lines for
    /// postgresql.conf, for example `shared_buffers = 512MB`.
    #[must_use]
    pub fn start_durable(settings: &[&str]) -> Self {
        Self { supervisor: Arc::new(Supervisor::start(settings)) }
    }

    /// Where a database of this server is.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        // The port is named because PGPORT of the environment would be taken otherwise.
        format!("postgres://postgres@localhost:5432/{database}?host={}", self.supervisor.folder)
    }

    /// Where a database of this server is by way of PgBouncer in transaction mode, which the first to ask starts.
    #[must_use]
    pub fn pooled_url(&self, database: &str) -> String {
        self.supervisor.pooler.get_or_init(|| self.supervisor.order("pool"));
        format!("postgres://postgres@localhost:6432/{database}?host={}", self.supervisor.folder)
    }

    /// The folder that is gone when the server is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        Path::new(&self.supervisor.folder)
    }

    /// Ends the server at once, as a crash would: it writes nothing any more.
    pub fn stop(&self) {
        self.supervisor.order("stop");
    }

    /// Starts the server again after `stop`, at the same address and with the same data. Returns when
    /// it takes connections.
    pub fn restart(&self) {
        self.supervisor.order("start");
    }

    /// Drops a database some time later, whoever is still connected.
    pub(super) fn drop_database(&self, name: &str) {
        // If the supervisor is gone, so is the database.
        let _ = writeln!(self.supervisor.dialogue().commands, "drop {name}");
    }
}

struct Supervisor {
    folder: String,
    process: Child,
    /// Full when PgBouncer runs.
    pooler: OnceLock<()>,
    /// Empty only while it is being dropped.
    dialogue: Option<Mutex<Dialogue>>,
}

struct Dialogue {
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Supervisor {
    fn start(settings: &[&str]) -> Self {
        let mut process = command(&programs().expect(NOT_INSTALLED))
            .arg("max_connections = 500")
            .args(settings)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A signal to the test's process group must not end the one that cleans up.
            .process_group(0)
            .spawn()
            .expect("the supervisor of PostgreSQL should start");
        let mut dialogue = Dialogue {
            commands: process.stdin.take().expect("standard input is a pipe"),
            answers: BufReader::new(process.stdout.take().expect("standard output is a pipe")),
        };
        let folder = dialogue.answer().expect("PostgreSQL should start, its log is above");
        Self { folder, process, pooler: OnceLock::new(), dialogue: Some(Mutex::new(dialogue)) }
    }

    fn dialogue(&self) -> MutexGuard<'_, Dialogue> {
        let dialogue = self.dialogue.as_ref().expect("only dropping takes it");
        // A test that panicked while it held the lock left nothing half done.
        dialogue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn order(&self, command: &str) {
        let mut dialogue = self.dialogue();
        writeln!(dialogue.commands, "{command}").expect("the supervisor should be there");
        dialogue.answer().expect("PostgreSQL should obey, its log is above");
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // Closes the pipe, which is the order to clean up.
        drop(self.dialogue.take());
        let _ = self.process.wait();
    }
}

impl Dialogue {
    /// The folder, unless what was asked failed.
    fn answer(&mut self) -> Option<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the supervisor should answer");
        line.trim_end().strip_prefix("done ").map(str::to_owned)
    }
}

/// The supervisor's command. PostgreSQL refuses to run as root, who therefore lends it a user.
fn command(programs: &Path) -> Command {
    let shell = ["sh", "-c", SUPERVISOR, "onefold-postgres"];
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).args(shell);
        command
    } else {
        let mut command = Command::new(shell[0]);
        command.args(&shell[1..]);
        command
    };
    for variable in ["PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGOPTIONS"] {
        command.env_remove(variable);
    }
    command.arg(programs);
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("`id -u` should run");
    id.stdout.trim_ascii() == b"0"
}

/// The folder of initdb and its siblings: that of PATH, or else of the newest version installed.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).find_map(|folder| {
        // PATH often has links to a few of the programs; all of them are where the links lead.
        let initdb = folder.join("initdb").canonicalize().ok()?;
        initdb.parent().map(Path::to_path_buf).filter(|folder| is_complete(folder))
    });
    on_path.or_else(|| {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        let mut versions: Vec<(u32, PathBuf)> = versions
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let version = entry.file_name().to_str()?.parse().ok()?;
                Some((version, entry.path().join("bin")))
            })
            .filter(|(_, folder)| is_complete(folder))
            .collect();
        versions.sort_unstable();
        versions.pop().map(|(_, folder)| folder)
    })
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres", "dropdb"].iter().all(|program| folder.join(program).exists())
}
