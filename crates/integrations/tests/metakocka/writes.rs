//! Creating and changing: ids are kept so that lists do not grow, and what was written is read back.

use onefold_domain::country::CountryCode;
use onefold_domain::email::EmailAddress;
use onefold_integrations::metakocka::CountryLanguage;
use onefold_integrations::testing::{DoubleAddress, DoubleCall, DoubleContact, DoublePartner, Trouble};
use onefold_sync::partner::{
    PartnerContactId, PartnerDirectory, PartnerError, PartnerField, PartnerFields, PartnerKind, PartnerParts,
    TaxNumber,
};

use crate::support::{Bench, ann, id, person};

#[tokio::test]
async fn a_partner_is_created_and_read_back_with_the_ids_of_its_rows() {
    for unwraps_lists in [false, true] {
        let bench = Bench::new().await;
        bench.double.behave(|habits| habits.unwraps_lists = unwraps_lists);
        let written = bench.add(&ann()).await.unwrap();
        let partner = bench.double.partner(written.id.as_str()).unwrap();
        assert_eq!(partner.addresses[0].mk_id, written.parts.address.as_ref().unwrap().as_str());
        assert_eq!(partner.contacts[0].mk_id, written.parts.contact.as_ref().unwrap().as_str());
        assert_eq!((partner.addresses[0].city.as_str(), partner.buyer), ("Ljubljana", Some(true)));
        assert!(written.differing.is_empty());
        assert_eq!(written.partner.unwrap().fields, ann());
        assert_eq!(bench.double.count(DoubleCall::GetPartner), 1);
    }
}

#[tokio::test]
async fn updates_with_or_without_the_ids_never_grow_lists() {
    let bench = Bench::new().await;
    let written = bench.add(&ann()).await.unwrap();
    for (number, parts) in [written.parts.clone(), PartnerParts::default()].iter().enumerate() {
        let email = EmailAddress::parse(&format!("ann{number}@example.com")).ok();
        let fields = PartnerFields { email, city: Some(format!("Bled {number}")), ..ann() };
        for _ in 0..2 {
            let updated = bench.mk.update(&written.id, &fields.clone().into(), parts).await.unwrap();
            assert_eq!((updated.parts, updated.differing), (written.parts.clone(), vec![]));
        }
        let partner = bench.double.partner(written.id.as_str()).unwrap();
        assert_eq!((partner.addresses.len(), partner.contacts.len()), (1, 1));
        assert_eq!(partner.addresses[0].city, format!("Bled {number}"));
        assert_eq!(partner.contacts[0].email, format!("ann{number}@example.com"));
    }
    assert!(bench.double.doubled_ids().is_empty());
}

#[tokio::test]
async fn rows_that_are_missing_are_added_once() {
    let bench = Bench::new().await;
    let delivery = DoubleAddress { address_type: "Dobava".to_owned(), ..DoubleAddress::default() };
    let bare = DoublePartner { customer: "Ann Lee".to_owned(), ..DoublePartner::default() };
    for addresses in [vec![], vec![delivery]] {
        let before = addresses.len();
        let partner = bench.double.insert(DoublePartner { addresses, ..bare.clone() });
        for _ in 0..3 {
            let updated =
                bench.mk.update(&id(&partner.mk_id), &ann().into(), &PartnerParts::default()).await.unwrap();
            assert!(updated.differing.is_empty(), "{:?}", updated.differing);
            assert_eq!(updated.partner.unwrap().fields, ann());
        }
        let partner = bench.double.partner(&partner.mk_id).unwrap();
        assert_eq!((partner.addresses.len(), partner.contacts.len()), (before + 1, 1));
        assert_eq!(partner.addresses.iter().filter(|address| address.address_type == "Račun").count(), 1);
    }
}

#[tokio::test]
async fn a_contact_without_any_address_to_hang_on_is_told() {
    let bench = Bench::new().await;
    let bare = DoublePartner { customer: "Ann Lee".to_owned(), ..DoublePartner::default() };
    let partner = bench.double.insert(bare);
    let fields = PartnerFields { email: ann().email, ..PartnerFields::default() };
    let updated =
        bench.mk.update(&id(&partner.mk_id), &fields.clone().into(), &PartnerParts::default()).await.unwrap();
    assert_eq!(updated.differing, [PartnerField::Email]);
}

#[tokio::test]
async fn an_update_leaves_what_it_does_not_state() {
    let bench = Bench::new().await;
    let mut before = person("Lee d.o.o.", "office@example.com");
    before.business_entity = Some(true);
    before.taxpayer = Some(true);
    before.supplier = Some(true);
    before.tax_id_number = "SI12345678".to_owned();
    before.contacts[0].phone = "05 900 01 23".to_owned();
    before.contacts.push(DoubleContact { name: "Bob".to_owned(), ..DoubleContact::default() });
    let before = bench.double.insert(before);
    let known = bench.mk.get(&id(&before.mk_id)).await.unwrap();
    let fields = PartnerFields { city: Some("Kranj".to_owned()), ..PartnerFields::default() };
    bench.mk.update(&known.id, &fields.clone().into(), &known.parts).await.unwrap();
    let mut expected = before.clone();
    expected.addresses[0].city = "Kranj".to_owned();
    assert_eq!(bench.double.partner(&before.mk_id), Some(expected));
}

#[tokio::test]
async fn a_land_line_gives_way_to_the_phone_that_was_written() {
    let bench = Bench::new().await;
    let mut partner = person("Ann Lee", "ann@example.com");
    partner.contacts[0].phone = "05 900 01 23".to_owned();
    let partner = bench.double.insert(partner);
    let fields = PartnerFields { phone: ann().phone, ..PartnerFields::default() };
    let updated =
        bench.mk.update(&id(&partner.mk_id), &fields.clone().into(), &PartnerParts::default()).await.unwrap();
    assert!(updated.differing.is_empty());
    let contact = &bench.double.partner(&partner.mk_id).unwrap().contacts[0];
    assert_eq!((contact.gsm.as_str(), contact.phone.as_str()), ("+38640000123", "05 900 01 23"));
}

#[tokio::test]
async fn values_that_are_replaced_without_a_word_are_noticed() {
    let bench = Bench::new().await;
    let written = bench.add(&ann()).await.unwrap();
    let shown = bench.double.partner(written.id.as_str()).unwrap();
    // The answer says success, and the register has another street.
    let said = serde_json::json!({"partner_list_count": "1", "partner_list": {"mk_id": shown.mk_id}});
    bench.double.next(DoubleCall::UpdatePartner, Trouble::Say(said));
    let fields = PartnerFields { street: Some("Elsewhere 1".to_owned()), ..ann() };
    let updated = bench.mk.update(&written.id, &fields.clone().into(), &written.parts).await.unwrap();
    assert_eq!(updated.differing, [PartnerField::Street]);
    assert_eq!(updated.partner.unwrap().fields, ann());
}

#[tokio::test]
async fn every_country_is_taken_over_in_both_languages() {
    for country_language in [CountryLanguage::English, CountryLanguage::Slovenian] {
        let bench = Bench::with(|config| config.country_language = country_language).await;
        let written = bench.add(&ann()).await.unwrap();
        for country in CountryCode::ALL.into_iter().step_by(8) {
            let fields = PartnerFields { country: Some(country), ..PartnerFields::default() };
            let updated = bench.mk.update(&written.id, &fields.clone().into(), &written.parts).await.unwrap();
            assert!(updated.differing.is_empty(), "{country:?}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_told_before_anything_is_sent() {
    let bench = Bench::new().await;
    let fields = PartnerFields { street: None, country: None, name: Some("x".repeat(101)), ..ann() };
    match bench.add(&fields).await {
        Err(PartnerError::Invalid(faults)) => {
            let fields: Vec<_> = faults.iter().map(|fault| fault.field).collect();
            assert_eq!(fields, [PartnerField::Street, PartnerField::Country, PartnerField::Name]);
        }
        other => panic!("{other:?}"),
    }
    let long = PartnerFields { city: Some("x".repeat(101)), ..PartnerFields::default() };
    let updated = bench.mk.update(&id("1"), &long.clone().into(), &PartnerParts::default()).await;
    assert!(matches!(updated, Err(PartnerError::Invalid(_))));
    assert!(bench.double.calls().is_empty());
}

#[tokio::test]
async fn changing_who_is_not_there_and_a_row_that_is_not_there_are_told_apart() {
    let bench = Bench::new().await;
    let written = bench.add(&ann()).await.unwrap();
    let gone = PartnerContactId::parse("999").ok();
    let parts = PartnerParts { contact: gone, ..written.parts.clone() };
    let row = bench.mk.update(&written.id, &ann().into(), &parts).await;
    assert!(matches!(row, Err(PartnerError::Rejected { .. })), "{row:?}");
    bench.double.remove(written.id.as_str());
    let partner = bench.mk.update(&written.id, &ann().into(), &written.parts).await;
    assert!(matches!(partner, Err(PartnerError::NotFound)), "{partner:?}");
}

#[tokio::test]
async fn a_company_with_a_contact_reads_back_as_one() {
    let bench = Bench::new().await;
    let company = PartnerFields {
        company_name: Some("Lee d.o.o.".to_owned()),
        kind: Some(PartnerKind::Company),
        tax_number: TaxNumber::parse("SI12345678").ok(),
        country: CountryCode::parse("GB").ok(),
        ..ann()
    };
    let written = bench.add(&company).await.unwrap();
    assert_eq!(written.partner.unwrap().fields, company);
    let partner = bench.double.partner(written.id.as_str()).unwrap();
    assert_eq!((partner.taxpayer, partner.foreign_county), (Some(true), Some(true)));
    // The country is one that MetaKocka would have replaced, had it not known the name.
    assert_eq!(partner.addresses[0].country, "Združeno kraljestvo");
}
