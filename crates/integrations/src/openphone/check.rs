//! What is configured, and what the key may do: asked before anybody registers, and without changing anything there.

use onefold_sync::partner::PartnerError;

use super::config::Config;
use super::custom_fields::{self, CustomFields, TagsKind};
use super::{Connected, OpenPhone};

/// A line of what was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// What was looked at, such as `contacts`.
    pub what: &'static str,
    pub found: String,
    /// Whether it keeps contacts from being created or read.
    pub is_fault: bool,
}

/// All that was found, in the order in which it was asked.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Checked {
    pub checks: Vec<Check>,
}

impl Checked {
    /// Whether contacts can be kept the same with this configuration.
    pub fn is_well(&self) -> bool {
        self.checks.iter().all(|check| !check.is_fault)
    }

    fn well(&mut self, what: &'static str, found: impl Into<String>) {
        self.checks.push(Check { what, found: found.into(), is_fault: false });
    }

    fn fault(&mut self, what: &'static str, found: impl Into<String>) {
        self.checks.push(Check { what, found: found.into(), is_fault: true });
    }
}

impl OpenPhone {
    /// Makes two calls that read. Whether the key may also write is not tried out: every way to find out would be a write,
    /// and OpenPhone has no keys that may only read.
    pub async fn check_connection(&self, config: &Config) -> Checked {
        let mut checked = Checked::default();
        tell_settings(config, &mut checked);
        let connected = match self.connected() {
            Ok(connected) => connected,
            Err(error) => {
                checked.fault("key", describe(&error));
                return checked;
            }
        };
        checked.well("key", "configured");
        match self.list_contacts(None).await {
            Ok(page) => checked.well("contacts", listed(page.contacts.len(), page.next.is_some())),
            Err(error) => {
                checked.fault("contacts", describe(&error));
                // Whoever may not list would be refused the same again.
                return checked;
            }
        }
        tell_fields(connected, &mut checked).await;
        checked
            .well("creating", "not tried, since nothing is changed here; a key that may read may also write");
        checked
    }
}

fn tell_settings(config: &Config, checked: &mut Checked) {
    checked.well("address", config.base_url.call(&[]).to_string());
    checked.well("source", format!("our contacts are marked `{}`", config.source.as_str()));
    checked.well(
        "webhooks",
        match config.webhook_keys.len() {
            0 => "no key: reports are not taken, changes there come with the comparisons".to_owned(),
            keys => format!("{keys} signing key{}", if keys == 1 { "" } else { "s" }),
        },
    );
}

async fn tell_fields(connected: &Connected, checked: &mut Checked) {
    let custom = &connected.translation.custom;
    let known = match custom_fields::definitions(&connected.client).await {
        Ok(known) => known,
        Err(error) => return checked.fault("custom fields", describe(&error)),
    };
    checked.well("custom fields", format!("{} in the workspace", known.data.len()));
    let kinds = custom.kinds(&known);
    let CustomFields { note_field, tags_field, .. } = custom;
    match (&kinds.note, note_field) {
        (Some(key), _) => checked.well("note", format!("goes to `{key}`")),
        (None, Some(key)) => checked.fault("note", format!("`{}` is no text field there", key.as_str())),
        (None, None) => checked.well("note", "none: no text field is called note or notes"),
    }
    match (kinds.tags, tags_field) {
        (_, None) => checked.well("tags", "not synced: `openphone.tags_field` is not set"),
        (TagsKind::None, Some(key)) => {
            checked.fault("tags", format!("`{}` is no multi-select or text field there", key.as_str()));
        }
        (_, Some(key)) => checked.well("tags", format!("go to `{}`", key.as_str())),
    }
}

fn listed(contacts: usize, more: bool) -> String {
    let more = if more { ", and there are more" } else { "" };
    format!("may be listed: {contacts} on the first page{more}")
}

fn describe(error: &PartnerError) -> String {
    match error {
        PartnerError::AccessDenied { said } | PartnerError::Rejected { said, .. } => {
            format!("{error}: {}", said.as_str())
        }
        error => error.to_string(),
    }
}
