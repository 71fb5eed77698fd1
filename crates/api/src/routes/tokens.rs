//! `/tokens`: who else may call.

use actix_web::http::header::LOCATION;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use onefold_domain::id::UserId;
use onefold_service::clock::Clock;
use onefold_service::token::{Abilities, Ability, AccessToken, NewToken, TokenExpiry, TokenId, TokenName};
use onefold_service::tokens::TokenError;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::contacts::of_body;
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;
use crate::faults::Faults;
use crate::fields::Fields;
use crate::members::Members;
use crate::problem::Problem;
use crate::query::{MAX_PAGE, Query, page_answer};
use crate::user_names::in_body;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/tokens").get(list).post(create))
        .service(web::resource("/tokens/{id}").delete(revoke));
}

/// A token to be made.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "the shape for the document: bodies are read member by member, see `fields`")]
pub(crate) struct TokenBody {
    /// What it is for.
    #[schema(example = "shop", min_length = 1, max_length = 255)]
    name: String,
    /// `identify`, `contacts:read`, `contacts:write`, `customers:read`, `customers:write`, `admin:contacts`,
    /// `sync:read`, `sync:run`, `tokens:manage`, `audit:read`, or `*` for all.
    #[schema(example = json!(["identify", "contacts:read"]), min_items = 1)]
    abilities: Vec<String>,
    /// Limits the token to this user's own data: its id or its external id.
    #[schema(max_length = 255)]
    user_id: Option<String>,
    /// From then on it is worth nothing. Not later than the end of the caller's own token.
    expires_at: Option<DateTime<Utc>>,
}

/// A token, without its secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Token)]
pub(crate) struct TokenResponse<'a> {
    #[schema(example = 12)]
    id: i64,
    #[schema(example = "shop")]
    name: &'a str,
    #[schema(value_type = Vec<String>, example = json!(["identify", "contacts:read"]))]
    abilities: Vec<&'static str>,
    user_id: Option<Uuid>,
    expires_at: Option<DateTime<Utc>>,
    /// To the minute.
    last_used_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

/// A token that was just made.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreatedToken<'a> {
    /// For the header `Authorization: Bearer …`. It is shown this once.
    #[schema(example = "12|onefold_…")]
    token: &'a str,
    #[serde(flatten)]
    details: TokenResponse<'a>,
}

/// A page of tokens.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tokens<'a> {
    tokens: Vec<TokenResponse<'a>>,
    /// Leads to the next page, if there is one.
    next_cursor: Option<String>,
}

/// Makes a token that permits no more than the caller's own, and for no longer. Its secret is in this answer and nowhere else.
#[utoipa::path(
    post, path = "/tokens", tag = "access", operation_id = "tokens.create",
    request_body = TokenBody,
    responses(
        (status = 201, description = "The token with its secret", body = CreatedToken),
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
    let new = new_token(body, app.env.base.clock.as_ref(), user)?;
    let (token, plain) = held(&app, &caller)?.create(&new).await.map_err(not_made)?;
    let location = format!("/tokens/{}", token.id.0);
    let created = CreatedToken { token: plain.expose(), details: token_response(&token) };
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(created))
}

/// Lists the tokens that were not revoked and permit no more than the caller's own, oldest first.
#[utoipa::path(
    get, path = "/tokens", tag = "access", operation_id = "tokens.list",
    params(
        ("limit" = Option<u16>, Query, description = "1 to 200, default 50"),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before"),
    ),
    responses(
        (status = 200, description = "The tokens; the header `Link` leads to the next page", body = Tokens),
        (status = 422, description = "A parameter cannot be accepted", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let mut query = Query::of(&request);
    let (limit, after) = (usize::from(query.limit(MAX_PAGE)), query.cursor().map(TokenId));
    query.finish()?;
    let page = held(&app, &caller)?.list(after, limit).await?;
    let (mut response, next_cursor) = page_answer(&request, page.next.map(|last| last.0));
    Ok(response.json(Tokens { tokens: page.entries.iter().map(token_response).collect(), next_cursor }))
}

/// Revokes a token: from now on it is worth nothing. One that permits more than the caller's own is not found.
#[utoipa::path(
    delete, path = "/tokens/{id}", tag = "access", operation_id = "tokens.revoke",
    params(("id" = i64, Path, description = "The number before the `|`")),
    responses(
        (status = 204, description = "Revoked"),
        (status = 404, description = "There is no such token", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The id is no number", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn revoke(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let Some(id) = id.parse().ok().map(TokenId) else {
        let mut faults = Faults::default();
        faults.add("id", "A token's id is the number before the |, such as 12.");
        return Err(faults.into());
    };
    if held(&app, &caller)?.revoke(id).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(ApiError::UnknownToken)
    }
}

/// What the caller may do about tokens.
fn held(app: &App, caller: &Caller) -> Result<onefold_service::tokens::Tokens, ApiError> {
    let token = caller.token().ok_or(ApiError::Unauthenticated)?;
    Ok(app.tokens.acting(caller.acting()).held_by(token))
}

fn not_made(error: TokenError) -> ApiError {
    match error {
        TokenError::NotYours(error) => ApiError::TokenNotYours(error),
        TokenError::Record(error) => of_body(error),
    }
}

fn new_token(body: Members, clock: &dyn Clock, user: Option<UserId>) -> Result<NewToken, ApiError> {
    let mut fields = Fields::of(body);
    let name = fields.text("name").unwrap_or_default();
    let name = fields.faults.note("name", TokenName::parse(&name));
    let abilities = fields.texts("abilities").unwrap_or_default();
    let abilities = fields.faults.note("abilities", parse_abilities(&abilities));
    let user = fields.user("userId", user);
    let expires_at = fields.text("expiresAt");
    let expires_at =
        expires_at.and_then(|text| fields.faults.note("expiresAt", TokenExpiry::parse(&text, clock)));
    fields.finish()?;
    let (Some(name), Some(abilities)) = (name, abilities) else { return Err(Faults::default().into()) };
    Ok(NewToken { name, abilities, user, expires_at })
}

fn parse_abilities(names: &[String]) -> Result<Abilities, String> {
    if names.is_empty() {
        return Err("Send at least one ability, such as [\"identify\"].".to_owned());
    }
    let parse = |name: &String| {
        Ability::parse(name).ok_or_else(|| {
            let known = Ability::ALL.map(Ability::as_str).join(", ");
            format!("There is an unknown ability; known are {known}.")
        })
    };
    names.iter().map(parse).collect()
}

fn token_response(token: &AccessToken) -> TokenResponse<'_> {
    TokenResponse {
        id: token.id.0,
        name: token.name.as_str(),
        abilities: token.abilities.iter().map(Ability::as_str).collect(),
        user_id: token.user.map(|UserId(id)| id),
        expires_at: token.expires_at,
        last_used_at: token.last_used_at,
        created_at: token.created_at,
    }
}
