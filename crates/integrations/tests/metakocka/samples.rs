//! Samples of the contract: what they show is understood, and what we send has their members.

use onefold_domain::country::CountryCode;
use onefold_domain::email::EmailAddress;
use onefold_domain::phone::PhoneNumber;
use onefold_integrations::testing::{DoubleCall, Trouble};
use onefold_sync::partner::{PartnerDirectory, PartnerLookup, PartnerName};
use serde_json::Value;

use crate::support::{Bench, ann, id};

fn sample(name: &str) -> Value {
    let path = format!("{}/tests/data/metakocka/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

async fn answering(call: DoubleCall, name: &str) -> Bench {
    let bench = Bench::new().await;
    bench.double.next(call, Trouble::Say(sample(name)));
    bench
}

#[tokio::test]
async fn partners_are_read_as_the_contract_shows_them() {
    let bench = answering(DoubleCall::GetPartner, "get_partner.response").await;
    let partner = bench.mk.get(&id("310000000611")).await.unwrap();
    assert_eq!(partner.code.as_deref(), Some("P-78"));
    let fields = &partner.fields;
    assert_eq!((fields.name.as_deref(), &fields.company_name), (Some("PRIMERNIK ZALA"), &None));
    assert_eq!(fields.email, EmailAddress::parse("zala@primernik.example").ok());
    assert_eq!(fields.phone, PhoneNumber::parse("+38640000456", None).ok());
    assert_eq!(fields.street.as_deref(), Some("Domišljijska ulica 5"));
    assert_eq!((fields.city.as_deref(), fields.postal_code.as_deref()), (Some("KRANJ"), Some("4000")));
    assert_eq!(fields.country, CountryCode::parse("SI").ok());
    assert_eq!(partner.parts.address.unwrap().as_str(), "310000000612");
    assert_eq!(partner.parts.contact.unwrap().as_str(), "310000000613");
}

#[tokio::test]
async fn a_country_that_is_left_out_is_the_home_country() {
    let bench = answering(DoubleCall::GetPartner, "get_partner.discounts.response").await;
    let name = PartnerLookup::Name(PartnerName::new("zgledni matevž"));
    let found = bench.mk.find_by(&name).await.unwrap();
    assert_eq!(found.len(), 1, "the count says three, the list has one");
    assert_eq!(found[0].fields.country, CountryCode::parse("SI").ok());
    assert!(found[0].unreadable.is_empty());
}

#[tokio::test]
async fn of_several_rows_the_billing_address_and_its_contact_are_ours() {
    let bench = answering(DoubleCall::GetPartner, "update_partner.response").await;
    let partner = bench.mk.get(&id("310000000801")).await.unwrap();
    assert_eq!(partner.parts.address.unwrap().as_str(), "310000000802");
    assert_eq!(partner.parts.contact.unwrap().as_str(), "310000000804");
    assert_eq!(partner.fields.street.as_deref(), Some("Domišljijska ulica 6"));
    assert_eq!((partner.emails.len(), partner.phones.len()), (2, 2));
}

#[tokio::test]
async fn the_ids_of_a_new_partner_are_taken_from_the_answer() {
    let bench = answering(DoubleCall::AddPartner, "add_partner.response").await;
    let written = bench.add(&ann()).await.unwrap();
    assert_eq!(written.id, id("310000000801"));
    assert_eq!(written.parts.address.unwrap().as_str(), "310000000802");
    assert_eq!(written.parts.contact.unwrap().as_str(), "310000000804");
    assert_eq!(written.partner, None, "the double knows nothing of it, and the ids are kept all the same");
}

#[tokio::test]
async fn every_error_of_the_samples_is_a_refusal_that_says_why() {
    for error in sample("errors").as_array().unwrap() {
        let bench = Bench::new().await;
        bench.double.next(DoubleCall::GetPartner, Trouble::Say(error.clone()));
        match bench.mk.get(&id("1")).await {
            Err(onefold_sync::partner::PartnerError::Rejected { code, said }) => {
                assert_eq!(
                    (code.as_str(), said.as_str()),
                    (text(error, "opr_code"), text(error, "opr_desc"))
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn what_we_send_has_the_members_of_the_contract() {
    let bench = Bench::new().await;
    let written = bench.add(&ann()).await.unwrap();
    bench.mk.update(&written.id, &ann().into(), &written.parts).await.unwrap();
    let bodies = bench.double.bodies();
    for (body, name) in [(0, "add_partner.request"), (2, "update_partner.request")] {
        let mut unknown = Vec::new();
        compare(&bodies[body], &sample(name), "", &mut unknown);
        assert!(unknown.is_empty(), "{name}: {unknown:?}");
    }
}

/// Members that the sample does not have, and values of another type.
fn compare(ours: &Value, theirs: &Value, path: &str, unknown: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for (name, value) in ours {
                let path = format!("{path}/{name}");
                match theirs.get(name) {
                    Some(theirs) => compare(value, theirs, &path, unknown),
                    None => unknown.push(path),
                }
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => compare(&ours[0], &theirs[0], path, unknown),
        (Value::String(_), Value::String(_)) => {}
        _ => unknown.push(format!("{path} has another type")),
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}
