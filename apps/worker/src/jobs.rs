//! `onefold-worker jobs`: what waits, what was given up, and another try.

use anyhow::{Context, ensure};
use clap::Subcommand;
use onefold_runtime::Syncing;
use onefold_sync::job::{Job, JobId, JobStatus};
use onefold_sync::jobs::Jobs;

#[derive(Subcommand)]
pub(crate) enum JobsCommand {
    /// Show jobs, oldest first.
    List {
        /// `waiting`, `running` or `dead`.
        #[arg(long, value_parser = status)]
        status: Option<JobStatus>,
    },
    /// Show all that is known of a job.
    Show { id: i64 },
    /// Let jobs that were given up be tried again.
    Replay {
        #[arg(required = true)]
        ids: Vec<i64>,
    },
    /// Remove jobs that nobody is at. What they were to do is left to the next comparison.
    Drop {
        #[arg(required = true)]
        ids: Vec<i64>,
    },
}

/// How many jobs are read at once.
const PAGE: usize = 500;

pub(crate) async fn run(syncing: &Syncing, command: &JobsCommand) -> anyhow::Result<()> {
    let jobs = Jobs::new(syncing.env.clone());
    match command {
        JobsCommand::List { status } => list(&jobs, *status).await,
        JobsCommand::Show { id } => {
            let job = jobs.get(JobId(*id)).await?.with_context(|| format!("there is no job {id}"))?;
            show(&job);
            Ok(())
        }
        JobsCommand::Replay { ids } => {
            for id in ids {
                ensure!(jobs.replay(JobId(*id)).await?, "job {id} is none that was given up");
                eprintln!("job {id} is tried again");
            }
            Ok(())
        }
        JobsCommand::Drop { ids } => {
            for id in ids {
                ensure!(jobs.drop_job(JobId(*id)).await?, "there is no job {id} that nobody is at");
                eprintln!("job {id} is dropped");
            }
            Ok(())
        }
    }
}

async fn list(jobs: &Jobs, status: Option<JobStatus>) -> anyhow::Result<()> {
    println!("ID\tSTATUS\tATTEMPTS\tNOT BEFORE\tWHAT\tLAST ERROR");
    let mut after = None;
    loop {
        let page = jobs.list(status, after, PAGE).await?;
        for job in &page {
            println!(
                "{}\t{}\t{}\t{}\t{}\t{}",
                job.id.0,
                job.status.as_str(),
                job.attempts,
                job.not_before.to_rfc3339(),
                job.kind.key(),
                job.error.as_ref().map_or("-", |error| error.code.as_str()),
            );
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.id),
            _ => return Ok(()),
        }
    }
}

fn show(job: &Job) {
    println!("job {}: {}", job.id.0, job.kind.key());
    println!("status      {}", job.status.as_str());
    println!("attempts    {}", job.attempts);
    println!("not before  {}", job.not_before.to_rfc3339());
    println!("created     {}", job.created_at.to_rfc3339());
    println!("updated     {}", job.updated_at.to_rfc3339());
    if let Some((owner, until)) = job.lease {
        println!("leased      to {owner} until {}", until.to_rfc3339());
    }
    if let Some(error) = &job.error {
        println!("last error  {}: {}", error.code, error.message);
    }
}

fn status(text: &str) -> Result<JobStatus, String> {
    let known = || JobStatus::ALL.map(JobStatus::as_str).join(", ");
    JobStatus::parse(text).ok_or_else(|| format!("a job is {}", known()))
}
