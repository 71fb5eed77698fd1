//! `POST /contacts/import`, and the progress and the failures of an import.

use std::time::Duration;

use actix_web::http::header::{CONTENT_TYPE, LOCATION};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use onefold_domain::id::ImportId;
use onefold_service::file::ImportFormat;
use onefold_service::import::{Import, ImportOptions, ImportStatus, MatchBy, RowFailure};
use onefold_service::page::Page;
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::Caller;
use crate::app::App;
use crate::csv::{self, Table, accepts};
use crate::error::ApiError;
use crate::fields::id_in_path;
use crate::operations::LARGEST_FILE;
use crate::problem::Problem;
use crate::query::{MAX_PAGE, Query, page_answer};

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/contacts/import").post(import))
        .service(web::resource("/imports/{id}").get(progress))
        .service(web::resource("/imports/{id}/errors").get(errors));
}

/// How long the next piece of a file may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many failures are read at a time for a table of all of them.
const FAILURES_AT_ONCE: usize = 1_000;

/// The first answer to an import.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportAccepted {
    #[schema(value_type = String, format = Uuid)]
    id: Uuid,
    #[schema(example = "queued")]
    status: &'static str,
}

/// The file, byte for byte.
//
// `binary`, so that generated clients send it as it stands; a `string` becomes a JSON text with some.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "the shape for the document: a file is stored as it comes")]
pub(crate) struct ImportFile(Vec<u8>);

/// How far an import is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImportProgress {
    #[schema(value_type = String, format = Uuid)]
    id: Uuid,
    /// `receiving`, `queued`, `running`, `completed`, `stopped` or `failed`.
    status: &'static str,
    #[schema(example = "csv")]
    format: &'static str,
    #[schema(example = "value")]
    match_by: &'static str,
    dry_run: bool,
    #[schema(example = "continue")]
    on_error: &'static str,
    bytes: u64,
    bytes_read: u64,
    rows_read: u64,
    created: u64,
    updated: u64,
    unchanged: u64,
    failed: u64,
    /// Rows a second, since it was started.
    rate: Option<f64>,
    /// An estimate of the seconds until it is done.
    remaining_seconds: Option<u64>,
    /// Why it failed or stopped.
    message: Option<String>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

/// Rows that failed, in the order of the file.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImportErrors {
    errors: Vec<RowError>,
    /// Where the next page begins; null at the end.
    next_cursor: Option<String>,
}

/// What is wrong with a row.
#[derive(Serialize, ToSchema)]
pub(crate) struct RowError {
    /// The physical line on which the row begins; the header is line 1.
    line: u64,
    #[schema(example = "country")]
    field: String,
    message: String,
}

/// Takes a CSV file (with a header) or an NDJSON file in, and imports it in the background.
///
/// Columns `email`, `phone`, `userId`, `source` and those of the profile are known in several spellings;
/// others are kept as metadata. `userId` takes a user's external id as well. A row may also have the form that `POST /contacts` takes
/// and `GET /contacts` shows, with `kind` and `value`. A row that fails does not stop the others. The same file again changes nothing.
/// The exports of contacts and of users come back as what they were, users that do not exist included.
/// A file may come packed (`Content-Encoding: gzip`); what it may have at most counts unpacked.
#[utoipa::path(
    post, path = "/contacts/import", tag = "imports", operation_id = "contacts.import",
    params(
        ("matchBy" = Option<String>, Query, description = "`value` (default) or `userId`: the user's record of the same kind takes the row's value"),
        ("dryRun" = Option<bool>, Query, description = "Check and count, and change nothing. Every 20,000 rows are counted against what is stored"),
        ("onError" = Option<String>, Query, description = "`continue` (default) or `stop`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the operation: sent again within 24 hours, it is carried out once and answered as before"),
    ),
    request_body(content((ImportFile = "text/csv"), (ImportFile = "application/x-ndjson"))),
    responses(
        (status = 202, description = "The file is stored and will be imported", body = ImportAccepted),
        (status = 413, description = "The file is too large", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Neither CSV nor NDJSON, or of a `Content-Encoding` that is not taken", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A parameter cannot be accepted", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn import(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    mut body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let options = options(&request)?;
    let format = format(&request)?;
    let mut receiving = app.imports.acting(caller.acting()).receive(format, options).await?;
    loop {
        // Who sends nothing for so long has gone.
        let next = timeout(PATIENCE, body.next()).await.map_err(|_| ApiError::BodyUnreadable)?;
        let Some(piece) = next else { break };
        receiving.append(&piece?).await?;
        if receiving.bytes() > LARGEST_FILE {
            return Err(ApiError::FileTooLarge);
        }
    }
    let import = receiving.complete().await?;
    app.imports.wake();
    let id = import.id.0;
    Ok(HttpResponse::Accepted()
        .insert_header((LOCATION, format!("/imports/{id}")))
        .json(ImportAccepted { id, status: import.status.as_str() }))
}

/// How far an import is.
#[utoipa::path(
    get, path = "/imports/{id}", tag = "imports", operation_id = "imports.read",
    params(("id" = String, Path, description = "The id that the import was answered with")),
    responses(
        (status = 200, description = "Rows read, created, updated, failed, rate and remaining time", body = ImportProgress),
        (status = 404, description = "There is no such import", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn progress(app: web::Data<App>, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let import = find(&app, &id).await?;
    Ok(HttpResponse::Ok().json(progress_response(&import)))
}

/// The rows that failed, as JSON or, with `Accept: text/csv` or `format=csv`, as CSV.
#[utoipa::path(
    get, path = "/imports/{id}/errors", tag = "imports", operation_id = "imports.errors",
    params(
        ("id" = String, Path, description = "The id that the import was answered with"),
        ("limit" = Option<u16>, Query, description = "1 to 200, default 50"),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before"),
        ("format" = Option<String>, Query, description = "`json` (default) or `csv`, which has all of them"),
    ),
    responses(
        (status = 200, description = "Line, field and message of each", body = ImportErrors),
        (status = 404, description = "There is no such import", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn errors(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let mut query = Query::of(&request);
    let (limit, skip) = (query.limit(MAX_PAGE), query.cursor().map_or(0, i64::unsigned_abs));
    let format = query.one_of("format", &["json", "csv"], |format| Some(format == "csv"));
    query.finish()?;
    let import = find(&app, &id).await?;
    if format.unwrap_or_else(|| accepts(&request, "text/csv")) {
        return Ok(errors_as_csv(app, import.id));
    }
    let page = Page::read(
        usize::from(limit),
        |wanted| app.imports.failures(import.id, skip, wanted),
        |_| skip.saturating_add(u64::from(limit)).cast_signed(),
    );
    let page = page.await?;
    let (mut response, next_cursor) = page_answer(&request, page.next);
    let errors = page.entries.into_iter().map(RowError::from).collect();
    Ok(response.json(ImportErrors { errors, next_cursor }))
}

/// All of them, page by page.
fn errors_as_csv(app: web::Data<App>, id: ImportId) -> HttpResponse {
    let pages = stream::unfold(Some(0_u64), move |skip| {
        let app = app.clone();
        async move {
            let skip = skip?;
            let failures = match app.imports.failures(id, skip, FAILURES_AT_ONCE).await {
                Ok(failures) => failures,
                // The status is sent already: breaking off is the only way to tell.
                Err(error) => return Some((Err(ApiError::from(error).logged()), None)),
            };
            let mut table = Table::default();
            if skip == 0 {
                table.row(["line", "field", "message"]);
            }
            for RowFailure { line, field, message } in &failures {
                table.row([line.to_string().as_str(), field, message]);
            }
            let next = (failures.len() == FAILURES_AT_ONCE).then(|| skip + failures.len() as u64);
            Some((Ok(table.into_bytes()), next))
        }
    });
    csv::answer("errors.csv", pages)
}

impl From<RowFailure> for RowError {
    fn from(failure: RowFailure) -> Self {
        Self { line: failure.line, field: failure.field, message: failure.message }
    }
}

async fn find(app: &App, id: &str) -> Result<Import, ApiError> {
    app.imports.import(ImportId(id_in_path(id)?)).await?.ok_or(ApiError::UnknownImport)
}

fn options(request: &HttpRequest) -> Result<ImportOptions, ApiError> {
    let mut query = Query::of(request);
    let options = ImportOptions {
        match_by: query
            .one_of("matchBy", &MatchBy::ALL.map(MatchBy::as_str), MatchBy::parse)
            .unwrap_or_default(),
        dry_run: query.flag("dryRun").unwrap_or_default(),
        stop_on_error: query
            .one_of("onError", &["continue", "stop"], |way| Some(way == "stop"))
            .unwrap_or_default(),
    };
    query.finish()?;
    Ok(options)
}

fn format(request: &HttpRequest) -> Result<ImportFormat, ApiError> {
    let named = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = named.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "text/csv" | "application/csv" => Ok(ImportFormat::Csv),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(ImportFormat::Ndjson),
        _ => Err(ApiError::UnsupportedFile),
    }
}

fn progress_response(import: &Import) -> ImportProgress {
    let until = import.finished_at.unwrap_or(import.updated_at);
    let elapsed =
        import.started_at.map(|started| (until - started).as_seconds_f64()).filter(|time| *time > 0.0);
    let left = import.bytes.saturating_sub(import.position.offset) as f64;
    let speed = elapsed.map(|elapsed| import.position.offset as f64 / elapsed).filter(|speed| *speed > 0.0);
    let running = import.status == ImportStatus::Running;
    ImportProgress {
        id: import.id.0,
        status: import.status.as_str(),
        format: import.format.as_str(),
        match_by: import.options.match_by.as_str(),
        dry_run: import.options.dry_run,
        on_error: if import.options.stop_on_error { "stop" } else { "continue" },
        bytes: import.bytes,
        bytes_read: import.position.offset,
        rows_read: import.counts.read,
        created: import.counts.created,
        updated: import.counts.updated,
        unchanged: import.counts.unchanged,
        failed: import.counts.failed,
        rate: elapsed.map(|elapsed| (import.counts.read as f64 / elapsed).round()),
        remaining_seconds: speed.filter(|_| running).map(|speed| (left / speed).ceil() as u64),
        message: import.message.clone(),
        created_at: import.created_at,
        started_at: import.started_at,
        finished_at: import.finished_at,
    }
}
