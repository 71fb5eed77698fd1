//! The user whom a caller names: by the id, or by the one that another system gave. What is answered always has
//! the id. Names are looked up before a request is read, so that one that nobody has is told with all other faults.

use onefold_domain::id::UserId;
use uuid::Uuid;

use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;
use crate::members::Members;
use crate::query::Query;

/// The member of bodies and the parameter of addresses that names a user.
const NAME: &str = "userId";

/// The user that a body names. `None` if it names none, or one that there is not.
pub(crate) async fn in_body(
    app: &App,
    caller: &Caller,
    members: &Members,
) -> Result<Option<UserId>, ApiError> {
    // Whatever else it may be is told when the body is read.
    let text = members.0.get(NAME).and_then(|value| serde_json::from_str::<String>(value.get()).ok());
    look_up(app, caller, text.as_deref()).await
}

/// The user that the parameters name, in the same way.
pub(crate) async fn in_query(app: &App, caller: &Caller, query: &Query) -> Result<Option<UserId>, ApiError> {
    look_up(app, caller, query.peek(NAME)).await
}

/// A UUID is taken as it is: whether it is a user's is asked by whoever stores it. To a user's own token all
/// names but its user's are unknown alike, so that it does not learn who there is.
async fn look_up(app: &App, caller: &Caller, text: Option<&str>) -> Result<Option<UserId>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let Some(own) = caller.limited_to() else { return Ok(app.users.named(text).await?) };
    if let Ok(id) = Uuid::try_parse(text) {
        return Ok(Some(UserId(id)));
    }
    let known = app.users.user(own).await?;
    Ok(known.external_id.filter(|external| external.as_str() == text).map(|_| own))
}
