//! The OpenAPI document, made from the handlers. `docs/openapi.json` is its copy; a test compares them.

use utoipa::OpenApi;

use crate::routes;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Onefold",
        description = "Folds every email address, phone number and record of a customer into one."
    ),
    paths(routes::identify::identify, routes::health::live, routes::health::ready, routes::metrics::metrics,)
)]
struct Document;

/// The document as pretty JSON, ending with a line break.
///
/// # Errors
/// None that a test would not have seen: the document is built from constants.
pub fn document() -> Result<String, serde_json::Error> {
    Ok(Document::openapi().to_pretty_json()? + "\n")
}
