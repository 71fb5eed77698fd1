//! Where the server listens and how much it takes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use onefold_service::registration::{RegistrationSettings, ShowClaimed};
use onefold_service::token::{Abilities, Ability};
use secrecy::SecretString;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use validator::Validate;

use crate::cors::Origin;

/// The HTTP part of the server's configuration.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The address to listen on.
    pub host: IpAddr,
    /// The port; 0 takes any that is free.
    pub port: u16,
    /// Threads that serve requests; 0 stands for one per processor.
    #[validate(range(max = 512, message = "must be at most 512"))]
    pub workers: usize,
    /// How long a stop waits for requests that still run, in seconds.
    #[validate(range(max = 3_600, message = "must be at most 3600"))]
    pub shutdown_timeout_s: u64,
    /// Whether `/identify` may be open on an address that other machines can reach.
    pub identify_without_token: bool,
    /// How long a bulk call of sync waits for its run before it answers with the run's id, in seconds. Shorter than
    /// `limits.request_timeout_s`, which would end the wait without an id.
    #[validate(range(max = 600, message = "must be at most 600"))]
    pub run_wait_s: u64,
    /// The networks of proxies whose `X-Forwarded-For` is believed.
    #[serde(deserialize_with = "one_or_more")]
    pub trusted_proxies: Vec<IpNet>,
    /// The websites that may call from a browser.
    #[serde(deserialize_with = "one_or_more")]
    pub cors_origins: Vec<Origin>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 3000,
            workers: 0,
            shutdown_timeout_s: 30,
            identify_without_token: false,
            run_wait_s: 25,
            trusted_proxies: Vec::new(),
            cors_origins: Vec::new(),
        }
    }
}

/// Who may call without a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exposure {
    /// The server listens where only this machine can call.
    pub loopback: bool,
    /// The configuration opens `/identify` to everybody.
    pub identify_without_token: bool,
}

impl Default for Exposure {
    fn default() -> Self {
        Self { loopback: true, identify_without_token: false }
    }
}

impl Config {
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }

    pub(crate) fn run_wait(&self) -> Duration {
        Duration::from_secs(self.run_wait_s)
    }

    pub fn exposure(&self) -> Exposure {
        Exposure { loopback: self.host.is_loopback(), identify_without_token: self.identify_without_token }
    }
}

/// How Ory Kratos proves that a call of its webhook comes from it, and whether calls may interrupt. Without
/// secrets and password the webhook is off.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KratosConfig {
    /// The header that holds a secret.
    pub header: String,
    /// The secrets that are accepted: one, or two while one takes the other's place.
    #[serde(deserialize_with = "secrets")]
    pub secrets: Vec<SecretString>,
    /// For basic authentication.
    pub user: Option<String>,
    #[serde(deserialize_with = "secret")]
    pub password: Option<SecretString>,
    /// Whether a hook that Kratos can still be stopped by may stop it.
    pub interrupt: bool,
}

impl Default for KratosConfig {
    fn default() -> Self {
        Self {
            header: "X-Kratos-Secret".to_owned(),
            secrets: Vec::new(),
            user: None,
            password: None,
            interrupt: false,
        }
    }
}

/// What happens when somebody registers.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct RegistrationConfig {
    /// How long the person waits for the other system, in milliseconds.
    #[validate(range(min = 50, max = 30_000, message = "must be between 50 and 30000"))]
    pub push_timeout_ms: u64,
    /// How long the new user's token is worth something, in seconds.
    #[validate(range(min = 60, max = 315_360_000, message = "must be between 60 and 315360000"))]
    pub token_ttl_s: u64,
    /// What that token permits, of the user's own contacts.
    #[serde(deserialize_with = "abilities")]
    pub token_abilities: Abilities,
    /// When that token sees what a guest of the same values left: once the user has verified one of them, or at once.
    #[serde(deserialize_with = "show_claimed")]
    pub show_claimed: ShowClaimed,
}

impl Default for RegistrationConfig {
    fn default() -> Self {
        let settings = RegistrationSettings::default();
        Self {
            push_timeout_ms: u64::try_from(settings.push_deadline.as_millis()).unwrap_or(2_000),
            token_ttl_s: settings.token_lifetime.as_secs(),
            token_abilities: settings.abilities,
            show_claimed: settings.show_claimed,
        }
    }
}

impl RegistrationConfig {
    pub fn settings(&self) -> RegistrationSettings {
        RegistrationSettings {
            push_deadline: Duration::from_millis(self.push_timeout_ms),
            token_lifetime: Duration::from_secs(self.token_ttl_s),
            abilities: self.token_abilities.clone(),
            show_claimed: self.show_claimed,
        }
    }
}

/// Names of abilities; an empty list permits nothing.
fn abilities<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Abilities, D::Error> {
    let names: Vec<String> = one_or_more(deserializer)?;
    let names = names.iter().filter(|name| !name.is_empty());
    let known = || Ability::ALL.map(Ability::as_str).join("`, `");
    let unknown = || format!("names an unknown ability; there are `{}`", known());
    let parse = |name: &String| Ability::parse(name).ok_or_else(|| D::Error::custom(unknown()));
    names.map(parse).collect()
}

fn show_claimed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ShowClaimed, D::Error> {
    let name = String::deserialize(deserializer)?;
    ShowClaimed::parse(&name).ok_or_else(|| D::Error::custom("must be verified or at_once"))
}

/// One text or a list of them, each of which must be a `T`.
fn one_or_more<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let values = match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Array(values) => values,
        value => vec![value],
    };
    values.into_iter().map(|value| serde_json::from_value(value).map_err(D::Error::custom)).collect()
}

/// One text or a list of them, as it is easier to write in an environment.
fn secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SecretString>, D::Error> {
    // By way of any value, since the usual messages would repeat a secret of the wrong type.
    let values = match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Array(values) => values,
        value => vec![value],
    };
    values.into_iter().map(text).collect::<Option<_>>().ok_or_else(not_text)
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    text(serde_json::Value::deserialize(deserializer)?).map(Some).ok_or_else(not_text)
}

fn text(value: serde_json::Value) -> Option<SecretString> {
    match value {
        serde_json::Value::String(text) => Some(text.into()),
        _ => None,
    }
}

fn not_text<E: serde::de::Error>() -> E {
    E::custom("must be a text; put one of digits only in quotes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_others_reach_is_exposed() {
        assert!(Config::default().exposure().loopback);
        for host in ["0.0.0.0", "::", "10.0.0.1", "::ffff:127.0.0.1"] {
            let config = Config { host: host.parse().unwrap(), ..Config::default() };
            assert!(!config.exposure().loopback, "{host}");
        }
    }
}
