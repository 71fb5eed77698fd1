//! The webhook of Ory Kratos: whether it is on, who may call it, and who reads the calls.

use std::sync::Arc;

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use onefold_service::identities::IdentityReader;
use secrecy::{ExposeSecret, SecretString};
use subtle::{Choice, ConstantTimeEq};

use crate::config::KratosConfig;

/// A shorter secret could be guessed.
const SHORTEST_SECRET: usize = 16;

/// More than two are never needed to replace one.
const MOST_SECRETS: usize = 2;

/// What the handler needs. Cheap to clone.
#[derive(Clone)]
pub struct KratosWebhook {
    pub(crate) reader: Arc<dyn IdentityReader>,
    pub(crate) interrupt: bool,
    header: HeaderName,
    secrets: Vec<SecretString>,
    /// User and password as a caller sends them.
    basic: Option<SecretString>,
}

/// Why the configuration of the webhook cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidKratosConfig {
    #[error("configuration: `kratos.header` is no name of a header")]
    Header,
    #[error("configuration: `kratos.secrets` must be at most {MOST_SECRETS}")]
    TooManySecrets,
    #[error("configuration: `kratos.{0}` must have at least {SHORTEST_SECRET} visible ASCII characters")]
    Secret(&'static str),
    #[error("configuration: `kratos.user` and `kratos.password` must be given together")]
    HalfOfBasic,
    #[error("configuration: `kratos.user` must not be empty nor hold a colon")]
    User,
    #[error(
        "configuration: `kratos.interrupt` needs `kratos.secrets`, or `kratos.user` and `kratos.password`"
    )]
    Off,
}

impl KratosWebhook {
    /// `None` if the configuration does not turn it on.
    ///
    /// # Errors
    /// A configuration that cannot be meant.
    pub fn new(
        config: &KratosConfig,
        reader: Arc<dyn IdentityReader>,
    ) -> Result<Option<Self>, InvalidKratosConfig> {
        let header = config.header.parse().map_err(|_| InvalidKratosConfig::Header)?;
        let secrets = config.secrets.clone();
        if secrets.len() > MOST_SECRETS {
            return Err(InvalidKratosConfig::TooManySecrets);
        }
        if !secrets.iter().all(is_strong) {
            return Err(InvalidKratosConfig::Secret("secrets"));
        }
        let basic = basic(config)?;
        if secrets.is_empty() && basic.is_none() {
            return if config.interrupt { Err(InvalidKratosConfig::Off) } else { Ok(None) };
        }
        Ok(Some(Self { reader, interrupt: config.interrupt, header, secrets, basic }))
    }

    /// Whether a caller proves to be Kratos. Every secret is compared whole, so that the time tells nothing.
    pub(crate) fn admits(&self, headers: &HeaderMap) -> bool {
        let mut admitted = Choice::from(0);
        if let Some(sent) = headers.get(&self.header).map(HeaderValue::as_bytes) {
            let sent = if self.header == AUTHORIZATION { credentials(sent, "bearer") } else { Some(sent) };
            for secret in &self.secrets {
                admitted |= sent.unwrap_or_default().ct_eq(secret.expose_secret().as_bytes());
            }
        }
        let sent = headers.get(AUTHORIZATION).and_then(|value| credentials(value.as_bytes(), "basic"));
        if let (Some(sent), Some(basic)) = (sent, &self.basic) {
            admitted |= sent.ct_eq(basic.expose_secret().as_bytes());
        }
        admitted.into()
    }
}

/// What follows the name of the scheme, which may be in any letters.
fn credentials<'a>(sent: &'a [u8], scheme: &str) -> Option<&'a [u8]> {
    let (name, rest) = sent.split_at_checked(scheme.len())?;
    let rest = rest.strip_prefix(b" ")?;
    name.eq_ignore_ascii_case(scheme.as_bytes()).then_some(rest.trim_ascii())
}

fn basic(config: &KratosConfig) -> Result<Option<SecretString>, InvalidKratosConfig> {
    let (user, password) = match (&config.user, &config.password) {
        (None, None) => return Ok(None),
        (Some(user), Some(password)) => (user, password),
        _ => return Err(InvalidKratosConfig::HalfOfBasic),
    };
    if user.is_empty() || user.contains(':') {
        return Err(InvalidKratosConfig::User);
    }
    if !is_strong(password) {
        return Err(InvalidKratosConfig::Secret("password"));
    }
    Ok(Some(STANDARD.encode(format!("{user}:{}", password.expose_secret())).into()))
}

/// Only what every header can carry.
fn is_strong(secret: &SecretString) -> bool {
    let text = secret.expose_secret();
    text.len() >= SHORTEST_SECRET && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use onefold_service::identities::{IdentityFault, IdentityNotice, InvalidNotice};

    use super::*;

    const SECRET: &str = "first-secret-0123456789";

    struct NoReader;

    impl IdentityReader for NoReader {
        fn read(&self, _: &[u8], _: Option<&str>) -> Result<IdentityNotice, InvalidNotice> {
            Err(InvalidNotice::NotJson)
        }

        fn refusal(&self, _: &[IdentityFault]) -> serde_json::Value {
            serde_json::Value::Null
        }
    }

    fn config(json: serde_json::Value) -> Result<KratosConfig, String> {
        serde_json::from_value(json).map_err(|error| error.to_string())
    }

    fn webhook(json: serde_json::Value) -> Result<Option<KratosWebhook>, InvalidKratosConfig> {
        KratosWebhook::new(&config(json).unwrap(), Arc::new(NoReader))
    }

    fn admits(webhook: &KratosWebhook, name: &str, value: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(name.parse().unwrap(), HeaderValue::from_str(value).unwrap());
        webhook.admits(&headers)
    }

    #[test]
    fn without_a_secret_it_is_off() {
        assert!(webhook(serde_json::json!({})).unwrap().is_none());
        assert!(webhook(serde_json::json!({"secrets": []})).unwrap().is_none());
        assert!(webhook(serde_json::json!({"secrets": SECRET})).unwrap().is_some());
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        use InvalidKratosConfig as E;
        let password = "0123456789abcdef";
        for (json, expected) in [
            (serde_json::json!({"header": "a b"}), E::Header),
            (serde_json::json!({"secrets": [SECRET, SECRET, SECRET]}), E::TooManySecrets),
            (serde_json::json!({"secrets": [SECRET, "short"]}), E::Secret("secrets")),
            (serde_json::json!({"secrets": "has a blank inside it"}), E::Secret("secrets")),
            (serde_json::json!({"user": "kratos"}), E::HalfOfBasic),
            (serde_json::json!({"password": password}), E::HalfOfBasic),
            (serde_json::json!({"user": "a:b", "password": password}), E::User),
            (serde_json::json!({"user": "a", "password": "short"}), E::Secret("password")),
            (serde_json::json!({"interrupt": true}), E::Off),
        ] {
            assert_eq!(webhook(json.clone()).err(), Some(expected), "{json}");
        }
    }

    #[test]
    fn a_secret_of_the_wrong_type_is_not_repeated() {
        for key in ["secrets", "password"] {
            let message = config(serde_json::json!({key: 1234567890123456_u64})).unwrap_err();
            assert!(message.contains("quotes") && !message.contains("12345"), "{message}");
        }
        let printed = format!("{:?}", config(serde_json::json!({"secrets": SECRET})).unwrap());
        assert!(!printed.contains(SECRET), "{printed}");
    }

    #[test]
    fn a_bearer_token_is_a_header_like_any_other() {
        let webhook =
            webhook(serde_json::json!({"header": "Authorization", "secrets": SECRET})).unwrap().unwrap();
        assert!(admits(&webhook, "authorization", &format!("Bearer {SECRET}")));
        assert!(admits(&webhook, "authorization", &format!("bearer {SECRET}")));
        assert!(!admits(&webhook, "authorization", SECRET));
        assert!(!admits(&webhook, "authorization", "Bearer "));
        assert!(!admits(&webhook, "x-kratos-secret", SECRET));
    }
}
