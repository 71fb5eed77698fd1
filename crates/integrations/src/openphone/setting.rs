//! The texts of the configuration that OpenPhone has rules for.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use onefold_domain::phone::{InvalidPhone, Region};
use secrecy::{ExposeSecret, SecretSlice};
use serde::Deserialize;

use super::external_id::ExternalId;

/// A text of the configuration that OpenPhone would refuse.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidSetting {
    #[error("must have 1 to 72 visible characters")]
    Source,
    #[error("is a word that OpenPhone keeps for itself")]
    ReservedSource,
    #[error("must have `{{id}}` in it, once, and at most 200 characters")]
    Note,
    #[error("must be the key of a custom field, such as inbound-lead")]
    FieldKey,
}

/// How our contacts are marked there.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct SourceName(String);

impl SourceName {
    const RESERVED: [&str; 6] = ["openphone", "device", "csv", "zapier", "google-people", "other"];
    const RESERVED_PREFIXES: [&str; 2] = ["openphone", "csv"];

    /// # Errors
    /// [`InvalidSetting::Source`] and [`InvalidSetting::ReservedSource`]. Also `public-api`, which is what
    /// everybody else's contacts are marked with who does not say.
    pub fn parse(text: &str) -> Result<Self, InvalidSetting> {
        let name = text.trim();
        let is_visible = name.chars().all(|letter| !letter.is_control());
        if name.is_empty() || name.chars().count() > 72 || !is_visible {
            return Err(InvalidSetting::Source);
        }
        let lower = name.to_lowercase();
        let is_reserved = Self::RESERVED.contains(&lower.as_str()) || lower == "public-api";
        if is_reserved || Self::RESERVED_PREFIXES.iter().any(|prefix| lower.starts_with(prefix)) {
            return Err(InvalidSetting::ReservedSource);
        }
        Ok(Self(name.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for SourceName {
    fn default() -> Self {
        Self("onefold".to_owned())
    }
}

impl TryFrom<String> for SourceName {
    type Error = InvalidSetting;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

/// The sentence that a new contact gets.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct NoteText(String);

impl NoteText {
    const PLACE: &str = "{id}";

    pub(super) fn about(&self, customer: &ExternalId) -> String {
        self.0.replace(Self::PLACE, customer.as_str())
    }
}

impl Default for NoteText {
    fn default() -> Self {
        Self("Customer from Onefold - ID: {id}".to_owned())
    }
}

impl TryFrom<String> for NoteText {
    type Error = InvalidSetting;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_note = text.matches(Self::PLACE).count() == 1 && text.chars().count() <= 200;
        if is_note { Ok(Self(text)) } else { Err(InvalidSetting::Note) }
    }
}

/// The key of a custom field, which people create in the application.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct FieldKey(String);

impl FieldKey {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FieldKey {
    type Error = InvalidSetting;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let key = text.trim();
        let is_key = (1..=100).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        if is_key { Ok(Self(key.to_owned())) } else { Err(InvalidSetting::FieldKey) }
    }
}

/// A country whose numbers may come without it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct DefaultRegion(pub Region);

impl TryFrom<String> for DefaultRegion {
    type Error = InvalidPhone;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Region::parse(&text).map(Self)
    }
}

/// What a webhook signs with. Each has its own.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct WebhookKey(SecretSlice<u8>);

/// A text that is no key. The message never repeats it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("must be the signing key as OpenPhone shows it: base64, with or without `whsec_` before it")]
pub struct InvalidWebhookKey;

impl TryFrom<String> for WebhookKey {
    type Error = InvalidWebhookKey;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let text = text.trim();
        let key = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text));
        let key = key.ok().filter(|key| !key.is_empty()).ok_or(InvalidWebhookKey)?;
        Ok(Self(key.into()))
    }
}

impl WebhookKey {
    pub(super) fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Config;
    use super::*;

    #[test]
    fn words_that_would_be_refused_there_are_refused_here() {
        for word in ["openphone", "OpenPhone-2", "csv-import", "zapier", "public-api"] {
            assert_eq!(SourceName::parse(word), Err(InvalidSetting::ReservedSource), "{word}");
        }
        for word in ["", " ", "a\nb", &"x".repeat(73)] {
            assert_eq!(SourceName::parse(word), Err(InvalidSetting::Source), "{word}");
        }
        assert_eq!(SourceName::parse(SourceName::default().as_str()), Ok(SourceName::default()));
        for note in ["", "no place", "{id} {id}"] {
            assert_eq!(NoteText::try_from(note.to_owned()), Err(InvalidSetting::Note), "{note}");
        }
        let sections =
            [json!({"note_field": "a b"}), json!({"tags_field": ""}), json!({"default_region": "Slovenia"})];
        for section in sections {
            assert!(serde_json::from_value::<Config>(section).is_err());
        }
    }
}
