//! The HTTP interface. A handler translates in, calls a use case of the service crate or of the sync crate, and translates
//! out; a status code is chosen in one place, `error`.

mod access;
mod answered;
mod app;
mod blocked;
mod config;
mod content_coding;
mod cors;
mod csv;
mod document;
mod envelope;
mod error;
mod exports;
mod fields;
mod head;
mod idempotency;
mod json;
mod kratos;
mod laravel;
mod limits;
mod preconditions;
mod problem;
mod profile_schema;
mod query;
mod raw_body;
mod routes;
mod schema_refs;
mod security_headers;
mod server;
mod sync;
mod telemetry;
mod user_names;

pub use app::{App, PartnerWebhook, PoolGauge};
pub use config::{Config, Exposure, KratosConfig, RegistrationConfig};
pub use cors::{InvalidOrigin, Origin};
pub use kratos::{InvalidKratosConfig, KratosWebhook};
pub use limits::{Decision, Limits, LimitsConfig, WindowDecision};
pub use routes::openapi_document;
pub use server::serve;
pub use sync::SyncParts;
pub use telemetry::{REQUEST_DURATION, describe_metrics};
