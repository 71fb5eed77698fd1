//! Stopping: the first signal asks to finish what runs, the second leaves at once.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The exit code of a program that was told twice, as shells report an interrupt.
const INTERRUPTED: i32 = 130;

/// SIGINT and SIGTERM.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Takes the signals over from now on.
    ///
    /// # Errors
    /// A system that does not let go of them.
    pub fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Returns at the first signal. From then on a second one ends the process.
    pub async fn stop_requested(mut self) {
        self.next().await;
        tracing::info!("stopping; once more to leave at once");
        tokio::spawn(async move {
            self.next().await;
            tracing::warn!("leaving at once");
            std::process::exit(INTERRUPTED);
        });
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
