//! Who calls, and what of the data is theirs.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use onefold_domain::contact::ContactRecord;
use onefold_domain::id::UserId;
use onefold_service::actor::{Acting, Actor};
use onefold_service::token::{Abilities, Ability, AccessToken};

use crate::error::ApiError;
use crate::request_id::request_id;

/// Whoever sent a request. The middleware puts it there; a handler that asks for it cannot be reached
/// around the middleware.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// `None` where everybody is let in.
    token: Option<AccessToken>,
    acting: Acting,
}

impl Caller {
    pub(super) fn new(token: Option<AccessToken>) -> Self {
        let actor = token.as_ref().map(|token| Actor::Token { id: token.id, user: token.user });
        Self { token, acting: Acting::of(actor.unwrap_or(Actor::Anonymous)) }
    }

    /// On whose behalf the request acts, and in the course of what.
    pub(crate) fn acting(&self) -> &Acting {
        &self.acting
    }

    /// On whose behalf a sync acts. It stores in several transactions and may be repeated without harm, so none of them is
    /// that of the operation which an idempotency key names: the key remembers the answer and nothing else.
    pub(crate) fn syncing(&self) -> Acting {
        Acting { operation: None, ..self.acting.clone() }
    }

    pub(crate) fn token(&self) -> Option<&AccessToken> {
        self.token.as_ref()
    }

    /// The user that the caller's token belongs to, and whose data alone it may see.
    pub(crate) fn limited_to(&self) -> Option<UserId> {
        self.token.as_ref().and_then(|token| token.user)
    }

    /// Whether data of this user, or of none, may be seen and changed.
    pub(crate) fn owns(&self, user: Option<UserId>) -> bool {
        self.limited_to().is_none_or(|own| user == Some(own))
    }

    /// Whether this contact may be seen and changed. What a guest left and a registration claimed for its user stays hidden
    /// from that user's tokens until the user has verified one of its values: whoever registers with somebody else's
    /// address must not learn what that person did as a guest.
    pub(crate) fn may_see(&self, record: &ContactRecord) -> bool {
        self.limited_to().is_none() || (self.owns(record.user()) && !record.is_unproven())
    }

    /// What the caller's token permits; nothing without one.
    pub(crate) fn abilities(&self) -> Abilities {
        self.token.as_ref().map(|token| token.abilities.clone()).unwrap_or_default()
    }

    pub(crate) fn permits(&self, ability: Ability) -> bool {
        self.token.as_ref().is_some_and(|token| token.abilities.permit(ability))
    }

    /// Answers for a contact of somebody else as if there were none, so that nobody learns which numbers are taken.
    pub(crate) fn must_own_contact(&self, record: &ContactRecord) -> Result<(), ApiError> {
        if self.may_see(record) { Ok(()) } else { Err(ApiError::UnknownContact) }
    }

    pub(crate) fn must_own_user(&self, user: UserId) -> Result<(), ApiError> {
        if self.owns(Some(user)) { Ok(()) } else { Err(ApiError::UnknownUser) }
    }

    /// Refuses what only the tokens that belong to nobody may say, such as that an address is verified.
    pub(crate) fn must_be_unlimited(&self, unless: bool) -> Result<(), ApiError> {
        if unless || self.limited_to().is_none() { Ok(()) } else { Err(ApiError::UserTokenRefused) }
    }
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let extensions = request.extensions();
        let Some(caller) = extensions.get::<Self>() else {
            return ready(Err(ApiError::Internal("the request came around the middleware".into())));
        };
        let id = Some(request_id()).filter(|id| !id.is_empty());
        let acting = Acting {
            request_id: id.map(Into::into),
            operation: extensions.get().copied(),
            ..caller.acting.clone()
        };
        ready(Ok(Self { acting, ..caller.clone() }))
    }
}
