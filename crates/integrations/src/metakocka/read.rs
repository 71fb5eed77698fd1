//! Their partner in our words.

use onefold_domain::country::CountryCode;
use onefold_domain::email::EmailAddress;
use onefold_domain::phone::{PhoneNumber, Region};
use onefold_sync::partner::{
    OtherReading, PartnerAddressId, PartnerContactId, PartnerField, PartnerFields, PartnerId, PartnerKind,
    PartnerName, PartnerParts, RemotePartner, TaxNumber,
};

use super::country;
use super::wire::{Address, BILLING, Contact, Partner, Text};

/// How texts of MetaKocka are read.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    /// Where whoever is not abroad lives.
    pub(super) home: CountryCode,
    /// Where numbers without a prefix are read.
    pub(super) region: Option<Region>,
}

impl Reading {
    /// `None` for a partner without an id, which nobody could refer to.
    pub(super) fn partner(&self, partner: &Partner) -> Option<RemotePartner> {
        let id = PartnerId::parse(partner.mk_id.get()?).ok()?;
        let billing = billing_address(partner);
        let address = billing.or(partner.addresses.0.first());
        let contact = main_contact(partner);
        let mut unreadable = Unreadable::default();
        let tax_number = partner
            .tax_id_number
            .get()
            .and_then(|text| unreadable.note(PartnerField::TaxNumber, TaxNumber::parse(text).ok()));
        let email = contact
            .and_then(|contact| unreadable.note(PartnerField::Email, first(emails(contact.email.get()?))));
        let phone = contact.and_then(|contact| {
            unreadable
                .note(PartnerField::Phone, first(self.phones(contact.gsm.get().or(contact.phone.get())?)))
        });
        let country = self.country(partner, address, &mut unreadable);
        let contact_name = contact.and_then(|contact| contact.name.get());
        let has_tax_number = partner.tax_id_number.get().is_some();
        let (names, otherwise) = names(partner, contact_name, has_tax_number);
        let of_address = |part: fn(&Address) -> &Text| owned(address.and_then(|address| part(address).get()));
        let fields = PartnerFields {
            name: names.name,
            name_parts: None,
            company_name: names.company_name,
            kind: Some(names.kind),
            email,
            phone,
            street: of_address(|address| &address.street),
            city: of_address(|address| &address.city),
            postal_code: of_address(|address| &address.post_number),
            country,
            tax_number,
            tags: None,
        };
        let parts = PartnerParts {
            address: billing.and_then(|address| PartnerAddressId::parse(address.mk_id.get()?).ok()),
            contact: contact.and_then(|contact| PartnerContactId::parse(contact.mk_id.get()?).ok()),
        };
        let code = owned(partner.count_code.get());
        let (emails, phones) = self.reached_at(partner);
        Some(RemotePartner {
            id,
            parts,
            code,
            fields,
            otherwise,
            contact_name: owned(contact_name),
            unreadable: unreadable.0,
            is_read_only: false,
            changed_at: None,
            emails,
            phones,
        })
    }

    fn phones(&self, text: &str) -> Vec<PhoneNumber> {
        PhoneNumber::parse_all(text, self.region).unwrap_or_default()
    }

    /// A name that nobody knows is no reason to move somebody abroad, and none to call a foreigner local.
    fn country(
        &self,
        partner: &Partner,
        address: Option<&Address>,
        unreadable: &mut Unreadable,
    ) -> Option<CountryCode> {
        let name = address.and_then(|address| address.country.get());
        let known = name.and_then(country::code);
        let at_home = partner.foreign_county.flag() == Some(false);
        let country = known.or(at_home.then_some(self.home));
        if name.is_some() { unreadable.note(PartnerField::Country, country) } else { country }
    }

    /// The values of all contacts, of phones both kinds.
    fn reached_at(&self, partner: &Partner) -> (Vec<EmailAddress>, Vec<PhoneNumber>) {
        let (mut all_emails, mut phones) = (Vec::new(), Vec::new());
        for contact in &partner.contacts.0 {
            for email in contact.email.get().map(emails).unwrap_or_default() {
                if !all_emails.contains(&email) {
                    all_emails.push(email);
                }
            }
            for phone in [&contact.gsm, &contact.phone].into_iter().filter_map(|text| text.get()) {
                for phone in self.phones(phone) {
                    if !phones.contains(&phone) {
                        phones.push(phone);
                    }
                }
            }
        }
        (all_emails, phones)
    }
}

/// One field may hold several. The first is the partner's; it is found by all.
fn emails(text: &str) -> Vec<EmailAddress> {
    EmailAddress::parse_all(text).unwrap_or_default()
}

fn first<T>(values: Vec<T>) -> Option<T> {
    values.into_iter().next()
}

/// The fields that hold something else than a value.
#[derive(Default)]
struct Unreadable(Vec<PartnerField>);

impl Unreadable {
    fn note<T>(&mut self, field: PartnerField, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.0.push(field);
        }
        value
    }
}

fn billing_address(partner: &Partner) -> Option<&Address> {
    partner.addresses.0.iter().find(|address| address.address_type.get() == Some(BILLING))
}

/// The contact at the billing address, else the first: lists are in order of creation, so it stays the same
/// when others are added.
fn main_contact(partner: &Partner) -> Option<&Contact> {
    let billing = billing_address(partner).and_then(|address| address.mk_id.get());
    let contacts = || partner.contacts.0.iter();
    let at_billing = contacts().find(|contact| billing.is_some() && contact.mk_address_id.get() == billing);
    at_billing.or_else(|| contacts().next())
}

struct Names {
    name: Option<String>,
    company_name: Option<String>,
    kind: PartnerKind,
}

/// The person and the company, and how they read if the guess is wrong. Their one name is either's: a company's when it is
/// flagged as a legal entity. Without that flag a tax number is the better sign, but for people who are their own
/// contact; it is no more than a sign, and one of the two may be renamed.
fn names(partner: &Partner, contact: Option<&str>, has_tax_number: bool) -> (Names, Option<OtherReading>) {
    let customer = partner.customer.get();
    let is_own_contact = match (customer, contact) {
        (Some(customer), Some(contact)) => PartnerName::new(customer) == PartnerName::new(contact),
        _ => false,
    };
    let flag = partner.business_entity.flag();
    let kind = match flag {
        Some(true) => PartnerKind::Company,
        _ if has_tax_number && !is_own_contact => PartnerKind::Company,
        _ => PartnerKind::Person,
    };
    let as_company = OtherReading { name: owned(contact), company_name: owned(customer) };
    let as_person = OtherReading { name: owned(customer), company_name: None };
    let (read, other) = match kind {
        PartnerKind::Company => (as_company, as_person),
        PartnerKind::Person => (as_person, as_company),
    };
    let is_sure = flag == Some(true) || (flag == Some(false) && !has_tax_number);
    let names = Names { name: read.name, company_name: read.company_name, kind };
    (names, Some(other).filter(|_| !is_sure))
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}
