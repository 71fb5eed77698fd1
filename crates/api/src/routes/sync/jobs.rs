//! `/sync/jobs`: work that is promised and not yet done, and what is done about work that was given up.

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use onefold_service::page::Page;
use onefold_sync::job::{Job, JobId, JobKind, JobStatus};
use onefold_sync::jobs::Jobs;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{FaultResponse, number_in_path};
use crate::app::App;
use crate::error::ApiError;
use crate::problem::Problem;
use crate::query::{MAX_PAGE, Query, page_answer};

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/sync/jobs").get(list))
        .service(web::resource("/sync/jobs/{id}").get(read).delete(remove))
        .service(web::resource("/sync/jobs/{id}/replay").post(replay));
}

/// Work that is promised.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncJob)]
pub(crate) struct JobResponse {
    #[schema(example = 12)]
    id: i64,
    /// `syncCustomer`, `syncPartner`, `compare`, `compareFull` or `run`.
    #[schema(example = "syncCustomer")]
    kind: &'static str,
    /// Null for a run, which says it itself.
    #[schema(example = "metakocka")]
    system: Option<&'static str>,
    customer_id: Option<Uuid>,
    /// The other system's id of the record, for `syncPartner`.
    external_id: Option<String>,
    run_id: Option<Uuid>,
    /// `waiting`, `running`, or `dead`: given up after its last attempt.
    #[schema(example = "dead")]
    status: &'static str,
    /// How often it was begun.
    attempts: u32,
    /// When it is due.
    not_before: DateTime<Utc>,
    /// Until when it is left alone with who is at it.
    leased_until: Option<DateTime<Utc>>,
    /// Of the last attempt.
    error: Option<FaultResponse>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// A page of jobs, oldest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncJobs {
    jobs: Vec<JobResponse>,
    /// Where the next page begins; null at the end.
    next_cursor: Option<String>,
}

/// Lists jobs, oldest first. One that is done is not kept.
#[utoipa::path(
    get, path = "/sync/jobs", tag = "sync", operation_id = "syncJobs.list",
    params(
        ("status" = Option<String>, Query, description = "`waiting`, `running` or `dead`"),
        ("limit" = Option<u16>, Query, description = "1 to 200, default 50"),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before"),
    ),
    responses(
        (status = 200, description = "The jobs; the header `Link` leads to the next page", body = SyncJobs),
        (status = 422, description = "A parameter cannot be accepted", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let mut query = Query::of(&request);
    let status = query.one_of("status", &JobStatus::ALL.map(JobStatus::as_str), JobStatus::parse);
    let (limit, after) = (usize::from(query.limit(MAX_PAGE)), query.cursor().map(JobId));
    query.finish()?;
    let jobs = jobs(&app);
    let page = Page::read(limit, |wanted| jobs.list(status, after, wanted), |job: &Job| job.id.0).await?;
    let (mut response, next_cursor) = page_answer(&request, page.next);
    Ok(response.json(SyncJobs { jobs: page.entries.iter().map(JobResponse::of).collect(), next_cursor }))
}

/// One job.
#[utoipa::path(
    get, path = "/sync/jobs/{id}", tag = "sync", operation_id = "syncJobs.read",
    params(("id" = i64, Path, description = "The number of the job")),
    responses(
        (status = 200, description = "The job", body = JobResponse),
        (status = 404, description = "There is no such job, or none any more", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(app: web::Data<App>, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let job = find(&app, JobId(number_in_path(&id)?)).await?;
    Ok(HttpResponse::Ok().json(JobResponse::of(&job)))
}

/// Removes a job that nobody is at: it will not be done.
#[utoipa::path(
    delete, path = "/sync/jobs/{id}", tag = "sync", operation_id = "syncJobs.remove",
    params(("id" = i64, Path, description = "The number of the job")),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, description = "There is no such job, or none any more", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody is at it", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn remove(app: web::Data<App>, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let id = JobId(number_in_path(&id)?);
    find(&app, id).await?;
    if jobs(&app).drop_job(id).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(ApiError::JobRunning)
    }
}

/// Lets a job that was given up be tried again, from the first attempt on.
#[utoipa::path(
    post, path = "/sync/jobs/{id}/replay", tag = "sync", operation_id = "syncJobs.replay",
    params(
        ("id" = i64, Path, description = "The number of the job"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the operation: sent again within 24 hours, it is answered as before"),
    ),
    responses(
        (status = 200, description = "The job, which waits now", body = JobResponse),
        (status = 404, description = "There is no such job, or none any more", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It was not given up", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn replay(app: web::Data<App>, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let id = JobId(number_in_path(&id)?);
    let dead = find(&app, id).await?;
    if !jobs(&app).replay(id).await? {
        return Err(ApiError::JobNotDead);
    }
    // A worker may have done it by now, or one of the same kind waits already and takes its place.
    let now = jobs(&app).get(id).await?;
    let job = now.unwrap_or(Job { status: JobStatus::Waiting, attempts: 0, ..dead });
    Ok(HttpResponse::Ok().json(JobResponse::of(&job)))
}

fn jobs(app: &App) -> Jobs {
    Jobs::new(app.env.clone())
}

async fn find(app: &App, id: JobId) -> Result<Job, ApiError> {
    jobs(app).get(id).await?.ok_or(ApiError::UnknownJob)
}

impl JobResponse {
    fn of(job: &Job) -> Self {
        let (kind, system, customer_id, run_id) = match &job.kind {
            JobKind::SyncCustomer(system, customer) => {
                ("syncCustomer", Some(*system), Some(customer.0), None)
            }
            JobKind::SyncPartner(system, _) => ("syncPartner", Some(*system), None, None),
            JobKind::Compare(system) => ("compare", Some(*system), None, None),
            JobKind::CompareFull(system) => ("compareFull", Some(*system), None, None),
            JobKind::Run(run) => ("run", None, None, Some(run.0)),
        };
        let external_id = match &job.kind {
            JobKind::SyncPartner(_, id) => Some(id.as_str().to_owned()),
            _ => None,
        };
        Self {
            id: job.id.0,
            kind,
            system: system.map(onefold_service::system::SyncSystem::as_str),
            customer_id,
            external_id,
            run_id,
            status: job.status.as_str(),
            attempts: job.attempts,
            not_before: job.not_before,
            leased_until: job.lease.map(|(_, until)| until),
            error: job.error.as_ref().map(FaultResponse::of),
            created_at: job.created_at,
            updated_at: job.updated_at,
        }
    }
}
