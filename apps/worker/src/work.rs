//! `onefold-worker run`: unattended, until it is told to stop.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use anyhow::Context;
use onefold_runtime::{Signals, Syncing, describe_gauges, init_metrics};
use onefold_sync::store::SyncStore;
use tokio::sync::watch;

use crate::config::Config;
use crate::{WorkerContext, status};

/// No histogram of the worker's own needs buckets of its own.
const DURATIONS: &str = "onefold_worker_duration_seconds";

pub(crate) async fn run(context: WorkerContext) -> anyhow::Result<()> {
    let WorkerContext { config, store, syncing } = context;
    let metrics = init_metrics(DURATIONS)?;
    describe_gauges();
    let address = SocketAddr::new(config.worker.host, config.worker.port);
    let listener = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    let bound = listener.local_addr()?;
    let shared: Arc<dyn SyncStore> = Arc::new(store.clone());
    let server = status::serve(listener, shared, metrics)?;
    let handle = server.handle();
    let telling = tokio::spawn(server);
    let signals = Signals::listen()?;
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(async move {
        signals.stop_requested().await;
        // Nobody listens any more only when the work has ended by itself.
        let _ = stop.send(true);
    });
    announce(&config, bound, &syncing);
    syncing.tell_unconfigured();

    syncing.worker.work(stopping).await?;
    handle.stop(true).await;
    telling.await?.context("the status server failed")?;
    store.close().await?;
    tracing::info!("stopped");
    Ok(())
}

/// For the person who started it. Whoever reads the output may have gone already, and that is no reason to stop.
fn announce(config: &Config, bound: SocketAddr, syncing: &Syncing) {
    let url = &config.database.url;
    let mut lines = format!(
        "Onefold's worker is ready (database: {url}).\nIt tells how it is on http://{bound}/health and /metrics.\n"
    );
    let (interval, full) = (every(config.sync.interval_s), every(config.sync.full_interval_s));
    for sync in &syncing.syncs {
        let title = sync.system().title();
        lines += &match sync.configured() {
            Ok(()) => format!("{title}: compared {interval}, in full {full}.\n"),
            Err(missing) => format!("{title}: {missing}. Until then nothing is synced with it; jobs wait.\n"),
        };
    }
    let _ = std::io::stdout().write_all(lines.as_bytes());
    let connected: Vec<_> = syncing.connected().map(|sync| sync.system().as_str()).collect();
    tracing::info!(database = %url, address = %bound, connected = connected.join(" "), "ready");
}

fn every(seconds: u64) -> String {
    if seconds == 0 { "only on request".to_owned() } else { format!("every {seconds} s") }
}
