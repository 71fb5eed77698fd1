//! Logs and metrics of a program. Logs go to standard error: text for a person at a terminal, JSON for
//! whatever collects them otherwise.

use std::io::IsTerminal;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use serde::Deserialize;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::util::TryInitError;

use crate::config::strangers;

/// The log part of a program's configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// What is logged, in the syntax of `RUST_LOG`: `info`, `warn,onefold_api=debug`.
    pub filter: String,
    pub format: LogFormat,
}

impl Default for LogConfig {
    fn default() -> Self {
        // What the libraries say of their own start is not worth a newcomer's first screen.
        Self {
            filter: "info,actix_server=warn,actix_http=off,sea_orm_migration=warn".to_owned(),
            format: LogFormat::Auto,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    Text,
    Json,
}

/// What is not logged whatever the filter says: where sqlx reads addresses and password files, it repeats lines that it
/// does not understand, passwords included.
const NEVER: &str = "sqlx_postgres::options=off";

#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("configuration: `log.filter` is not a filter such as \"info\" or \"warn,onefold_api=debug\"")]
    Filter(#[source] ParseError),
    #[error("logging was set up twice")]
    Twice(#[source] TryInitError),
    #[error("metrics cannot be set up")]
    Metrics(#[source] BuildError),
}

/// Sends logs where they belong, for the rest of the process.
///
/// # Errors
/// A filter that is none, or a second call.
pub fn init_logs(config: &LogConfig) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(&config.filter).map_err(TelemetryError::Filter)?;
    let filter = filter.add_directive(NEVER.parse().map_err(TelemetryError::Filter)?);
    let terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(terminal)
        // A line that could not be written would be told of on the same stream, and that panics.
        .log_internal_errors(false);
    let text = match config.format {
        LogFormat::Auto => terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let ready = if text {
        builder.compact().finish().try_init()
    } else {
        builder.json().flatten_event(true).with_span_list(false).finish().try_init()
    };
    ready.map_err(TelemetryError::Twice)?;
    let strangers = strangers(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()));
    if !strangers.is_empty() {
        tracing::warn!(
            names = strangers.join(" "),
            "in the environment, and no settings: those begin with ONEFOLD__"
        );
    }
    Ok(())
}

/// Collects metrics for the rest of the process; the handle renders them. `durations` names a
/// histogram in seconds.
///
/// # Errors
/// A second call.
pub fn init_metrics(durations: &str) -> Result<PrometheusHandle, TelemetryError> {
    // From half a millisecond, a request answered from memory, to the deadline of identify.
    const SECONDS: [f64; 12] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(durations.to_owned()), &SECONDS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(TelemetryError::Metrics)
}
