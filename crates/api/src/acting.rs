//! On whose behalf a request acts, for the audit trail.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use onefold_domain::{Acting, Actor};

use crate::telemetry::request_id;

/// The caller. Whoever checks access puts the `Actor` into the request's extensions; without one it is anybody.
pub(crate) struct Caller(pub(crate) Acting);

impl FromRequest for Caller {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let actor = request.extensions().get::<Actor>().copied().unwrap_or(Actor::Anonymous);
        let id = Some(request_id()).filter(|id| !id.is_empty());
        ready(Ok(Self(Acting { request_id: id.map(Into::into), ..Acting::of(actor) })))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use onefold_domain::TokenId;

    use super::*;

    #[actix_web::test]
    async fn the_caller_is_the_one_who_was_let_in() {
        let request = TestRequest::default().to_http_request();
        let Caller(acting) = Caller::extract(&request).await.unwrap();
        assert_eq!(acting, Acting::of(Actor::Anonymous));
        let token = Actor::Token { id: TokenId(7), user: None };
        request.extensions_mut().insert(token);
        let Caller(acting) = Caller::extract(&request).await.unwrap();
        assert_eq!(acting.actor, token);
    }
}
