//! The worker inside the server: on SQLite one command is the whole system.

use std::sync::Arc;
use std::time::Duration;

use onefold_runtime::{Syncing, WorkerPlace, refresh_gauges};
use onefold_sync::store::SyncStore;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::config::Config;

/// How often the gauges are read anew.
const GAUGES: Duration = Duration::from_secs(15);

/// What runs beside the requests.
pub(crate) struct Inside {
    stop: watch::Sender<bool>,
    working: Option<JoinHandle<()>>,
    gauging: JoinHandle<()>,
}

/// Starts the worker where the configuration wants it, and in any case what its metrics need.
pub(crate) fn start(config: &Config, syncing: &Syncing) -> Inside {
    let (stop, stopping) = watch::channel(false);
    let inside = match config.sync.worker {
        WorkerPlace::Auto => config.database.url.is_sqlite(),
        WorkerPlace::Inside => true,
        WorkerPlace::Outside => false,
    };
    let configured = syncing.connected().next().is_some();
    let working = (inside && configured).then(|| {
        tracing::info!(interval_s = config.sync.interval_s, "the worker runs inside the server");
        let worker = syncing.worker.clone();
        tokio::spawn(async move {
            // The database may be away at the start; a worker that gave up would be missed for days.
            let mut told = false;
            while let Err(error) = worker.work(stopping.clone()).await {
                if !told {
                    tracing::warn!(error = %error, "the worker could not start; this is tried every 5 s");
                    told = true;
                }
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        })
    });
    Inside { stop, working, gauging: tokio::spawn(gauge(Arc::clone(&syncing.env.store))) }
}

async fn gauge(store: Arc<dyn SyncStore>) {
    let mut ticks = interval(GAUGES);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = refresh_gauges(&store).await {
            tracing::debug!(error = %error, "the gauges were not read anew");
        }
    }
}

impl Inside {
    /// Lets the worker finish what runs.
    pub(crate) async fn finish(self) {
        self.gauging.abort();
        let _ = self.stop.send(true);
        if let Some(working) = self.working
            && let Err(error) = working.await
        {
            tracing::warn!(error = %error, "the worker ended badly");
        }
    }
}
