//! MetaKocka's part of a program's configuration. Without a key and a company the connector stands still.

use std::time::Duration;

use onefold_domain::country::{CountryCode, InvalidCountry};
use serde::Deserialize;
use url::Url;
use validator::Validate;

use super::country::CountryLanguage;
use crate::address::{InvalidBaseUrl, base_address};
use crate::breaker::BreakerPolicy;
use crate::credential::Credential;
use crate::gate::GatePolicy;
use crate::listed::one_or_many;
use crate::reach::{AllowedHost, PrivateHost, Reach};

/// The most calls at a time: clients in use allow two, and the server runs searches one after another.
pub(super) const CONCURRENCY: usize = 2;

/// Where the calls are, beneath a host.
const PATH: &str = "/rest/eshop/v1/";

/// How MetaKocka is reached. `METAKOCKA_SECRET_KEY`, `METAKOCKA_COMPANY_ID` and `METAKOCKA_BASE_URL` are
/// read from the environment under these names.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Issued in MetaKocka's settings.
    pub secret_key: Option<Credential>,
    /// The company's number in MetaKocka.
    pub company_id: Option<Credential>,
    /// The server of MetaKocka, or the company's own installation.
    pub base_url: BaseUrl,
    /// Hosts that `base_url` may lead to although they have a private address, such as a server of the company's own.
    #[serde(deserialize_with = "one_or_many")]
    pub allow_private_hosts: Vec<AllowedHost>,
    /// Where a partner is at home who is not said to be abroad, and whose phone numbers need no prefix.
    pub home_country: HomeCountry,
    /// The language in which countries are written.
    pub country_language: CountryLanguage,
    /// How long a call may take, in milliseconds.
    #[validate(range(min = 20, max = 300_000, message = "must be between 20 and 300000"))]
    pub request_timeout_ms: u64,
    /// How long reading the whole register in one answer may take, in milliseconds.
    #[validate(range(min = 20, max = 900_000, message = "must be between 20 and 900000"))]
    pub pull_timeout_ms: u64,
    /// How long a call may wait for its turn, in milliseconds.
    #[validate(range(min = 20, max = 300_000, message = "must be between 20 and 300000"))]
    pub queue_timeout_ms: u64,
    /// The most calls in a second. MetaKocka has a quota whose size it does not publish.
    #[validate(range(min = 1, max = 1_000, message = "must be between 1 and 1000"))]
    pub calls_per_second: u32,
    /// After so many failures in a row no call is made for a while.
    #[validate(range(min = 1, max = 100, message = "must be between 1 and 100"))]
    pub breaker_failures: u32,
    /// How long that is, in seconds.
    #[validate(range(min = 1, max = 3_600, message = "must be between 1 and 3600"))]
    pub breaker_pause_s: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            secret_key: None,
            company_id: None,
            base_url: BaseUrl::default(),
            allow_private_hosts: Vec::new(),
            home_country: HomeCountry::default(),
            country_language: CountryLanguage::default(),
            request_timeout_ms: 30_000,
            pull_timeout_ms: 120_000,
            queue_timeout_ms: 60_000,
            calls_per_second: 5,
            breaker_failures: 5,
            breaker_pause_s: 30,
        }
    }
}

impl Config {
    /// How far calls may go.
    ///
    /// # Errors
    /// The address is a private one that is not allowed by name.
    pub(super) fn reach(&self) -> Result<Reach, PrivateHost> {
        Reach::of(&self.base_url.0, &self.allow_private_hosts)
    }

    /// For a program that tells of mistakes before it starts.
    ///
    /// # Errors
    /// `base_url` is a private address that is not allowed by name. A name is judged when it is called.
    pub fn check_base_url(&self) -> Result<(), PrivateHost> {
        self.reach().map(|_| ())
    }

    pub(super) fn gate(&self) -> GatePolicy {
        GatePolicy {
            concurrency: CONCURRENCY,
            calls_per_second: self.calls_per_second,
            patience: Duration::from_millis(self.queue_timeout_ms),
            breaker: BreakerPolicy {
                failures: self.breaker_failures,
                pause: Duration::from_secs(self.breaker_pause_s),
            },
        }
    }

    /// Both credentials, or the names of what is missing.
    pub(super) fn credentials(&self) -> Result<(&Credential, &Credential), Vec<&'static str>> {
        let key = self.secret_key.as_ref().filter(|key| !key.is_blank());
        let company = self.company_id.as_ref().filter(|company| !company.is_blank());
        match (key, company) {
            (Some(key), Some(company)) => Ok((key, company)),
            (key, company) => {
                let names =
                    [("METAKOCKA_SECRET_KEY", key.is_none()), ("METAKOCKA_COMPANY_ID", company.is_none())];
                Err(names.into_iter().filter(|(_, missing)| *missing).map(|(name, _)| name).collect())
            }
        }
    }
}

/// The address that the names of calls are appended to.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Takes the address of a server or of its calls: what is missing of the path is added.
    ///
    /// # Errors
    /// No address, or one that would send the key where anybody can read it.
    pub fn parse(text: &str) -> Result<Self, InvalidBaseUrl> {
        base_address(text, PATH).map(Self)
    }

    /// The address of one call. `name` is a word of ours, never a value.
    pub(super) fn call(&self, name: &str) -> String {
        format!("{}{name}", self.0)
    }
}

impl Default for BaseUrl {
    #[expect(clippy::expect_used, reason = "a constant address, which a test parses")]
    fn default() -> Self {
        Self::parse("https://main.metakocka.si").expect("an address")
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = InvalidBaseUrl;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

/// The country of the company that keeps the register.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct HomeCountry(pub CountryCode);

impl Default for HomeCountry {
    #[expect(clippy::expect_used, reason = "a constant code, which a test parses")]
    fn default() -> Self {
        Self(CountryCode::parse("SI").expect("a code"))
    }
}

impl TryFrom<String> for HomeCountry {
    type Error = InvalidCountry;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        CountryCode::parse(&text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_is_completed_and_an_open_one_refused() {
        for (text, call) in [
            ("https://main.metakocka.si", "https://main.metakocka.si/rest/eshop/v1/get_partner"),
            ("https://mk.example/rest/eshop/v1", "https://mk.example/rest/eshop/v1/get_partner"),
            (" https://mk.example:8443/own/ ", "https://mk.example:8443/own/get_partner"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000/rest/eshop/v1/get_partner"),
            ("http://[::1]:9000/x/", "http://[::1]:9000/x/get_partner"),
            ("http://localhost:1/", "http://localhost:1/rest/eshop/v1/get_partner"),
        ] {
            assert_eq!(BaseUrl::parse(text).unwrap().call("get_partner"), call);
        }
        for (text, reason) in [
            ("", InvalidBaseUrl::NoAddress),
            ("main.metakocka.si", InvalidBaseUrl::NoAddress),
            ("ftp://main.metakocka.si", InvalidBaseUrl::NoAddress),
            ("http://main.metakocka.si", InvalidBaseUrl::Open),
            ("http://127.0.0.1.example", InvalidBaseUrl::Open),
            ("https://u:p@mk.example", InvalidBaseUrl::Extras),
            ("https://mk.example/?a=b", InvalidBaseUrl::Extras),
        ] {
            assert_eq!(BaseUrl::parse(text), Err(reason), "{text}");
        }
        assert_eq!(Config::default().home_country.0.as_str(), "SI");
    }

    #[test]
    fn credentials_are_texts_or_numbers_and_never_print() {
        let config: Config =
            serde_json::from_value(json!({"secret_key": "s3cret", "company_id": 4711})).unwrap();
        let (key, company) = config.credentials().unwrap();
        assert_eq!((key.expose(), company.expose()), ("s3cret", "4711"));
        let shown = format!("{config:?}");
        assert!(!shown.contains("s3cret") && !shown.contains("4711"), "{shown}");
        let error = serde_json::from_value::<Config>(json!({"secret_key": ["s3cret"]})).unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut config = Config::default();
        assert_eq!(config.credentials().err(), Some(vec!["METAKOCKA_SECRET_KEY", "METAKOCKA_COMPANY_ID"]));
        config.secret_key = Some(serde_json::from_value(json!(" ")).unwrap());
        assert_eq!(config.credentials().err().unwrap().len(), 2);
        config.secret_key = Credential::new("k");
        assert_eq!(config.credentials().err(), Some(vec!["METAKOCKA_COMPANY_ID"]));
        assert!(Credential::new("  ").is_none());
    }
}
