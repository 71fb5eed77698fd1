//! `/openapi.json`, and `/docs`, a page to read and try it, served from the program itself.

use actix_web::http::header::LOCATION;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use utoipa_swagger_ui::SwaggerUi;

use super::only;
use crate::error::ApiError;
use crate::openapi;

pub(super) fn configure(config: &mut ServiceConfig) {
    let page = SwaggerUi::new("/docs/{_:.*}")
        .config(utoipa_swagger_ui::Config::from("/openapi.json").display_request_duration(true));
    config
        .service(web::resource("/openapi.json").get(document).default_service(only("GET")))
        .service(web::resource("/docs").get(to_page).default_service(only("GET")))
        .service(page);
}

async fn document() -> Result<HttpResponse, ApiError> {
    let document = openapi::document().map_err(|error| ApiError::Internal(Box::new(error)))?;
    Ok(HttpResponse::Ok().content_type("application/json").body(document))
}

/// The page's own files are found relative to it, so it needs the slash.
async fn to_page() -> impl Responder {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/docs/")).finish()
}
