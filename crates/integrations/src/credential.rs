//! What proves to another company's system who asks.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};

/// A key, or a number that is as good as one. It does not print, and neither does a mistake in it.
#[derive(Clone)]
pub struct Credential(SecretString);

impl Credential {
    /// `None` for a blank text, which is how a platform says that there is none.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(SecretString::from(text)))
    }

    /// A file may have an empty text for none.
    pub(crate) fn is_blank(&self) -> bool {
        self.expose().is_empty()
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(…)")
    }
}

/// Keys look like numbers, and the environment is then read as one. Any other type is told without its value.
impl<'de> Deserialize<'de> for Credential {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Number(u64),
        }
        let text = match Written::deserialize(deserializer) {
            Ok(Written::Text(text)) => text,
            Ok(Written::Number(number)) => number.to_string(),
            Err(_) => return Err(de::Error::custom("must be a text")),
        };
        Ok(Self(SecretString::from(text.trim())))
    }
}
