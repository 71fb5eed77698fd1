//! Files in TOML, for figment. It brings a parser of its own, but of the version before the one that reads the rules, and
//! both would be built into every program.

use figment::providers::Format;
use serde::de::DeserializeOwned;

pub(super) struct Toml;

impl Format for Toml {
    type Error = toml::de::Error;

    const NAME: &'static str = "TOML";

    fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Self::Error> {
        toml::from_str(text)
    }
}
