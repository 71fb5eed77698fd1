//! Contacts in our words: what one shall be, what one is, and what whole it makes of both.

use std::fmt;

use chrono::{DateTime, Utc};
use onefold_domain::{
    CustomerId, EmailAddress, PartnerField, PartnerFields, PartnerId, PartnerParts, PhoneNumber, Region,
    RemotePartner,
};
use serde_json::Value;

use super::setting::{FieldKey, NoteText, SourceName};
use super::wire::{self, CustomValue, DefaultFields, Item, NewContact, WholeContact};

/// The fields that a contact has a place for.
pub(super) const FIELDS: [PartnerField; 4] =
    [PartnerField::Name, PartnerField::CompanyName, PartnerField::Email, PartnerField::Phone];

/// The label of an email or a phone that we add. People may change it; nothing is found by it.
const LABEL: &str = "main";

/// Our reference on a contact, unique among those of our source.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ExternalId(String);

/// A text of no characters or more than 75.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("An external id has 1 to 75 visible ASCII characters.")]
pub struct InvalidExternalId;

impl ExternalId {
    /// # Errors
    /// A text that OpenPhone would not keep.
    pub fn parse(text: &str) -> Result<Self, InvalidExternalId> {
        let is_id = (1..=75).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_id { Ok(Self(text.to_owned())) } else { Err(InvalidExternalId) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A customer's own id: it never changes, and is no other record's.
impl From<CustomerId> for ExternalId {
    fn from(customer: CustomerId) -> Self {
        Self(customer.0.to_string())
    }
}

/// What a contact shall be. `None` leaves what is there.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ContactChange {
    /// Address, country and tax number have no place there and are passed over.
    pub fields: PartnerFields,
    /// All of them, also when there are none. Without a configured field they go nowhere.
    pub tags: Option<Vec<String>>,
}

/// A contact as it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    pub partner: RemotePartner,
    pub external_id: Option<ExternalId>,
    /// Who made it; `None` for people in the application.
    pub source: Option<String>,
    /// Whether it is of our own source. No other is written.
    pub is_ours: bool,
    pub updated_at: Option<DateTime<Utc>>,
    pub tags: Vec<String>,
}

/// A contact cannot be sent back whole: one of its custom fields has no name to send it under.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a custom field has neither an id nor a key, and would be lost")]
pub(super) struct Nameless;

/// What of the configuration decides how contacts are read and written.
#[derive(Clone)]
pub(super) struct Translation {
    pub(super) source: SourceName,
    pub(super) note: NoteText,
    pub(super) note_field: Option<FieldKey>,
    pub(super) tags_field: Option<FieldKey>,
    pub(super) region: Option<Region>,
}

/// What a read gives after a write: names with single blanks, phones that are certain of their country.
/// Others would be refused there, or mean something else.
pub(super) fn as_kept(fields: &PartnerFields) -> PartnerFields {
    let words = |text: &Option<String>| {
        let text: String =
            text.as_deref()?.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        (!text.is_empty()).then_some(text)
    };
    PartnerFields {
        name: words(&fields.name),
        company_name: words(&fields.company_name),
        email: fields.email.clone(),
        phone: fields.phone.clone().filter(PhoneNumber::is_e164),
        ..PartnerFields::default()
    }
}

impl Translation {
    /// `None` for a contact whose id nobody could refer to.
    pub(super) fn read(&self, contact: &wire::Contact) -> Option<Contact> {
        let fields = &contact.default_fields;
        let emails = readable(&fields.emails, |text| EmailAddress::parse(text).ok());
        let phones = readable(&fields.phone_numbers, |text| PhoneNumber::parse(text, self.region).ok());
        let mut unreadable = Vec::new();
        for (field, is_read, items) in [
            (PartnerField::Email, !emails.is_empty(), &fields.emails),
            (PartnerField::Phone, !phones.is_empty(), &fields.phone_numbers),
        ] {
            unreadable
                .extend((!is_read && items.iter().any(|item| text(&item.value).is_some())).then_some(field));
        }
        let read = PartnerFields {
            name: full_name(fields),
            company_name: text(&fields.company).map(one_blank),
            email: emails.first().cloned(),
            phone: phones.first().cloned(),
            ..PartnerFields::default()
        };
        Some(Contact {
            partner: RemotePartner {
                id: PartnerId::parse(&contact.id).ok()?,
                parts: PartnerParts::default(),
                code: None,
                fields: read,
                unreadable,
                is_read_only: false,
                changed_at: contact.updated_at,
                emails,
                phones,
            },
            external_id: contact.external_id.as_deref().and_then(|id| ExternalId::parse(id).ok()),
            is_ours: contact.source.as_deref() == Some(self.source.as_str()),
            source: contact.source.clone(),
            updated_at: contact.updated_at,
            tags: self.tags(contact),
        })
    }

    pub(super) fn new_contact<'a>(&'a self, change: &ContactChange, id: &'a ExternalId) -> NewContact<'a> {
        let mut custom_fields = Vec::new();
        if let Some(key) = &self.note_field {
            set(&mut custom_fields, key, self.note.about(id).into());
        }
        self.set_tags(&mut custom_fields, change);
        NewContact {
            default_fields: self.merged(&DefaultFields::default(), &as_kept(&change.fields)),
            custom_fields,
            source: self.source.as_str(),
            external_id: id.as_str(),
        }
    }

    /// All that is there, with what changes. Items keep their ids and labels.
    pub(super) fn whole(
        &self,
        there: &wire::Contact,
        change: &ContactChange,
    ) -> Result<WholeContact, Nameless> {
        let mut custom_fields = Vec::new();
        for field in &there.custom_fields {
            if field.id.is_none() && field.key.is_none() {
                return Err(Nameless);
            }
            let value = field.value.clone();
            custom_fields.push(CustomValue { id: field.id.clone(), key: field.key.clone(), value });
        }
        self.set_tags(&mut custom_fields, change);
        Ok(WholeContact {
            default_fields: self.merged(&there.default_fields, &as_kept(&change.fields)),
            custom_fields,
            source: there.source.clone(),
            source_url: there.source_url.clone(),
            external_id: there.external_id.clone(),
        })
    }

    fn merged(&self, there: &DefaultFields, fields: &PartnerFields) -> DefaultFields {
        let mut merged = there.clone();
        if let Some(name) = &fields.name {
            (merged.first_name, merged.last_name) = split(name, there);
        }
        if fields.company_name.is_some() {
            merged.company.clone_from(&fields.company_name);
        }
        if let Some(email) = &fields.email {
            put(&mut merged.emails, email.as_str(), |text| {
                EmailAddress::parse(text).ok().as_ref() == Some(email)
            });
        }
        if let Some(phone) = &fields.phone {
            let is_it = |text: &str| PhoneNumber::parse(text, self.region).ok().as_ref() == Some(phone);
            put(&mut merged.phone_numbers, phone.as_str(), is_it);
        }
        merged
    }

    fn tags(&self, contact: &wire::Contact) -> Vec<String> {
        let Some(key) = &self.tags_field else { return Vec::new() };
        let field = contact.custom_fields.iter().find(|field| field.key.as_deref() == Some(key.as_str()));
        let values = field.and_then(|field| field.value.as_array()).into_iter().flatten();
        values.filter_map(Value::as_str).map(ToOwned::to_owned).collect()
    }

    fn set_tags(&self, values: &mut Vec<CustomValue>, change: &ContactChange) {
        if let (Some(key), Some(tags)) = (&self.tags_field, &change.tags) {
            set(values, key, tags.iter().cloned().map(Value::from).collect());
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

/// Puts the value where it is read from: the first place. One that is there already is moved, not doubled;
/// otherwise the first gives way, and all others stay.
fn put(items: &mut Vec<Item>, value: &str, is_it: impl Fn(&str) -> bool) {
    let holds = |item: &Item| text(&item.value).is_some_and(&is_it);
    if let Some(place) = items.iter().position(holds) {
        items[..=place].rotate_right(1);
    } else if let Some(first) = items.first_mut() {
        first.value = Some(value.to_owned());
    } else {
        items.push(Item { id: None, name: LABEL.to_owned(), value: Some(value.to_owned()) });
    }
}

/// The parts that are there are kept as far as they still fit; of a name that is new the last word is the
/// last name. Reading joins the parts, so a wrong guess changes nothing here.
fn split(name: &str, there: &DefaultFields) -> (Option<String>, Option<String>) {
    let (first, last) = (text(&there.first_name).map(one_blank), text(&there.last_name).map(one_blank));
    let by_last = last.and_then(|last| Some((name.strip_suffix(&last)?.strip_suffix(' ')?.to_owned(), last)));
    let by_first = first
        .and_then(|first| Some((first.clone(), name.strip_prefix(&first)?.strip_prefix(' ')?.to_owned())));
    let by_words = || name.rsplit_once(' ').map(|(first, last)| (first.to_owned(), last.to_owned()));
    match by_last.or(by_first).or_else(by_words) {
        Some((first, last)) => (Some(first), Some(last)),
        None => (Some(name.to_owned()), None),
    }
}

fn full_name(fields: &DefaultFields) -> Option<String> {
    let parts: Vec<_> =
        [&fields.first_name, &fields.last_name].into_iter().filter_map(text).map(one_blank).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// The values that are any, in order, none twice.
fn readable<V: PartialEq>(items: &[Item], parse: impl Fn(&str) -> Option<V>) -> Vec<V> {
    let mut values = Vec::new();
    for value in items.iter().filter_map(|item| parse(text(&item.value)?)) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

fn text(value: &Option<String>) -> Option<&str> {
    value.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

fn one_blank(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Personal data: ids, and which fields there are.
impl fmt::Debug for ContactChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContactChange").field("fields", &self.fields).finish_non_exhaustive()
    }
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contact")
            .field("partner", &self.partner)
            .field("external_id", &self.external_id)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}
