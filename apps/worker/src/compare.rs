//! `onefold-worker run --once` and `plan`: one comparison of both sides, watched by a person or a timer.

use std::time::Duration;

use anyhow::{Context, ensure};
use indicatif::{HumanCount, ProgressBar};
use onefold_domain::profile::ProfileField;
use onefold_runtime::Syncing;
use onefold_service::customers::Customers;
use onefold_service::error::RecordError;
use onefold_service::system::SyncSystem;
use onefold_sync::run::{Run, RunId, RunItem, RunKind, RunStatus};
use onefold_sync::runner::Runner;
use onefold_sync::runs::Runs;
use onefold_sync::synchroniser::Synchroniser;
use serde_json::Value;

use crate::systems;

/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// How many items are read at once.
const PAGE: usize = 500;

/// Compares with each system that is meant, and then does all jobs that are due. One that fails keeps none of the others.
pub(crate) async fn once(syncing: &Syncing, system: Option<SyncSystem>, full: bool) -> anyhow::Result<()> {
    let mut compared = Vec::new();
    for sync in systems::meant(syncing, system)? {
        compared.push((sync.system(), compare(syncing, sync, full, false).await));
    }
    let jobs = syncing.worker.work_once().await?;
    let mut failures = Vec::new();
    for (system, result) in compared {
        match result {
            Ok(run) => {
                tell(&run);
                failures.extend(failure(&run));
            }
            Err(error) => failures.push(format!("{}: {error:#}", system.title())),
        }
    }
    if jobs > 0 {
        println!("{} more {} done", HumanCount(jobs), if jobs == 1 { "job" } else { "jobs" });
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

/// Shows of each system that is meant what a comparison would do.
pub(crate) async fn plan(
    syncing: &Syncing,
    customers: &Customers,
    system: Option<SyncSystem>,
    full: bool,
) -> anyhow::Result<()> {
    for sync in systems::meant(syncing, system)? {
        let run = compare(syncing, sync, full, true).await?;
        show_items(&Runs::new(syncing.env.clone()), customers, run.id).await?;
        tell(&run);
    }
    Ok(())
}

/// Why a run is not what it should be at the end.
fn failure(run: &Run) -> Option<String> {
    let why = run.message.as_deref().unwrap_or("no reason is known");
    let told = format!("{}: the run is {}: {why}", run.system.title(), run.status.as_str());
    match run.status {
        RunStatus::Completed => None,
        RunStatus::Held => {
            let id = run.id.0;
            Some(format!("{told} Look at it with `onefold-worker runs show {id}`, then approve it."))
        }
        _ => Some(told),
    }
}

async fn compare(syncing: &Syncing, sync: &Synchroniser, full: bool, dry_run: bool) -> anyhow::Result<Run> {
    let runner = Runner::new(sync.clone());
    let runs = &runner.runs;
    let kind = if full { RunKind::CompareFull } else { RunKind::Compare };
    let run = runner.request(kind, &[], dry_run).await?;
    // Hidden by itself where nobody looks on.
    let bar = ProgressBar::new_spinner();
    let watching = async {
        loop {
            tokio::time::sleep(LOOK).await;
            if let Ok(Some(run)) = runs.run(run.id).await {
                bar.set_message(counted(&run));
                bar.tick();
                if run.status.rests() {
                    return;
                }
            }
        }
    };
    let carrying = async {
        syncing.worker.execute(run.id).await?;
        anyhow::Ok(())
    };
    tokio::pin!(carrying, watching);
    // Another worker on the same database may have been quicker to take it; then it is watched to its end.
    tokio::select! {
        () = &mut watching => {}
        done = &mut carrying => {
            done?;
            let now = runs.run(run.id).await?.context("the run is gone")?;
            ensure!(now.started_at.is_none() || now.status.rests() || now.message.is_none(),
                "the run {}", now.message.unwrap_or_default());
            if !now.status.rests() {
                watching.await;
            }
        }
    }
    bar.finish_and_clear();
    runs.run(run.id).await?.context("the run is gone")
}

/// The items of a run, with what would be written: a line for each write, which says by itself whom it is about.
pub(crate) async fn show_items(runs: &Runs, customers: &Customers, id: RunId) -> anyhow::Result<()> {
    let mut from = 0;
    loop {
        let items = runs.items(id, from, PAGE).await?;
        let Some(last) = items.last() else { return Ok(()) };
        from = last.position + 1;
        for item in &items {
            show(item, whom(customers, item).await?.as_deref());
        }
    }
}

/// The name and the first email or phone of the customer that an item is about.
async fn whom(customers: &Customers, item: &RunItem) -> anyhow::Result<Option<String>> {
    let Some(id) = item.outcome.as_ref().and_then(|outcome| outcome.customer) else { return Ok(None) };
    let view = match customers.customer(id).await {
        Ok(view) => view,
        Err(RecordError::NoSuchCustomer) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let name = view.full_name().or_else(|| view.profile.text(ProfileField::CompanyName).map(str::to_owned));
    let point = view.points.first().map(|point| format!("<{}>", point.value));
    let known: Vec<_> = name.into_iter().chain(point).collect();
    Ok((!known.is_empty()).then(|| known.join(" ")))
}

fn show(item: &RunItem, whom: Option<&str>) {
    let Some(outcome) = &item.outcome else {
        println!("waits\t{}", item.subject);
        return;
    };
    let fields: Vec<_> = outcome.plan.as_ref().and_then(Value::as_array).into_iter().flatten().collect();
    let customer = outcome.customer.map_or_else(|| "-".to_owned(), |customer| customer.0.to_string());
    let external = outcome.external.as_ref().map_or("-", |external| external.as_str());
    let stated = ["name", "companyName", "email", "phone"].map(|name| stated(&fields, name));
    let whom = whom.or_else(|| stated.into_iter().flatten().next()).unwrap_or("-");
    let about = format!("{}\t{whom}\tcustomer {customer}\trecord {external}", outcome.action);
    if let Some(error) = &outcome.error {
        println!("{about}\t{}", error.message);
    } else if fields.is_empty() {
        println!("{about}");
    }
    for field in fields {
        println!("{about}\t{}", describe(field));
    }
}

/// The value that a plan has for this field.
fn stated<'a>(fields: &[&'a Value], name: &str) -> Option<&'a str> {
    fields.iter().find(|field| field["field"] == name).and_then(|field| field["value"].as_str())
}

fn describe(field: &Value) -> String {
    let text =
        |value: &Value| value.as_str().map_or_else(|| "nothing".to_owned(), |text| format!("{text:?}"));
    let name = field["field"].as_str().unwrap_or_default();
    if let Some(ask) = field.get("ask") {
        return format!("{name}: asks ({} here, {} there)", text(&ask["local"]), text(&ask["remote"]));
    }
    let place = if field["write"] == "remote" { "there" } else { "here" };
    let instead = match &field["instead"] {
        Value::Null => String::new(),
        value => format!(" instead of {}", text(value)),
    };
    format!("{name}: {} is written {place}{instead}", text(&field["value"]))
}

/// One line of what a run came to; of one that is held, or did not come to its end, first of all why.
pub(crate) fn tell(run: &Run) {
    let mark = if run.dry_run { "(plan) " } else { "" };
    let why = run.message.as_ref().map_or_else(String::new, |why| format!("{why} "));
    let (title, kind, status) = (run.system.title(), run.kind.as_str(), run.status.as_str());
    println!("{mark}{title} {kind} {status}: {why}{}", counted(run));
}

fn counted(run: &Run) -> String {
    let counts = &run.counts;
    format!(
        "{} compared, {} unchanged, {} new, {} written there, {} written here, {} in conflict, {} missing, {} let go, \
         {} skipped, {} failed",
        HumanCount(counts.total),
        HumanCount(counts.unchanged),
        HumanCount(counts.created),
        HumanCount(counts.pushed),
        HumanCount(counts.pulled),
        HumanCount(counts.conflicts),
        HumanCount(counts.stale),
        HumanCount(counts.detached),
        HumanCount(counts.skipped),
        HumanCount(counts.failed),
    )
}
