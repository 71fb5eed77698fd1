//! Where the server listens and how much it takes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;
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
    /// Whether contacts, customers, users and imports may be open there, too.
    pub records_without_token: bool,
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
            records_without_token: false,
            trusted_proxies: Vec::new(),
            cors_origins: Vec::new(),
        }
    }
}

/// The address would show customer data to anybody who can reach it.
#[derive(Debug, thiserror::Error)]
#[error(
    "`server.host` = {host} can be reached from other machines and /identify asks for no token: listen on \
     127.0.0.1 behind a proxy that authenticates, or say `server.identify_without_token = true`"
)]
pub struct InsecureAddress {
    host: IpAddr,
}

impl Config {
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }

    /// # Errors
    /// An address beyond loopback, unless the configuration says so in so many words.
    pub fn check_exposure(&self) -> Result<(), InsecureAddress> {
        if self.host.is_loopback() || self.identify_without_token {
            Ok(())
        } else {
            Err(InsecureAddress { host: self.host })
        }
    }

    /// Whether the records of customers are served: to this machine always, to others if the configuration
    /// says so in so many words.
    pub(crate) fn serves_records(&self) -> bool {
        self.host.is_loopback() || self.records_without_token
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
    fn an_open_address_must_be_meant() {
        let host = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        assert!(Config::default().check_exposure().is_ok());
        assert!(Config { host, ..Config::default() }.check_exposure().is_err());
        let meant = Config { host, identify_without_token: true, ..Config::default() };
        assert!(meant.check_exposure().is_ok());
        assert!(!meant.serves_records(), "identify alone was meant");
        assert!(Config::default().serves_records());
        assert!(Config { host, records_without_token: true, ..Config::default() }.serves_records());
    }
}
