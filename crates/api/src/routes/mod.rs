//! The routes, one file for each subject. Who may call which is said in `access::table`, and so is what a path
//! answers to a method that it does not take.

use actix_web::web::ServiceConfig;

use crate::json;

mod admin_contacts;
mod audit;
mod contacts;
mod customers;
mod docs;
mod export;
mod health;
mod home;
mod identify;
mod imports;
mod kratos;
mod metrics;
mod partner_events;
mod partners;
mod profile_columns;
mod registration;
mod sync;
mod tokens;
mod users;
mod users_export;

pub use docs::openapi_document;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .app_data(json::config())
        .configure(identify::configure)
        // Before `/contacts/{id}`, which would take their paths.
        .configure(imports::configure)
        .configure(export::configure)
        .configure(contacts::configure)
        .configure(customers::configure)
        // Before `/users/{id}`.
        .configure(users_export::configure)
        .configure(users::configure)
        .configure(admin_contacts::configure)
        .configure(audit::configure)
        .configure(tokens::configure)
        .configure(kratos::configure)
        .configure(partner_events::configure)
        .configure(registration::configure)
        .configure(partners::configure)
        .configure(sync::configure)
        .configure(home::configure)
        .configure(health::configure)
        .configure(metrics::configure)
        .configure(docs::configure);
}
