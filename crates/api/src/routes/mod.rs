//! The routes, one file for each subject.

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Route};

use crate::error::ApiError;
use crate::json;

mod audit;
mod contacts;
mod customers;
mod docs;
mod export;
mod health;
mod identify;
mod imports;
mod kratos;
mod metrics;
mod users;

pub use docs::openapi_document;

pub(crate) fn configure(config: &mut ServiceConfig, records: bool) {
    config
        .app_data(json::config())
        .configure(identify::configure)
        .configure(if records { configure_records } else { refuse_records })
        .configure(kratos::configure)
        .configure(health::configure)
        .configure(metrics::configure)
        .configure(docs::configure)
        .default_service(web::to(unknown_path));
}

/// The records of customers.
fn configure_records(config: &mut ServiceConfig) {
    config
        // Before `/contacts/{id}`, which would take their paths.
        .configure(imports::configure)
        .configure(export::configure)
        .configure(contacts::configure)
        .configure(customers::configure)
        .configure(users::configure)
        .configure(audit::configure);
}

/// Where other machines can reach the server, records are personal data in the open.
fn refuse_records(config: &mut ServiceConfig) {
    for subject in ["contacts", "customers", "users", "imports", "audit"] {
        let paths = [format!("/{subject}"), format!("/{subject}/{{tail:.*}}")];
        config.service(web::resource(paths).to(|| async { Err::<HttpResponse, _>(ApiError::RecordsClosed) }));
    }
}

/// What a known path answers to a method that it does not take.
fn only(allow: &'static str) -> Route {
    web::to(move || async move { Err::<HttpResponse, _>(ApiError::MethodNotAllowed { allow }) })
}

async fn unknown_path() -> Result<HttpResponse, ApiError> {
    Err(ApiError::UnknownPath)
}
