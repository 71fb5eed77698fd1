//! `/customers`: whom contacts resolve to.

pub(super) mod activity;
mod response;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use onefold_domain::customer::CustomerView;
use onefold_domain::id::{ContactId, CustomerId};
use onefold_service::contacts::Expectation;
use onefold_service::search::SearchQuery;
use onefold_sync::mapping::Mapping;
use utoipa::ToSchema;

pub(crate) use response::{Customer, Customers};

use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;
use crate::faults::Faults;
use crate::fields::{Fields, uuid};
use crate::members::Members;
use crate::preconditions::{etag, expectation, is_known};
use crate::problem::Problem;
use crate::profile_schema::ProfileMembers;
use crate::query::{Query, page_answer};
use onefold_sync::mappings::Mappings;

pub(super) fn configure(config: &mut ServiceConfig) {
    let one = web::resource("/customers/{id}").get(read).patch(change);
    config
        .service(web::resource("/customers").get(search))
        .service(web::resource("/customers/{id}/activity").get(activity::activity))
        .service(one);
}

/// What a person says of a customer, as a JSON merge patch (RFC 7396).
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the document: bodies are read member by member, see `fields`")]
pub(crate) struct CustomerPatch {
    /// Fields that are named replace what was computed; null rules that there is no such thing.
    #[schema(value_type = ProfileMembers)]
    profile: (),
}

/// Finds customers by name, company, email, phone, or a value of a contact's metadata: whole words, beginnings, or
/// anything inside them. Without a search it lists all, by the age of their oldest contact.
#[utoipa::path(
    get, path = "/customers", tag = "customers", operation_id = "customers.search",
    params(
        ("query" = Option<String>, Query, description = "At least 3 characters; all words must occur in one contact"),
        ("limit" = Option<u16>, Query, description = "1 to 100, default 50"),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before"),
    ),
    responses(
        (status = 200, description = "The customers, by the age of what matched; the header `Link` leads to the next page", body = Customers),
        (status = 422, description = "A parameter cannot be accepted", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn search(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    /// Each customer of a page is read as a whole.
    const MAX_PAGE: u16 = 100;
    let mut query = Query::of(&request);
    let text = query.text("query");
    let wanted =
        text.and_then(|text| query.faults.note("query", SearchQuery::parse(&text, app.default_region)));
    let (limit, after) = (query.limit(MAX_PAGE), query.cursor().map(ContactId));
    query.finish()?;
    let page = match wanted {
        Some(wanted) => app.customers.search(&wanted, after, limit).await?,
        None => app.customers.list(after, limit).await?,
    };
    let (mut response, next_cursor) = page_answer(&request, page.next.map(|last| last.0));
    let customers = page.entries.iter().map(Customer::listed).collect();
    Ok(response.json(Customers { customers, next_cursor }))
}

/// One customer, with all that its contacts say.
///
/// The id is a UUID, which stays valid when the customer is merged into another, or the number of one of
/// its contacts.
#[utoipa::path(
    get, path = "/customers/{id}", tag = "customers", operation_id = "customers.read",
    params(
        ("id" = String, Path, description = "The customer's UUID, or the number of a contact"),
        ("If-None-Match" = Option<String>, Header, description = "An ETag: 304 if nothing changed"),
    ),
    responses(
        (status = 200, description = "The customer", body = Customer),
        (status = 304, description = "As it was"),
        (status = 404, description = "There is no such customer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let view = app.customers.customer(customer_id(&app, &id).await?).await?;
    let mappings = Mappings::new(app.env.clone()).of_customer(view.id).await?;
    let revision = revision(&view, &mappings);
    if is_known(&request, &revision) {
        return Ok(HttpResponse::NotModified().insert_header(etag(&revision)).finish());
    }
    Ok(HttpResponse::Ok().insert_header(etag(&revision)).json(Customer::of(&view, &mappings)))
}

/// Keeps what a person says of a customer's profile.
///
/// It is stored as a contact of source `manual`, which outranks all others; withdrawing that contact, which
/// `profileSources` names, takes it back.
#[utoipa::path(
    patch, path = "/customers/{id}", tag = "customers", operation_id = "customers.change",
    params(
        ("id" = String, Path, description = "The customer's UUID, or the number of a contact"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the change is based on"),
    ),
    request_body(content((CustomerPatch = "application/merge-patch+json"), (CustomerPatch = "application/json"))),
    responses(
        (status = 200, description = "The customer", body = Customer),
        (status = 404, description = "There is no such customer", body = Problem, content_type = "application/problem+json"),
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
    let expected = of_the_customer(expectation(&request)?);
    let mut fields = Fields::of(body.into_inner());
    fields.refuse_null("profile");
    let patch = fields.profile_members("profile").flatten();
    fields.finish()?;
    let id = customer_id(&app, &id).await?;
    let view = app
        .customers
        .acting(caller.acting())
        .change_profile(id, &patch.unwrap_or_default(), &expected)
        .await?;
    let mappings = Mappings::new(app.env.clone()).of_customer(view.id).await?;
    let tag = etag(&revision(&view, &mappings));
    Ok(HttpResponse::Ok().insert_header(tag).json(Customer::of(&view, &mappings)))
}

/// Between the customer's own revision and the versions of its mappings.
const SEPARATOR: char = '.';

/// Differs whenever anything that is shown does.
fn revision(view: &CustomerView, mappings: &[Mapping]) -> String {
    let mut revision = view.revision.clone();
    for mapping in mappings {
        revision.push(SEPARATOR);
        revision += &mapping.version.to_string();
    }
    revision
}

/// A change of the profile rests on the customer: a sync that came in between is no reason to refuse it.
fn of_the_customer(expected: Expectation) -> Expectation {
    let own = |tag: String| tag.split(SEPARATOR).next().unwrap_or_default().to_owned();
    match expected {
        Expectation::OneOf(tags) => Expectation::OneOf(tags.into_iter().map(own).collect()),
        Expectation::Anything => Expectation::Anything,
    }
}

/// A number is a contact and stands for its customer.
async fn customer_id(app: &App, text: &str) -> Result<CustomerId, ApiError> {
    if let Ok(id) = uuid(text) {
        return Ok(CustomerId(id));
    }
    let Ok(contact) = text.parse() else {
        let mut faults = Faults::default();
        faults.add("id", "Send the customer's UUID, or the number of one of its contacts.");
        return Err(faults.into());
    };
    Ok(app.contacts.contact(ContactId(contact)).await?.customer)
}
