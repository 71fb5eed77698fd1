//! `onefold-worker run`: unattended, until it is told to stop.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use anyhow::Context;
use onefold_domain::Store;
use onefold_runtime::{Signals, describe_sync_gauges, init_metrics};
use tokio::sync::watch;

use crate::Desk;
use crate::config::Config;
use crate::status;

/// No histogram of the worker's own needs buckets of its own.
const DURATIONS: &str = "onefold_worker_duration_seconds";

pub(crate) async fn run(desk: Desk) -> anyhow::Result<()> {
    let Desk { config, store, syncing } = desk;
    let metrics = init_metrics(DURATIONS)?;
    describe_sync_gauges();
    let address = SocketAddr::new(config.worker.host, config.worker.port);
    let listener = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    let bound = listener.local_addr()?;
    let shared: Arc<dyn Store> = Arc::new(store.clone());
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
    let configured = syncing.metakocka.configured();
    announce(&config, bound, configured.as_ref().err().map(ToString::to_string).as_deref());

    syncing.worker.work(stopping).await?;
    handle.stop(true).await;
    telling.await?.context("the status server failed")?;
    store.close().await?;
    tracing::info!("stopped");
    Ok(())
}

/// For the person who started it. Whoever reads the output may have gone already, and that is no reason to stop.
fn announce(config: &Config, bound: SocketAddr, missing: Option<&str>) {
    let url = &config.database.url;
    let mut lines = format!(
        "Onefold's worker is ready (database: {url}).\nIt tells how it is on http://{bound}/health and /metrics.\n"
    );
    lines += &match missing {
        Some(missing) => format!("MetaKocka: {missing}. Until then nothing is synced; jobs wait.\n"),
        None => format!(
            "MetaKocka: compared {}, in full {}.\n",
            every(config.sync.interval_s),
            every(config.sync.full_interval_s)
        ),
    };
    let _ = std::io::stdout().write_all(lines.as_bytes());
    tracing::info!(database = %url, address = %bound, metakocka = missing.is_none(), "ready");
}

fn every(seconds: u64) -> String {
    if seconds == 0 { "only on request".to_owned() } else { format!("every {seconds} s") }
}
