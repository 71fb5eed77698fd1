//! What a person changes in the web application.

use serde::Deserialize;

use super::register::{BILLING, DoubleAddress, DoubleContact, DoublePartner, Register};

/// New values; what is absent stays as it is. An empty text takes a value away, which no call can do.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DoubleChange {
    /// Of the partner, a company or a person. The name of a contact that was the same goes along.
    pub name: Option<String>,
    /// Who is spoken to there.
    pub contact_name: Option<String>,
    pub email: Option<String>,
    /// Takes the place of the number that is to_json first: mobile, else land line.
    pub phone: Option<String>,
    pub street: Option<String>,
    pub city: Option<String>,
    pub post_number: Option<String>,
    /// A name as MetaKocka shows it. Whether the partner is abroad goes along.
    pub country: Option<String>,
    pub tax_id: Option<String>,
}

impl DoubleChange {
    /// Rows that are missing are made.
    pub(super) fn make(&self, partner: &mut DoublePartner, register: &mut Register) {
        if let Some(name) = &self.name {
            let old = std::mem::replace(&mut partner.customer, name.clone());
            for contact in partner.contacts.iter_mut().filter(|contact| contact.name == old) {
                contact.name.clone_from(name);
            }
        }
        set(&mut partner.tax_id_number, self.tax_id.as_ref());
        let changes_address = [&self.street, &self.city, &self.post_number, &self.country];
        let changes_contact = [&self.contact_name, &self.email, &self.phone].into_iter().any(Option::is_some);
        if changes_contact || changes_address.into_iter().any(Option::is_some) {
            let address = billing(partner, register);
            set(&mut partner.addresses[address].street, self.street.as_ref());
            set(&mut partner.addresses[address].city, self.city.as_ref());
            set(&mut partner.addresses[address].post_number, self.post_number.as_ref());
            set(&mut partner.addresses[address].country, self.country.as_ref());
            if changes_contact {
                self.change_contact(partner, address, register);
            }
        }
        if let Some(country) = self.country.as_ref().filter(|country| !country.is_empty()) {
            partner.foreign_county = Some(!["Slovenija", "Slovenia"].contains(&country.as_str()));
        }
    }

    /// The contact at the address, which is the one that a reader takes.
    fn change_contact(&self, partner: &mut DoublePartner, address: usize, register: &mut Register) {
        let mk_address_id = &partner.addresses[address].mk_id;
        let at = |contact: &DoubleContact| contact.mk_address_id == *mk_address_id;
        let known = partner.contacts.iter().position(at).or(partner.contacts.first().map(|_| 0));
        let index = known.unwrap_or_else(|| {
            let mk_id = register.next_id();
            let mk_address_id = mk_address_id.clone();
            partner.contacts.push(DoubleContact { mk_id, mk_address_id, ..DoubleContact::default() });
            partner.contacts.len() - 1
        });
        let contact = &mut partner.contacts[index];
        set(&mut contact.name, self.contact_name.as_ref());
        set(&mut contact.email, self.email.as_ref());
        let is_land_line = contact.gsm.is_empty() && !contact.phone.is_empty();
        let shown_first = if is_land_line { &mut contact.phone } else { &mut contact.gsm };
        set(shown_first, self.phone.as_ref());
    }
}

fn billing(partner: &mut DoublePartner, register: &mut Register) -> usize {
    let known = partner.addresses.iter().position(|address| address.address_type == BILLING);
    known.or(partner.addresses.first().map(|_| 0)).unwrap_or_else(|| {
        let mk_id = register.next_id();
        let address_type = BILLING.to_owned();
        partner.addresses.push(DoubleAddress { mk_id, address_type, ..DoubleAddress::default() });
        0
    })
}

fn set(value: &mut String, new: Option<&String>) {
    if let Some(new) = new {
        value.clone_from(new);
    }
}
