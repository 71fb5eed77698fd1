//! `onefold-server openphone check`: what is configured, and what the key may do, before anybody registers.

use std::sync::Arc;

use anyhow::ensure;
use clap::Subcommand;
use onefold_integrations::openphone::OpenPhone;
use onefold_service::clock::SystemClock;

use crate::config::Config;

/// Look at the connection to OpenPhone.
#[derive(Subcommand)]
pub(crate) enum OpenPhoneCommand {
    /// Say what is configured and what the key may do. Nothing is changed, there or here. Exit code 1 if contacts cannot be
    /// kept the same.
    Check,
}

/// Needs no database: it may be asked before there is one.
pub(crate) async fn run(config: &Config, command: &OpenPhoneCommand) -> anyhow::Result<()> {
    let OpenPhoneCommand::Check = command;
    let phone = OpenPhone::new(&config.openphone, Arc::new(SystemClock), None, None)?;
    let checked = phone.check_connection(&config.openphone).await;
    for check in &checked.checks {
        let mark = if check.is_fault { "FAULT" } else { "ok" };
        println!("{mark}\t{}\t{}", check.what, check.found);
    }
    ensure!(checked.is_well(), "OpenPhone cannot be used like this");
    Ok(())
}
