//! What the OpenAPI document says of every operation, whichever its handler: whom it lets in, taken from the
//! table of access, and what the middleware around it and the reading of its request answer.

use actix_web::http::Method;
use onefold_service::token::Ability;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Ref, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, Content, OpenApi, RefOr, Required, ResponseBuilder};

use crate::operations::{self, Access, Family, UserTokens};
use crate::problem::MEDIA_TYPE;
use crate::{idempotency, schema_refs};

const SCHEME: &str = "token";

const IDENTIFY: &str = "/identify";

/// Adds the scheme, what each operation asks of a token, and the answers that no handler gives.
pub(crate) fn complete(document: &mut OpenApi) {
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "A token such as `12|onefold_…`, made by `POST /tokens` or `onefold-server token create`.",
        ))
        .build();
    let components = document.components.get_or_insert_with(Components::new);
    components.add_security_scheme(SCHEME, SecurityScheme::Http(scheme));
    schema_refs::refer(components);
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations_of(item) {
            describe(&method, path, operation);
        }
    }
}

fn operations_of(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
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
    let Some(entry) = operations::find(method, path) else { return };
    let family = Family::of_path(path);
    add(operation, family, "431", "The path and the header fields are too large");
    add(operation, family, "503", "The database is away, or the time was up");
    add(operation, family, "429", "Too many requests; `Retry-After` says when to come back");
    if operation.parameters.is_some() || operation.request_body.is_some() {
        // By the contract of these 422 is for customers that lack a field; that of `/identify` does not know it.
        let status = if family == Family::Enveloped || path == IDENTIFY { "400" } else { "422" };
        add(operation, family, status, "A parameter or a field cannot be accepted");
    }
    if let Some(body) = &mut operation.request_body {
        // No handler reads a request without one; where there are several media types, the derivation leaves it open.
        if let RefOr::T(body) = body {
            body.required = Some(Required::True);
        }
        add(operation, family, "400", "Not JSON, no object, or not what `Content-Encoding` says");
        add(operation, family, "408", "The body did not come in time");
        add(operation, family, "413", "The body is too large");
        add(
            operation,
            family,
            "415",
            "Of a type or a `Content-Encoding` that is not taken; the header `Accept-Encoding` lists those that are",
        );
    }
    if idempotency::takes_key(method, path) {
        describe_key(operation, family);
    }
    let (needed, is_open) = match entry.access {
        // Said, and not left out: a reader must not wonder whether it was forgotten.
        Access::Open | Access::OwnProof => {
            operation.security = Some(Vec::new());
            return;
        }
        Access::Needs(ability) | Access::NeedsLate(ability) => (Some(ability), false),
        Access::OpenOnLoopback(ability) => (ability, true),
    };
    let mut requirements = vec![SecurityRequirement::new(SCHEME, needed.map(Ability::as_str))];
    if is_open {
        requirements.push(SecurityRequirement::default());
    }
    operation.security = Some(requirements);
    add(operation, family, "401", "No token, or none that is good");
    add(operation, family, "403", &forbidden(needed, entry.user_tokens));
}

fn forbidden(needed: Option<Ability>, user_tokens: UserTokens) -> String {
    match (needed, user_tokens) {
        (Some(ability), UserTokens::Refused) => {
            format!("The token lacks the ability `{ability}`, or belongs to a user")
        }
        (Some(ability), UserTokens::OwnData) => {
            format!("The token lacks the ability `{ability}`, or this goes beyond its user's own data")
        }
        (None, _) => "The token belongs to a user".to_owned(),
    }
}

/// What the middleware answers to a key, beside what the handler may answer with the same status.
fn describe_key(operation: &mut Operation, family: Family) {
    let parameters = operation.parameters.get_or_insert_default();
    let is_key =
        |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(known) if known.name == idempotency::KEY);
    if !parameters.iter().any(is_key) {
        let key = ParameterBuilder::new().name(idempotency::KEY).parameter_in(ParameterIn::Header).description(
            Some("Names the operation: sent again within 24 hours, it is carried out once and answered as before"),
        );
        let text = ObjectBuilder::new().schema_type(Type::String);
        parameters.push(RefOr::T(key.schema(Some(text)).build()));
    }
    for (status, said) in [
        ("409", "`Idempotency-Key`: its request is still being carried out, or was, and the answer is lost"),
        ("422", "`Idempotency-Key`: it was used for another request"),
    ] {
        match operation.responses.responses.get_mut(status) {
            Some(RefOr::T(response)) => {
                response.description.push_str(&format!(". {said}"));
                if let Some(RefOr::T(content)) = response.content.get_mut(media_type(family)) {
                    content.schema = content.schema.take().map(|known| either(known, family));
                }
            }
            _ => add(operation, family, status, said),
        }
    }
}

/// What the handler says itself is better.
fn add(operation: &mut Operation, family: Family, status: &str, description: &str) {
    let response = ResponseBuilder::new().description(description).content(media_type(family), body(family));
    operation.responses.responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(response.build()));
}

fn media_type(family: Family) -> &'static str {
    match family {
        Family::Problem => MEDIA_TYPE,
        Family::Laravel | Family::Enveloped => "application/json",
    }
}

/// What the handler answers, or what the middleware does, if that has another form.
fn either(known: RefOr<Schema>, family: Family) -> RefOr<Schema> {
    let ours: RefOr<Schema> = error_schema(family).into();
    if known == ours { known } else { AnyOfBuilder::new().item(known).item(ours).into() }
}

fn body(family: Family) -> Content {
    Content::new(Some(error_schema(family)))
}

fn error_schema(family: Family) -> Ref {
    let name = match family {
        Family::Problem => "Problem",
        Family::Laravel => "AdminMessage",
        Family::Enveloped => "EnvelopedError",
    };
    Ref::from_schema_name(name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::operations::TABLE;

    /// Pages for people and the document itself.
    const UNDOCUMENTED: [&str; 3] = ["/openapi.json", "/docs", "/docs/{_:.*}"];

    #[test]
    fn table_and_document_have_the_same_routes() {
        let document: serde_json::Value = serde_json::from_str(&crate::openapi_document().unwrap()).unwrap();
        let mut documented = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                let entry = operations::find(&method, path);
                let entry = entry.unwrap_or_else(|| panic!("{method} {path} states no access"));
                let open = matches!(entry.access, Access::Open | Access::OwnProof);
                assert_eq!(operation["security"] == serde_json::json!([]), open, "{method} {path}");
                documented += 1;
            }
        }
        let table = TABLE.iter().filter(|entry| !UNDOCUMENTED.contains(&entry.pattern));
        assert_eq!(documented, table.count(), "a route of the table is not documented");
    }

    #[test]
    fn every_operation_has_an_id_of_its_own() {
        let document: serde_json::Value = serde_json::from_str(&crate::openapi_document().unwrap()).unwrap();
        let mut ids = HashSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap();
                let (family, action) = id.split_once('.').unwrap_or_default();
                let is_word = |word: &str| {
                    word.starts_with(|first: char| first.is_ascii_lowercase())
                        && word.chars().all(|letter| letter.is_ascii_alphanumeric())
                };
                assert!(is_word(family) && is_word(action), "{method} {path}: `{id}` is not `family.action`");
                assert!(ids.insert(id.to_owned()), "{method} {path}: `{id}` stands twice");
            }
        }
    }

    #[test]
    fn every_schema_is_referred_to() {
        let document = crate::openapi_document().unwrap();
        let parsed: serde_json::Value = serde_json::from_str(&document).unwrap();
        for name in parsed["components"]["schemas"].as_object().unwrap().keys() {
            let reference = format!("\"#/components/schemas/{name}\"");
            assert!(document.contains(&reference), "nothing refers to `{name}`");
        }
    }

    #[test]
    fn every_post_that_takes_a_key_tells_what_becomes_of_it() {
        let document: serde_json::Value = serde_json::from_str(&crate::openapi_document().unwrap()).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            let Some(post) = item.get("post") else { continue };
            let takes_key = !path.starts_with("/webhooks/");
            let parameters = post["parameters"].as_array().into_iter().flatten();
            let keys = parameters.filter(|parameter| parameter["name"] == "Idempotency-Key");
            assert_eq!(keys.count(), usize::from(takes_key), "{path}");
            for status in ["409", "422"] {
                let said = post["responses"][status]["description"].as_str().unwrap_or_default();
                assert_eq!(said.contains("`Idempotency-Key`"), takes_key, "{path}: {status} {said}");
            }
        }
    }
}
