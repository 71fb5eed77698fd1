//! The OpenAPI document, made from the handlers, at `/openapi.json`, and `/docs`, a page to read and try it,
//! served from the program itself. `docs/openapi.json` is a copy of the document; a test compares them.

use actix_web::http::header::LOCATION;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use utoipa::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

use crate::document::complete;
use crate::error::ApiError;

pub(super) fn configure(config: &mut ServiceConfig) {
    let page = SwaggerUi::new("/docs/{_:.*}")
        .config(utoipa_swagger_ui::Config::from("/openapi.json").display_request_duration(true));
    config
        .service(web::resource("/openapi.json").get(document))
        .service(web::resource("/docs").get(to_page))
        .service(page);
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Onefold",
        description = "Folds every email address, phone number and record of a customer into one.\n\nWherever `GET` is \
            answered, `HEAD` is as well: with the same status and header fields, and no body.",
        // Nobody was given a licence yet. Validators ask for the field, and left out it would be guessed at.
        license(name = "All rights reserved", identifier = "LicenseRef-All-Rights-Reserved")
    ),
    servers(
        (url = "/", description = "The server that this document comes from"),
        (
            url = "http://{host}:{port}", description = "Any other",
            variables(
                ("host" = (default = "127.0.0.1", description = "`server.host` of the configuration")),
                ("port" = (default = "3000", description = "`server.port` of the configuration")),
            )
        ),
    ),
    paths(
        super::identify::identify,
        super::contacts::create,
        super::contacts::upsert,
        super::contacts::list,
        super::contacts::read,
        super::contacts::change,
        super::contacts::withdraw,
        super::imports::import,
        super::imports::progress,
        super::imports::errors,
        super::export::export,
        super::customers::search,
        super::customers::read,
        super::customers::change,
        super::users::list,
        super::users_export::export,
        super::users::create,
        super::users::read,
        super::users::contacts,
        super::admin_contacts::create,
        super::admin_contacts::change,
        super::tokens::create,
        super::tokens::list,
        super::tokens::revoke,
        super::audit::list,
        super::partners::metakocka::sync,
        super::partners::metakocka::bulk_sync,
        super::partners::metakocka::mapping,
        super::partners::metakocka::import,
        super::partners::metakocka::bulk_import,
        super::partners::openphone::sync,
        super::partners::openphone::bulk_sync,
        super::partners::openphone::mapping,
        super::partners::openphone::import,
        super::partners::openphone::bulk_import,
        super::sync::rules::read,
        super::sync::rules::change,
        super::sync::conflicts::list,
        super::sync::conflicts::read,
        super::sync::conflicts::resolve,
        super::sync::runs::list,
        super::sync::runs::request,
        super::sync::runs::read,
        super::sync::runs::items,
        super::sync::runs::approve,
        super::sync::jobs::list,
        super::sync::jobs::read,
        super::sync::jobs::remove,
        super::sync::jobs::replay,
        super::sync::log::list,
        super::sync::stats::stats,
        super::kratos::receive,
        super::partner_events::receive,
        super::registration::register,
        super::customers::activity::activity,
        super::home::home,
        super::health::health,
        super::health::live,
        super::health::ready,
        super::metrics::metrics,
    )
)]
struct Document;

/// The document as pretty JSON, ending with a line break.
///
/// # Errors
/// None that a test would not have seen: the document is built from constants.
pub fn openapi_document() -> Result<String, serde_json::Error> {
    let mut document = Document::openapi();
    complete(&mut document);
    Ok(document.to_pretty_json()? + "\n")
}

async fn document() -> Result<HttpResponse, ApiError> {
    let document = openapi_document().map_err(|error| ApiError::Internal(Box::new(error)))?;
    Ok(HttpResponse::Ok().content_type("application/json").body(document))
}

/// The page's own files are found relative to it, so it needs the slash.
async fn to_page() -> impl Responder {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/docs/")).finish()
}
