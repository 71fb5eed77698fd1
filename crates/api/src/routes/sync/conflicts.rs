//! `/sync/conflicts`: what both sides changed, or who may be the same, and what a person decides about it.

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use onefold_domain::id::CustomerId;
use onefold_service::page::Page;
use onefold_sync::conflict::{Conflict, ConflictFilter, ConflictId, ConflictStatus, ConflictSubject};
use onefold_sync::conflicts::Conflicts;
use onefold_sync::resolver::{Answer, Resolver};
use onefold_sync::rules::FieldRule;
use onefold_sync::sync_error::SyncError;
use onefold_sync::synchroniser::{SyncContext, Synced};
use onefold_sync::view::SyncText;
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;
use uuid::Uuid;

use super::choices::{Choice, choices};
use super::people::{Person, person};
use super::{FaultResponse, number_in_path, system};
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;
use crate::fields::{Fields, uuid};
use crate::members::Members;
use crate::problem::Problem;
use crate::query::{MAX_PAGE, Query, page_answer};
use crate::routes::partners::to_its_end;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/sync/conflicts").get(list))
        .service(web::resource("/sync/conflicts/{id}").get(read))
        .service(web::resource("/sync/conflicts/{id}/resolve").post(resolve));
}

/// Something that both sides say differently.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncConflict)]
pub(crate) struct ConflictResponse<'a> {
    #[schema(example = 7)]
    id: i64,
    #[schema(example = "metakocka")]
    system: &'static str,
    /// As people write it.
    #[schema(example = "MetaKocka")]
    system_title: &'static str,
    mapping_id: Uuid,
    customer_id: Uuid,
    /// Who that is; null if it has no contact any more.
    customer: Option<Person>,
    /// The other customer, of `samePartner`.
    other_customer: Option<Person>,
    /// A field; `samePartner` if another customer has the record already (`local` is that customer, `remote` the
    /// record); `sameCustomer` if the customer has another record already (`local` is that one); `gone` if the record
    /// (`remote`) is missing there.
    #[schema(example = "city")]
    subject: &'static str,
    /// What both had agreed on before.
    #[schema(example = "Ljubljana")]
    base: Option<&'a str>,
    /// Since when; null if it is none of an open conflict, or older than this was noted.
    agreed_at: Option<DateTime<Utc>>,
    #[schema(example = "Bled")]
    local: Option<&'a str>,
    #[schema(example = "Kranj")]
    remote: Option<&'a str>,
    /// `open`, `settled` (a rule decided, and what lost is kept here) or `resolved`.
    #[schema(example = "open")]
    status: &'static str,
    /// The rule that decided.
    rule: Option<&'static str>,
    /// `local`, `remote`, `value`, `merge`, `separate`, `recreate`, `release`, or `agreed` if both sides came to say the
    /// same.
    resolution: Option<&'a str>,
    /// By what it can be resolved; one that a rule decided can be decided anew.
    #[schema(value_type = Vec<String>, example = json!(["local", "remote", "value"]))]
    answers: &'static [&'static str],
    /// The answers that are possible, with what each would do.
    choices: Vec<Choice>,
    #[schema(example = "token:3")]
    resolved_by: Option<&'a str>,
    created_at: DateTime<Utc>,
    resolved_at: Option<DateTime<Utc>>,
}

/// A page of conflicts, oldest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncConflicts<'a> {
    conflicts: Vec<ConflictResponse<'a>>,
    /// Where the next page begins; null at the end.
    next_cursor: Option<String>,
}

/// A decision: one of the two.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the document: bodies are read member by member, see `fields`")]
pub(crate) struct ConflictAnswer {
    /// `local` or `remote`: whose value, or which record, counts. `merge` or `separate`: whether two customers are one.
    /// `recreate` or `release`: whether a record that is missing there is made anew.
    #[schema(example = "local")]
    resolution: Option<String>,
    /// This value, on both sides; an empty text takes it away.
    value: Option<String>,
}

/// A conflict that was just resolved.
#[derive(Serialize, ToSchema)]
pub(crate) struct ResolvedConflict<'a> {
    #[serde(flatten)]
    conflict: ConflictResponse<'a>,
    sync: SyncedSince,
}

/// What the sync came to that followed the decision.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncedSince {
    /// `synced`; `pending` if it did not succeed and will be tried again; `conflict` if other conflicts are open; `released`
    /// if nothing is kept the same any more.
    #[schema(example = "synced")]
    status: &'static str,
    mapping_id: Option<Uuid>,
    external_id: Option<String>,
    /// Those that are open.
    conflicts: Vec<i64>,
    /// Why it did not succeed.
    error: Option<FaultResponse>,
}

/// Lists conflicts, oldest first. Everything that is asked for must hold.
#[utoipa::path(
    get, path = "/sync/conflicts", tag = "sync", operation_id = "syncConflicts.list",
    params(
        ("status" = Option<String>, Query, description = "`open`, `settled` or `resolved`"),
        ("system" = Option<String>, Query, description = "Such as `metakocka`"),
        ("customerId" = Option<String>, Query, description = "The customer's UUID"),
        ("limit" = Option<u16>, Query, description = "1 to 200, default 50"),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before"),
    ),
    responses(
        (status = 200, description = "The conflicts; the header `Link` leads to the next page", body = SyncConflicts),
        (status = 422, description = "A parameter cannot be accepted", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let mut query = Query::of(&request);
    let customer = query.text("customerId").and_then(|text| query.faults.note("customerId", uuid(&text)));
    let filter = ConflictFilter {
        system: system(&mut query),
        status: query.one_of(
            "status",
            &ConflictStatus::ALL.map(ConflictStatus::as_str),
            ConflictStatus::parse,
        ),
        customer: customer.map(CustomerId),
        mapping: None,
    };
    let (limit, after) = (usize::from(query.limit(MAX_PAGE)), query.cursor().map(ConflictId));
    query.finish()?;
    let conflicts = Conflicts::new(app.env.clone());
    let page = Page::read(
        limit,
        |wanted| conflicts.list(&filter, after, wanted),
        |conflict: &Conflict| conflict.id.0,
    );
    let page = page.await?;
    let (mut response, next_cursor) = page_answer(&request, page.next);
    let mut listed = Vec::new();
    for conflict in &page.entries {
        listed.push(conflict_response(&app, conflict).await?);
    }
    Ok(response.json(SyncConflicts { conflicts: listed, next_cursor }))
}

/// One conflict, with all that was said.
#[utoipa::path(
    get, path = "/sync/conflicts/{id}", tag = "sync", operation_id = "syncConflicts.read",
    params(("id" = i64, Path, description = "The number of the conflict")),
    responses(
        (status = 200, description = "The conflict", body = ConflictResponse),
        (status = 404, description = "There is no such conflict", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(app: web::Data<App>, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let conflict = find(&app, ConflictId(number_in_path(&id)?)).await?;
    Ok(HttpResponse::Ok().json(conflict_response(&app, &conflict).await?))
}

/// Decides a conflict; one that a rule decided is decided anew.
///
/// The decision is stored, and then the customer is synced. If that does not succeed at once, it is tried again
/// later: the answer says so.
#[utoipa::path(
    post, path = "/sync/conflicts/{id}/resolve", tag = "sync", operation_id = "syncConflicts.resolve",
    params(
        ("id" = i64, Path, description = "The number of the conflict"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the operation: sent again within 24 hours, it is answered as before"),
    ),
    request_body = ConflictAnswer,
    responses(
        (status = 200, description = "The conflict as it is now, and what the sync came to", body = ResolvedConflict),
        (status = 404, description = "There is no such conflict", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It was resolved before", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "This conflict has other answers, or the value is none for the field", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn resolve(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<String>,
    body: web::Json<Members>,
) -> Result<HttpResponse, ApiError> {
    let id = ConflictId(number_in_path(&id)?);
    let answer = answer(body.into_inner())?;
    let system = find(&app, id).await?.system;
    let sync = app.sync.of(system)?.acting(&caller.syncing());
    let conflict = Resolver::new(sync.clone(), app.default_region).resolve(id, &answer).await?;
    if answer == Answer::Release {
        let sync = SyncedSince { status: "released", ..SyncedSince::pending(None) };
        return Ok(HttpResponse::Ok()
            .json(ResolvedConflict { conflict: conflict_response(&app, &conflict).await?, sync }));
    }
    let customer = conflict.customer;
    let working = tokio::spawn(async move { sync.sync_customer(customer, SyncContext::default()).await });
    let sync = match timeout(app.run_wait, to_its_end(working)).await {
        Ok(result) => SyncedSince::of(result),
        Err(_) => SyncedSince::pending(None),
    };
    Ok(HttpResponse::Ok()
        .json(ResolvedConflict { conflict: conflict_response(&app, &conflict).await?, sync }))
}

async fn find(app: &App, id: ConflictId) -> Result<Conflict, ApiError> {
    Conflicts::new(app.env.clone()).get(id).await?.ok_or(ApiError::UnknownConflict)
}

fn answer(body: Members) -> Result<Answer, ApiError> {
    let mut fields = Fields::of(body);
    let resolutions =
        [Answer::Local, Answer::Remote, Answer::Merge, Answer::Separate, Answer::Recreate, Answer::Release];
    let names = resolutions.each_ref().map(Answer::as_str);
    let resolution = fields
        .one_of("resolution", &names, |name| resolutions.into_iter().find(|answer| answer.as_str() == name));
    let value = fields.text("value");
    if value.is_some() == resolution.is_some() && !fields.faults.has("resolution") {
        fields.faults.add("resolution", "Send a resolution, or a value in its place.");
    }
    fields.finish()?;
    value.map(Answer::Value).or(resolution).ok_or(ApiError::NotAnObject)
}

async fn conflict_response<'a>(app: &App, conflict: &'a Conflict) -> Result<ConflictResponse<'a>, ApiError> {
    let customer = person(app, conflict.customer).await?;
    let other_customer = match other(conflict) {
        Some(id) => person(app, id).await?,
        None => None,
    };
    let agreed_at = Conflicts::new(app.env.clone()).agreed_at(conflict).await?;
    let answers = answers(conflict);
    let choices = choices(conflict, answers, customer.as_ref(), other_customer.as_ref());
    Ok(ConflictResponse {
        id: conflict.id.0,
        system: conflict.system.as_str(),
        system_title: conflict.system.title(),
        mapping_id: conflict.mapping.0,
        customer_id: conflict.customer.0,
        customer,
        other_customer,
        subject: conflict.subject.as_str(),
        base: conflict.base.as_ref().map(SyncText::as_str),
        agreed_at,
        local: conflict.local.as_ref().map(SyncText::as_str),
        remote: conflict.remote.as_ref().map(SyncText::as_str),
        status: conflict.status.as_str(),
        rule: conflict.rule.map(FieldRule::as_str),
        resolution: conflict.resolution.as_deref(),
        answers,
        choices,
        resolved_by: conflict.resolved_by.as_deref(),
        created_at: conflict.created_at,
        resolved_at: conflict.resolved_at,
    })
}

/// The customer that has the record already.
fn other(conflict: &Conflict) -> Option<CustomerId> {
    let local = conflict.local.as_ref().filter(|_| conflict.subject == ConflictSubject::SamePartner)?;
    Uuid::parse_str(local.as_str()).ok().map(CustomerId)
}

fn answers(conflict: &Conflict) -> &'static [&'static str] {
    match conflict.status {
        ConflictStatus::Resolved => &[],
        ConflictStatus::Open | ConflictStatus::Settled => conflict.subject.answers(),
    }
}

impl SyncedSince {
    fn of(result: Result<Synced, SyncError>) -> Self {
        match result {
            Ok(synced) => Self {
                status: "synced",
                mapping_id: Some(synced.mapping.id.0),
                external_id: synced.mapping.external.map(|id| id.as_str().to_owned()),
                conflicts: Vec::new(),
                error: None,
            },
            Err(SyncError::OpenConflict { conflicts }) => Self {
                status: "conflict",
                conflicts: conflicts.into_iter().map(|conflict| conflict.0).collect(),
                ..Self::pending(None)
            },
            Err(error) => Self::pending(Some(FaultResponse::of(&error.fault()))),
        }
    }

    fn pending(error: Option<FaultResponse>) -> Self {
        Self { status: "pending", mapping_id: None, external_id: None, conflicts: Vec::new(), error }
    }
}
