//! `/sync/runs`: work on many customers, how far it is, and what became of each of them.

use actix_web::http::header::LOCATION;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use onefold_service::page::Page;
use onefold_service::system::SyncSystem;
use onefold_sync::run::{Run, RunId, RunItem, RunKind};
use onefold_sync::runner::Runner;
use onefold_sync::runs::Runs;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::run_items::{ItemResponse, item_response};
use crate::access::Caller;
use crate::app::App;
use crate::error::{ApiError, sentence};
use crate::fields::{Fields, id_in_path};
use crate::members::Members;
use crate::problem::Problem;
use crate::query::{MAX_PAGE, Query, page_answer, uuid_page_answer};
use crate::sync::SyncParts;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/sync/runs").get(list).post(request))
        .service(web::resource("/sync/runs/{id}").get(read))
        .service(web::resource("/sync/runs/{id}/items").get(items))
        .service(web::resource("/sync/runs/{id}/approve").post(approve));
}

/// How far a run is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncRun)]
pub(crate) struct RunResponse<'a> {
    id: Uuid,
    #[schema(example = "metakocka")]
    system: &'static str,
    /// As people write it.
    #[schema(example = "MetaKocka")]
    system_title: &'static str,
    /// `sync`, `syncAll`, `import`, `importAll`, `compare` or `compareFull`.
    #[schema(example = "compare")]
    kind: &'static str,
    dry_run: bool,
    /// Whether somebody has released its brakes.
    approved: bool,
    /// `queued`, `running`, `held` (a brake stopped it; somebody has to approve), `completed` or `failed`.
    #[schema(example = "running")]
    status: &'static str,
    /// Known from the beginning for a list, and for a register once it was read; otherwise it grows while records come
    /// in. It is the sum of those that succeeded, failed, were skipped, and are in conflict, when the run is at its end.
    total: u64,
    succeeded: u64,
    failed: u64,
    /// Cannot come in, or go there, as they are. Of a comparison those that are new; it tells each once.
    skipped: u64,
    /// Created there or here. This one and those below tell what was done, or would be.
    created: u64,
    /// Written there.
    pushed: u64,
    /// Written here.
    pulled: u64,
    unchanged: u64,
    conflicts: u64,
    /// Missing there since this run.
    stale: u64,
    detached: u64,
    /// Why it failed, is held, or waits.
    message: Option<String>,
    #[schema(example = "token:3")]
    requested_by: &'a str,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    updated_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

/// A page of runs, newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncRuns<'a> {
    runs: Vec<RunResponse<'a>>,
    /// Where the next page begins; null at the end.
    next_cursor: Option<String>,
}

/// A page of what a run works on, in its order.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncRunItems {
    items: Vec<ItemResponse>,
    /// Where the next page begins; null at the end.
    next_cursor: Option<String>,
}

/// A comparison to be made.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the document: bodies are read member by member, see `fields`")]
pub(crate) struct RunToMake {
    #[schema(example = "metakocka")]
    system: String,
    /// `compare`: what changed on either side, what is new and what is missing. `compareFull`: also every field of
    /// what seems unchanged.
    #[schema(example = "compare")]
    kind: String,
}

/// Lists runs, newest first.
#[utoipa::path(
    get, path = "/sync/runs", tag = "sync", operation_id = "syncRuns.list",
    params(
        ("limit" = Option<u16>, Query, description = "1 to 200, default 50"),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before"),
    ),
    responses(
        (status = 200, description = "The runs; the header `Link` leads to the next page", body = SyncRuns),
        (status = 422, description = "A parameter cannot be accepted", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let mut query = Query::of(&request);
    let (limit, before) = (usize::from(query.limit(MAX_PAGE)), query.uuid_cursor().map(RunId));
    query.finish()?;
    let runs = Runs::new(app.env.clone());
    let page = Page::read(limit, |wanted| runs.list(before, wanted), |run: &Run| run.id.0).await?;
    let (mut response, next_cursor) = uuid_page_answer(&request, page.next);
    Ok(response.json(SyncRuns { runs: page.entries.iter().map(run_response).collect(), next_cursor }))
}

/// Asks for a comparison of both sides. A worker makes it.
///
/// A comparison that would let go of more than a set number of mappings is held until somebody approves it.
#[utoipa::path(
    post, path = "/sync/runs", tag = "sync", operation_id = "syncRuns.request",
    params(
        ("dryRun" = Option<bool>, Query, description = "Say what would be done, and write nothing"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the operation: sent again within 24 hours, it is answered as before"),
    ),
    request_body = RunToMake,
    responses(
        (status = 202, description = "It will be made; the header `Location` is where it is shown", body = RunResponse),
        (status = 422, description = "A field or a parameter cannot be accepted", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The system is not configured, or the database is away", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn request(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    body: web::Json<Members>,
) -> Result<HttpResponse, ApiError> {
    let mut query = Query::of(&request);
    let dry_run = query.flag("dryRun").unwrap_or_default();
    query.finish()?;
    let (system, kind) = wanted(body.into_inner(), &app.sync)?;
    let runner = Runner::new(app.sync.of(system)?.acting(&caller.syncing()));
    let run = runner.request(kind, &[], dry_run).await?;
    Ok(accepted(&run))
}

/// How far a run is.
#[utoipa::path(
    get, path = "/sync/runs/{id}", tag = "sync", operation_id = "syncRuns.read",
    params(("id" = String, Path, description = "The run's UUID")),
    responses(
        (status = 200, description = "The run", body = RunResponse),
        (status = 404, description = "There is no such run", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(app: web::Data<App>, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(run_response(&find(&app, &id).await?)))
}

/// What became of each of the things that a run works on. A comparison leaves out what needed nothing.
#[utoipa::path(
    get, path = "/sync/runs/{id}/items", tag = "sync", operation_id = "syncRuns.items",
    params(
        ("id" = String, Path, description = "The run's UUID"),
        ("limit" = Option<u16>, Query, description = "1 to 200, default 50"),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before"),
    ),
    responses(
        (status = 200, description = "The items; the header `Link` leads to the next page", body = SyncRunItems),
        (status = 404, description = "There is no such run", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A parameter cannot be accepted", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn items(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let mut query = Query::of(&request);
    let limit = usize::from(query.limit(MAX_PAGE));
    let from = query.cursor().map_or(0, |last| last.unsigned_abs().saturating_add(1));
    query.finish()?;
    let run = find(&app, &id).await?;
    let runs = Runs::new(app.env.clone());
    let page = Page::read(
        limit,
        |wanted| runs.items(run.id, from, wanted),
        |item: &RunItem| item.position.cast_signed(),
    );
    let page = page.await?;
    let (mut response, next_cursor) = page_answer(&request, page.next);
    let mut listed = Vec::new();
    for item in page.entries {
        listed.push(item_response(&app, item).await?);
    }
    Ok(response.json(SyncRunItems { items: listed, next_cursor }))
}

/// Releases the brakes of a run that is held, which then goes on.
#[utoipa::path(
    post, path = "/sync/runs/{id}/approve", tag = "sync", operation_id = "syncRuns.approve",
    params(
        ("id" = String, Path, description = "The run's UUID"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the operation: sent again within 24 hours, it is answered as before"),
    ),
    responses(
        (status = 202, description = "It goes on; the header `Location` is where it is shown", body = RunResponse),
        (status = 404, description = "There is no such run", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is not held", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn approve(
    app: web::Data<App>,
    _caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let run = find(&app, &id).await?;
    let runs = Runs::new(app.env.clone());
    let run = runs.approve(run.id).await?.ok_or(ApiError::RunNotHeld)?;
    Ok(accepted(&run))
}

async fn find(app: &App, id: &str) -> Result<Run, ApiError> {
    Runs::new(app.env.clone()).run(RunId(id_in_path(id)?)).await?.ok_or(ApiError::UnknownRun)
}

fn accepted(run: &Run) -> HttpResponse {
    let location = format!("/sync/runs/{}", run.id.0);
    HttpResponse::Accepted().insert_header((LOCATION, location)).json(run_response(run))
}

/// The system and the kind of a comparison. Whether the system is configured is not asked here.
fn wanted(body: Members, _sync: &SyncParts) -> Result<(SyncSystem, RunKind), ApiError> {
    let mut fields = Fields::of(body);
    let missing = ["system", "kind"].map(|name| (name, !fields.is_given(name)));
    let systems: Vec<_> = SyncSystem::ALL.into_iter().map(SyncSystem::as_str).collect();
    let system = fields.one_of("system", &systems, SyncSystem::parse);
    let choices = [RunKind::Compare, RunKind::CompareFull];
    let kind = fields
        .one_of("kind", &choices.map(name), |text| choices.into_iter().find(|kind| name(*kind) == text));
    for (name, _) in missing.into_iter().filter(|(_, missing)| *missing) {
        fields.faults.add(name, "It is needed.");
    }
    fields.finish()?;
    system.zip(kind).ok_or(ApiError::NotAnObject)
}

/// As JSON has it, where names of several words are written together.
fn name(kind: RunKind) -> &'static str {
    match kind {
        RunKind::Sync => "sync",
        RunKind::SyncAll => "syncAll",
        RunKind::Import => "import",
        RunKind::ImportAll => "importAll",
        RunKind::Compare => "compare",
        RunKind::CompareFull => "compareFull",
    }
}

fn run_response(run: &Run) -> RunResponse<'_> {
    let counts = run.counts;
    RunResponse {
        id: run.id.0,
        system: run.system.as_str(),
        system_title: run.system.title(),
        kind: name(run.kind),
        dry_run: run.dry_run,
        approved: run.approved,
        status: run.status.as_str(),
        total: counts.total,
        succeeded: counts.succeeded,
        failed: counts.failed,
        skipped: counts.skipped,
        created: counts.created,
        pushed: counts.pushed,
        pulled: counts.pulled,
        unchanged: counts.unchanged,
        conflicts: counts.conflicts,
        stale: counts.stale,
        detached: counts.detached,
        message: run.message.as_deref().map(sentence),
        requested_by: &run.requested_by,
        created_at: run.created_at,
        started_at: run.started_at,
        updated_at: run.updated_at,
        finished_at: run.finished_at,
    }
}
