//! The HTTP interface. A handler translates in, calls a use case of the domain crate, and translates
//! out; a status code is chosen in one place, `error`.

mod acting;
mod app;
mod blocked;
mod config;
mod csv;
mod error;
mod fields;
mod json;
mod kratos;
mod preconditions;
mod problem;
mod query;
mod routes;
mod server;
mod telemetry;

pub use app::{App, PoolGauge};
pub use config::{Config, InsecureAddress, KratosConfig};
pub use kratos::{InvalidKratosConfig, KratosWebhook};
pub use routes::openapi_document;
pub use server::serve;
pub use telemetry::{REQUEST_DURATION, describe_metrics};
