//! What each call does. Refusals are answers like any other, with HTTP status 200.

use serde_json::{Map, Value, json};

use super::register::{BILLING, DoubleAddress, DoubleContact, DoublePartner, list};
use super::{DoubleCall, Habits, MetaKockaDouble, State};
use crate::metakocka::is_known_country;

/// The order in which selectors are honoured: the first that is there, and only that.
pub(super) const SELECTORS: [&str; 5] =
    ["partner_id", "partner_name", "partner_tax_number", "partner_email", "partner_phone_number"];

const ADDRESS_TYPES: [&str; 3] = [BILLING, "Dobava", "Poslovna enota"];

/// What is longer is refused.
const LIMITS: [(&str, usize); 9] = [
    ("customer", 100),
    ("tax_id_number", 50),
    ("street", 150),
    ("post_number", 20),
    ("place", 100),
    ("city", 100),
    ("country", 50),
    ("email", 255),
    ("gsm", 255),
];

/// A code and a text for people.
pub(super) struct ErrorReply(pub(super) &'static str, pub(super) String);

pub(super) fn refused(code: &str, said: &str) -> Value {
    json!({"opr_code": code, "opr_desc": said, "opr_time_ms": "12"})
}

impl State {
    pub(super) fn answer(&mut self, call: DoubleCall, body: &Value) -> Value {
        let result = match call {
            _ if !has_access(body) => Err(ErrorReply("3", "Wrong secret_key or company_id".to_owned())),
            DoubleCall::GetPartner => self.get_partner(body),
            DoubleCall::AddPartner => self.add_partner(&body["partner"]),
            DoubleCall::UpdatePartner => self.update_partner(&body["partner"]),
        };
        match result {
            Ok(mut answer) => {
                if let Some(members) = answer.as_object_mut().filter(|_| self.habits.tells_success) {
                    members.insert("opr_code".to_owned(), "0".into());
                    members.insert("opr_time_ms".to_owned(), "7".into());
                }
                answer
            }
            Err(ErrorReply(code, said)) => refused(code, &said),
        }
    }

    fn get_partner(&self, body: &Value) -> Result<Value, ErrorReply> {
        let selected = SELECTORS.iter().find_map(|name| Some((*name, body.get(*name)?.as_str()?)));
        let Some((selector, value)) = selected else {
            return Err(ErrorReply("2", "Missing paramether : partner_id".to_owned()));
        };
        if selector == "partner_name" && value.is_empty() && !self.habits.gives_everything {
            return Err(ErrorReply("2", "Paramether 'partner_name' is empty".to_owned()));
        }
        let found: Vec<_> = match (selector, value) {
            ("partner_id", id) => self.register.get(id).into_iter().collect(),
            ("partner_name", "") => self.register.all().collect(),
            _ => self.register.all().filter(|partner| is_found(partner, selector, value)).collect(),
        };
        if found.is_empty() {
            return Err(ErrorReply("2", "No partner with such properties.".to_owned()));
        }
        Ok(to_json(&found, &self.habits))
    }

    /// Never finds out whether the partner is there already.
    fn add_partner(&mut self, sent: &Value) -> Result<Value, ErrorReply> {
        let required = ["customer", "street", "post_number", "place", "country"];
        for name in required {
            if text(sent, name).is_empty() {
                return Err(ErrorReply("2", format!("Missing paramether : {name}")));
            }
        }
        check_lengths(sent)?;
        check_lengths(&sent["partner_contact"])?;
        let mut addresses = vec![address_of(sent, "place", BILLING)];
        if let Some(delivery) = sent.get("partner_delivery_address") {
            addresses.push(address_of(delivery, "city", &text(delivery, "address_type")));
        }
        let contact = sent.get("partner_contact").map(|contact| {
            let mut contact = contact_of(contact);
            if flag(sent.get("partner_contact").unwrap_or(&Value::Null), "useCustomerAsContact") == Some(true)
            {
                contact.name = text(sent, "customer");
            }
            contact
        });
        let partner = self.register.insert(DoublePartner {
            customer: text(sent, "customer"),
            business_entity: flag(sent, "business_entity"),
            taxpayer: flag(sent, "taxpayer"),
            foreign_county: flag(sent, "foreign_county"),
            buyer: flag(sent, "buyer"),
            supplier: flag(sent, "supplier"),
            tax_id_number: text(sent, "tax_id_number"),
            addresses,
            contacts: contact.into_iter().collect(),
            ..DoublePartner::default()
        });
        let ids = partner.addresses.iter().map(|row| json!({"mk_id": row.mk_id, "street": row.street}));
        let mut answer = json!({
            "mk_id": partner.mk_id,
            "mk_address_id_list": list(ids.collect(), &self.habits),
        });
        if let Some(contact) = partner.contacts.first() {
            answer["mk_contact_id"] = contact.mk_id.clone().into();
        }
        Ok(answer)
    }

    fn update_partner(&mut self, sent: &Value) -> Result<Value, ErrorReply> {
        let (id, code) = (text(sent, "mk_id"), text(sent, "count_code"));
        let known = match id.as_str() {
            "" => self.register.all().find(|partner| partner.count_code == code),
            id => self.register.get(id),
        };
        let known = known.cloned();
        let mut partner = known.ok_or_else(|| ErrorReply("6", format!("Partner not found : {id}")))?;
        check_lengths(sent)?;
        change(sent, "customer", &mut partner.customer);
        change(sent, "tax_id_number", &mut partner.tax_id_number);
        partner.business_entity = flag(sent, "business_entity").or(partner.business_entity);
        partner.taxpayer = flag(sent, "taxpayer").or(partner.taxpayer);
        partner.foreign_county = flag(sent, "foreign_county").or(partner.foreign_county);
        // The flat street, post number, place and country are accepted and change nothing.
        for row in rows(sent, "partner_delivery_address_list") {
            check_lengths(row)?;
            self.change_address(&mut partner, row)?;
        }
        for row in rows(sent, "partner_contact_list") {
            check_lengths(row)?;
            self.change_contact(&mut partner, row)?;
        }
        let id = partner.mk_id.clone();
        if let Some(known) = self.register.get_mut(&id) {
            *known = partner.clone();
        }
        Ok(to_json(&[&partner], &self.habits))
    }

    /// A row with an id changes that row; one without is added.
    fn change_address(&mut self, partner: &mut DoublePartner, sent: &Value) -> Result<(), ErrorReply> {
        let kind = text(sent, "address_type");
        if !kind.is_empty() && !ADDRESS_TYPES.contains(&kind.as_str()) {
            let said = format!("Paramether 'address_type' has invalid value : {kind}");
            return Err(ErrorReply("2", said));
        }
        let id = text(sent, "mk_id");
        if id.is_empty() {
            let mut address = address_of(sent, "city", &kind);
            address.mk_id = self.register.next_id();
            partner.addresses.push(address);
            return Ok(());
        }
        let address = partner.addresses.iter_mut().find(|address| address.mk_id == id);
        let address = address.ok_or_else(|| ErrorReply("6", format!("Address not found : {id}")))?;
        change(sent, "address_type", &mut address.address_type);
        change(sent, "street", &mut address.street);
        change(sent, "post_number", &mut address.post_number);
        change(sent, "city", &mut address.city);
        if !text(sent, "country").is_empty() {
            address.country = country(sent);
        }
        Ok(())
    }

    fn change_contact(&mut self, partner: &mut DoublePartner, sent: &Value) -> Result<(), ErrorReply> {
        let id = text(sent, "mk_id");
        if id.is_empty() {
            let address = text(sent, "mk_address_id");
            if partner.addresses.iter().all(|known| known.mk_id != address) {
                return Err(ErrorReply("2", "Missing paramether : mk_address_id".to_owned()));
            }
            let mk_id = self.register.next_id();
            partner.contacts.push(DoubleContact { mk_id, mk_address_id: address, ..contact_of(sent) });
            return Ok(());
        }
        let contact = partner.contacts.iter_mut().find(|contact| contact.mk_id == id);
        let contact = contact.ok_or_else(|| ErrorReply("6", format!("Contact not found : {id}")))?;
        change(sent, "name", &mut contact.name);
        change(sent, "gsm", &mut contact.gsm);
        change(sent, "phone", &mut contact.phone);
        change(sent, "email", &mut contact.email);
        Ok(())
    }
}

fn has_access(body: &Value) -> bool {
    text(body, "secret_key") == MetaKockaDouble::SECRET_KEY
        && text(body, "company_id") == MetaKockaDouble::COMPANY_ID
}

/// Tax numbers literally, everything else by "contains" whatever the case: an email finds longer ones.
fn is_found(partner: &DoublePartner, selector: &str, value: &str) -> bool {
    let contains = |text: &str| text.to_lowercase().contains(&value.to_lowercase());
    match selector {
        "partner_name" => contains(&partner.customer),
        "partner_tax_number" => partner.tax_id_number == value,
        "partner_email" => partner.contacts.iter().any(|contact| contains(&contact.email)),
        _ => partner.contacts.iter().any(|contact| contains(&contact.gsm) || contains(&contact.phone)),
    }
}

fn to_json(found: &[&DoublePartner], habits: &Habits) -> Value {
    let partners = found.iter().map(|partner| partner.to_json(habits)).collect();
    json!({"partner_list_count": found.len().to_string(), "partner_list": list(partners, habits)})
}

fn address_of(sent: &Value, city: &str, kind: &str) -> DoubleAddress {
    DoubleAddress {
        mk_id: String::new(),
        address_type: kind.to_owned(),
        street: text(sent, "street"),
        post_number: text(sent, "post_number"),
        city: text(sent, city),
        country: country(sent),
    }
}

/// A name that nobody knows becomes the home country, without a word.
fn country(sent: &Value) -> String {
    let name = text(sent, "country");
    if name.is_empty() || is_known_country(&name) { name } else { "Slovenija".to_owned() }
}

fn contact_of(sent: &Value) -> DoubleContact {
    DoubleContact {
        name: text(sent, "name"),
        gsm: text(sent, "gsm"),
        phone: text(sent, "phone"),
        email: text(sent, "email"),
        ..DoubleContact::default()
    }
}

fn check_lengths(sent: &Value) -> Result<(), ErrorReply> {
    for (name, most) in LIMITS {
        if text(sent, name).chars().count() > most {
            return Err(ErrorReply("2", format!("Paramether '{name}' is too long. Max : {most}")));
        }
    }
    Ok(())
}

/// An empty value keeps what is there.
fn change(sent: &Value, name: &str, value: &mut String) {
    let text = text(sent, name);
    if !text.is_empty() {
        *value = text;
    }
}

fn rows<'a>(sent: &'a Value, name: &str) -> &'a [Value] {
    sent.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text(sent: &Value, name: &str) -> String {
    match sent.get(name) {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// Texts as documented, and real truth values, which are accepted too.
fn flag(sent: &Value, name: &str) -> Option<bool> {
    match sent.get(name)? {
        Value::Bool(value) => Some(*value),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// The part of a request that a test may ask for.
pub(super) fn selector(body: &Value) -> (String, String) {
    let members = body.as_object().cloned().unwrap_or_else(Map::new);
    let selected = SELECTORS.iter().find_map(|name| Some((*name, members.get(*name)?.as_str()?)));
    let (name, value) = selected.unwrap_or(("partner", ""));
    (name.to_owned(), value.to_owned())
}
