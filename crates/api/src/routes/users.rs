//! `/users`: the accounts that contacts may belong to.

use actix_web::http::header::LOCATION;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use onefold_domain::id::UserId;
use onefold_domain::profile::Profile;
use onefold_service::page::Page;
use onefold_service::store::ContactFilter;
use onefold_service::user::{ExternalId, User};
use onefold_service::users::NewUser;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::contacts::{Contacts, contact_page_response};
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;
use crate::fields::{Fields, id_in_path};
use crate::members::Members;
use crate::problem::Problem;
use crate::profile_schema::ProfileMembers;
use crate::query::{MAX_PAGE, Query, uuid_page_answer};

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/users").get(list).post(create))
        .service(web::resource("/users/{id}").get(read))
        .service(web::resource("/users/{id}/contacts").get(contacts));
}

/// An account to register.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "the shape for the document: bodies are read member by member, see `fields`")]
pub(crate) struct UserBody {
    /// A UUID of yours; left out, a new one is made.
    id: Option<Uuid>,
    /// How another system calls the account; no two users share one.
    #[schema(max_length = 255)]
    external_id: Option<String>,
    #[schema(value_type = Option<ProfileMembers>)]
    profile: Option<()>,
}

/// An account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = User)]
pub(crate) struct UserResponse<'a> {
    id: Uuid,
    external_id: Option<&'a str>,
    #[schema(value_type = Option<ProfileMembers>)]
    profile: Option<Map<String, Value>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// Part of a list of accounts, in the order of their ids.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Users)]
pub(crate) struct UsersResponse<'a> {
    users: Vec<UserResponse<'a>>,
    /// Where the next page begins; null at the end.
    next_cursor: Option<String>,
}

/// Lists accounts, in the order of their ids. A user's own token sees that user's account.
#[utoipa::path(
    get, path = "/users", tag = "users", operation_id = "users.list",
    params(
        ("externalId" = Option<String>, Query, description = "The account that another system calls so"),
        ("limit" = Option<u16>, Query, description = "1 to 200, default 50"),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before"),
    ),
    responses(
        (status = 200, description = "The accounts; the header `Link` leads to the next page", body = UsersResponse),
        (status = 422, description = "A parameter cannot be accepted", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let mut query = Query::of(&request);
    let external_id = query.text("externalId");
    let external_id = external_id.and_then(|text| query.faults.note("externalId", ExternalId::parse(&text)));
    let (limit, after) = (query.limit(MAX_PAGE), query.uuid_cursor().map(UserId));
    query.finish()?;
    let page = match (caller.limited_to(), external_id) {
        (None, None) => app.users.users(after, limit).await?,
        (None, Some(external_id)) => {
            Page::whole(Vec::from_iter(app.users.by_external_id(&external_id).await?))
        }
        (Some(own), external_id) => {
            let own = app.users.user(own).await?;
            let is_meant = external_id.is_none_or(|external_id| own.external_id == Some(external_id));
            Page::whole(Vec::from_iter(is_meant.then_some(own)))
        }
    };
    let (mut response, next_cursor) = uuid_page_answer(&request, page.next.map(|last| last.0));
    Ok(response.json(UsersResponse { users: page.entries.iter().map(user_response).collect(), next_cursor }))
}

/// Registers an account.
#[utoipa::path(
    post, path = "/users", tag = "users", operation_id = "users.create",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Names the operation: sent again within 24 hours, it is carried out once and answered as before"),
    ),
    request_body = UserBody,
    responses(
        (status = 201, description = "The user", body = UserResponse),
        (status = 409, description = "The id or the external id is taken", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field cannot be accepted", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    app: web::Data<App>,
    caller: Caller,
    body: web::Json<Members>,
) -> Result<HttpResponse, ApiError> {
    let mut fields = Fields::of(body.into_inner());
    let id = fields.new_user("id");
    let external_id = fields.text("externalId");
    let external_id = external_id.and_then(|text| fields.faults.note("externalId", ExternalId::parse(&text)));
    let profile = fields.profile("profile");
    fields.finish()?;
    let user = app.users.acting(caller.acting()).create_user(&NewUser { id, external_id, profile }).await?;
    let location = format!("/users/{}", user.id.0);
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(user_response(&user)))
}

/// One account.
#[utoipa::path(
    get, path = "/users/{id}", tag = "users", operation_id = "users.read",
    params(("id" = String, Path, description = "The user, a UUID")),
    responses(
        (status = 200, description = "The user", body = UserResponse),
        (status = 404, description = "There is no such user", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = UserId(id_in_path(&id)?);
    caller.must_own_user(id)?;
    let user = app.users.user(id).await?;
    Ok(HttpResponse::Ok().json(user_response(&user)))
}

/// The contacts of an account, oldest first.
#[utoipa::path(
    get, path = "/users/{id}/contacts", tag = "users", operation_id = "users.contacts",
    params(
        ("id" = String, Path, description = "The user, a UUID"),
        ("limit" = Option<u16>, Query, description = "1 to 200, default 50"),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before"),
    ),
    responses(
        (status = 200, description = "The contacts", body = Contacts),
        (status = 404, description = "There is no such user", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn contacts(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let mut query = Query::of(&request);
    let page = query.page();
    query.finish()?;
    let id = UserId(id_in_path(&id)?);
    caller.must_own_user(id)?;
    let user = app.users.user(id).await?;
    let is_proven = caller.limited_to().is_some();
    let filter = ContactFilter { user: Some(user.id), is_proven, ..ContactFilter::default() };
    let page = app.contacts.contacts(&filter, page).await?;
    Ok(contact_page_response(&request, &page))
}

pub(super) fn user_response(user: &User) -> UserResponse<'_> {
    UserResponse {
        id: user.id.0,
        external_id: user.external_id.as_ref().map(ExternalId::as_str),
        profile: user.profile.as_ref().map(Profile::to_json),
        created_at: user.created_at,
        updated_at: user.updated_at,
    }
}
