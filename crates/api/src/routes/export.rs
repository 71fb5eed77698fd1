//! `GET /contacts/export`: all contacts, or those that a filter names, as a stream.

use std::collections::BTreeMap;

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use chrono::SecondsFormat;
use futures_util::stream;
use onefold_domain::{
    Address, Channel, ContactFilter, ContactId, ContactRecord, EmailAddress, PageRequest, PhoneNumber,
    Profile, ProfileField,
};

use super::contacts::{Contact, filter};
use crate::app::App;
use crate::csv::{self, Table, accepts};
use crate::error::ApiError;
use crate::problem::Problem;
use crate::query::Query;

/// How many contacts are read at a time.
const AT_ONCE: u16 = 1_000;

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(web::resource("/contacts/export").get(export));
}

/// Streams contacts, oldest first.
///
/// NDJSON holds each contact as `GET /contacts/{id}` shows it. CSV has one column for each field; cells that a
/// spreadsheet would run as formulas begin with an apostrophe. `POST /contacts/import` reads both again.
#[utoipa::path(
    get, path = "/contacts/export", tag = "contacts",
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
pub(crate) async fn export(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let mut query = Query::of(&request);
    let filter = filter(&mut query, app.default_region);
    let format = query.one_of("format", &["ndjson", "csv"], |format| Some(format == "csv"));
    query.finish()?;
    if format.unwrap_or_else(|| accepts(&request, "text/csv")) {
        return Ok(csv::answer("contacts.csv", pages(app, filter, as_csv)));
    }
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"contacts.ndjson\""))
        .streaming(pages(app, filter, as_ndjson)))
}

/// Reads page by page, each when the one before was sent: memory stays the same however many there are.
fn pages(
    app: web::Data<App>,
    filter: ContactFilter,
    write: fn(&[ContactRecord], bool) -> Result<Bytes, ApiError>,
) -> impl futures_util::Stream<Item = Result<Bytes, ApiError>> {
    let start = Some(None::<ContactId>);
    stream::unfold((app, filter, start), move |(app, filter, after)| async move {
        let after = after?;
        let page = app.contacts.contacts(&filter, PageRequest { after, limit: AT_ONCE }).await;
        let read = page.map_err(ApiError::from);
        let written = read.and_then(|page| Ok((write(&page.contacts, after.is_none())?, page.next)));
        // An error ends the stream: the status is sent already, breaking off is the only way to tell.
        let (piece, next) = match written {
            Ok((bytes, next)) => (Ok(bytes), next.map(Some)),
            Err(error) => (Err(error.logged()), None),
        };
        Some((piece, (app, filter, next)))
    })
}

fn as_ndjson(contacts: &[ContactRecord], _first: bool) -> Result<Bytes, ApiError> {
    let mut lines = Vec::with_capacity(contacts.len() * 512);
    for contact in contacts {
        serde_json::to_writer(&mut lines, &Contact::of(contact))
            .map_err(|error| ApiError::Internal(Box::new(error)))?;
        lines.push(b'\n');
    }
    Ok(lines.into())
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

/// The parts of the address with the columns that they have.
const ADDRESS: [(&str, &str); 4] = [
    ("street", "address.street"),
    ("city", "address.city"),
    ("postalCode", "address.postalCode"),
    ("region", "address.region"),
];

/// The columns behind them.
const LAST_COLUMNS: [&str; 5] = ["customerId", "linkPrecedence", "linkedId", "createdAt", "updatedAt"];

fn as_csv(contacts: &[ContactRecord], first: bool) -> Result<Bytes, ApiError> {
    let mut table = Table::default();
    let texts = || ProfileField::ALL.into_iter().filter(|field| *field != ProfileField::Address);
    if first {
        let profile = texts().map(ProfileField::as_str).chain(ADDRESS.map(|(_, column)| column));
        table.row(COLUMNS.into_iter().chain(profile).chain(LAST_COLUMNS));
    }
    for contact in contacts {
        let empty = Profile::default();
        let profile = contact.details.profile.as_ref().unwrap_or(&empty);
        let address: BTreeMap<_, _> = profile.address().into_iter().flat_map(Address::parts).collect();
        let address = ADDRESS.map(|(part, _)| address.get(part).copied().unwrap_or_default());
        let (before, behind) = (columns(contact), last_columns(contact));
        let profile = texts().map(|field| profile.text(field).unwrap_or_default()).chain(address);
        let before = before.iter().map(String::as_str);
        table.row(before.chain(profile).chain(behind.iter().map(String::as_str)));
    }
    Ok(table.into_bytes())
}

fn columns(contact: &ContactRecord) -> [String; 11] {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
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
        details.verified_at.map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true)).unwrap_or_default(),
        metadata,
    ]
}

fn last_columns(contact: &ContactRecord) -> [String; 5] {
    let linked = contact.linked();
    [
        contact.customer.0.to_string(),
        if linked.is_some() { "secondary" } else { "primary" }.to_owned(),
        linked.map(|id| id.0.to_string()).unwrap_or_default(),
        contact.created_at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        contact.updated_at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
    ]
}
