//! Many customers or records at once. Each call is a run: it is stored, carried out here while the caller waits, and
//! goes on when the wait or this server ends.

use actix_web::http::header::LOCATION;
use actix_web::web;
use actix_web::{HttpRequest, HttpResponse};
use onefold_sync::run::{Run, RunId, RunItem, RunKind, RunStatus};
use onefold_sync::runner::Runner;

use super::body::{self, Contacts, List, Partners};
use super::bulk_response::{BulkImported, BulkSynced, ContactResult, RecordResult, RunUnderWay, as_written};
use super::naming::Naming;
use crate::access::Caller;
use crate::app::App;
use crate::envelope::{Enveloped, Success};
use crate::error::ApiError;
use crate::members::Members;
use crate::routes::sync::people::person;

/// The most results of an answer.
const MOST_RESULTS: usize = 1_000;

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
    let runner = Runner::new(app.sync.of(N::SYSTEM)?.acting(&caller.syncing()));
    let run = runner.request(kind, &list.subjects, dry_run).await?;
    let run = match wait(app, run.id).await? {
        Waited::Ended(run) => run,
        Waited::UnderWay(answer) => return Ok(answer),
    };
    let outcomes = runner.runs.outcomes(run.id, MOST_RESULTS).await?;
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
    let runner = Runner::new(app.sync.of(N::SYSTEM)?.acting(&caller.syncing()));
    let run = runner.request(kind, &list.subjects, dry_run).await?;
    let run = match wait(app, run.id).await? {
        Waited::Ended(run) => run,
        Waited::UnderWay(answer) => return Ok(answer),
    };
    let outcomes = runner.runs.outcomes(run.id, MOST_RESULTS).await?;
    let result = |(item, outcome)| RecordResult::<N::Id>::of(written(&list, item), dry_run, outcome);
    let results = outcomes.told.into_iter().map(result).collect();
    Ok(HttpResponse::Ok().json(Success::of(BulkImported::of(&run, results, outcomes.is_whole))))
}

enum Waited {
    Ended(Run),
    UnderWay(HttpResponse),
}

/// Carries a run out and waits for it, for as long as the configuration says.
async fn wait(app: &App, id: RunId) -> Result<Waited, ApiError> {
    let run = app.sync.worker.execute_within(id, app.run_wait).await?.ok_or(ApiError::UnknownRun)?;
    match run.status {
        RunStatus::Completed => Ok(Waited::Ended(run)),
        RunStatus::Failed => Err(ApiError::RunFailed(Box::new(run))),
        RunStatus::Held | RunStatus::Queued | RunStatus::Running => Ok(Waited::UnderWay(under_way(&run))),
    }
}

fn under_way(run: &Run) -> HttpResponse {
    let location = format!("/sync/runs/{}", run.id.0);
    let answer = Success::of(RunUnderWay::of(run));
    HttpResponse::Accepted().insert_header((LOCATION, location)).json(answer)
}

fn written(list: &List, item: RunItem) -> serde_json::Value {
    let sent = usize::try_from(item.position).ok().and_then(|position| list.written.get(position));
    as_written(sent.map(AsRef::as_ref), item.subject)
}
