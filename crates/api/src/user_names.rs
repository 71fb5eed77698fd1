//! The user whom a caller names: by the id, or by the one that another system gave. What is answered always has
//! the id.

use onefold_domain::{ContactRequest, ExternalId, UserId};

use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;
use crate::fields::Faults;

/// A user as a caller writes it, not looked up yet.
#[derive(Clone)]
pub(crate) struct UserName(String);

/// Personal data: some systems name people by their address.
impl std::fmt::Debug for UserName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UserName(…)")
    }
}

const UNKNOWN: &str = "There is no such user; create it with POST /users first.";

impl UserName {
    /// # Errors
    /// What to do about a text that names nobody, whatever there is.
    pub(crate) fn parse(text: String) -> Result<Self, &'static str> {
        match ExternalId::parse(&text) {
            Ok(_) => Ok(Self(text)),
            Err(_) => {
                Err("Send the id of a user, a UUID, or its external id, which has 1 to 255 characters.")
            }
        }
    }

    /// # Errors
    /// A fault of the field `userId` if nobody is called so. A UUID is taken as it is: whether it is a user's is
    /// asked by whoever stores it.
    pub(crate) async fn user(&self, app: &App) -> Result<UserId, ApiError> {
        app.users.named(&self.0).await?.ok_or_else(|| {
            let mut faults = Faults::default();
            faults.add("userId", UNKNOWN);
            faults.into()
        })
    }

    /// Whether this is the user. Tells nothing of others, so that a user's own token does not learn who there is.
    async fn is(&self, app: &App, user: UserId) -> Result<bool, ApiError> {
        if uuid::Uuid::try_parse(&self.0).is_ok_and(|id| id == user.0) {
            return Ok(true);
        }
        let known = app.users.user(user).await?;
        Ok(known.external_id.is_some_and(|external| external.as_str() == self.0))
    }
}

/// The user whose data are asked for: the caller's own, if its token belongs to one.
pub(crate) async fn asked_for(
    app: &App,
    caller: &Caller,
    name: Option<&UserName>,
) -> Result<Option<UserId>, ApiError> {
    match (caller.limited_to(), name) {
        (None, None) => Ok(None),
        (None, Some(name)) => name.user(app).await.map(Some),
        (Some(own), None) => Ok(Some(own)),
        (Some(own), Some(name)) if name.is(app, own).await? => Ok(Some(own)),
        (Some(_), Some(_)) => Err(ApiError::UnknownUser),
    }
}

/// The request, made about the user that it names. What a user's own token adds is the user's.
pub(crate) async fn stated_of(
    app: &App,
    caller: &Caller,
    request: ContactRequest,
    name: Option<&UserName>,
) -> Result<ContactRequest, ApiError> {
    let user = match (caller.limited_to(), name) {
        (None, None) => return Ok(request),
        (None, Some(name)) => name.user(app).await?,
        (Some(own), None) => own,
        (Some(own), Some(name)) if name.is(app, own).await? => own,
        (Some(_), Some(_)) => return Err(ApiError::UserTokenRefused),
    };
    Ok(ContactRequest { statement: request.statement.of_user(user), ..request })
}
