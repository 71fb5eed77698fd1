//! OpenPhone's part of a program's configuration. Without a key the connector stands still.

use std::time::Duration;

use serde::Deserialize;
use url::Url;
use validator::Validate;

use super::setting::{DefaultRegion, FieldKey, NoteText, SourceName, WebhookKey};
use crate::address::{InvalidBaseUrl, base_address};
use crate::breaker::BreakerPolicy;
use crate::credential::Credential;
use crate::gate::GatePolicy;
use crate::listed::one_or_many;
use crate::reach::{AllowedHost, PrivateHost, Reach};

/// The most calls at a time. Ten a second are allowed, and an answer takes a few tenths of one.
pub(super) const CONCURRENCY: usize = 4;

/// Where the calls are, beneath a host.
const PATH: &str = "/v1/";

/// How OpenPhone is reached. `OPENPHONE_API_KEY` and `OPENPHONE_BASE_URL` are read from the environment under
/// these names.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Issued in the workspace's settings. It opens the whole workspace.
    pub api_key: Option<Credential>,
    pub base_url: BaseUrl,
    /// Hosts that `base_url` may lead to although they have a private address, such as a server of the company's own.
    #[serde(deserialize_with = "one_or_many")]
    pub allow_private_hosts: Vec<AllowedHost>,
    /// The mark on our contacts there. Contacts with another one are read and never written, so it must not be
    /// changed once there are some.
    pub source: SourceName,
    /// What a new contact is told of itself, with `{id}` for the customer's.
    pub note: NoteText,
    /// The key of the custom field that the note goes to, since contacts have no notes of their own. Without it a text field
    /// that people called note or notes.
    pub note_field: Option<FieldKey>,
    /// The key of the custom field that a customer's tags go to: one of several choices, or a text.
    pub tags_field: Option<FieldKey>,
    /// Whether contacts that people made in the application are changed, too. Those that other programs brought never
    /// are.
    pub write_app_contacts: bool,
    /// What its webhooks sign with, one key for each. Without any, `POST /webhooks/openphone` takes nothing.
    #[serde(deserialize_with = "one_or_many")]
    pub webhook_keys: Vec<WebhookKey>,
    /// The country of phone numbers there that say none, such as `US`.
    pub default_region: Option<DefaultRegion>,
    /// How long a call may take, in milliseconds.
    #[validate(range(min = 20, max = 300_000, message = "must be between 20 and 300000"))]
    pub request_timeout_ms: u64,
    /// How long a call may wait for its turn, in milliseconds.
    #[validate(range(min = 20, max = 300_000, message = "must be between 20 and 300000"))]
    pub queue_timeout_ms: u64,
    /// The most calls in a second. OpenPhone allows ten to a key, and a key may have several users.
    #[validate(range(min = 1, max = 10, message = "must be between 1 and 10"))]
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
            api_key: None,
            base_url: BaseUrl::default(),
            allow_private_hosts: Vec::new(),
            source: SourceName::default(),
            note: NoteText::default(),
            note_field: None,
            tags_field: None,
            write_app_contacts: true,
            webhook_keys: Vec::new(),
            default_region: None,
            // Their gateway gives up after 30 s.
            request_timeout_ms: 35_000,
            queue_timeout_ms: 30_000,
            calls_per_second: 10,
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

    /// The key, or the name of what is missing.
    pub(super) fn key(&self) -> Result<&Credential, Vec<&'static str>> {
        self.api_key.as_ref().filter(|key| !key.is_blank()).ok_or_else(|| vec!["OPENPHONE_API_KEY"])
    }
}

/// The address that the paths of calls are appended to.
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

    /// The address of a call. Parts are escaped: an id is a word of theirs.
    pub(super) fn call(&self, parts: &[&str]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        url
    }
}

impl Default for BaseUrl {
    #[expect(clippy::expect_used, reason = "a constant address, which a test parses")]
    fn default() -> Self {
        Self::parse("https://api.quo.com/v1").expect("an address")
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = InvalidBaseUrl;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_is_completed_and_ids_cannot_leave_it() {
        for (text, call) in [
            ("https://api.quo.com", "https://api.quo.com/v1/contacts/a%2F..%2Fb%3F"),
            ("https://api.quo.com/v1/", "https://api.quo.com/v1/contacts/a%2F..%2Fb%3F"),
            ("http://127.0.0.1:9/x", "http://127.0.0.1:9/x/contacts/a%2F..%2Fb%3F"),
        ] {
            assert_eq!(BaseUrl::parse(text).unwrap().call(&["contacts", "a/../b?"]).as_str(), call);
        }
        assert_eq!(BaseUrl::parse("http://api.quo.com"), Err(InvalidBaseUrl::Open));
        assert_eq!(BaseUrl::default().call(&["contacts"]).as_str(), "https://api.quo.com/v1/contacts");
    }

    #[test]
    fn the_key_never_prints_and_a_blank_one_is_missing() {
        let config: Config = serde_json::from_value(json!({"api_key": "s3cret"})).unwrap();
        assert!(!format!("{config:?}").contains("s3cret"));
        assert!(config.key().is_ok());
        let blank: Config = serde_json::from_value(json!({"api_key": " "})).unwrap();
        assert_eq!(blank.key().err(), Some(vec!["OPENPHONE_API_KEY"]));
    }
}
