//! `GET /`: what answers here, for whoever opens the address to see.

use actix_web::Responder;
use actix_web::web::{self, ServiceConfig};
use serde::Serialize;
use utoipa::ToSchema;

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(web::resource("/").get(home));
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Service {
    #[schema(example = "Onefold")]
    name: &'static str,
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// A page to read the interface on, and to try it.
    #[schema(example = "/docs")]
    documentation: &'static str,
    /// The OpenAPI document, which describes the interface to programs.
    #[schema(example = "/openapi.json")]
    openapi: &'static str,
}

/// Name, version, and where the documents are.
#[utoipa::path(
    get, path = "/", tag = "operations", operation_id = "service.read",
    responses((status = 200, description = "What answers here", body = Service))
)]
pub(crate) async fn home() -> impl Responder {
    web::Json(Service {
        name: "Onefold",
        version: env!("CARGO_PKG_VERSION"),
        documentation: "/docs",
        openapi: "/openapi.json",
    })
}
