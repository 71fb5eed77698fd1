//! `GET /audit`: who changed what, when, before and after.

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use onefold_domain::id::{CustomerId, UserId};
use onefold_service::audit::{AuditAction, AuditEntry, AuditFilter, AuditSubject, Snapshot};
use onefold_service::token::{Abilities, TokenId};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;
use crate::fields::uuid;
use crate::problem::Problem;
use crate::query::{MAX_PAGE, Query, page_answer};
use crate::user_names::in_query;

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(web::resource("/audit").get(list));
}

/// One change.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditEntry)]
pub(crate) struct EntryResponse<'a> {
    /// 1, 2, 3 … without gaps.
    #[schema(example = 12)]
    number: u64,
    at: DateTime<Utc>,
    actor: ActorResponse<'a>,
    /// Such as `contact.updated` or `customers.merged`.
    #[schema(example = "contact.updated")]
    action: &'a str,
    subject: SubjectResponse<'a>,
    /// The customer that it concerns, by the name that it had then.
    customer_id: Option<Uuid>,
    /// The request's `X-Request-Id`, or `import:` and the id of an import.
    request_id: Option<&'a str>,
    /// As it was; null for what is new, and if `missingAbilities` names something.
    #[schema(value_type = Option<BTreeMap<String, Value>>, example = json!({"id": 7, "kind": "email", "email": "maker@example.com"}))]
    before: Option<Box<RawValue>>,
    /// As it is; null for what is gone, and if `missingAbilities` names something.
    #[schema(value_type = Option<BTreeMap<String, Value>>, example = json!({"id": 7, "kind": "email", "email": "maker@example.org"}))]
    after: Option<Box<RawValue>>,
    /// What the caller's token lacks to be shown `before` and `after`, which are withheld then.
    #[schema(value_type = Vec<String>, example = json!([]))]
    missing_abilities: Vec<&'static str>,
    /// SHA-256 over all of this and the hash before.
    hash: &'a str,
    previous_hash: &'a str,
}

/// Who did it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditActor)]
struct ActorResponse<'a> {
    /// `token`, `anonymous`, `webhook`, `command_line` or `program`.
    #[schema(example = "token")]
    kind: &'a str,
    /// The system that called a webhook.
    name: Option<&'a str>,
    token_id: Option<i64>,
    user_id: Option<Uuid>,
}

/// What it was done to.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditSubject)]
struct SubjectResponse<'a> {
    /// `contact`, `customer`, `user`, `import` or `token`.
    #[schema(example = "contact")]
    kind: &'a str,
    #[schema(example = "7")]
    id: &'a str,
}

/// Part of the trail, newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditEntries<'a> {
    entries: Vec<EntryResponse<'a>>,
    /// Where the next page begins; null at the end.
    next_cursor: Option<String>,
}

/// Who changed what, when, before and after, newest first. Everything that is asked for must hold.
///
/// How something was and is, is shown to tokens that may read it elsewhere: contacts, users and imports with
/// `contacts:read`, customers with `customers:read`, tokens with `tokens:manage`, rules of sync with `sync:read`, resolved
/// conflicts with `sync:read` and `customers:read`.
///
/// Entries are only ever added. Each holds the hash of the one before, so that `onefold-server audit verify` finds
/// what somebody changed, removed or exchanged.
#[utoipa::path(
    get, path = "/audit", tag = "audit", operation_id = "audit.list",
    params(
        ("subject" = Option<String>, Query, description = "What it was done to: a kind and an id, such as `contact:7`"),
        ("customerId" = Option<String>, Query, description = "The customer that it concerns, by the id that it had then"),
        ("tokenId" = Option<i64>, Query, description = "The token that acted"),
        ("userId" = Option<String>, Query, description = "The user who acted"),
        ("action" = Option<String>, Query, description = "Such as `contact.updated`"),
        ("since" = Option<String>, Query, description = "This moment (RFC 3339) and later ones"),
        ("until" = Option<String>, Query, description = "Earlier moments"),
        ("limit" = Option<u16>, Query, description = "1 to 200, default 50"),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before"),
    ),
    responses(
        (status = 200, description = "The changes; the header `Link` leads to the next page", body = AuditEntries),
        (status = 422, description = "A parameter cannot be accepted", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let mut query = Query::of(&request);
    let user = in_query(&app, &caller, &query).await?;
    let filter = filter(&mut query, user);
    let (limit, before) = (query.limit(MAX_PAGE), query.cursor().map(i64::unsigned_abs));
    query.finish()?;
    let page = app.audit.list(&filter, before, limit).await?;
    let (mut response, next_cursor) = page_answer(&request, page.next.map(u64::cast_signed));
    let reader = caller.abilities();
    let entries = page.entries.iter().map(|entry| entry_response(entry, &reader)).collect();
    Ok(response.json(AuditEntries { entries, next_cursor }))
}

fn filter(query: &mut Query, user: Option<UserId>) -> AuditFilter {
    let subject = query.text("subject");
    let subject = subject.and_then(|text| {
        let parsed = AuditSubject::parse(&text).ok_or(
            "Send a kind and an id, such as contact:7; the kinds are contact, customer, user, import and token.",
        );
        query.faults.note("subject", parsed)
    });
    let customer = query.text("customerId").and_then(|text| query.faults.note("customerId", uuid(&text)));
    let token = query.number("tokenId", 1, i64::MAX.unsigned_abs());
    let user = query.user("userId", user);
    AuditFilter {
        subject,
        customer: customer.map(CustomerId),
        token: token.map(|id| TokenId(id.cast_signed())),
        user,
        action: query.one_of("action", &AuditAction::ALL.map(AuditAction::as_str), AuditAction::parse),
        since: query.moment("since"),
        until: query.moment("until"),
    }
}

fn entry_response<'a>(entry: &'a AuditEntry, reader: &Abilities) -> EntryResponse<'a> {
    let facts = &entry.facts;
    let missing = facts.states_withheld_from(reader);
    let state =
        |snapshot: &Option<Snapshot>| snapshot.as_ref().filter(|_| missing.is_empty()).and_then(state);
    let (kind, name) = match facts.actor.split_once(':') {
        Some((kind, name)) => (kind, Some(name)),
        None => (facts.actor.as_str(), None),
    };
    EntryResponse {
        number: entry.number,
        at: facts.at,
        actor: ActorResponse {
            kind,
            name,
            token_id: facts.token.map(|token| token.0),
            user_id: facts.user.map(|user| user.0),
        },
        action: &facts.action,
        subject: SubjectResponse { kind: &facts.subject_kind, id: &facts.subject_id },
        customer_id: facts.customer.map(|customer| customer.0),
        request_id: facts.request_id.as_deref(),
        before: state(&facts.before),
        after: state(&facts.after),
        missing_abilities: missing.iter().map(|ability| ability.as_str()).collect(),
        hash: &entry.hash,
        previous_hash: &entry.previous_hash,
    }
}

/// The JSON letter by letter; as a text if somebody made it something else.
fn state(snapshot: &Snapshot) -> Option<Box<RawValue>> {
    let text = snapshot.as_str();
    serde_json::from_str(text).or_else(|_| to_raw_value(text)).ok()
}
