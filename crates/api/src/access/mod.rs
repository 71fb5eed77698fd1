//! Access control: a middleware that lets a request through to its handler, or answers in its place. It
//! fails closed: what is not in `table` is not served.
//!
//! The order is that of the admin contract: route, token, limits, and then the ability.

mod bearer;
mod caller;
mod document;
mod refusal;
pub(crate) mod table;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HOST;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use onefold_domain::{Ability, AccessToken, PresentedToken};

use crate::app::App;
use crate::error::ApiError;
pub(crate) use caller::Caller;
pub(crate) use document::describe_access;
pub(crate) use refusal::Refusal;
use table::{Access, Entry, Family, UserTokens};

/// Wraps every request, also those that no route takes.
pub(crate) async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match admit(&request).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            Ok(next.call(request).await?.map_into_boxed_body())
        }
        Err(refusal) => {
            let answer = refusal.answer(Family::of_path(request.path()), request.request());
            Ok(request.into_response(answer))
        }
    }
}

/// Who calls, if the route lets them in.
async fn admit(request: &ServiceRequest) -> Result<Caller, Refusal> {
    let entry = entry(request)?;
    let app = request.app_data::<web::Data<App>>().ok_or_else(no_app)?;
    if matches!(entry.access, Access::Open | Access::OwnProof) {
        return Ok(Caller { token: None });
    }
    // A wrong token is told even where none is needed: its holder believes in it.
    let Some(text) = bearer::token(request.headers()) else {
        let open = is_open(app, entry, request);
        return if open { Ok(Caller { token: None }) } else { Err(Refusal::Unauthenticated) };
    };
    let token = authenticate(app, text).await?.ok_or(Refusal::Unauthenticated)?;
    if entry.user_tokens == UserTokens::Refused && token.user.is_some() {
        return Err(Refusal::UserToken);
    }
    let needed = match entry.access {
        Access::Needs(ability) => Some(ability),
        Access::OpenOnLoopback(ability) => ability,
        Access::Open | Access::OwnProof | Access::NeedsLate(_) => None,
    };
    match needed {
        Some(ability) if !token.abilities.permit(ability) => Err(Refusal::Ability(ability)),
        _ => Ok(Caller { token: Some(token) }),
    }
}

/// By the path as the router reads it: one that is written in another way must not lead around.
fn entry(request: &ServiceRequest) -> Result<&'static Entry, Refusal> {
    let pattern = request.resource_map().match_pattern(request.match_info().as_str());
    let pattern = pattern.ok_or(Refusal::UnknownPath)?;
    match table::find(request.method(), &pattern) {
        Some(entry) => Ok(entry),
        None => Err(table::allowed(&pattern).map_or(Refusal::UnknownPath, Refusal::Method)),
    }
}

async fn authenticate(app: &App, text: &str) -> Result<Option<AccessToken>, Refusal> {
    let Some(presented) = PresentedToken::parse(text) else { return Ok(None) };
    let found = app.tokens.authenticate(&presented).await.map_err(ApiError::from)?;
    if let Some(token) = &found {
        // Nobody is turned away because it could not be noted.
        if let Err(error) = app.tokens.note_use(token).await {
            tracing::debug!(%error, "the use of a token was not noted");
        }
    }
    Ok(found)
}

fn is_open(app: &App, entry: &Entry, request: &ServiceRequest) -> bool {
    let Access::OpenOnLoopback(ability) = entry.access else { return false };
    let by_decree = ability == Some(Ability::Identify) && app.exposure.identify_without_token;
    let host = request.headers().get(HOST).map(|host| host.to_str().unwrap_or_default());
    by_decree || app.exposure.is_local(host)
}

fn no_app() -> Refusal {
    Refusal::Error(ApiError::Internal("the application is not there".into()))
}
