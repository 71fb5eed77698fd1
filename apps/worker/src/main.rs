//! The sync worker: does the jobs that changes promise, compares both sides again and again, and lets an operator
//! look at and repeat what failed.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use onefold_persistence::SeaOrmStore;
use onefold_runtime::{Syncing, init_logs};
use onefold_service::actor::{Acting, Actor};
use onefold_service::clock::{SystemClock, SystemRandomness};
use onefold_service::customers::Customers;
use onefold_service::system::SyncSystem;
use onefold_sync::environment::SyncEnvironment;

use crate::config::Config;

mod compare;
mod config;
mod jobs;
mod runs;
mod status;
mod systems;
mod work;

/// Onefold's sync worker. Without a command it works until it is told to stop.
#[derive(Parser)]
#[command(name = "onefold-worker", version, about)]
struct Arguments {
    /// A configuration file in TOML, the same as the server's; the environment outdoes it.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Do jobs and compare both sides, until a signal.
    Run {
        /// Compare both sides now, do all jobs that are due, and stop.
        #[arg(long)]
        once: bool,
        /// With `--once`: look at every field, also where nothing seems to have changed.
        #[arg(long, requires = "once")]
        full: bool,
        /// With `--once`: this system only, instead of all that are configured.
        #[arg(long, requires = "once", value_parser = systems::parse)]
        system: Option<SyncSystem>,
    },
    /// Show what a comparison would do, field by field, and do nothing.
    Plan {
        /// Look at every field, also where nothing seems to have changed.
        #[arg(long)]
        full: bool,
        /// This system only, instead of all that are configured.
        #[arg(long, value_parser = systems::parse)]
        system: Option<SyncSystem>,
    },
    /// Look at jobs, replay or drop those that were given up.
    #[command(subcommand)]
    Jobs(jobs::JobsCommand),
    /// Look at runs, and release one that a brake holds.
    #[command(subcommand)]
    Runs(runs::RunsCommand),
}

/// The database, and what syncs it.
struct WorkerContext {
    config: Config,
    store: SeaOrmStore,
    syncing: Syncing,
}

impl WorkerContext {
    fn customers(&self) -> anyhow::Result<Customers> {
        Ok(Customers::new(self.syncing.env.base.clone(), Arc::new(self.config.profile.rules()?)))
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("onefold-worker: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let file = arguments.config.as_deref();
    match arguments.command.unwrap_or(Command::Run { once: false, full: false, system: None }) {
        Command::Run { once: false, .. } => work::run(open(file, Actor::Program).await?).await,
        Command::Run { once: true, full, system } => {
            let context = open(file, Actor::CommandLine).await?;
            compare::once(&context.syncing, system, full).await?;
            Ok(context.store.close().await?)
        }
        Command::Plan { full, system } => {
            let context = open(file, Actor::CommandLine).await?;
            compare::plan(&context.syncing, &context.customers()?, system, full).await?;
            Ok(context.store.close().await?)
        }
        Command::Jobs(command) => {
            let context = open(file, Actor::CommandLine).await?;
            jobs::run(&context.syncing, &command).await?;
            Ok(context.store.close().await?)
        }
        Command::Runs(command) => {
            let context = open(file, Actor::CommandLine).await?;
            runs::run(&context.syncing, &context.customers()?, &command).await?;
            Ok(context.store.close().await?)
        }
    }
}

/// Reads the configuration, opens the database and brings it up to date.
async fn open(file: Option<&Path>, actor: Actor) -> anyhow::Result<WorkerContext> {
    let config = Config::load(file)?;
    init_logs(&config.log)?;
    let store = SeaOrmStore::connect(&config.database).await?;
    store.migrate().await?;
    let policy = Arc::new(config.linking.policy()?);
    let (clock, randomness) = (Arc::new(SystemClock), Arc::new(SystemRandomness));
    let env =
        SyncEnvironment::new(Arc::new(store.clone()), policy, clock, randomness).acting(Acting::of(actor));
    let syncing = config.sync.assemble(env, &config.metakocka, &config.openphone, config.profile.rules()?)?;
    Ok(WorkerContext { config, store, syncing })
}
