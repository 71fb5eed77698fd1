//! `onefold-worker runs`: what was compared, and a person's word where a brake holds one.

use anyhow::Context;
use clap::Subcommand;
use onefold_runtime::Syncing;
use onefold_service::customers::Customers;
use onefold_sync::run::RunId;
use onefold_sync::runs::Runs;

use crate::compare::{show_items, tell};

#[derive(Subcommand)]
pub(crate) enum RunsCommand {
    /// Show the latest runs, newest first.
    List,
    /// Show a run and all its items.
    Show { id: uuid::Uuid },
    /// Release the brakes of a run that is held; the worker goes on with it.
    Approve { id: uuid::Uuid },
}

/// How many runs are shown.
const LATEST: usize = 50;

pub(crate) async fn run(
    syncing: &Syncing,
    customers: &Customers,
    command: &RunsCommand,
) -> anyhow::Result<()> {
    let runs = Runs::new(syncing.env.clone());
    match command {
        RunsCommand::List => {
            for run in runs.list(None, LATEST).await? {
                print!("{}\t{}\t", run.id.0, run.created_at.to_rfc3339());
                tell(&run);
            }
        }
        RunsCommand::Show { id } => {
            let run = runs.run(RunId(*id)).await?.with_context(|| format!("there is no run {id}"))?;
            tell(&run);
            show_items(&runs, customers, run.id).await?;
        }
        RunsCommand::Approve { id } => {
            let run = runs.approve(RunId(*id)).await?;
            run.with_context(|| format!("there is no run {id} that is held"))?;
            eprintln!("run {id} goes on");
        }
    }
    Ok(())
}
