//! Our two custom fields: the note on a contact that is new, and the customer's tags. People define them in the
//! application, or do not.

use onefold_domain::profile::Tags;
use onefold_sync::partner::{PartnerChange, PartnerError, PartnerField};
use serde_json::Value;

use super::client::{Call, Client};
use super::external_id::ExternalId;
use super::setting::{FieldKey, NoteText};
use super::wire::{self, CustomValue};
use crate::call_error::CallError;

/// The type of a field that takes a text.
const TEXT: &str = "string";

/// What people call the field for a note, and its key.
const NOTES: [&str; 2] = ["note", "notes"];

/// What of our custom fields the workspace has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct FieldKinds {
    pub(super) tags: TagsKind,
    /// The key of the one for the note, if it takes a text.
    pub(super) note: Option<String>,
}

/// How the workspace keeps tags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TagsKind {
    /// Nowhere: there is no such field, or none that takes texts.
    None,
    List,
    Text,
}

impl TagsKind {
    pub(super) fn of(kind: &str) -> Self {
        match kind {
            "multi-select" => Self::List,
            TEXT => Self::Text,
            _ => Self::None,
        }
    }
}

/// OpenPhone gives the choices of a list in an order of its own, so an order of tags would look like a change.
pub(super) fn in_order(tags: &Tags) -> Tags {
    let mut tags: Vec<_> = tags.iter().collect();
    tags.sort_by_key(|tag| tag.to_lowercase());
    Tags::of(tags)
}

/// Where the two go, as far as the configuration names a place for them.
#[derive(Clone)]
pub(super) struct CustomFields {
    pub(super) note: NoteText,
    pub(super) note_field: Option<FieldKey>,
    pub(super) tags_field: Option<FieldKey>,
}

impl CustomFields {
    /// What the workspace has of them. One that it lacks would have every write refused, so nothing is sent to it.
    pub(super) async fn ask(&self, client: &Client) -> Result<FieldKinds, PartnerError> {
        let known = definitions(client).await?;
        Ok(self.kinds(&known))
    }

    /// Without a configured field the note goes to a text field that people called so.
    pub(super) fn kinds(&self, known: &wire::Definitions) -> FieldKinds {
        let Self { note_field, tags_field, .. } = self;
        let kind = |key: &Option<FieldKey>| {
            let key = key.as_ref()?.as_str();
            known.data.iter().find(|field| field.key == key).map(|field| field.kind.as_str())
        };
        let tags = kind(tags_field).map_or(TagsKind::None, TagsKind::of);
        let note = match note_field {
            Some(key) => Some(key.as_str()).filter(|_| kind(note_field) == Some(TEXT)),
            None => known.data.iter().find(|field| field.is_note()).map(|field| field.key.as_str()),
        };
        if (tags_field.is_some() && tags == TagsKind::None) || (note_field.is_some() && note.is_none()) {
            tracing::warn!(?tags_field, ?note_field, "a custom field is not there, or takes something else");
        }
        FieldKinds { tags, note: note.map(ToOwned::to_owned) }
    }

    /// Whether a field is named in the configuration: then a workspace that does not tell of its fields keeps a contact from
    /// being created without them.
    pub(super) fn is_configured(&self) -> bool {
        self.note_field.is_some() || self.tags_field.is_some()
    }

    pub(super) fn tags(&self, contact: &wire::Contact) -> Option<Tags> {
        let key = self.tags_field.as_ref()?;
        let field = contact.custom_fields.iter().find(|field| field.key.as_deref() == Some(key.as_str()))?;
        let tags = match &field.value {
            Value::Array(values) => Tags::of(values.iter().filter_map(Value::as_str)),
            Value::String(text) => Tags::of(text.split(',')),
            _ => return None,
        };
        Some(in_order(&tags)).filter(|tags| !tags.is_empty())
    }

    pub(super) fn set_tags(&self, values: &mut Vec<CustomValue>, change: &PartnerChange, kind: TagsKind) {
        let Some(key) = &self.tags_field else { return };
        let value = match (&change.fields.tags, kind) {
            (_, TagsKind::None) => return,
            (Some(tags), TagsKind::List) => in_order(tags).iter().map(Value::from).collect(),
            (Some(tags), TagsKind::Text) => in_order(tags).as_str().into(),
            (None, _) if change.cleared.contains(&PartnerField::Tags) => Value::Null,
            (None, _) => return,
        };
        set(values, key.as_str(), value);
    }

    pub(super) fn set_note(&self, values: &mut Vec<CustomValue>, id: &ExternalId, kinds: &FieldKinds) {
        if let Some(key) = &kinds.note {
            set(values, key, self.note.about(id).into());
        }
    }
}

pub(super) async fn definitions(client: &Client) -> Result<wire::Definitions, PartnerError> {
    let call = Call::get(&["contact-custom-fields"], &[]);
    client.call(call).await.map_err(CallError::into_partner_error)
}

impl wire::Definition {
    /// Whether it is a text that people called a note.
    fn is_note(&self) -> bool {
        let mut called = [Some(&self.key), self.name.as_ref()].into_iter().flatten();
        self.kind == TEXT && called.any(|name| NOTES.contains(&name.trim().to_lowercase().as_str()))
    }
}

/// Replaces the value under the key, or adds one.
fn set(values: &mut Vec<CustomValue>, key: &str, value: Value) {
    match values.iter_mut().find(|known| known.key.as_deref() == Some(key)) {
        Some(known) => known.value = value,
        None => values.push(CustomValue { id: None, key: Some(key.to_owned()), value }),
    }
}
