//! What both programs need: configuration, telemetry, shutdown. No program logic.

mod config;
mod linking;
mod profile;
mod shutdown;
mod telemetry;

pub use config::{ConfigError, Section, load};
pub use linking::{LinkingConfig, LinkingConfigError};
pub use profile::{ProfileConfig, ProfileConfigError};
pub use shutdown::Signals;
pub use telemetry::{LogConfig, LogFormat, TelemetryError, init_logs, init_metrics};
