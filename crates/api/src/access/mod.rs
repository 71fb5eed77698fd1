//! Access control: a middleware that lets a request through to its handler, or answers in its place. It
//! fails closed: what is not in `operations` is not served.
//!
//! The order is that of the admin contract: route, token, limits, and then the ability.

pub(crate) mod bearer;
mod caller;
mod loopback;
mod rejection;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderMap;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use onefold_service::operation::IdempotencyScope;
use onefold_service::token::{Ability, AccessToken, PresentedToken};
use onefold_service::tokens::Tokens;

use crate::answered::with_headers;
use crate::app::App;
use crate::error::ApiError;
use crate::limits::{ClientAddress, Decision, Limits, WindowDecision};
use crate::operations::{self, Access, Entry, Family, UserTokens};
pub(crate) use caller::Caller;
pub(crate) use rejection::Rejection;

/// Wraps every request, also those that no route takes.
pub(crate) async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let mut counted = Counted::Nothing;
    let answered = match admit(&request, &mut counted).await {
        Ok(caller) => {
            if let Some(token) = caller.token() {
                request.extensions_mut().insert(IdempotencyScope::of_token(token.id.0));
            }
            request.extensions_mut().insert(caller);
            next.call(request).await.map(ServiceResponse::map_into_boxed_body)
        }
        Err(rejection) => Ok(rejection.reject(request)),
    };
    with_headers(answered, |headers| counted.write(headers))
}

/// Under which limit a request was counted, for the header fields of its answer.
enum Counted {
    Nothing,
    /// Too many wrong tokens came from its address.
    ByFailures(Decision),
    ByToken(Decision),
    ByAdminToken(WindowDecision),
}

impl Counted {
    fn of(limits: &Limits, entry: &Entry, token: &AccessToken) -> Self {
        match Family::of_path(entry.pattern) {
            Family::Problem | Family::Enveloped => Self::ByToken(limits.token(token.id.0)),
            Family::Laravel => Self::ByAdminToken(limits.admin(token.id.0)),
        }
    }

    fn rejection(&self) -> Option<Rejection> {
        match self {
            Self::ByToken(decision) if decision.retry_after_s.is_some() => Some((*decision).into()),
            Self::ByAdminToken(decision) if decision.retry_after_s.is_some() => Some((*decision).into()),
            _ => None,
        }
    }

    fn write(&self, headers: &mut HeaderMap) {
        match self {
            Self::Nothing => {}
            Self::ByToken(decision) | Self::ByFailures(decision) => decision.write(headers),
            Self::ByAdminToken(decision) => decision.write(headers),
        }
    }
}

/// Who calls, if the route lets them in.
async fn admit(request: &ServiceRequest, counted: &mut Counted) -> Result<Caller, Rejection> {
    let entry = entry(request)?;
    let app = request.app_data::<web::Data<App>>().ok_or_else(no_app)?;
    if matches!(entry.access, Access::Open | Access::OwnProof) {
        return Ok(Caller::new(None));
    }
    // A token that is sent is checked, also where none is needed: its holder would not learn otherwise that it is no longer
    // good, and would rely on it elsewhere.
    let Some(text) = bearer::token(request.headers()) else {
        let open = is_open(app, entry, request);
        return if open { Ok(Caller::new(None)) } else { Err(Rejection::Unauthenticated) };
    };
    let token = authenticate(app, request, text, counted).await?;
    *counted = Counted::of(&app.limits, entry, &token);
    if let Some(rejection) = counted.rejection() {
        return Err(rejection);
    }
    permit(entry, &token)?;
    Ok(Caller::new(Some(token)))
}

fn permit(entry: &Entry, token: &AccessToken) -> Result<(), Rejection> {
    if entry.user_tokens == UserTokens::Refused && token.user.is_some() {
        return Err(Rejection::UserToken);
    }
    let needed = match entry.access {
        Access::Needs(ability) => Some(ability),
        Access::OpenOnLoopback(ability) => ability,
        Access::Open | Access::OwnProof | Access::NeedsLate(_) => None,
    };
    match needed {
        Some(ability) if !token.abilities.permit(ability) => Err(Rejection::Ability(ability)),
        _ => Ok(()),
    }
}

/// By the path as the router reads it: one that is written in another way must not lead around.
fn entry(request: &ServiceRequest) -> Result<&'static Entry, Rejection> {
    let pattern = request.resource_map().match_pattern(request.match_info().as_str());
    let pattern = pattern.ok_or(Rejection::UnknownPath)?;
    match operations::find(request.method(), &pattern) {
        Some(entry) => Ok(entry),
        None => Err(other_method(request, &pattern)),
    }
}

fn other_method(request: &ServiceRequest, pattern: &str) -> Rejection {
    let Some(allow) = operations::allowed(pattern) else { return Rejection::UnknownPath };
    let path = request.path().trim_start_matches('/').to_owned();
    Rejection::Method { method: request.method().to_string(), path, allow }
}

async fn authenticate(
    app: &App,
    request: &ServiceRequest,
    text: &str,
    counted: &mut Counted,
) -> Result<AccessToken, Rejection> {
    let address = ClientAddress::of(request).ok_or_else(no_app)?.address;
    let presented = PresentedToken::parse(text);
    let decision = app.limits.may_authenticate(address);
    let is_known = presented.as_ref().is_some_and(|presented| app.known_tokens.knows(presented));
    if decision.retry_after_s.is_some() && !is_known {
        *counted = Counted::ByFailures(decision);
        return Err(decision.into());
    }
    let found = match &presented {
        Some(presented) => app.tokens.authenticate(presented).await.map_err(ApiError::from)?,
        None => None,
    };
    let (Some(presented), Some(token)) = (presented, found) else {
        app.limits.failed_authentication(address);
        return Err(Rejection::Unauthenticated);
    };
    app.known_tokens.remember(&presented);
    note_use(app.tokens.clone(), token.clone());
    Ok(token)
}

/// Notes in the background that the token is in use: whoever only reads must not wait for those who write, nor be turned away
/// because it could not be noted.
fn note_use(tokens: Tokens, token: AccessToken) {
    actix_web::rt::spawn(async move {
        if let Err(error) = tokens.note_use(&token).await {
            tracing::debug!(%error, "the use of a token was not noted");
        }
    });
}

/// Whether the route takes a request without a token that comes from where this one does.
fn is_open(app: &App, entry: &Entry, request: &ServiceRequest) -> bool {
    let Access::OpenOnLoopback(ability) = entry.access else { return false };
    let by_decree = ability == Some(Ability::Identify) && app.exposure.identify_without_token;
    let from_here = ClientAddress::of(request).is_some_and(|client| client.is_this_machine);
    by_decree || (app.exposure.loopback && from_here && loopback::names_this_machine(request.head()))
}

fn no_app() -> Rejection {
    Rejection::Error(ApiError::Internal("the application is not there".into()))
}
