//! `GET /contacts/export`: all contacts, or those that a filter names, as a stream that another Onefold reads.

use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, SecondsFormat, Utc};
use onefold_domain::contact::{Channel, ClaimedBy, Statement};
use onefold_domain::email::EmailAddress;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::profile::Profile;
use onefold_domain::source::ContactSource;
use onefold_service::contacts::{ExportRow, ExportedContact, ExportedJoin};
use onefold_service::user::ExternalId;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::contacts::{Contact, filter};
use super::profile_columns::{cells, names, nones};
use crate::access::Caller;
use crate::app::App;
use crate::csv::Table;
use crate::error::ApiError;
use crate::exports::{Form, answer, as_lines, pages};
use crate::problem::Problem;
use crate::query::Query;
use crate::user_names::in_query;

/// How many contacts are read at a time.
const AT_ONCE: u16 = 1_000;

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(web::resource("/contacts/export").get(export));
}

/// Streams contacts, oldest first.
///
/// NDJSON holds each contact as `GET /contacts/{id}` shows it, and beside that where it was made (`originHub`, `originId`),
/// the values as they were first written, and the external id of its user. Between them stand rows of kind `join`: requests
/// that showed two known values to belong together and left no contact. They are there for all contacts and for those of one customer.
/// CSV has one column for each field; cells that a
/// spreadsheet would run as formulas begin with an apostrophe. `POST /contacts/import` reads both again, here or in another
/// Onefold: each contact comes back as itself, and the same file again changes nothing.
#[utoipa::path(
    get, path = "/contacts/export", tag = "contacts", operation_id = "contacts.export",
    params(
        ("format" = Option<String>, Query, description = "`ndjson` (default) or `csv`; `Accept: text/csv` does as well"),
        ("kind" = Option<String>, Query, description = "As in `GET /contacts`, like all that follow"),
        ("value" = Option<String>, Query),
        ("userId" = Option<String>, Query),
        ("customerId" = Option<String>, Query),
        ("source" = Option<String>, Query),
        ("metadata.{name}" = Option<String>, Query),
    ),
    responses(
        (status = 200, description = "The contacts", content((String = "application/x-ndjson"), (String = "text/csv"))),
        (status = 422, description = "A parameter cannot be accepted", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn export(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let mut query = Query::of(&request);
    let user = in_query(&app, &caller, &query).await?;
    let filter = filter(&mut query, app.default_region, user);
    let form = Form::of(&request, &mut query);
    query.finish()?;
    // Read page by page, each when the one before was sent: memory stays the same however many there are.
    let pages = pages(None, move |from| {
        let (app, filter) = (app.clone(), filter.clone());
        async move {
            let page = app.contacts.export(&filter, from, AT_ONCE).await?;
            let bytes = match form {
                Form::Csv => as_csv(&page.entries, from.is_none()),
                Form::Ndjson => as_lines(page.entries.iter().map(Line::of))?,
            };
            Ok((bytes, page.next))
        }
    });
    Ok(answer("contacts", form, pages))
}

/// A row of the NDJSON form.
#[derive(Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Contact(Box<ContactLine<'a>>),
    Join(JoinLine<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ContactLine<'a> {
    #[serde(flatten)]
    contact: Contact<'a>,
    origin_hub: Uuid,
    origin_id: i64,
    received_email: Option<&'a str>,
    received_phone: Option<&'a str>,
    user_external_id: Option<&'a str>,
    /// Who set the values of the profile, and when, where that is not the contact with its last change.
    #[serde(skip_serializing_if = "Map::is_empty")]
    profile_set: Map<String, Value>,
    /// Only where there is no more than the user's own word for it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    self_stated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed_by: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JoinLine<'a> {
    id: i64,
    kind: &'static str,
    email: Option<&'a str>,
    phone: Option<&'a str>,
    user_id: Option<Uuid>,
    created_at: DateTime<Utc>,
    origin_hub: Uuid,
    origin_id: i64,
    user_external_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    beside_email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    beside_phone: Option<&'a str>,
}

/// What a row of a join is called where contacts have their kind.
const JOIN: &str = "join";

impl<'a> Line<'a> {
    fn of(row: &'a ExportRow) -> Self {
        match row {
            ExportRow::Contact(exported) => Self::Contact(Box::new(ContactLine {
                contact: Contact::of(&exported.record),
                origin_hub: exported.origin.hub.0,
                origin_id: exported.origin.number,
                received_email: exported.record.received.email.as_deref(),
                received_phone: exported.record.received.phone.as_deref(),
                user_external_id: exported.user_external_id.as_ref().map(ExternalId::as_str),
                profile_set: attributions(exported),
                self_stated: exported.record.statement.is_self_stated(),
                claimed_by: exported.record.claimed_by.map(ClaimedBy::as_str),
            })),
            ExportRow::Join(join) => Self::Join(JoinLine {
                id: join.id.0,
                kind: JOIN,
                email: join.statement.email().map(EmailAddress::as_str),
                phone: join.statement.phone().map(PhoneNumber::as_str),
                user_id: join.statement.user().map(|user| user.0),
                created_at: join.at,
                origin_hub: join.origin.hub.0,
                origin_id: join.origin.number,
                user_external_id: join.user_external_id.as_ref().map(ExternalId::as_str),
                source: join.source.map(ContactSource::as_str),
                beside_email: beside(join, Statement::email).map(EmailAddress::as_str),
                beside_phone: beside(join, Statement::phone).map(PhoneNumber::as_str),
            }),
        }
    }
}

fn attributions(exported: &ExportedContact) -> Map<String, Value> {
    exported.record.details.profile.as_ref().map(Profile::attributions).unwrap_or_default()
}

fn beside<T>(join: &ExportedJoin, value: impl Fn(&Statement) -> Option<&T>) -> Option<&T> {
    join.beside.as_ref().and_then(value)
}

/// The columns before those of the profile.
const COLUMNS: [&str; 11] = [
    "id",
    "kind",
    "email",
    "phone",
    "channel",
    "source",
    "userId",
    "isPrimary",
    "isVerified",
    "verifiedAt",
    "metadata",
];

/// The columns behind them.
const LAST_COLUMNS: [&str; 16] = [
    "customerId",
    "linkPrecedence",
    "linkedId",
    "createdAt",
    "updatedAt",
    "originHub",
    "originId",
    "receivedEmail",
    "receivedPhone",
    "userExternalId",
    "profileNone",
    "selfStated",
    "claimedBy",
    "profileSet",
    "besideEmail",
    "besidePhone",
];

fn as_csv(rows: &[ExportRow], first: bool) -> Bytes {
    let mut table = Table::default();
    if first {
        table.row(COLUMNS.into_iter().chain(names()).chain(LAST_COLUMNS));
    }
    for row in rows {
        let (before, profile, behind) = match row {
            ExportRow::Contact(contact) => {
                (columns(contact), contact.record.details.profile.as_ref(), last_columns(contact))
            }
            ExportRow::Join(join) => (join_columns(join), None, last_join_columns(join)),
        };
        let profile = cells(profile);
        let before = before.iter().map(String::as_str);
        table.row(before.chain(profile).chain(behind.iter().map(String::as_str)));
    }
    table.into_bytes()
}

fn columns(contact: &ExportedContact) -> [String; 11] {
    let contact = &contact.record;
    let details = &contact.details;
    let metadata = if details.metadata.is_empty() { String::new() } else { details.metadata.to_json() };
    [
        contact.id.0.to_string(),
        contact.kind().as_str().to_owned(),
        text(contact.statement.email().map(EmailAddress::as_str)),
        text(contact.statement.phone().map(PhoneNumber::as_str)),
        text(contact.channel().map(Channel::as_str)),
        contact.source.as_str().to_owned(),
        contact.user().map(|user| user.0.to_string()).unwrap_or_default(),
        details.is_primary.to_string(),
        details.verified_at.is_some().to_string(),
        details.verified_at.map(moment).unwrap_or_default(),
        metadata,
    ]
}

fn last_columns(exported: &ExportedContact) -> [String; 16] {
    let ExportedContact { record, origin, user_external_id } = exported;
    let linked = record.linked();
    [
        record.customer.0.to_string(),
        if linked.is_some() { "secondary" } else { "primary" }.to_owned(),
        linked.map(|id| id.0.to_string()).unwrap_or_default(),
        moment(record.created_at),
        moment(record.updated_at),
        origin.hub.0.to_string(),
        origin.number.to_string(),
        text(record.received.email.as_deref()),
        text(record.received.phone.as_deref()),
        text(user_external_id.as_ref().map(ExternalId::as_str)),
        nones(record.details.profile.as_ref()),
        if record.statement.is_self_stated() { "true" } else { "" }.to_owned(),
        text(record.claimed_by.map(ClaimedBy::as_str)),
        Some(attributions(exported)).filter(|set| !set.is_empty()).map_or_else(String::new, json_text),
        String::new(),
        String::new(),
    ]
}

fn join_columns(join: &ExportedJoin) -> [String; 11] {
    let mut columns: [String; 11] = Default::default();
    columns[0] = join.id.0.to_string();
    JOIN.clone_into(&mut columns[1]);
    columns[2] = text(join.statement.email().map(EmailAddress::as_str));
    columns[3] = text(join.statement.phone().map(PhoneNumber::as_str));
    columns[5] = text(join.source.map(ContactSource::as_str));
    columns[6] = join.statement.user().map(|user| user.0.to_string()).unwrap_or_default();
    columns
}

fn last_join_columns(join: &ExportedJoin) -> [String; 16] {
    let mut columns: [String; 16] = Default::default();
    columns[3] = moment(join.at);
    columns[5] = join.origin.hub.0.to_string();
    columns[6] = join.origin.number.to_string();
    columns[9] = text(join.user_external_id.as_ref().map(ExternalId::as_str));
    columns[14] = text(beside(join, Statement::email).map(EmailAddress::as_str));
    columns[15] = text(beside(join, Statement::phone).map(PhoneNumber::as_str));
    columns
}

fn json_text(members: Map<String, Value>) -> String {
    Value::Object(members).to_string()
}

fn text(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

pub(super) fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
