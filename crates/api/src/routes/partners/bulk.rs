//! Many customers or records at once. Each call is a run: it is stored, carried out here while the caller waits, and
//! goes on when the wait or this server ends.

use std::time::Duration;

use actix_web::http::header::LOCATION;
use actix_web::web;
use actix_web::{HttpRequest, HttpResponse};
use onefold_domain::{ItemOutcome, Run, RunId, RunItem, RunKind, RunStatus, Runs};
use tokio::time::{Instant, sleep, timeout_at};

use super::body::{self, Contacts, List, Partners};
use super::naming::Naming;
use super::shown::{BulkImported, BulkSynced, ContactResult, RecordResult, RunUnderWay, as_written};
use crate::access::Caller;
use crate::app::App;
use crate::envelope::{Enveloped, Success};
use crate::error::ApiError;
use crate::json::Members;
use crate::routes::sync::people::person;

/// The most results of an answer.
const MOST_RESULTS: usize = 1_000;

/// How often a run is looked at that somebody else carries out.
const LOOK: Duration = Duration::from_millis(250);

/// Brings many customers and their records into step, or all that need it.
pub(super) async fn sync_many<N: Naming>(
    app: &App,
    caller: &Caller,
    request: &HttpRequest,
    body: web::Json<Members>,
) -> Result<HttpResponse, Enveloped> {
    let dry_run = body::is_dry_run(request)?;
    let (kind, list) = match body::contacts(body.into_inner())? {
        Contacts::All => (RunKind::SyncAll, List::default()),
        Contacts::These(list) => (RunKind::Sync, list),
    };
    let runs = Runs::new(app.sync.of(N::SYSTEM)?.acting(&caller.syncing()));
    let run = runs.request(kind, &list.subjects, dry_run).await?;
    let run = match wait(app, &runs, run.id).await? {
        Waited::Ended(run) => run,
        Waited::UnderWay(answer) => return Ok(answer),
    };
    let outcomes = outcomes(&runs, &run).await?;
    let mut results = Vec::new();
    for (item, outcome) in outcomes.told {
        // Whoever sent no list is told who that is.
        let person = match outcome.customer.filter(|_| kind == RunKind::SyncAll) {
            Some(customer) => person(app, customer).await?,
            None => None,
        };
        let result = ContactResult::<N::Id>::of(written(&list, item), dry_run, outcome);
        results.push(result.about(person.as_ref()));
    }
    Ok(HttpResponse::Ok().json(Success::of(BulkSynced::of(&run, results, outcomes.is_whole))))
}

/// Takes many records in, or all there are.
pub(super) async fn import_many<N: Naming>(
    app: &App,
    caller: &Caller,
    request: &HttpRequest,
    body: web::Json<Members>,
) -> Result<HttpResponse, Enveloped> {
    let dry_run = body::is_dry_run(request)?;
    let (kind, list) = match body::partners::<N>(body.into_inner())? {
        Partners::All => (RunKind::ImportAll, List::default()),
        Partners::These(list) => (RunKind::Import, list),
    };
    let runs = Runs::new(app.sync.of(N::SYSTEM)?.acting(&caller.syncing()));
    let run = runs.request(kind, &list.subjects, dry_run).await?;
    let run = match wait(app, &runs, run.id).await? {
        Waited::Ended(run) => run,
        Waited::UnderWay(answer) => return Ok(answer),
    };
    let outcomes = outcomes(&runs, &run).await?;
    let result = |(item, outcome)| RecordResult::<N::Id>::of(written(&list, item), dry_run, outcome);
    let results = outcomes.told.into_iter().map(result).collect();
    Ok(HttpResponse::Ok().json(Success::of(BulkImported::of(&run, results, outcomes.is_whole))))
}

enum Waited {
    Ended(Run),
    UnderWay(HttpResponse),
}

/// Carries a run out and waits for it, for as long as the configuration says.
async fn wait(app: &App, runs: &Runs, id: RunId) -> Result<Waited, ApiError> {
    let deadline = Instant::now() + app.run_wait;
    let worker = app.sync.worker.clone();
    let working = tokio::spawn(async move {
        if let Err(error) = worker.carry_out(id).await {
            // Its job is still there: a worker takes it when the lease has run out.
            tracing::warn!(run = %id.0, error = %error, "a run was left to a worker");
        }
    });
    // It goes on when the time is up. A worker may have been faster, and then this one ends at once.
    let _ = timeout_at(deadline, working).await;
    loop {
        let run = runs.run(id).await?.ok_or(ApiError::UnknownRun)?;
        match run.status {
            RunStatus::Completed => return Ok(Waited::Ended(run)),
            RunStatus::Failed => return Err(ApiError::RunFailed(Box::new(run))),
            RunStatus::Held => return Ok(Waited::UnderWay(under_way(&run))),
            RunStatus::Queued | RunStatus::Running if Instant::now() >= deadline => {
                return Ok(Waited::UnderWay(under_way(&run)));
            }
            RunStatus::Queued | RunStatus::Running => {
                sleep(LOOK.min(deadline.saturating_duration_since(Instant::now()))).await;
            }
        }
    }
}

fn under_way(run: &Run) -> HttpResponse {
    let location = format!("/sync/runs/{}", run.id.0);
    let answer = Success::of(RunUnderWay::of(run));
    HttpResponse::Accepted().insert_header((LOCATION, location)).json(answer)
}

/// What became of the items.
struct Outcomes {
    told: Vec<(RunItem, ItemOutcome)>,
    /// Whether these are all of them.
    is_whole: bool,
}

/// In order; if they are too many, those that failed first.
async fn outcomes(runs: &Runs, run: &Run) -> Result<Outcomes, ApiError> {
    let (mut failed, mut others) = (Vec::new(), Vec::new());
    let (mut from, mut seen) = (0, 0);
    loop {
        let items = runs.items(run.id, from, MOST_RESULTS).await?;
        let Some(last) = items.last() else { break };
        from = last.position + 1;
        for mut item in items {
            let Some(outcome) = item.outcome.take() else { continue };
            seen += 1;
            let kind = if outcome.error.is_some() { &mut failed } else { &mut others };
            if kind.len() < MOST_RESULTS {
                kind.push((item, outcome));
            }
        }
    }
    let is_whole = seen <= MOST_RESULTS;
    let mut told: Vec<_> = failed.into_iter().chain(others).take(MOST_RESULTS).collect();
    if is_whole {
        told.sort_by_key(|(item, _)| item.position);
    }
    Ok(Outcomes { told, is_whole })
}

fn written(list: &List, item: RunItem) -> serde_json::Value {
    let sent = usize::try_from(item.position).ok().and_then(|position| list.written.get(position));
    as_written(sent.map(AsRef::as_ref), item.subject)
}
