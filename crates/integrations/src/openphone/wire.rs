//! The shapes of OpenPhone's requests and answers; their spelling is the contract. Answers are read loosely,
//! with nothing required but what a caller cannot do without; requests are exact.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// What every answer with a contact is wrapped in.
#[derive(Deserialize)]
pub(super) struct One {
    pub(super) data: Contact,
}

/// A page of a list. `totalItems` is left out: it is wrong, as the contract itself says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    pub(super) data: Vec<Contact>,
    #[serde(default)]
    pub(super) next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Contact {
    pub(super) id: String,
    #[serde(default)]
    pub(super) external_id: Option<String>,
    #[serde(default)]
    pub(super) source: Option<String>,
    #[serde(default)]
    pub(super) source_url: Option<String>,
    pub(super) default_fields: DefaultFields,
    // Required: without them an update would take away what was not shown.
    pub(super) custom_fields: Vec<CustomField>,
    #[serde(default, deserialize_with = "moment")]
    pub(super) updated_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DefaultFields {
    #[serde(default)]
    pub(super) first_name: Option<String>,
    #[serde(default)]
    pub(super) last_name: Option<String>,
    #[serde(default)]
    pub(super) company: Option<String>,
    #[serde(default)]
    pub(super) role: Option<String>,
    pub(super) emails: Vec<Item>,
    pub(super) phone_numbers: Vec<Item>,
}

/// An email or a phone with its label. The id is not always there.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Item {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    pub(super) name: String,
    pub(super) value: Option<String>,
}

#[derive(Clone, PartialEq, Deserialize)]
pub(super) struct CustomField {
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) key: Option<String>,
    #[serde(default)]
    pub(super) value: Value,
}

/// The custom fields of a workspace.
#[derive(Deserialize)]
pub(super) struct Definitions {
    pub(super) data: Vec<Definition>,
}

#[derive(Deserialize)]
pub(super) struct Definition {
    pub(super) key: String,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: String,
}

/// The body of a creation.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewContact<'a> {
    pub(super) default_fields: DefaultFields,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) custom_fields: Vec<CustomValue>,
    pub(super) source: &'a str,
    pub(super) external_id: &'a str,
}

/// The body of a change: all of the contact, since what a list lacks is taken away.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WholeContact {
    pub(super) default_fields: DefaultFields,
    pub(super) custom_fields: Vec<CustomValue>,
    pub(super) source: Option<String>,
    pub(super) source_url: Option<String>,
    pub(super) external_id: Option<String>,
}

/// A value of a custom field, which is named by its id or its key.
#[derive(Clone, PartialEq, Serialize)]
pub(super) struct CustomValue {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    pub(super) value: Value,
}

/// An error's body, in the shape of the service or of the gateway before it.
#[derive(Deserialize, Default)]
pub(super) struct Failure {
    #[serde(default)]
    code: Value,
    #[serde(default)]
    title: Value,
    #[serde(default)]
    message: Value,
    #[serde(default)]
    errors: Value,
    #[serde(default)]
    error: Value,
}

impl Failure {
    /// Such as `0800404`; `None` from the gateway.
    pub(super) fn code(&self) -> Option<&str> {
        self.code.as_str()
    }

    /// For people. The values that it quotes are left out, names of members are kept.
    pub(super) fn said(&self) -> String {
        let texts = [&self.title, &self.message, &self.error["key"], &self.error["message"]];
        let texts = texts.into_iter().filter_map(Value::as_str).map(ToOwned::to_owned);
        let errors = self.errors.as_array().into_iter().flatten().filter_map(|error| {
            Some(format!("{} {}", error["path"].as_str()?, error["message"].as_str().unwrap_or_default()))
        });
        texts.chain(errors).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(": ")
    }
}

/// A moment that cannot be read is none, and no reason to miss the contact.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let read = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    Ok(read.map(|moment| moment.with_timezone(&Utc)))
}

/// Personal data.
impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contact").field("id", &self.id).finish_non_exhaustive()
    }
}
