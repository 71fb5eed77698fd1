//! Contacts in our words: what one shall be, what one is, and what whole it makes of both.

use std::fmt;

use onefold_domain::email::EmailAddress;
use onefold_domain::phone::{PhoneNumber, Region};
use onefold_domain::profile::split_name;
use onefold_sync::partner::{
    NameParts, PartnerChange, PartnerField, PartnerFields, PartnerId, PartnerParts, RemotePartner,
};

use super::custom_fields::{CustomFields, FieldKinds, TagsKind, in_order};
use super::external_id::ExternalId;
use super::setting::SourceName;
use super::wire::{self, CustomValue, DefaultFields, Item, NewContact, WholeContact};

/// The fields that a contact has a place for; tags have one only where the configuration names it.
pub(super) const FIELDS: [PartnerField; 5] = [
    PartnerField::Name,
    PartnerField::CompanyName,
    PartnerField::Email,
    PartnerField::Phone,
    PartnerField::Tags,
];

/// The label of an email or a phone that we add. People may change it; nothing is found by it.
const LABEL: &str = "main";

/// A contact as it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    pub partner: RemotePartner,
    pub external_id: Option<ExternalId>,
    /// Who made it; `None` for people in the application.
    pub source: Option<String>,
    /// Whether it is of our own source. No other is written.
    pub is_ours: bool,
}

/// A contact cannot be sent back whole: one of its custom fields has no name to send it under.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a custom field has neither an id nor a key, and would be lost")]
pub(super) struct Nameless;

/// What of the configuration decides how contacts are read and written.
#[derive(Clone)]
pub(super) struct Translation {
    pub(super) source: SourceName,
    pub(super) custom: CustomFields,
    pub(super) write_app_contacts: bool,
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
        name_parts: fields.name_parts.as_ref().and_then(|parts| {
            Some(NameParts { first: words(&Some(parts.first.clone()))?, last: words(&parts.last) })
        }),
        company_name: words(&fields.company_name),
        email: fields.email.clone(),
        phone: fields.phone.clone().filter(PhoneNumber::is_e164),
        tags: fields.tags.as_ref().map(in_order),
        ..PartnerFields::default()
    }
}

impl Translation {
    /// `None` for a contact whose id nobody could refer to.
    pub(super) fn read(&self, contact: &wire::Contact) -> Option<Contact> {
        let fields = &contact.default_fields;
        let emails = readable(&fields.emails, |text| EmailAddress::parse_all(text).ok());
        let phones = readable(&fields.phone_numbers, |text| PhoneNumber::parse_all(text, self.region).ok());
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
            tags: self.custom.tags(contact),
            ..PartnerFields::default()
        };
        Some(Contact {
            partner: RemotePartner {
                id: PartnerId::parse(&contact.id).ok()?,
                parts: PartnerParts::default(),
                code: None,
                fields: read,
                otherwise: None,
                contact_name: None,
                unreadable,
                is_read_only: !self.is_writable(contact),
                changed_at: contact.updated_at,
                emails,
                phones,
            },
            external_id: contact.external_id.as_deref().and_then(|id| ExternalId::parse(id).ok()),
            is_ours: contact.source.as_deref() == Some(self.source.as_str()),
            source: contact.source.clone(),
        })
    }

    pub(super) fn new_contact<'a>(
        &'a self,
        change: &PartnerChange,
        kinds: &FieldKinds,
        id: &'a ExternalId,
    ) -> NewContact<'a> {
        let mut custom_fields = Vec::new();
        self.custom.set_note(&mut custom_fields, id, kinds);
        self.custom.set_tags(&mut custom_fields, change, kinds.tags);
        NewContact {
            default_fields: self.merged(&DefaultFields::default(), change),
            custom_fields,
            source: self.source.as_str(),
            external_id: id.as_str(),
        }
    }

    /// All that is there, with what changes. Items keep their ids and labels.
    pub(super) fn whole(
        &self,
        there: &wire::Contact,
        change: &PartnerChange,
        tags: TagsKind,
    ) -> Result<WholeContact, Nameless> {
        let mut custom_fields = Vec::new();
        for field in &there.custom_fields {
            if field.id.is_none() && field.key.is_none() {
                return Err(Nameless);
            }
            let value = field.value.clone();
            custom_fields.push(CustomValue { id: field.id.clone(), key: field.key.clone(), value });
        }
        self.custom.set_tags(&mut custom_fields, change, tags);
        Ok(WholeContact {
            default_fields: self.merged(&there.default_fields, change),
            custom_fields,
            source: there.source.clone(),
            source_url: there.source_url.clone(),
            external_id: there.external_id.clone(),
        })
    }

    fn merged(&self, there: &DefaultFields, change: &PartnerChange) -> DefaultFields {
        let (mut merged, fields) = (there.clone(), as_kept(&change.fields));
        let is_gone = |field| change.cleared.contains(&field);
        if let Some(name) = &fields.name {
            (merged.first_name, merged.last_name) = split(name, fields.name_parts.as_ref(), there);
        } else if is_gone(PartnerField::Name) {
            (merged.first_name, merged.last_name) = (None, None);
        }
        if fields.company_name.is_some() || is_gone(PartnerField::CompanyName) {
            merged.company.clone_from(&fields.company_name);
        }
        if let Some(email) = &fields.email {
            put(&mut merged.emails, email, email.as_str(), |text| EmailAddress::parse_all(text).ok());
        }
        if let Some(phone) = &fields.phone {
            let parse = |text: &str| PhoneNumber::parse_all(text, self.region).ok();
            put(&mut merged.phone_numbers, phone, phone.as_str(), parse);
        }
        merged
    }

    /// Ours, and what people made in the application if the configuration says so. All others have a program of their own
    /// that would write over what we write.
    pub(super) fn is_writable(&self, contact: &wire::Contact) -> bool {
        match contact.source.as_deref() {
            Some(source) => source == self.source.as_str(),
            None => self.write_app_contacts,
        }
    }
}

/// Puts the value where it is read from: the first place. One that is there already is moved, not doubled;
/// otherwise the first gives way, unless it holds more values than its own, and all others stay.
fn put<V: PartialEq>(
    items: &mut Vec<Item>,
    value: &V,
    written: &str,
    parse: impl Fn(&str) -> Option<Vec<V>>,
) {
    let read = |item: &Item| text(&item.value).and_then(&parse).unwrap_or_default();
    if let Some(place) = items.iter().position(|item| read(item).first() == Some(value)) {
        items[..=place].rotate_right(1);
        return;
    }
    match items.first_mut() {
        Some(first) if read(first).len() <= 1 => first.value = Some(written.to_owned()),
        _ => items.insert(0, Item { id: None, name: LABEL.to_owned(), value: Some(written.to_owned()) }),
    }
}

/// As we know the parts, if they make this name; otherwise as they are there, as far as they fit. Reading joins the parts, so a
/// wrong guess changes nothing here.
fn split(name: &str, parts: Option<&NameParts>, there: &DefaultFields) -> (Option<String>, Option<String>) {
    let joined = |parts: &NameParts| match &parts.last {
        Some(last) => format!("{} {last}", parts.first),
        None => parts.first.clone(),
    };
    if let Some(parts) = parts.filter(|parts| joined(parts) == name) {
        return (Some(parts.first.clone()), parts.last.clone());
    }
    let (first, last) = (text(&there.first_name).map(one_blank), text(&there.last_name).map(one_blank));
    let (first, last) = split_name(name, (first.as_deref(), last.as_deref()));
    (Some(first), last)
}

fn full_name(fields: &DefaultFields) -> Option<String> {
    let parts: Vec<_> =
        [&fields.first_name, &fields.last_name].into_iter().filter_map(text).map(one_blank).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// The values that are any, in order, none twice.
fn readable<V: PartialEq>(items: &[Item], parse: impl Fn(&str) -> Option<Vec<V>>) -> Vec<V> {
    let mut values = Vec::new();
    for value in items.iter().filter_map(|item| parse(text(&item.value)?)).flatten() {
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

/// Personal data: ids, and which fields there are.
impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contact")
            .field("partner", &self.partner)
            .field("external_id", &self.external_id)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}
