//! The worker's configuration. It reads the server's file, so it must know all of its sections.

use std::net::IpAddr;
use std::path::Path;

use onefold_runtime::{LinkingConfig, LogConfig, ProfileConfig, SyncConfig, check_base_urls, load};
use serde::Deserialize;
use serde::de::IgnoredAny;
use validator::Validate;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    #[serde(rename = "server")]
    _server: IgnoredAny,
    #[serde(rename = "limits")]
    _limits: IgnoredAny,
    #[serde(rename = "kratos")]
    _kratos: IgnoredAny,
    #[serde(rename = "registration")]
    _registration: IgnoredAny,
    pub(crate) worker: WorkerConfig,
    pub(crate) database: onefold_persistence::Config,
    pub(crate) linking: LinkingConfig,
    pub(crate) profile: ProfileConfig,
    pub(crate) metakocka: onefold_integrations::metakocka::Config,
    pub(crate) openphone: onefold_integrations::openphone::Config,
    pub(crate) sync: SyncConfig,
    pub(crate) log: LogConfig,
}

/// Where the worker tells how it is.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WorkerConfig {
    pub(crate) host: IpAddr,
    /// 0 picks one that is free, which the first line tells.
    pub(crate) port: u16,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self { host: IpAddr::from([127, 0, 0, 1]), port: 3001 }
    }
}

impl Config {
    /// Reads and checks everything, so that a mistake is told before anything starts.
    pub(crate) fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let config: Self = load(file, |config: &Self| {
            vec![
                ("worker", config.worker.validate()),
                ("database", config.database.validate()),
                ("metakocka", config.metakocka.validate()),
                ("openphone", config.openphone.validate()),
                ("sync", config.sync.validate()),
            ]
        })?;
        config.linking.policy()?;
        config.profile.rules()?;
        check_base_urls(&config.metakocka, &config.openphone)?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_about_configuration_is_true() {
        onefold_runtime::testing::assert_told::<Config>();
    }
}
