//! Our two custom fields: the note on a contact that is new, and the customer's tags. People define them in the
//! application, or do not.

use onefold_domain::{PartnerChange, PartnerError, PartnerField, Tags};
use serde_json::Value;

use super::client::{Call, CallError, Client};
use super::external_id::ExternalId;
use super::setting::{FieldKey, NoteText};
use super::wire::{self, CustomValue};

/// What of our custom fields the workspace has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct FieldKinds {
    pub(super) tags: TagsKind,
    /// Whether there is one for the note that takes a text.
    pub(super) has_note: bool,
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
            "string" => Self::Text,
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
        let Self { note_field, tags_field, .. } = self;
        if note_field.is_none() && tags_field.is_none() {
            return Ok(FieldKinds { tags: TagsKind::None, has_note: false });
        }
        let call = Call::get(&["contact-custom-fields"], &[]);
        let known: wire::Definitions = client.call(call).await.map_err(CallError::told)?;
        let kind = |key: &Option<FieldKey>| {
            let key = key.as_ref()?.as_str();
            known.data.iter().find(|field| field.key == key).map(|field| field.kind.as_str())
        };
        let tags = kind(tags_field).map_or(TagsKind::None, TagsKind::of);
        let has_note = kind(note_field) == Some("string");
        if (tags_field.is_some() && tags == TagsKind::None) || (note_field.is_some() && !has_note) {
            tracing::warn!(?tags_field, ?note_field, "a custom field is not there, or takes something else");
        }
        Ok(FieldKinds { tags, has_note })
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
        set(values, key, value);
    }

    pub(super) fn set_note(&self, values: &mut Vec<CustomValue>, id: &ExternalId, kinds: FieldKinds) {
        if let Some(key) = self.note_field.as_ref().filter(|_| kinds.has_note) {
            set(values, key, self.note.about(id).into());
        }
    }
}

/// Replaces the value under the key, or adds one.
fn set(values: &mut Vec<CustomValue>, key: &FieldKey, value: Value) {
    match values.iter_mut().find(|known| known.key.as_deref() == Some(key.as_str())) {
        Some(known) => known.value = value,
        None => values.push(CustomValue { id: None, key: Some(key.as_str().to_owned()), value }),
    }
}
