//! The API server: reads its configuration, opens the database, serves, stops when told.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use onefold_domain::policy::SHIPPED_POLICY;
use onefold_domain::survivorship::SHIPPED_SURVIVORSHIP;
use onefold_service::imports::Imports;
use onefold_service::tokens::Tokens;
use onefold_service::trail::Audit;
use onefold_service::users::Users;

use crate::config::Config;

mod assemble;
mod audit;
mod config;
mod import;
mod inside;
mod openphone;
mod serve;
mod token;

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
    /// Make, list and revoke the tokens that callers show.
    #[command(subcommand)]
    Token(token::TokenCommand),
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    #[command(name = "openphone", subcommand)]
    OpenPhone(openphone::OpenPhoneCommand),
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
    let file = arguments.config.as_deref();
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
            let (config, store, _) = assemble::at_a_shell(file).await?;
            println!("the database is up to date ({})", config.database.url);
            Ok(store.close().await?)
        }
        Command::Import(import) => {
            let (config, store, env) = assemble::at_a_shell(file).await?;
            import::run(&Imports::new(env, config.linking.region()?), &import).await?;
            Ok(store.close().await?)
        }
        Command::Token(command) => {
            let (_, store, env) = assemble::at_a_shell(file).await?;
            token::run(&Tokens::new(env.clone()), &Users::new(env), &command).await?;
            Ok(store.close().await?)
        }
        Command::Audit(command) => {
            let (_, store, env) = assemble::at_a_shell(file).await?;
            audit::run(&Audit::new(env), command).await?;
            Ok(store.close().await?)
        }
        Command::OpenPhone(command) => {
            let config = Config::load(file)?;
            onefold_runtime::init_logs(&config.log)?;
            openphone::run(&config, &command).await
        }
        Command::Serve => serve::run(Config::load(file)?).await,
    }
}
