//! OpenPhone behind the port that the sync engine knows.

use onefold_domain::country::CountryCode;
use onefold_domain::email::EmailAddress;
use onefold_domain::id::CustomerId;
use onefold_domain::phone::PhoneNumber;
use onefold_integrations::openphone::OpenPhone;
use onefold_sync::partner::{
    PartnerDirectory, PartnerError, PartnerField, PartnerFields, PartnerLookup, PartnerLookupKind,
    PartnerName, PartnerParts,
};
use uuid::Uuid;

use crate::support::{Bench, ann, config, id, person};

const ANN: CustomerId = CustomerId(Uuid::from_u128(7));

#[tokio::test]
async fn a_customer_is_added_under_its_id_and_changed() {
    let bench = Bench::new().await;
    let elsewhere = PartnerFields { country: CountryCode::parse("SI").ok(), ..ann() };
    let written = bench.phone.add(&elsewhere, ANN).await.unwrap();
    assert!(written.differing.is_empty(), "what has no place there is no difference");
    assert_eq!(written.partner.unwrap().fields, ann());
    let there = bench.double.contact(written.id.as_str()).unwrap();
    assert_eq!(there["externalId"], ANN.0.to_string());

    let renamed = PartnerFields { name: Some("Ann  Maria Lee ".to_owned()), ..ann() };
    let updated =
        bench.phone.update(&written.id, &renamed.clone().into(), &PartnerParts::default()).await.unwrap();
    assert!(updated.differing.is_empty());
    assert_eq!(updated.partner.unwrap().fields, bench.phone.as_kept(&renamed));
    assert_eq!(bench.phone.get(&written.id).await.unwrap().fields.name.as_deref(), Some("Ann Maria Lee"));
    assert_eq!(bench.phone.add(&ann(), ANN).await.unwrap().id, written.id, "a second time it is the same");
}

#[tokio::test]
async fn what_was_written_otherwise_is_told() {
    let bench = Bench::new().await;
    let written = bench.phone.add(&ann(), ANN).await.unwrap();
    let mut other = bench.double.contact(written.id.as_str()).unwrap();
    other["defaultFields"]["company"] = "LEE D.O.O.".into();
    let said = serde_json::json!({"data": other});
    let call = onefold_integrations::testing::openphone::OpenPhoneCall::Update;
    bench.double.next(call, onefold_integrations::testing::openphone::Trouble::Say(200, said));
    let updated = bench.phone.update(&written.id, &ann().into(), &PartnerParts::default()).await.unwrap();
    assert_eq!(updated.differing, [PartnerField::CompanyName]);
}

#[tokio::test]
async fn nobody_without_a_name_is_sent_and_no_phone_without_its_country() {
    let bench = Bench::new().await;
    let nameless = PartnerFields { name: Some(" ".to_owned()), company_name: None, ..ann() };
    assert!(matches!(bench.phone.add(&nameless, ANN).await, Err(PartnerError::Invalid(_))));
    assert!(bench.double.calls().is_empty());
    let short = PartnerFields { phone: PhoneNumber::parse("123456", None).ok(), ..ann() };
    let written = bench.phone.add(&short, ANN).await.unwrap();
    let there = bench.double.contact(written.id.as_str()).unwrap();
    assert_eq!(
        (written.differing, &there["defaultFields"]["phoneNumbers"]),
        (vec![], &serde_json::json!([]))
    );
}

#[tokio::test]
async fn what_the_index_names_is_read_and_compared() {
    let bench = Bench::new().await;
    let moved = bench.double.insert(person("Ann", "ann@example.com"));
    let stays = bench.double.insert(person("Bob", "ann@example.com"));
    let gone = bench.double.insert(person("Eva", "ann@example.com"));
    let mut pull = bench.phone.list();
    while pull.next().await.unwrap().is_some() {}
    assert_eq!(bench.index.len(), 3);
    bench.double.edit(moved["id"].as_str().unwrap(), |contact| {
        contact["defaultFields"]["emails"][0]["value"] = "other@example.com".into();
    });
    bench.double.remove(gone["id"].as_str().unwrap());

    let lookup = PartnerLookup::Email(EmailAddress::parse("ann@example.com").unwrap());
    let found: Vec<_> = bench.phone.find_by(&lookup).await.unwrap().into_iter().map(|one| one.id).collect();
    assert_eq!(found, [id(&stays)]);
    assert_eq!(bench.index.len(), 2, "who is gone is forgotten");
    let by_phone = PartnerLookup::Phone(PhoneNumber::parse("+38631000777", None).unwrap());
    assert_eq!(bench.phone.find_by(&by_phone).await.unwrap().len(), 2);
    let by_name = PartnerLookup::Name(PartnerName::new("Bob Novak"));
    assert!(bench.phone.find_by(&by_name).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_contact_is_got_by_its_email_or_phone() {
    let bench = Bench::new().await;
    let bob = bench.double.insert(person("Bob", "bob@example.com"));
    let (email, phone) =
        (EmailAddress::parse("bob@example.com").unwrap(), PhoneNumber::parse("+38631000777", None).unwrap());
    for found in
        [bench.phone.get_contact_by_email(&email).await, bench.phone.get_contact_by_phone(&phone).await]
    {
        assert_eq!(found.unwrap().unwrap().partner.id, id(&bob));
    }
    let nobody = EmailAddress::parse("nobody@example.com").unwrap();
    assert!(bench.phone.get_contact_by_email(&nobody).await.unwrap().is_none());
}

#[tokio::test]
async fn our_own_writes_are_found_at_once() {
    let bench = Bench::new().await;
    let written = bench.phone.add(&ann(), ANN).await.unwrap();
    let lookup = PartnerLookup::Email(ann().email.unwrap());
    assert_eq!(bench.phone.find_by(&lookup).await.unwrap()[0].id, written.id);
}

#[tokio::test]
async fn without_an_index_no_look_up_is_promised_and_none_is_made() {
    let bench = Bench::new().await;
    let plain = OpenPhone::new(&config(&bench.double.base_url()), bench.clock.clone(), None, None).unwrap();
    assert!(plain.abilities().lookups.is_empty());
    assert_eq!(bench.phone.abilities().lookups, [PartnerLookupKind::Email, PartnerLookupKind::Phone]);
    assert!(plain.find_by(&PartnerLookup::Email(ann().email.unwrap())).await.unwrap().is_empty());
    assert!(bench.double.calls().is_empty());
}
