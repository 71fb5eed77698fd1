//! Our fields in their words, and what of them cannot be said there.

use onefold_domain::country::CountryCode;
use onefold_sync::partner::{
    KnownNames, PartnerAddressId, PartnerFault, PartnerFaultReason, PartnerField, PartnerFields, PartnerId,
    PartnerKind, PartnerParts, TaxNumber,
};

use super::country::{self, CountryLanguage};
use super::wire::{BILLING, Members};

/// The field table of `add_partner`, in characters. The name is either `customer` or a contact's, which has
/// room for more, but it may become the other.
const LIMITS: [(PartnerField, usize); 9] = [
    (PartnerField::Name, 100),
    (PartnerField::CompanyName, 100),
    (PartnerField::Email, 255),
    (PartnerField::Phone, 255),
    (PartnerField::Street, 150),
    (PartnerField::City, 100),
    (PartnerField::PostalCode, 20),
    (PartnerField::Country, 50),
    (PartnerField::TaxNumber, 50),
];

/// What a new partner has to have, beside a name or a company.
const REQUIRED: [PartnerField; 4] =
    [PartnerField::Street, PartnerField::PostalCode, PartnerField::City, PartnerField::Country];

/// How texts are written for MetaKocka.
#[derive(Clone, Copy)]
pub(super) struct Writing {
    pub(super) home: CountryCode,
    pub(super) language: CountryLanguage,
}

/// What a read gives after a write: one line each, single blanks.
pub(super) fn as_kept(fields: &PartnerFields) -> PartnerFields {
    let line = |text: &Option<String>| text.as_deref().and_then(one_line);
    let company_name = line(&fields.company_name);
    PartnerFields {
        name: line(&fields.name),
        company_name,
        street: line(&fields.street),
        city: line(&fields.city),
        postal_code: line(&fields.postal_code),
        ..fields.clone()
    }
}

/// All that keeps these fields, as they are kept, from becoming a new partner.
pub(super) fn faults_of_new(fields: &PartnerFields) -> Vec<PartnerFault> {
    let has_name = fields.name.is_some() || fields.company_name.is_some();
    let name = (!has_name).then_some(PartnerField::Name);
    let required = REQUIRED.into_iter().filter(|field| fields.text(*field).is_none());
    let missing = name.into_iter().chain(required);
    let missing = missing.map(|field| PartnerFault { field, reason: PartnerFaultReason::Missing });
    missing.chain(faults_of_length(fields)).collect()
}

/// What does not fit. It would be cut off there, or refused with a text that names no field.
pub(super) fn faults_of_length(fields: &PartnerFields) -> Vec<PartnerFault> {
    let too_long = |(field, most): (PartnerField, usize)| {
        let length = fields.text(field)?.chars().count();
        let reason = PartnerFaultReason::TooLong { most };
        (length > most).then_some(PartnerFault { field, reason })
    };
    LIMITS.into_iter().filter_map(too_long).collect()
}

impl Writing {
    /// The body of `add_partner`. The fields were checked.
    pub(super) fn new_partner(&self, fields: &PartnerFields) -> Members {
        let known = KnownNames::default();
        let is_company = kind(fields, &known) == Some(PartnerKind::Company);
        // In Slovenia the prefix is what tells a payer of VAT from a mere taxpayer.
        let pays_vat = fields.tax_number.as_ref().is_some_and(TaxNumber::names_a_country);
        let partner = named(Members::default(), fields, &known)
            .with_flag("taxpayer", Some(is_company && pays_vat))
            .with_flag("buyer", Some(true))
            .with_flag("foreign_county", self.is_abroad(fields))
            .with("tax_id_number", fields.text(PartnerField::TaxNumber))
            .with("street", fields.street.as_deref())
            .with("post_number", fields.postal_code.as_deref())
            .with("place", fields.city.as_deref())
            .with("country", self.country(fields))
            .with_object("partner_contact", contact(fields, &known));
        Members::default().with_object("partner", partner)
    }

    /// The body of `update_partner`: rows by their ids, since a row without one is added. The roles and
    /// what accountants decide are not touched, nor is anything that `fields` does not state.
    pub(super) fn changed_partner(
        &self,
        id: &PartnerId,
        fields: &PartnerFields,
        known: &KnownNames,
        parts: &PartnerParts,
    ) -> Members {
        let address = self.address(fields).map(|address| {
            // Flat members are accepted in an update and change nothing, so the row is named.
            address.with("mk_id", parts.address.as_ref().map(PartnerAddressId::as_str))
        });
        let contact = Some(contact(fields, known)).filter(|contact| !contact.is_empty());
        let contact = contact.and_then(|contact| match (&parts.contact, &parts.address) {
            (Some(id), _) => Some(contact.with("mk_id", Some(id.as_str()))),
            (None, Some(address)) => Some(contact.with("mk_address_id", Some(address.as_str()))),
            (None, None) => None,
        });
        let partner = named(Members::default().with("mk_id", Some(id.as_str())), fields, known)
            .with_flag("foreign_county", self.is_abroad(fields))
            .with("tax_id_number", fields.text(PartnerField::TaxNumber))
            .with_list_of_one("partner_delivery_address_list", address)
            .with_list_of_one("partner_contact_list", contact);
        Members::default().with_object("partner", partner)
    }

    fn address(&self, fields: &PartnerFields) -> Option<Members> {
        let address = Members::default()
            .with("street", fields.street.as_deref())
            .with("post_number", fields.postal_code.as_deref())
            .with("city", fields.city.as_deref())
            .with("country", self.country(fields));
        (!address.is_empty()).then(|| address.with("address_type", Some(BILLING)))
    }

    fn country(&self, fields: &PartnerFields) -> Option<&'static str> {
        fields.country.map(|country| country::name(country, self.language))
    }

    fn is_abroad(&self, fields: &PartnerFields) -> Option<bool> {
        fields.country.map(|country| country != self.home)
    }
}

/// Whether the fields have anything that lives in a row of its own: in an address, in a contact.
pub(super) fn rows(fields: &PartnerFields, known: &KnownNames) -> (bool, bool) {
    let has_address = REQUIRED.into_iter().any(|field| fields.text(field).is_some());
    (has_address, !contact(fields, known).is_empty())
}

/// What the partner is to be. Whoever states neither kind nor company's name says nothing of it.
fn kind(fields: &PartnerFields, known: &KnownNames) -> Option<PartnerKind> {
    let named = fields.company_name.as_ref().map(|_| PartnerKind::Company);
    let as_person = fields.name.as_ref().map(|_| PartnerKind::Person);
    fields.kind.or(named).or(known.kind).or(as_person)
}

/// Their one name for either: the flag says whose it is, so that the two always come together. Both stay as they are where
/// nothing of them changes, as when the contact of a company gets another name.
fn named(partner: Members, fields: &PartnerFields, known: &KnownNames) -> Members {
    let kind = kind(fields, known);
    let (changed, stays) = match kind {
        Some(PartnerKind::Company) => (fields.company_name.as_deref(), known.company_name.as_deref()),
        _ => (fields.name.as_deref(), known.name.as_deref()),
    };
    let customer = changed.or(stays.filter(|_| fields.kind.is_some()));
    let is_company = customer.and(kind).map(|kind| kind == PartnerKind::Company);
    partner.with("customer", customer).with_flag("business_entity", is_company)
}

/// The phone always goes to `gsm`, which is read first. A land line in `phone` would be hidden by an old
/// mobile number, which nothing can take away. A person's own row is renamed with the person; one that is somebody else's
/// keeps its name.
fn contact(fields: &PartnerFields, known: &KnownNames) -> Members {
    Members::default()
        .with("name", fields.name.as_deref().filter(|_| !known.contact_is_another))
        .with("gsm", fields.text(PartnerField::Phone))
        .with("email", fields.text(PartnerField::Email))
}

fn one_line(text: &str) -> Option<String> {
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
    let text: String = lines.join(", ").chars().filter(|letter| !letter.is_control()).collect();
    (!text.is_empty()).then_some(text)
}
