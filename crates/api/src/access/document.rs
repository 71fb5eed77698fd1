//! What the OpenAPI document says of access, taken from the table.

use actix_web::http::Method;
use onefold_domain::Ability;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::Ref;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, Content, OpenApi, RefOr, ResponseBuilder};

use super::table::{self, Access, Family, UserTokens};
use crate::problem::MEDIA_TYPE;

const SCHEME: &str = "token";

/// Adds the scheme, what each operation asks of a token, and the answers that follow from it.
pub(crate) fn describe_access(document: &mut OpenApi) {
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "A token such as `12|onefold_…`, made by `POST /tokens` or `onefold-server token create`.",
        ))
        .build();
    let components = document.components.get_or_insert_with(Components::new);
    components.add_security_scheme(SCHEME, SecurityScheme::Http(scheme));
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            describe(&method, path, operation);
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    [
        (Method::GET, &mut item.get),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn describe(method: &Method, path: &str, operation: &mut Operation) {
    let Some(entry) = table::find(method, path) else { return };
    let (needed, is_open) = match entry.access {
        Access::Open | Access::OwnProof => return,
        Access::Needs(ability) | Access::NeedsLate(ability) => (Some(ability), false),
        Access::OpenOnLoopback(ability) => (ability, true),
    };
    let mut requirements = vec![SecurityRequirement::new(SCHEME, needed.map(Ability::as_str))];
    if is_open {
        requirements.push(SecurityRequirement::default());
    }
    operation.security = Some(requirements);
    let family = Family::of_path(path);
    let forbidden = match (needed, entry.user_tokens) {
        (Some(ability), UserTokens::Refused) => {
            format!("The token lacks the ability `{ability}`, or belongs to a user")
        }
        (Some(ability), UserTokens::OwnData) => {
            format!("The token lacks the ability `{ability}`, or belongs to another user")
        }
        (None, _) => "The token belongs to a user".to_owned(),
    };
    for (status, description) in [
        ("401", "No token, or none that is good".to_owned()),
        ("403", forbidden),
        ("429", "Too many requests; `Retry-After` says when to come back".to_owned()),
    ] {
        let response =
            ResponseBuilder::new().description(description).content(media_type(family), body(family));
        operation.responses.responses.insert(status.to_owned(), RefOr::T(response.build()));
    }
}

fn media_type(family: Family) -> &'static str {
    match family {
        Family::Problem => MEDIA_TYPE,
        Family::Laravel => "application/json",
    }
}

fn body(family: Family) -> Content {
    let name = match family {
        Family::Problem => "Problem",
        Family::Laravel => "AdminMessage",
    };
    Content::new(Some(Ref::from_schema_name(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::table::TABLE;

    /// Pages for people and the document itself.
    const UNDOCUMENTED: [&str; 3] = ["/openapi.json", "/docs", "/docs/{_:.*}"];

    #[test]
    fn table_and_document_have_the_same_routes() {
        let document: serde_json::Value = serde_json::from_str(&crate::openapi_document().unwrap()).unwrap();
        let mut documented = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                let entry = table::find(&method, path);
                let entry = entry.unwrap_or_else(|| panic!("{method} {path} states no access"));
                let open = matches!(entry.access, Access::Open | Access::OwnProof);
                assert_eq!(operation["security"].is_null(), open, "{method} {path}");
                documented += 1;
            }
        }
        let table = TABLE.iter().filter(|entry| !UNDOCUMENTED.contains(&entry.pattern));
        assert_eq!(documented, table.count(), "a route of the table is not documented");
    }
}
