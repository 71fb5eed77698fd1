//! The sync worker. It has no jobs yet: connectors bring them. It opens the database, says what it
//! does, and stops when told.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use onefold_persistence::SeaOrmStore;
use onefold_runtime::{LinkingConfig, LogConfig, ProfileConfig, Signals, init_logs, load};
use serde::Deserialize;
use validator::Validate;

/// Onefold's sync worker.
#[derive(Parser)]
#[command(name = "onefold-worker", version, about)]
struct Arguments {
    /// A configuration file in TOML, the same as the server's; the environment outdoes it.
    #[arg(long)]
    config: Option<PathBuf>,
}

/// The worker reads the server's file, so it must know all of its sections.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    #[serde(rename = "server")]
    _server: serde::de::IgnoredAny,
    #[serde(rename = "kratos")]
    _kratos: serde::de::IgnoredAny,
    database: onefold_persistence::Config,
    linking: LinkingConfig,
    profile: ProfileConfig,
    metakocka: onefold_integrations::metakocka::Config,
    log: LogConfig,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.config.as_deref()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("onefold-worker: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(file: Option<&Path>) -> anyhow::Result<()> {
    let config: Config = load(file, |config: &Config| {
        vec![("database", config.database.validate()), ("metakocka", config.metakocka.validate())]
    })?;
    config.linking.policy()?;
    config.profile.rules()?;
    init_logs(&config.log)?;
    let signals = Signals::listen()?;
    let store = SeaOrmStore::connect(&config.database).await?;
    store.migrate().await?;
    println!("Onefold's worker is ready (database: {}).", config.database.url);
    println!("No connector is configured, so there is nothing to sync; it waits for a signal to stop.");
    tracing::info!(database = %config.database.url, jobs = 0, "ready");

    signals.stop_requested().await;
    store.close().await?;
    tracing::info!("stopped");
    Ok(())
}
