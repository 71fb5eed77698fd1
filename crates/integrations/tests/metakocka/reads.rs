//! Reading one partner and looking up: nothing found is told by text, and more is found than was asked for.

use onefold_domain::country::CountryCode;
use onefold_domain::email::EmailAddress;
use onefold_domain::phone::PhoneNumber;
use onefold_integrations::testing::{DoubleCall, DoubleContact, DoublePartner, Trouble};
use onefold_sync::partner::{PartnerDirectory, PartnerError, PartnerLookup, PartnerName, TaxNumber};
use serde_json::json;

use crate::support::{Bench, id, person};

fn email(text: &str) -> PartnerLookup {
    PartnerLookup::Email(EmailAddress::parse(text).unwrap())
}

async fn found(bench: &Bench, lookup: PartnerLookup) -> Vec<String> {
    let found = bench.mk.find_by(&lookup).await.unwrap();
    found.into_iter().map(|partner| partner.fields.name.or(partner.fields.company_name).unwrap()).collect()
}

#[tokio::test]
async fn nothing_found_is_an_error_there_and_an_answer_here() {
    let bench = Bench::new().await;
    assert!(matches!(bench.mk.get(&id("404")).await, Err(PartnerError::NotFound)));
    assert!(found(&bench, email("nobody@example.com")).await.is_empty());
    for said in ["Ni partnerja s temi lastnostmi", "no partner WITH such properties", "Partner not found"] {
        let refusal = Trouble::Refuse { code: "6".to_owned(), said: said.to_owned() };
        bench.double.next(DoubleCall::GetPartner, refusal);
        assert!(matches!(bench.mk.get(&id("404")).await, Err(PartnerError::NotFound)), "{said}");
    }
    for empty in [json!({"partner_list_count": "0"}), json!({"partner_list": []})] {
        bench.double.next(DoubleCall::GetPartner, Trouble::Say(empty));
        assert!(matches!(bench.mk.get(&id("404")).await, Err(PartnerError::NotFound)));
    }
}

#[tokio::test]
async fn the_same_code_with_another_text_is_a_refusal() {
    let bench = Bench::new().await;
    let said = "Paramether 'partner_id' has invalid value".to_owned();
    bench.double.next(DoubleCall::GetPartner, Trouble::Refuse { code: "2".to_owned(), said });
    match bench.mk.get(&id("1")).await {
        Err(PartnerError::Rejected { code, said }) => {
            assert_eq!((code.as_str(), said.as_str()), ("2", "Paramether 'partner_id' has invalid value"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn success_is_a_code_of_zero_or_none_and_a_list() {
    let bench = Bench::new().await;
    let ann = bench.double.insert(person("Ann Lee", "ann@example.com"));
    for tells_success in [false, true] {
        bench.double.behave(|habits| habits.tells_success = tells_success);
        let partner = bench.mk.get(&id(&ann.mk_id)).await.unwrap();
        assert_eq!(partner.fields.name.as_deref(), Some("Ann Lee"));
    }
    bench.double.next(DoubleCall::GetPartner, Trouble::Say(json!({"opr_code": "0", "opr_time_ms": 3})));
    assert!(matches!(bench.mk.get(&id(&ann.mk_id)).await, Err(PartnerError::Unexpected(_))));
}

#[tokio::test]
async fn one_or_many_are_read_alike() {
    let bench = Bench::new().await;
    let ann = bench.double.insert(person("Ann Lee", "ann@example.com"));
    let many = bench.mk.get(&id(&ann.mk_id)).await.unwrap();
    bench.double.behave(|habits| habits.unwraps_lists = true);
    assert_eq!(bench.mk.get(&id(&ann.mk_id)).await.unwrap(), many);
    assert!(many.parts.address.is_some() && many.parts.contact.is_some());
}

#[tokio::test]
async fn another_partner_than_the_one_asked_for_is_not_taken() {
    let bench = Bench::new().await;
    let other = json!({"partner_list": {"mk_id": "7", "customer": "Somebody"}});
    bench.double.next(DoubleCall::GetPartner, Trouble::Say(other));
    assert!(matches!(bench.mk.get(&id("70")).await, Err(PartnerError::NotFound)));
}

#[tokio::test]
async fn decorated_countries_are_understood() {
    let bench = Bench::new().await;
    bench.double.behave(|habits| habits.decorates_countries = true);
    for (name, code) in [("Združeno kraljestvo", "GB"), ("Slovenija", "SI"), ("Austria", "AT")] {
        let mut partner = person("Ann Lee", "ann@example.com");
        partner.addresses[0].country = name.to_owned();
        partner.foreign_county = Some(true);
        let partner = bench.double.insert(partner);
        let read = bench.mk.get(&id(&partner.mk_id)).await.unwrap();
        assert_eq!(read.fields.country, CountryCode::parse(code).ok(), "{name}");
    }
}

#[tokio::test]
async fn an_email_is_looked_up_fuzzily_there_and_exactly_here() {
    let bench = Bench::new().await;
    bench.double.insert(person("Joann", "joann@example.com"));
    bench.double.insert(person("Ann", "ANN@Example.com"));
    let mut company = person("Lee d.o.o.", "office@example.com");
    company.business_entity = Some(true);
    let second = DoubleContact { email: "ann@example.com".to_owned(), ..DoubleContact::default() };
    company.contacts.push(second);
    bench.double.insert(company);
    bench.double.insert(person("Ann of Elsewhere", "ann@example.com.invalid"));
    assert_eq!(found(&bench, email("ann@example.com")).await, ["Ann", "Lee d.o.o."]);
}

#[tokio::test]
async fn a_tax_number_is_found_with_and_without_its_prefix() {
    for (stored, asked) in
        [("SI12345678", "12345678"), ("12345678", "SI 12345678"), ("SI12345678", "si12345678")]
    {
        let bench = Bench::new().await;
        let company = person("Lee d.o.o.", "office@example.com");
        bench.double.insert(DoublePartner { tax_id_number: stored.to_owned(), ..company.clone() });
        bench.double.insert(DoublePartner { tax_id_number: "SI87654321".to_owned(), ..company });
        let lookup = PartnerLookup::TaxNumber(TaxNumber::parse(asked).unwrap());
        assert_eq!(found(&bench, lookup).await, ["Lee d.o.o."], "{stored} {asked}");
    }
}

#[tokio::test]
async fn a_phone_is_found_as_people_write_it_and_a_name_only_whole() {
    let bench = Bench::new().await;
    let mut ann = person("LEE ANN", "ann@example.com");
    ann.contacts[0].phone = "040000123".to_owned();
    bench.double.insert(ann);
    let mut other = person("Lee Anneliese", "other@example.com");
    other.contacts[0].gsm = "0400001233".to_owned();
    bench.double.insert(other);
    let phone = PhoneNumber::parse("+38640000123", None).unwrap();
    assert_eq!(found(&bench, PartnerLookup::Phone(phone)).await, ["LEE ANN"]);
    let name = PartnerLookup::Name(PartnerName::new(" Lee  Ann "));
    assert_eq!(found(&bench, name).await, ["LEE ANN"]);
}
