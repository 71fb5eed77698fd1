use onefold_domain::country::CountryCode;
use onefold_domain::email::EmailAddress;
use onefold_domain::phone::PhoneNumber;
use onefold_sync::partner::{KnownNames, PartnerFaultReason, PartnerKind, TaxNumber};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::wire::{Members, Partner};
use super::*;

fn home() -> CountryCode {
    HomeCountry::default().0
}

fn reading() -> Reading {
    Reading { home: home(), region: Region::parse("SI").ok() }
}

fn writing(language: CountryLanguage) -> Writing {
    Writing { home: home(), language }
}

fn read(partner: Value) -> RemotePartner {
    let partner: Partner = serde_json::from_value(partner).unwrap();
    reading().partner(&partner).unwrap()
}

fn sent(members: &Members) -> Value {
    serde_json::to_value(members).unwrap()
}

/// All fields of somebody at home.
fn ann() -> PartnerFields {
    PartnerFields {
        name: Some("Ann Lee".to_owned()),
        name_parts: None,
        company_name: None,
        kind: Some(PartnerKind::Person),
        email: EmailAddress::parse("ann@example.com").ok(),
        phone: PhoneNumber::parse("+38640000123", None).ok(),
        street: Some("Lipova pot 7".to_owned()),
        city: Some("Ljubljana".to_owned()),
        postal_code: Some("1000".to_owned()),
        country: Some(home()),
        tax_number: None,
        tags: None,
    }
}

/// What MetaKocka makes of a new partner, in the form in which it shows one.
fn stored(new_partner: &Members) -> Value {
    let body = sent(new_partner);
    let partner = &body["partner"];
    let part = |object: &Value, name: &str| object.get(name).cloned().unwrap_or(Value::Null);
    let contact = &part(partner, "partner_contact");
    let mut contacts = json!([]);
    if contact.is_object() {
        contacts = json!([{"mk_id": "3", "mk_address_id": "2", "name": part(contact, "name"),
            "gsm": part(contact, "gsm"), "email": part(contact, "email")}]);
    }
    json!({
        "mk_id": "1", "customer": part(partner, "customer"),
        "business_entity": part(partner, "business_entity"),
        "foreign_county": part(partner, "foreign_county"),
        "tax_id_number": part(partner, "tax_id_number"),
        "partner_contact_list": contacts,
        "partner_delivery_address_list": [{"mk_id": "2", "address_type": "Račun",
            "street": part(partner, "street"), "post_number": part(partner, "post_number"),
            "city": part(partner, "place"), "country": part(partner, "country")}],
    })
}

#[test]
fn a_person_is_their_own_contact_and_a_company_has_one() {
    let person = sent(&writing(CountryLanguage::Slovenian).new_partner(&ann()));
    assert_eq!(
        person,
        json!({"partner": {
            "customer": "Ann Lee", "business_entity": "false", "taxpayer": "false", "buyer": "true",
            "foreign_county": "false", "street": "Lipova pot 7", "post_number": "1000", "place": "Ljubljana",
            "country": "Slovenija",
            "partner_contact": {"name": "Ann Lee", "gsm": "+38640000123", "email": "ann@example.com"},
        }})
    );
    let company = PartnerFields {
        company_name: Some("Lee d.o.o.".to_owned()),
        kind: Some(PartnerKind::Company),
        country: CountryCode::parse("GB").ok(),
        tax_number: TaxNumber::parse("SI12345678").ok(),
        ..ann()
    };
    let company = sent(&writing(CountryLanguage::English).new_partner(&company));
    let partner = &company["partner"];
    assert_eq!(partner["customer"], "Lee d.o.o.");
    assert_eq!((&partner["business_entity"], &partner["taxpayer"]), (&json!("true"), &json!("true")));
    assert_eq!((&partner["country"], &partner["foreign_county"]), (&json!("United Kingdom"), &json!("true")));
    assert_eq!(partner["partner_contact"]["name"], "Ann Lee");
}

#[test]
fn an_update_names_its_rows_and_touches_no_roles() {
    let parts = PartnerParts {
        address: PartnerAddressId::parse("2").ok(),
        contact: PartnerContactId::parse("3").ok(),
    };
    let id = PartnerId::parse("1").unwrap();
    let write = writing(CountryLanguage::Slovenian);
    let update = |fields: &PartnerFields, parts: &PartnerParts| {
        sent(&write.changed_partner(&id, fields, &KnownNames::default(), parts))["partner"].clone()
    };
    assert_eq!(
        update(&ann(), &parts),
        json!({
            "mk_id": "1", "customer": "Ann Lee", "business_entity": "false", "foreign_county": "false",
            "partner_delivery_address_list": [{"mk_id": "2", "address_type": "Račun", "street": "Lipova pot 7",
                "post_number": "1000", "city": "Ljubljana", "country": "Slovenija"}],
            "partner_contact_list":
                [{"mk_id": "3", "name": "Ann Lee", "gsm": "+38640000123", "email": "ann@example.com"}],
        })
    );
    let email = PartnerFields { email: ann().email, ..PartnerFields::default() };
    let contact = json!({"mk_id": "3", "email": "ann@example.com"});
    assert_eq!(update(&email, &parts), json!({"mk_id": "1", "partner_contact_list": [contact]}));
    let new_contact = json!({"mk_address_id": "2", "email": "ann@example.com"});
    let no_contact = PartnerParts { contact: None, ..parts };
    assert_eq!(update(&email, &no_contact), json!({"mk_id": "1", "partner_contact_list": [new_contact]}));
    assert_eq!(update(&email, &PartnerParts::default()), json!({"mk_id": "1"}));
}

#[test]
fn what_is_missing_or_too_long_is_told_at_once() {
    let told = |fields: &PartnerFields| -> Vec<String> {
        write::faults_of_new(&write::as_kept(fields)).iter().map(ToString::to_string).collect()
    };
    assert!(told(&ann()).is_empty());
    let company_only = PartnerFields { name: None, company_name: Some("Lee d.o.o.".to_owned()), ..ann() };
    assert!(told(&company_only).is_empty());
    assert_eq!(
        told(&PartnerFields { street: Some(" \n ".to_owned()), ..PartnerFields::default() }),
        [
            "name is missing",
            "street is missing",
            "postalCode is missing",
            "city is missing",
            "country is missing"
        ]
    );
    let long = PartnerFields {
        name: Some("č".repeat(101)),
        street: Some("x".repeat(150)),
        postal_code: Some("1".repeat(21)),
        tax_number: TaxNumber::parse(&"1".repeat(51)).ok(),
        city: None,
        ..ann()
    };
    assert_eq!(
        told(&long),
        [
            "city is missing",
            "name has more than 100 characters",
            "postalCode has more than 20 characters",
            "taxNumber has more than 50 characters"
        ]
    );
    let reasons = write::faults_of_length(&long).into_iter().map(|fault| fault.reason);
    assert!(reasons.into_iter().all(|reason| matches!(reason, PartnerFaultReason::TooLong { .. })));
}

#[test]
fn the_limits_are_those_of_the_contract() {
    let text = |length: usize| Some("x".repeat(length));
    let over = |extra: usize| PartnerFields {
        name: text(100 + extra),
        company_name: text(100 + extra),
        street: text(150 + extra),
        city: text(100 + extra),
        postal_code: text(20 + extra),
        tax_number: TaxNumber::parse(&"1".repeat(50 + extra)).ok(),
        ..ann()
    };
    assert!(write::faults_of_length(&over(0)).is_empty());
    assert_eq!(write::faults_of_length(&over(1)).len(), 6);
}

#[test]
fn a_tax_number_makes_a_company_unless_the_partner_is_its_own_contact() {
    for (customer, contact, entity, tax, name, company) in [
        ("Lee d.o.o.", Some("Ann"), "true", None, Some("Ann"), Some("Lee d.o.o.")),
        ("Lee d.o.o.", Some("Ann"), "false", Some("SI1"), Some("Ann"), Some("Lee d.o.o.")),
        ("Lee d.o.o.", None, "", Some("1"), None, Some("Lee d.o.o.")),
        ("LEE ANN", Some("Lee  Ann"), "false", Some("1"), Some("LEE ANN"), None),
        ("LEE ANN", Some("Bob"), "false", None, Some("LEE ANN"), None),
        ("LEE ANN", None, "", None, Some("LEE ANN"), None),
    ] {
        let partner = read(json!({
            "mk_id": "1", "customer": customer, "business_entity": entity, "tax_id_number": tax,
            "partner_contact_list": {"mk_id": "3", "name": contact},
        }));
        let names = (partner.fields.name.as_deref(), partner.fields.company_name.as_deref());
        assert_eq!(names, (name, company), "{customer} {contact:?} {entity} {tax:?}");
    }
}

#[test]
fn the_billing_address_counts_and_the_contact_at_it() {
    let partner = read(json!({
        "mk_id": 1, "customer": "Ann", "foreign_county": false,
        "partner_delivery_address_list": [
            {"mk_id": "20", "address_type": "Dobava", "city": "Koper", "country": "Atlantis"},
            {"mk_id": "21", "address_type": "Račun", "city": "Bled", "post_number": 4260},
        ],
        "partner_contact_list": [
            {"mk_id": "30", "mk_address_id": "20", "email": "koper@example.com", "gsm": "040 000 123"},
            {"mk_id": "31", "mk_address_id": "21", "email": "no address", "phone": "05 900 01 23"},
        ],
    }));
    assert_eq!(partner.parts.address, PartnerAddressId::parse("21").ok());
    assert_eq!(partner.parts.contact, PartnerContactId::parse("31").ok());
    assert_eq!(partner.fields.city.as_deref(), Some("Bled"));
    assert_eq!(partner.fields.postal_code.as_deref(), Some("4260"));
    assert_eq!(partner.fields.country, Some(home()), "not abroad");
    assert_eq!(partner.fields.phone, PhoneNumber::parse("+38659000123", None).ok());
    assert_eq!((partner.fields.email, partner.unreadable), (None, vec![PartnerField::Email]));
    assert_eq!((partner.emails.len(), partner.phones.len()), (1, 2));
}

#[test]
fn a_delivery_address_is_read_but_never_written() {
    let partner = read(json!({
        "mk_id": "1", "customer": "Ann", "foreign_county": "true",
        "partner_delivery_address_list": {"mk_id": "20", "address_type": "Dobava", "city": "Koper",
            "country": "Atlantis"},
    }));
    assert_eq!((partner.fields.city.as_deref(), partner.parts.address), (Some("Koper"), None));
    assert_eq!((partner.fields.country, partner.unreadable), (None, vec![PartnerField::Country]));
}

/// Texts as people type them, blanks and lines included, within all limits.
fn texts(longest: usize) -> impl Strategy<Value = Option<String>> {
    let pattern = format!("[a-zčšžA-Z0-9 .,\\n&()-]{{0,{longest}}}");
    prop::option::of(prop::string::string_regex(&pattern).unwrap())
}

fn fields() -> impl Strategy<Value = PartnerFields> {
    let place = (texts(100), texts(70), texts(20), prop::sample::select(CountryCode::ALL.to_vec()));
    let person = (texts(90), texts(90), prop::option::of("[a-z]{1,9}@[a-z]{1,9}\\.example"));
    let numbers = (
        prop::option::of("\\+3863[01][0-9]{6}|[0-9]{5,9}"),
        prop::option::of("(SI)?[0-9]{8}|[A-Z]{2}[0-9]{9}"),
    );
    (place, person, numbers).prop_map(
        |((street, city, postal_code, country), (name, company_name, email), numbers)| {
            let (phone, tax) = numbers;
            PartnerFields {
                name,
                name_parts: None,
                kind: Some(if company_name.is_some() { PartnerKind::Company } else { PartnerKind::Person }),
                company_name,
                email: email.and_then(|text| EmailAddress::parse(&text).ok()),
                phone: phone.and_then(|text| PhoneNumber::parse(&text, Region::parse("SI").ok()).ok()),
                street,
                city,
                postal_code,
                country: Some(country),
                tax_number: tax.and_then(|text| TaxNumber::parse(&text).ok()),
                tags: None,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_back_as_it_is_kept(fields in fields(), english in any::<bool>()) {
        let language = if english { CountryLanguage::English } else { CountryLanguage::Slovenian };
        let kept = write::as_kept(&fields);
        prop_assert_eq!(&write::as_kept(&kept), &kept);
        let partner = read(stored(&writing(language).new_partner(&kept))).known_as(kept.kind);
        prop_assert!(partner.unreadable.is_empty());
        prop_assert_eq!(partner.fields.differing(&kept), vec![]);
        prop_assert_eq!(kept.differing(&partner.fields), vec![]);
    }

    #[test]
    fn no_partner_breaks_the_reading(name in any::<String>(), other in any::<String>(), number in any::<i64>()) {
        let partner = read(json!({
            "mk_id": "1", "customer": name, "tax_id_number": other, "business_entity": number,
            "partner_contact_list": [{"mk_id": other, "email": name, "gsm": number, "phone": other}],
            "partner_delivery_address_list": {"mk_id": number, "country": name, "city": [other]},
        }));
        prop_assert!(partner.fields.city.is_none());
    }
}
