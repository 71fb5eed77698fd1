//! The API server: reads its configuration, opens the database, serves, stops when told.

use std::io::Write;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use onefold_domain::{Acting, Actor, Audit, Imports, SHIPPED_POLICY, SHIPPED_SURVIVORSHIP};
use onefold_runtime::{Signals, init_logs};

use crate::config::Config;

mod assemble;
mod audit;
mod config;
mod import;

/// Onefold's API server. Without a command it serves.
#[derive(Parser)]
#[command(name = "onefold-server", version, about)]
struct Arguments {
    /// A configuration file in TOML; the environment outdoes it.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Bring the database up to date and serve.
    Serve,
    /// Bring the database up to date and stop.
    Migrate,
    /// Print the OpenAPI document.
    Openapi,
    Import(import::ImportArguments),
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Print the link policy that ships with this version.
    Policy,
    /// Print the survivorship rules that ship with this version.
    Survivorship,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("onefold-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Openapi => {
            print!("{}", onefold_api::openapi_document()?);
            Ok(())
        }
        Command::Policy => {
            print!("{SHIPPED_POLICY}");
            Ok(())
        }
        Command::Survivorship => {
            print!("{SHIPPED_SURVIVORSHIP}");
            Ok(())
        }
        Command::Migrate => {
            let config = Config::load(arguments.config.as_deref())?;
            init_logs(&config.log)?;
            let store = assemble::store(&config).await?;
            println!("the database is up to date ({})", config.database.url);
            Ok(store.close().await?)
        }
        Command::Import(import) => {
            let config = Config::load(arguments.config.as_deref())?;
            init_logs(&config.log)?;
            let store = assemble::store(&config).await?;
            let env = assemble::environment(&config, &store)?.acting(Acting::of(Actor::CommandLine));
            let imports = Imports::new(env, config.linking.region()?);
            import::run(&imports, &import).await?;
            Ok(store.close().await?)
        }
        Command::Audit(command) => {
            let config = Config::load(arguments.config.as_deref())?;
            init_logs(&config.log)?;
            let store = assemble::store(&config).await?;
            audit::run(&Audit::new(assemble::environment(&config, &store)?), command).await?;
            Ok(store.close().await?)
        }
        Command::Serve => serve(Config::load(arguments.config.as_deref())?).await,
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    init_logs(&config.log)?;
    // Bound before the database is opened: an occupied port is the commonest mistake.
    let address = config.server.address();
    let listener = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    let store = assemble::store(&config).await?;
    let app = assemble::app(&config, &store)?;
    let bound = listener.local_addr()?;
    let signals = Signals::listen()?;
    let (imports, audit) = (app.imports.clone(), app.audit.clone());
    let server = onefold_api::serve(app, listener, &config.server)?;
    announce(&config, bound);
    // Dropped at the end: what an import did not finish is taken up at the next start, or by another server.
    let importing = tokio::spawn(async move { imports.work().await });
    // The same holds for what waits to be sealed.
    let sealing = tokio::spawn(async move { audit.work().await });

    let handle = server.handle();
    tokio::spawn(async move {
        signals.stop_requested().await;
        handle.stop(true).await;
    });
    server.await.context("the server failed")?;
    importing.abort();
    sealing.abort();
    store.close().await?;
    tracing::info!("stopped");
    Ok(())
}

/// For the person who started it. Whoever reads the output may have gone already, and that is no reason not to
/// serve.
fn announce(config: &Config, bound: std::net::SocketAddr) {
    let lines = format!(
        "Onefold serves on http://{bound}  (docs: /docs, database: {})\n\
         Try:\n  curl -s http://{bound}/identify -H 'Content-Type: application/json' \\\n    \
         -d '{{\"email\":\"lorraine@hillvalley.edu\",\"phoneNumber\":\"123456\"}}'\n",
        config.database.url
    );
    let _ = std::io::stdout().write_all(lines.as_bytes());
    tracing::info!(address = %bound, database = %config.database.url, "serving");
}
