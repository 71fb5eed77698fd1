//! `/contacts` and `/contacts/{id}`: contact records.

mod body;
mod response;

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use onefold_domain::contact::{ContactKind, ContactRecord};
use onefold_domain::email::EmailAddress;
use onefold_domain::id::{ContactId, CustomerId, UserId};
use onefold_domain::metadata::MetadataFilter;
use onefold_domain::phone::{PhoneNumber, Region};
use onefold_domain::source::ContactSource;
use onefold_service::contacts::{ContactPage, ContactRequest, Upserted};
use onefold_service::error::RecordError;
use onefold_service::store::ContactFilter;

pub(crate) use body::{ContactBody, ContactPatch};
pub(crate) use response::{Contact, Contacts};

use crate::access::Caller;
use crate::app::App;
use crate::blocked;
use crate::error::ApiError;
use crate::faults::Faults;
use crate::fields::uuid;
use crate::members::Members;
use crate::preconditions::{etag, expectation, is_known};
use crate::problem::Problem;
use crate::query::{Query, page_answer};
use crate::telemetry::count_contact;
use crate::user_names::{in_body, in_query};

pub(super) fn configure(config: &mut ServiceConfig) {
    let all = web::resource("/contacts").get(list).post(create).put(upsert);
    let one = web::resource("/contacts/{id}").get(read).patch(change).delete(withdraw);
    config.service(all).service(one);
}

/// Adds a contact: always a new one, also when there is an equal one, so that every source keeps its own.
#[utoipa::path(
    post, path = "/contacts", tag = "contacts", operation_id = "contacts.create",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Names the operation: sent again within 24 hours, it is carried out once and answered as before"),
    ),
    request_body = ContactBody,
    responses(
        (status = 201, description = "The contact", body = Contact, headers(
            ("ETag" = String, description = "For `If-Match`"),
            ("Onefold-Blocked" = Option<String>, description = "Values that did not link, and the rule"),
        )),
        (status = 400, description = "Not JSON, or no object", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field cannot be accepted", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    app: web::Data<App>,
    caller: Caller,
    body: web::Json<Members>,
) -> Result<HttpResponse, ApiError> {
    let body = body.into_inner();
    let user = in_body(&app, &caller, &body).await?;
    let request = own(&caller, body::request(body, app.default_region, user)?)?;
    let record = app.contacts.acting(caller.acting()).create_contact(&request).await.map_err(of_body)?;
    count_contact("created");
    Ok(contact_response(StatusCode::CREATED, &record))
}

/// Updates the contact of this kind, value and user, or adds it.
///
/// With a user and no such contact, the oldest guest's contact of the value becomes the user's.
/// Metadata is merged, `createdAt` stays, and a verification is never taken back.
///
/// What a person entered stays: a contact of source `manual` is updated and claimed by requests of source `manual` only.
/// One of another source passes over it, and updates the next contact that it means, or adds one.
#[utoipa::path(
    put, path = "/contacts", tag = "contacts", operation_id = "contacts.upsert",
    request_body = ContactBody,
    responses(
        (status = 200, description = "The contact, updated or claimed", body = Contact),
        (status = 201, description = "The contact, created", body = Contact),
        (status = 400, description = "Not JSON, or no object", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field cannot be accepted", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn upsert(
    app: web::Data<App>,
    caller: Caller,
    body: web::Json<Members>,
) -> Result<HttpResponse, ApiError> {
    let body = body.into_inner();
    let user = in_body(&app, &caller, &body).await?;
    let request = body::request(body, app.default_region, user)?;
    let (record, done) =
        app.contacts.acting(caller.acting()).create_or_update_contact(&request).await.map_err(of_body)?;
    let (status, outcome) = match done {
        Upserted::Created => (StatusCode::CREATED, "created"),
        Upserted::Updated => (StatusCode::OK, "updated"),
        Upserted::Claimed => (StatusCode::OK, "claimed"),
    };
    count_contact(outcome);
    Ok(contact_response(status, &record))
}

/// Lists contacts, oldest first. Everything that is asked for must hold.
#[utoipa::path(
    get, path = "/contacts", tag = "contacts", operation_id = "contacts.list",
    params(
        ("kind" = Option<String>, Query, description = "`email`, `phone` or `both`"),
        ("value" = Option<String>, Query, description = "An email address or a phone number, in any spelling"),
        ("userId" = Option<String>, Query, description = "The user's contacts: its id or its external id"),
        ("customerId" = Option<String>, Query, description = "The customer's contacts"),
        ("source" = Option<String>, Query, description = "Contacts of this source"),
        ("metadata.{name}" = Option<String>, Query, description = "Contacts whose metadata has this member of its outermost object with this value, letter by letter, such as `metadata.orderId=order_123`: a text, a number as it is shown, true or false. Up to 5, of at most 255 characters", example = "order_123"),
        ("limit" = Option<u16>, Query, description = "1 to 200, default 50"),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before"),
    ),
    responses(
        (status = 200, description = "The contacts; the header `Link` leads to the next page", body = Contacts),
        (status = 422, description = "A parameter cannot be accepted", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let mut query = Query::of(&request);
    let user = in_query(&app, &caller, &query).await?;
    let mut filter = filter(&mut query, app.default_region, user);
    let page = query.page();
    query.finish()?;
    if let Some(own) = caller.limited_to() {
        caller.must_own_user(filter.user.unwrap_or(own))?;
        filter.user = Some(own);
        filter.is_proven = true;
    }
    let page = app.contacts.contacts(&filter, page).await?;
    Ok(contact_page_response(&request, &page))
}

/// One contact.
#[utoipa::path(
    get, path = "/contacts/{id}", tag = "contacts", operation_id = "contacts.read",
    params(
        ("id" = i64, Path, description = "The contact"),
        ("If-None-Match" = Option<String>, Header, description = "An ETag: 304 if nothing changed"),
    ),
    responses(
        (status = 200, description = "The contact", body = Contact),
        (status = 304, description = "As it was"),
        (status = 404, description = "There is no such contact", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let record = app.contacts.contact(contact_id(&id)?).await?;
    caller.must_own_contact(&record)?;
    let revision = record.revision();
    if is_known(&request, &revision) {
        return Ok(HttpResponse::NotModified().insert_header(etag(&revision)).finish());
    }
    Ok(contact_response(StatusCode::OK, &record))
}

/// Changes a contact by a JSON merge patch. Another value links it anew.
#[utoipa::path(
    patch, path = "/contacts/{id}", tag = "contacts", operation_id = "contacts.change",
    params(
        ("id" = i64, Path, description = "The contact"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the change is based on"),
    ),
    request_body(content((ContactPatch = "application/merge-patch+json"), (ContactPatch = "application/json"))),
    responses(
        (status = 200, description = "The contact", body = Contact),
        (status = 404, description = "There is no such contact", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "It has changed in the meantime", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field cannot be accepted", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn change(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: web::Json<Members>,
) -> Result<HttpResponse, ApiError> {
    let id = contact_id(&id)?;
    let expected = expectation(&request)?;
    // The kind says how a value is to be read. It never changes, so that it may be asked for beforehand.
    let known = app.contacts.contact(id).await?;
    caller.must_own_contact(&known)?;
    let change = body::change(body.into_inner(), known.kind(), app.default_region)?;
    caller.must_be_unlimited(
        change.value.is_none() && change.is_verified.is_none() && change.source.is_none(),
    )?;
    let record = app.contacts.acting(caller.acting()).change_contact(id, &change, &expected).await?;
    count_contact("updated");
    Ok(contact_response(StatusCode::OK, &record))
}

/// Withdraws a contact: it is kept as history but counts no more, and its customer is computed anew.
#[utoipa::path(
    delete, path = "/contacts/{id}", tag = "contacts", operation_id = "contacts.withdraw",
    params(
        ("id" = i64, Path, description = "The contact"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the decision is based on"),
    ),
    responses(
        (status = 204, description = "Withdrawn"),
        (status = 404, description = "There is no such contact", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "It has changed in the meantime", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn withdraw(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let (id, expected) = (contact_id(&id)?, expectation(&request)?);
    if caller.limited_to().is_some() {
        caller.must_own_contact(&app.contacts.contact(id).await?)?;
    }
    app.contacts.acting(caller.acting()).withdraw_contact(id, &expected).await?;
    count_contact("withdrawn");
    Ok(HttpResponse::NoContent().finish())
}

/// What a user's own token adds is the user's, and the user's word for it alone.
fn own(caller: &Caller, request: ContactRequest) -> Result<ContactRequest, ApiError> {
    let Some(user) = caller.limited_to() else { return Ok(request) };
    let owned = request.statement.user().is_none_or(|stated| stated == user);
    caller.must_be_unlimited(owned && request.is_verified != Some(true))?;
    Ok(ContactRequest { statement: request.statement.of_user(user), ..request })
}

/// A page of contacts with the way to the next one.
pub(super) fn contact_page_response(request: &HttpRequest, page: &ContactPage) -> HttpResponse {
    let (mut response, next_cursor) = page_answer(request, page.next.map(|last| last.0));
    response.json(Contacts { contacts: page.entries.iter().map(Contact::of).collect(), next_cursor })
}

/// Reads which contacts are meant, also what an export is to hold; `user` is whom the parameters name, looked up.
pub(super) fn filter(query: &mut Query, region: Option<Region>, user: Option<UserId>) -> ContactFilter {
    let kind = query.one_of("kind", &ContactKind::ALL.map(ContactKind::as_str), ContactKind::parse);
    let user = query.user("userId", user);
    let customer = query.text("customerId").and_then(|text| query.faults.note("customerId", uuid(&text)));
    let source = query.one_of("source", &ContactSource::ALL.map(ContactSource::as_str), ContactSource::parse);
    let mut filter =
        ContactFilter { kind, user, customer: customer.map(CustomerId), source, ..ContactFilter::default() };
    filter.metadata = metadata(query);
    let Some(value) = query.text("value") else { return filter };
    if kind == Some(ContactKind::Email) || (kind != Some(ContactKind::Phone) && value.contains('@')) {
        // Some are here by a wider rule.
        let email = EmailAddress::parse(&value);
        let email = email.or_else(|error| EmailAddress::parse_rfc5322(&value).map_err(|_| error));
        filter.email = query.faults.note("value", email);
    } else {
        filter.phone = query.faults.note("value", PhoneNumber::parse(&value, region));
    }
    filter
}

/// Members that the metadata is to have.
fn metadata(query: &mut Query) -> Vec<MetadataFilter> {
    let members = query.starting_with("metadata.", "metadata.{name}");
    if members.len() > MetadataFilter::MOST {
        query.faults.add("metadata", format!("Ask for {} members at most.", MetadataFilter::MOST));
    }
    let mut wanted = Vec::new();
    for (name, value) in members {
        match MetadataFilter::parse(&name, &value) {
            Ok(member) => wanted.push(member),
            Err(error) => query.faults.add(format!("metadata.{name}"), error.to_string()),
        }
    }
    wanted
}

fn contact_response(status: StatusCode, record: &ContactRecord) -> HttpResponse {
    let mut response = HttpResponseBuilder::new(status);
    response.insert_header(etag(&record.revision()));
    if status == StatusCode::CREATED {
        response.insert_header((LOCATION, format!("/contacts/{}", record.id.0)));
    }
    blocked::insert(&mut response, blocked::of_record(record));
    response.json(Contact::of(record))
}

fn contact_id(text: &str) -> Result<ContactId, ApiError> {
    let id = text.parse().ok().filter(|id| *id > 0).map(ContactId);
    id.ok_or_else(|| {
        let mut faults = Faults::default();
        faults.add("id", "A contact's id is a whole number, such as 7.");
        faults.into()
    })
}

/// A user that is missing is a fault of the body here.
pub(super) fn of_body(error: RecordError) -> ApiError {
    if matches!(error, RecordError::NoSuchUser) {
        let mut faults = Faults::default();
        faults.add("userId", "There is no such user; create it with POST /users first.");
        return faults.into();
    }
    error.into()
}
