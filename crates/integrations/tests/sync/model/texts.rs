//! A partner and a plan as maps from fields to texts, and back.

use std::collections::BTreeMap;

use onefold_domain::contact::{Received, Statement};
use onefold_domain::email::EmailAddress;
use onefold_domain::profile::Profile;
use onefold_domain::source::ContactSource;
use onefold_integrations::testing::DoublePartner;
use onefold_service::contacts::ContactRequest;
use onefold_sync::partner::PartnerField;
use serde_json::{Map, Value};

use super::Field;

pub(super) fn set(place: &mut String, value: Option<&String>) {
    if let Some(value) = value {
        place.clone_from(value);
    }
}

pub(super) fn request(source: ContactSource, who: usize, profile: &Value) -> ContactRequest {
    let email = EmailAddress::parse(&format!("ann{who}@example.com")).ok();
    ContactRequest {
        profile: Some(Profile::parse(profile.as_object().unwrap()).unwrap()),
        ..ContactRequest::new(Statement::new(email, None).unwrap(), Received::default(), source)
    }
}

pub(super) fn profile(values: &BTreeMap<Field, String>) -> Map<String, Value> {
    let mut profile = Map::new();
    let mut address = Map::new();
    for (field, value) in values {
        let object = if matches!(field, Field::City | Field::Street) { &mut address } else { &mut profile };
        object.insert(field.as_str().to_owned(), value.as_str().into());
    }
    if !address.is_empty() {
        profile.insert("address".to_owned(), address.into());
    }
    profile
}

/// A partner as plans see it.
pub(super) fn in_books(partner: &DoublePartner) -> BTreeMap<&'static str, String> {
    let contact = partner.contacts.first().cloned().unwrap_or_default();
    let is_company = partner.business_entity == Some(true);
    let (name, company) = match is_company {
        true => (contact.name, partner.customer.clone()),
        false => (partner.customer.clone(), String::new()),
    };
    BTreeMap::from([
        (Field::Name.as_str(), name),
        (Field::Company.as_str(), company),
        (Field::City.as_str(), partner.addresses[0].city.clone()),
        (Field::Street.as_str(), partner.addresses[0].street.clone()),
        (Field::Tax.as_str(), partner.tax_id_number.clone()),
        (PartnerField::PostalCode.as_str(), partner.addresses[0].post_number.clone()),
        (PartnerField::Email.as_str(), contact.email),
        (PartnerField::Phone.as_str(), contact.gsm),
        (PartnerField::Kind.as_str(), if is_company { "company" } else { "person" }.to_owned()),
    ])
}

/// What a plan writes to a side.
pub(super) fn written(plan: &Value, side: &str) -> BTreeMap<String, String> {
    let steps = plan.as_array().unwrap().iter().filter(|step| step["write"] == side);
    let text = |step: &Value, name: &str| step[name].as_str().unwrap_or_default().to_owned();
    steps.map(|step| (text(step, "field"), text(step, "value"))).collect()
}

pub(super) fn differing(before: &DoublePartner, after: &DoublePartner) -> BTreeMap<String, String> {
    assert_eq!(before.contacts.get(1), after.contacts.get(1), "rows of people keep their owners");
    let row = |partner: &DoublePartner| partner.contacts.first().map(|contact| contact.name.clone());
    let same_row = row(before) == row(after);
    let before = in_books(before);
    let mut after = in_books(after);
    if same_row && before["kind"] != after["kind"] {
        // The name of the row is read as the person's from now on; nobody wrote it.
        after.remove("name");
    }
    let changed = after.into_iter().filter(|(field, value)| before[field] != *value);
    changed.map(|(field, value)| (field.to_owned(), value)).collect()
}
