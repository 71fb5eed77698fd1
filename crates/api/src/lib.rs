//! The HTTP interface. A handler translates in, calls a use case of the domain crate, and translates
//! out; a status code is chosen in one place, `error`.

mod app;
mod config;
mod error;
mod json;
mod openapi;
mod problem;
mod routes;
mod telemetry;

pub use app::{App, PoolGauge, serve};
pub use config::{Config, InsecureAddress};
pub use openapi::document as openapi_document;
pub use telemetry::{REQUEST_DURATION, describe_metrics};
