//! What both programs need: configuration, telemetry, shutdown, and the assembly of sync. No program logic.

mod config;
mod gauges;
mod linking;
mod profile;
mod shutdown;
mod sync;
mod telemetry;

#[cfg(feature = "testing")]
pub use config::testing;
pub use config::{ConfigError, Section, load};
pub use gauges::{describe_gauges, refresh_gauges};
pub use linking::{LinkingConfig, LinkingConfigError};
pub use profile::{ProfileConfig, ProfileConfigError};
pub use shutdown::Signals;
pub use sync::{SyncConfig, Syncing, Unprepared, WorkerPlace, check_base_urls};
pub use telemetry::{LogConfig, LogFormat, TelemetryError, init_logs, init_metrics};
