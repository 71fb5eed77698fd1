//! The partners that the double keeps, and how they look on the wire.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Habits;

/// The type of the address that bills go to.
pub(super) const BILLING: &str = "Račun";

/// A partner, with the names of the wire.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct DoublePartner {
    pub mk_id: String,
    pub count_code: String,
    pub customer: String,
    pub business_entity: Option<bool>,
    pub taxpayer: Option<bool>,
    pub foreign_county: Option<bool>,
    pub buyer: Option<bool>,
    pub supplier: Option<bool>,
    pub tax_id_number: String,
    pub addresses: Vec<DoubleAddress>,
    pub contacts: Vec<DoubleContact>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct DoubleAddress {
    pub mk_id: String,
    pub address_type: String,
    pub street: String,
    pub post_number: String,
    pub city: String,
    pub country: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct DoubleContact {
    pub mk_id: String,
    pub mk_address_id: String,
    pub name: String,
    pub gsm: String,
    pub phone: String,
    pub email: String,
}

#[derive(Debug, Default)]
pub(super) struct Register {
    /// In order of creation. Who was removed leaves a gap, so that the places of the others stay.
    partners: Vec<Option<DoublePartner>>,
    /// The place of each id: ten thousand are asked for one by one.
    places: HashMap<String, usize>,
    given: u64,
}

impl Register {
    /// Partners, addresses and contacts draw from one sequence.
    pub(super) fn next_id(&mut self) -> String {
        self.given += 1;
        (310_000_000_000 + self.given).to_string()
    }

    pub(super) fn insert(&mut self, mut partner: DoublePartner) -> DoublePartner {
        self.give_id(&mut partner.mk_id);
        if partner.count_code.is_empty() {
            partner.count_code = format!("{}/2026", self.given);
        }
        for address in &mut partner.addresses {
            self.give_id(&mut address.mk_id);
        }
        let first = partner.addresses.first().map(|address| address.mk_id.clone()).unwrap_or_default();
        for contact in &mut partner.contacts {
            self.give_id(&mut contact.mk_id);
            if contact.mk_address_id.is_empty() {
                contact.mk_address_id.clone_from(&first);
            }
        }
        let before = self.places.insert(partner.mk_id.clone(), self.partners.len());
        assert!(before.is_none(), "two partners with one id");
        self.partners.push(Some(partner.clone()));
        partner
    }

    fn give_id(&mut self, id: &mut String) {
        if id.is_empty() {
            *id = self.next_id();
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &DoublePartner> {
        self.partners.iter().flatten()
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn get(&self, id: &str) -> Option<&DoublePartner> {
        self.partners[*self.places.get(id)?].as_ref()
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut DoublePartner> {
        self.partners[*self.places.get(id)?].as_mut()
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<DoublePartner> {
        self.partners[self.places.remove(id)?].take()
    }

    pub(super) fn doubled_ids(&self) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let rows = self.all().flat_map(|partner| {
            let addresses = partner.addresses.iter().map(|address| &address.mk_id);
            let contacts = partner.contacts.iter().map(|contact| &contact.mk_id);
            std::iter::once(&partner.mk_id).chain(addresses).chain(contacts)
        });
        rows.filter(|id| !seen.insert((*id).clone())).cloned().collect()
    }
}

impl DoublePartner {
    /// The partner as `get_partner` shows it: texts only, nothing empty, the street of the address beside a contact.
    pub(super) fn to_json(&self, habits: &Habits) -> Value {
        let contacts = self.contacts.iter().map(|contact| self.shown_contact(contact)).collect();
        let addresses = self.addresses.iter().map(|address| shown_address(address, habits)).collect();
        let mut to_json = texts(&[
            ("mk_id", &self.mk_id),
            ("business_entity", flag(self.business_entity)),
            ("taxpayer", flag(self.taxpayer)),
            ("foreign_county", flag(self.foreign_county)),
            ("buyer", flag(self.buyer)),
            ("supplier", flag(self.supplier)),
            ("tax_id_number", &self.tax_id_number),
            ("customer", &self.customer),
            ("count_code", &self.count_code),
        ]);
        to_json.insert("partner_contact_list".to_owned(), list(contacts, habits));
        to_json.insert("partner_delivery_address_list".to_owned(), list(addresses, habits));
        to_json.insert("price_list_unknown_to_us".to_owned(), json!({"a": ["b"]}));
        Value::Object(to_json)
    }

    fn shown_contact(&self, contact: &DoubleContact) -> Value {
        let address = self.addresses.iter().find(|address| address.mk_id == contact.mk_address_id);
        let street = address.map_or("", |address| &address.street);
        Value::Object(texts(&[
            ("mk_id", &contact.mk_id),
            ("mk_address_id", &contact.mk_address_id),
            ("contact_address", street),
            ("name", &contact.name),
            ("gsm", &contact.gsm),
            ("phone", &contact.phone),
            ("email", &contact.email),
        ]))
    }
}

fn shown_address(address: &DoubleAddress, habits: &Habits) -> Value {
    let country = match address.country.as_str() {
        "Združeno kraljestvo" if habits.decorates_countries => "Združeno kraljestvo (UK)",
        "Slovenija" if habits.decorates_countries => "Slovenija, Republika",
        country => country,
    };
    Value::Object(texts(&[
        ("mk_id", &address.mk_id),
        ("address_type", &address.address_type),
        ("street", &address.street),
        ("post_number", &address.post_number),
        ("city", &address.city),
        ("country", country),
        ("payment_due_days", "30"),
        ("language", "Slovenski"),
    ]))
}

/// A list of one as the object itself, if the double has that habit; else as a list.
pub(super) fn list(mut items: Vec<Value>, habits: &Habits) -> Value {
    match items.pop() {
        Some(only) if items.is_empty() && habits.unwraps_lists => only,
        Some(last) => {
            items.push(last);
            Value::Array(items)
        }
        None => Value::Array(items),
    }
}

fn texts(members: &[(&str, &str)]) -> Map<String, Value> {
    let filled = members.iter().filter(|(_, text)| !text.is_empty());
    filled.map(|(name, text)| ((*name).to_owned(), Value::from(*text))).collect()
}

fn flag(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "true",
        Some(false) => "false",
        None => "",
    }
}
