//! The server's configuration: the parts of the crates, put together.

use std::path::Path;
use std::sync::Arc;

use onefold_api::KratosWebhook;
use onefold_integrations::kratos::Kratos;
use onefold_runtime::{
    ConfigError, LinkingConfig, LogConfig, ProfileConfig, SyncConfig, check_base_urls, load,
};
use serde::Deserialize;
use validator::Validate;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) server: onefold_api::Config,
    pub(crate) database: onefold_persistence::Config,
    pub(crate) limits: onefold_api::LimitsConfig,
    pub(crate) linking: LinkingConfig,
    pub(crate) profile: ProfileConfig,
    pub(crate) kratos: onefold_api::KratosConfig,
    pub(crate) metakocka: onefold_integrations::metakocka::Config,
    pub(crate) openphone: onefold_integrations::openphone::Config,
    pub(crate) sync: SyncConfig,
    pub(crate) registration: onefold_api::RegistrationConfig,
    #[serde(rename = "worker")]
    _worker: serde::de::IgnoredAny,
    pub(crate) log: LogConfig,
}

impl Config {
    /// Reads and checks everything, so that a mistake is told before anything starts.
    pub(crate) fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let config: Self = load(file, |config: &Self| {
            vec![
                ("server", config.server.validate()),
                ("database", config.database.validate()),
                ("limits", config.limits.validate()),
                ("metakocka", config.metakocka.validate()),
                ("openphone", config.openphone.validate()),
                ("sync", config.sync.validate()),
                ("registration", config.registration.validate()),
            ]
        })
        .map_err(|error: ConfigError| anyhow::anyhow!(error))?;
        if let Some(contradiction) = config.contradiction() {
            return Err(ConfigError::Contradiction(contradiction).into());
        }
        config.linking.region()?;
        config.linking.policy()?;
        config.profile.rules()?;
        check_base_urls(&config.metakocka, &config.openphone)?;
        config.kratos()?;
        Ok(config)
    }

    /// Two values of which one keeps the other from ever meaning anything.
    fn contradiction(&self) -> Option<String> {
        let (limit, unlimited) = (self.limits.request_timeout_s, self.limits.request_timeout_s == 0);
        let waits = [
            ("server.run_wait_s", self.server.run_wait_s, 1),
            ("registration.push_timeout_ms", self.registration.push_timeout_ms, 1_000),
            ("database.acquire_timeout_ms", self.database.acquire_timeout_ms, 1_000),
        ];
        // Whoever waits as long as the request may take is cut off before the wait can end as it should.
        let longer = waits.into_iter().find(|(_, wait, unit)| !unlimited && *wait >= limit * unit);
        longer.map(|(key, wait, _)| {
            format!(
                "`{key}` = {wait} is no shorter than `limits.request_timeout_s` = {limit}, which ends the request before: \
                 make the first smaller or the second larger"
            )
        })
    }

    /// The webhook of Ory Kratos; `None` when it is off.
    pub(crate) fn kratos(&self) -> anyhow::Result<Option<KratosWebhook>> {
        let reader = Kratos::new(self.linking.region()?);
        Ok(KratosWebhook::new(&self.kratos, Arc::new(reader))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tests of what is printed go by this page, too.
    #[test]
    fn the_page_about_configuration_is_true() {
        onefold_runtime::testing::assert_told::<Config>();
    }
}
