//! The contacts that the double keeps, in the form in which they are shown.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::rules;

/// Who made what no person made.
const KEYS_OWNER: &str = "USdouble";

/// A custom field as a workspace defines it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CustomFieldDefinition {
    pub key: String,
    pub name: String,
    /// `string`, `multi-select` and so on.
    pub kind: String,
}

#[derive(Debug, Default)]
pub(super) struct Book {
    contacts: Vec<Value>,
    pub(super) fields: Vec<CustomFieldDefinition>,
    /// Pairs of source and external id whose contacts are not shown any more and still in the way.
    archived: Vec<(String, String)>,
    ids: u64,
    writes: i64,
}

/// Why a write was not done.
#[derive(Debug)]
pub(super) enum BookError {
    NotFound,
    Taken,
    CustomField,
}

impl Book {
    pub(super) fn all(&self) -> &[Value] {
        &self.contacts
    }

    pub(super) fn get(&self, id: &str) -> Option<&Value> {
        self.contacts.iter().find(|contact| contact["id"] == id)
    }

    /// A creation over the API.
    pub(super) fn create(&mut self, body: &Value) -> Result<Value, BookError> {
        let source = body["source"].as_str().unwrap_or("public-api").to_owned();
        if self.is_taken(&source, &body["externalId"], None) {
            return Err(BookError::Taken);
        }
        let custom = self.custom_fields(&body["customFields"], &[])?;
        let user = body["createdByUserId"].as_str().unwrap_or(KEYS_OWNER).to_owned();
        let now = self.now();
        let contact = json!({
            "id": self.id(), "externalId": body["externalId"], "source": source, "sourceUrl": body["sourceUrl"],
            "defaultFields": self.default_fields(&body["defaultFields"]),
            "customFields": custom, "createdAt": now, "updatedAt": now, "createdByUserId": user,
        });
        self.contacts.push(contact.clone());
        Ok(contact)
    }

    /// A change over the API. It replaces: what the body lacks is gone, scalars included, which is the worst
    /// that the contract can mean.
    pub(super) fn replace(&mut self, id: &str, body: &Value) -> Result<Value, BookError> {
        let place =
            self.contacts.iter().position(|contact| contact["id"] == id).ok_or(BookError::NotFound)?;
        let source = body["source"].as_str().unwrap_or_default().to_owned();
        if self.is_taken(&source, &body["externalId"], Some(id)) {
            return Err(BookError::Taken);
        }
        let known = self.contacts[place]["customFields"].as_array().cloned().unwrap_or_default();
        let custom = self.custom_fields(&body["customFields"], &known)?;
        let (fields, now) = (self.default_fields(&body["defaultFields"]), self.now());
        let contact = &mut self.contacts[place];
        for name in ["externalId", "source", "sourceUrl"] {
            contact[name] = body[name].clone();
        }
        contact["defaultFields"] = fields;
        contact["customFields"] = custom;
        contact["updatedAt"] = now.into();
        Ok(contact.clone())
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Value> {
        let place = self.contacts.iter().position(|contact| contact["id"] == id)?;
        Some(self.contacts.remove(place))
    }

    /// A contact as a person in the application makes one: members that are missing are added.
    pub(super) fn insert(&mut self, mut contact: Value) -> Value {
        let now = self.now();
        let fields = self.default_fields(&contact["defaultFields"]);
        let id = self.id();
        let members = contact.as_object_mut().expect("a contact is an object");
        members.insert("defaultFields".to_owned(), fields);
        for (name, value) in [
            ("id", json!(id)),
            ("externalId", Value::Null),
            ("source", Value::Null),
            ("sourceUrl", Value::Null),
            ("customFields", json!([])),
            ("createdAt", json!(now)),
            ("updatedAt", json!(now)),
            ("createdByUserId", json!("USperson")),
        ] {
            members.entry(name).or_insert(value);
        }
        self.contacts.push(contact.clone());
        contact
    }

    /// Any change by a person.
    pub(super) fn edit(&mut self, id: &str, change: impl FnOnce(&mut Value)) -> Option<Value> {
        let now = self.now();
        let contact = self.contacts.iter_mut().find(|contact| contact["id"] == id)?;
        change(contact);
        contact["updatedAt"] = now.into();
        assert_eq!(contact["id"], id, "the id of a contact is for ever");
        Some(contact.clone())
    }

    pub(super) fn archive(&mut self, source: &str, external_id: &str) {
        self.archived.push((source.to_owned(), external_id.to_owned()));
    }

    fn is_taken(&self, source: &str, external_id: &Value, but: Option<&str>) -> bool {
        let Some(external_id) = external_id.as_str() else { return false };
        let is_archived = |(of, id): &(String, String)| of == source && id == external_id;
        let has = |contact: &Value| contact["source"] == source && contact["externalId"] == external_id;
        self.archived.iter().any(is_archived)
            || self.contacts.iter().any(|contact| has(contact) && contact["id"].as_str() != but)
    }

    /// All members, items with ids, none without a value.
    fn default_fields(&mut self, fields: &Value) -> Value {
        let mut shown = Map::new();
        for name in ["firstName", "lastName", "company", "role"] {
            shown.insert(name.to_owned(), fields[name].clone());
        }
        for name in ["emails", "phoneNumbers"] {
            let mut items = fields[name].as_array().cloned().unwrap_or_default();
            items.retain(|item| !item["value"].is_null());
            for item in &mut items {
                if item["id"].is_null() {
                    item["id"] = self.id().into();
                }
            }
            shown.insert(name.to_owned(), items.into());
        }
        shown.into()
    }

    /// Every value under a field that is defined, and of its type.
    fn custom_fields(&mut self, given: &Value, known: &[Value]) -> Result<Value, BookError> {
        let mut shown = Vec::new();
        for field in given.as_array().into_iter().flatten() {
            let by_id = known.iter().find(|known| !field["id"].is_null() && known["id"] == field["id"]);
            let key = field["key"].as_str().or_else(|| by_id?["key"].as_str());
            let definition = self.fields.iter().find(|definition| Some(definition.key.as_str()) == key);
            let definition = definition.ok_or(BookError::CustomField)?.clone();
            if !rules::suits(&field["value"], &definition.kind) {
                return Err(BookError::CustomField);
            }
            if !field["value"].is_null() {
                let id = field["id"].as_str().map_or_else(|| self.id(), ToOwned::to_owned);
                shown.push(json!({
                    "name": definition.name, "key": definition.key, "id": id, "type": definition.kind,
                    "value": field["value"],
                }));
            }
        }
        Ok(shown.into())
    }

    fn id(&mut self) -> String {
        self.ids += 1;
        format!("67{:022x}", self.ids)
    }

    /// A second later with every write, so that the same test sees the same moments.
    fn now(&mut self) -> String {
        self.writes += 1;
        let start = DateTime::<Utc>::from_timestamp(1_790_000_000, 0).expect("a moment");
        (start + TimeDelta::seconds(self.writes)).to_rfc3339_opts(SecondsFormat::Millis, true)
    }
}
