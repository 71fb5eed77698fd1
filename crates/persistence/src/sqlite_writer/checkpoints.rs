//! Moving the log into the file beside the writer. SQLite does it in the commit that makes the log too long, and then
//! the one who commits, and all who wait for the writer, wait for 64 MiB. Done now and then by a reader, without
//! keeping writers waiting, little is left of that.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::sleep;

/// The pause before the next time, if something was written. Each costs a wait for the disk; longer pauses leave more
/// for the writer.
const PACE: Duration = Duration::from_millis(250);

/// Tells that something was committed.
pub(super) struct Checkpoints(Sender<()>);

impl Checkpoints {
    /// Starts the task that does it, on one of the readers. It ends with this value.
    pub(super) fn start(readers: DatabaseConnection) -> Self {
        // One word is enough for any number of commits.
        let (committed, commits) = mpsc::channel(1);
        tokio::spawn(keep_the_log_short(readers, commits));
        Self(committed)
    }

    pub(super) fn committed(&self) {
        let _ = self.0.try_send(());
    }
}

async fn keep_the_log_short(readers: DatabaseConnection, mut commits: Receiver<()>) {
    while commits.recv().await.is_some() {
        sleep(PACE).await;
        // What fails here is left to the writer, who tells of it if it matters.
        if let Err(error) = readers.execute_unprepared("PRAGMA wal_checkpoint(PASSIVE)").await {
            tracing::debug!(%error, "the log was not moved into the file");
        }
    }
}
