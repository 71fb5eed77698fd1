//! `GET /users/export`: all users, as a stream that another Onefold reads.

use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use onefold_domain::origin::HubId;
use onefold_service::user::{ExternalId, User};
use serde::Serialize;
use uuid::Uuid;

use super::export::moment;
use super::profile_columns::{cells, names, nones};
use super::users::{UserResponse, user_response};
use crate::app::App;
use crate::csv::Table;
use crate::error::ApiError;
use crate::exports::{Form, answer, as_lines, pages};
use crate::problem::Problem;
use crate::query::Query;

/// How many users are read at a time.
const AT_ONCE: u16 = 1_000;

/// What the rows of users are called where contacts have their kind.
const KIND: &str = "user";

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(web::resource("/users/export").get(export));
}

/// Streams users, in the order of their ids.
///
/// NDJSON holds each user as `GET /users/{id}` shows it, with `kind` and the name of this database. CSV has one column for each
/// field. `POST /contacts/import` reads both again, before the contacts or after them: a contact's row makes its user if there is none.
#[utoipa::path(
    get, path = "/users/export", tag = "users", operation_id = "users.export",
    params(
        ("format" = Option<String>, Query, description = "`ndjson` (default) or `csv`; `Accept: text/csv` does as well"),
    ),
    responses(
        (status = 200, description = "The users", content((String = "application/x-ndjson"), (String = "text/csv"))),
        (status = 422, description = "A parameter cannot be accepted", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn export(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let mut query = Query::of(&request);
    let form = Form::of(&request, &mut query);
    query.finish()?;
    let hub = app.users.hub().await?;
    let pages = pages(None, move |after| {
        let app = app.clone();
        async move {
            let page = app.users.users(after, AT_ONCE).await?;
            let bytes = match form {
                Form::Csv => as_csv(&page.entries, hub, after.is_none()),
                Form::Ndjson => as_lines(page.entries.iter().map(|user| Line::of(user, hub)))?,
            };
            Ok((bytes, page.next))
        }
    });
    Ok(answer("users", form, pages))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    kind: &'static str,
    #[serde(flatten)]
    user: UserResponse<'a>,
    origin_hub: Uuid,
}

impl<'a> Line<'a> {
    fn of(user: &'a User, hub: HubId) -> Self {
        Self { kind: KIND, user: user_response(user), origin_hub: hub.0 }
    }
}

const COLUMNS: [&str; 3] = ["kind", "id", "externalId"];
const LAST_COLUMNS: [&str; 4] = ["createdAt", "updatedAt", "originHub", "profileNone"];

fn as_csv(users: &[User], hub: HubId, first: bool) -> Bytes {
    let mut table = Table::default();
    if first {
        table.row(COLUMNS.into_iter().chain(names()).chain(LAST_COLUMNS));
    }
    for user in users {
        let id = user.id.0.to_string();
        let external_id = user.external_id.as_ref().map_or("", ExternalId::as_str);
        let profile = user.profile.as_ref();
        let behind = [moment(user.created_at), moment(user.updated_at), hub.0.to_string(), nones(profile)];
        let before = [KIND, &id, external_id].into_iter();
        table.row(before.chain(cells(profile)).chain(behind.iter().map(String::as_str)));
    }
    table.into_bytes()
}
