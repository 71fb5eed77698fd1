//! Creating, changing and deleting: nothing that is there gets lost, nobody is made twice.

use onefold_domain::email::EmailAddress;
use onefold_domain::profile::Tags;
use onefold_integrations::openphone::FieldKey;
use onefold_integrations::testing::openphone::{OpenPhoneCall, Trouble};
use onefold_sync::partner::{PartnerError, PartnerFields};
use serde_json::json;

use crate::support::{Bench, ann, change, external, id, person};

fn key(text: &str) -> Option<FieldKey> {
    Some(FieldKey::try_from(text.to_owned()).unwrap())
}

#[tokio::test]
async fn a_contact_is_created_with_our_reference_and_found_by_it() {
    let bench = Bench::new().await;
    let created = bench.phone.create_contact(&change(ann()), &external("c-1")).await.unwrap();
    assert_eq!(created.partner.fields, ann());
    let there = bench.double.contact(created.partner.id.as_str()).unwrap();
    assert_eq!((&there["externalId"], &there["source"]), (&json!("c-1"), &json!("onefold")));
    assert_eq!(there["defaultFields"]["emails"][0]["value"], "ann@example.com");
    assert_eq!(there["defaultFields"]["phoneNumbers"][0]["value"], "+38640000123");
    let found = bench.phone.get_contact_by_external_id(&external("c-1")).await.unwrap();
    assert_eq!(found, Some(created));
    assert_eq!(bench.phone.get_contact_by_external_id(&external("c-2")).await.unwrap(), None);
}

#[tokio::test]
async fn creating_twice_changes_the_one_that_is_there() {
    let bench = Bench::new().await;
    let first = bench.phone.create_contact(&change(ann()), &external("c-1")).await.unwrap();
    let renamed = PartnerFields { name: Some("Ann Kos".to_owned()), ..ann() };
    let second = bench.phone.create_contact(&change(renamed.clone()), &external("c-1")).await.unwrap();
    assert_eq!((second.partner.id, second.partner.fields), (first.partner.id, renamed));
    assert_eq!((bench.double.contacts().len(), bench.double.count(OpenPhoneCall::Create)), (1, 1));
}

#[tokio::test]
async fn a_conflict_leads_to_the_contact_that_is_in_the_way() {
    let bench = Bench::new().await;
    let mut faster = person("Ann", "ann@example.com");
    (faster["externalId"], faster["source"]) = (json!("c-1"), json!("onefold"));
    let faster = bench.double.insert(faster);
    // It was made by another process after this one had looked.
    let nobody = json!({"data": [], "totalItems": 0, "nextPageToken": null});
    bench.double.next(OpenPhoneCall::List, Trouble::Say(200, nobody));
    let created = bench.phone.create_contact(&change(ann()), &external("c-1")).await.unwrap();
    assert_eq!(created.partner.id, id(&faster));
    assert_eq!(created.partner.fields, ann());
    assert_eq!((bench.double.contacts().len(), bench.double.count(OpenPhoneCall::Create)), (1, 1));
}

#[tokio::test]
async fn a_contact_that_is_listed_and_gone_is_made_anew() {
    let bench = Bench::new().await;
    let mut gone = person("Ann", "ann@example.com");
    (gone["externalId"], gone["source"]) = (json!("c-1"), json!("onefold"));
    let gone = bench.double.insert(gone);
    bench.double.remove(gone["id"].as_str().unwrap());
    let stale = json!({"data": [gone], "totalItems": 1, "nextPageToken": null});
    bench.double.next(OpenPhoneCall::List, Trouble::Say(200, stale));
    let created = bench.phone.create_contact(&change(ann()), &external("c-1")).await.unwrap();
    assert_ne!(created.partner.id, id(&gone));
    assert_eq!(bench.double.contacts().len(), 1);
}

#[tokio::test]
async fn a_conflict_with_nobody_to_be_seen_is_told_once() {
    let bench = Bench::new().await;
    bench.double.archive("onefold", "c-1");
    let refused = bench.phone.create_contact(&change(ann()), &external("c-1")).await;
    assert!(matches!(refused, Err(PartnerError::Rejected { .. })), "{refused:?}");
    assert_eq!(bench.double.count(OpenPhoneCall::Create), 1);
    assert!(bench.double.contacts().is_empty());
}

#[tokio::test]
async fn the_same_reference_of_another_source_is_somebody_else() {
    let bench = Bench::new().await;
    let mut other = person("Bob", "bob@example.com");
    (other["externalId"], other["source"]) = (json!("c-1"), json!("other-crm"));
    let other = bench.double.insert(other);
    let created = bench.phone.create_contact(&change(ann()), &external("c-1")).await.unwrap();
    assert_ne!(created.partner.id, id(&other));
    assert_eq!(bench.double.contact(other["id"].as_str().unwrap()), Some(other));
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_state() {
    let bench = Bench::with(|config| config.tags_field = key("groups")).await;
    bench.double.define("groups", "multi-select");
    bench.double.define("since", "date");
    let created = bench.phone.create_contact(&change(ann()), &external("c-1")).await.unwrap();
    let contact = created.partner.id.as_str();
    let before = bench.double.edit(contact, |contact| {
        let fields = &mut contact["defaultFields"];
        fields["role"] = json!("Buyer");
        fields["emails"]
            .as_array_mut()
            .unwrap()
            .push(json!({"id": "e9", "name": "home", "value": "a@example.net"}));
        contact["sourceUrl"] = json!("https://crm.example/c-1");
        contact["customFields"] = json!([
            {"id": "f1", "key": "since", "name": "since", "type": "date", "value": "2026-02-03T00:00:00Z"},
            {"id": "f2", "key": "groups", "name": "groups", "type": "multi-select", "value": ["gold"]},
        ]);
    });
    let mut expected = before.unwrap();
    let email = EmailAddress::parse("lee@example.com").ok();
    let fields = PartnerFields { email, ..PartnerFields::default() };
    let tagged = change(PartnerFields { tags: Some(Tags::of(["gold", "new"])), ..fields });
    let changed = bench.phone.update_contact(&created.partner.id, &tagged).await.unwrap();
    assert_eq!(changed.partner.fields.tags, Some(Tags::of(["gold", "new"])));
    let after = bench.double.contact(contact).unwrap();
    expected["defaultFields"]["emails"][0]["value"] = json!("lee@example.com");
    expected["customFields"][1]["value"] = json!(["gold", "new"]);
    expected["updatedAt"] = after["updatedAt"].clone();
    assert_eq!(after, expected);
}

#[tokio::test]
async fn contacts_of_others_are_read_and_never_written() {
    let bench = Bench::with(|config| config.write_app_contacts = false).await;
    for source in [json!(null), json!("public-api"), json!("Onefold")] {
        let mut contact = person("Ann", "ann@example.com");
        contact["source"] = source;
        let contact = bench.double.insert(contact);
        let read = bench.phone.get_contact(&id(&contact)).await.unwrap();
        assert!(!read.is_ours);
        let results = [
            bench.phone.update_contact(&id(&contact), &change(ann())).await.err(),
            bench.phone.delete_contact(&id(&contact)).await.err(),
        ];
        for error in results {
            match error {
                Some(PartnerError::Rejected { code, .. }) => assert_eq!(code, "read_only"),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(bench.double.contact(contact["id"].as_str().unwrap()), Some(contact));
    }
    assert_eq!(bench.double.writes(), 0);
}

#[tokio::test]
async fn what_people_made_in_the_application_is_changed_and_stays_theirs() {
    let bench = Bench::new().await;
    let contact = bench.double.insert(person("Ann", "ann@example.com"));
    let changed = bench.phone.update_contact(&id(&contact), &change(ann())).await.unwrap();
    assert!(!changed.is_ours && !changed.partner.is_read_only);
    let after = bench.double.contact(contact["id"].as_str().unwrap()).unwrap();
    assert_eq!((&after["source"], &after["externalId"]), (&json!(null), &json!(null)));
    assert_eq!(after["defaultFields"]["company"], "Lee d.o.o.");
    assert!(matches!(bench.phone.delete_contact(&id(&contact)).await, Err(PartnerError::Rejected { .. })));
}

#[tokio::test]
async fn a_deleted_contact_is_gone() {
    let bench = Bench::new().await;
    let created = bench.phone.create_contact(&change(ann()), &external("c-1")).await.unwrap();
    bench.phone.delete_contact(&created.partner.id).await.unwrap();
    assert!(bench.double.contacts().is_empty());
    assert_eq!(bench.index.len(), 0);
    for result in [
        bench.phone.delete_contact(&created.partner.id).await.err(),
        bench.phone.get_contact(&created.partner.id).await.err(),
        bench.phone.update_contact(&created.partner.id, &change(ann())).await.err(),
    ] {
        assert!(matches!(result, Some(PartnerError::NotFound)), "{result:?}");
    }
}

#[tokio::test]
async fn a_new_contact_is_told_whose_it_is() {
    let bench = Bench::with(|config| config.note_field = key("about")).await;
    bench.double.define("about", "string");
    let created = bench.phone.create_contact(&change(ann()), &external("c-1")).await.unwrap();
    let there = bench.double.contact(created.partner.id.as_str()).unwrap();
    assert_eq!(there["customFields"][0]["value"], "Customer from Onefold - ID: c-1");
}

#[tokio::test]
async fn the_note_is_on_by_itself_where_people_made_a_field_for_it() {
    for (key, kind, told) in [
        ("note", "string", true),
        ("Notes", "string", true),
        ("notes", "multi-select", false),
        ("about", "string", false),
    ] {
        let bench = Bench::new().await;
        bench.double.define(key, kind);
        let created = bench.phone.create_contact(&change(ann()), &external("c-1")).await.unwrap();
        let there = bench.double.contact(created.partner.id.as_str()).unwrap();
        let note = &there["customFields"][0]["value"];
        assert_eq!(note == "Customer from Onefold - ID: c-1", told, "{key} {kind}: {there}");
    }
}

/// Nobody asked for a note, so nobody is kept out because the fields are not told.
#[tokio::test]
async fn fields_that_are_not_told_keep_nobody_out() {
    let bench = Bench::new().await;
    bench.double.next(OpenPhoneCall::ListFields, Trouble::Refuse(403));
    bench.phone.create_contact(&change(ann()), &external("c-1")).await.unwrap();
    bench.double.define("note", "string");
    let second = bench.phone.create_contact(&change(ann()), &external("c-2")).await.unwrap();
    let there = bench.double.contact(second.partner.id.as_str()).unwrap();
    assert_eq!(there["customFields"][0]["value"], "Customer from Onefold - ID: c-2", "asked again");
}

#[tokio::test]
async fn a_custom_field_that_nobody_defined_gets_nothing_and_keeps_nobody_out() {
    let bench = Bench::with(|config| {
        config.note_field = key("about");
        config.tags_field = key("groups");
    })
    .await;
    bench.double.define("groups", "number");
    let tagged = change(PartnerFields { tags: Some(Tags::of(["gold"])), ..ann() });
    let created = bench.phone.create_contact(&tagged, &external("c-1")).await.unwrap();
    let there = bench.double.contact(created.partner.id.as_str()).unwrap();
    assert_eq!(there["customFields"], json!([]));
    bench.phone.create_contact(&tagged, &external("c-2")).await.unwrap();
    assert_eq!(bench.double.count(OpenPhoneCall::ListFields), 1, "asked once");
}

#[tokio::test]
async fn many_references_are_asked_for_twenty_at_a_time() {
    let bench = Bench::new().await;
    let ids: Vec<_> = (0..45).map(|number| external(&format!("c-{number}"))).collect();
    for id in &ids {
        let mut contact = person("Ann", "ann@example.com");
        (contact["externalId"], contact["source"]) = (json!(id.as_str()), json!("onefold"));
        bench.double.insert(contact);
    }
    bench.double.insert(person("Bob", "bob@example.com"));
    let found = bench.phone.get_contacts_by_external_ids(&ids).await.unwrap();
    assert_eq!((found.len(), bench.double.count(OpenPhoneCall::List)), (45, 3));
}

#[tokio::test]
async fn a_filter_that_is_not_honoured_gives_nobody_else() {
    let bench = Bench::new().await;
    let mut contact = person("Bob", "bob@example.com");
    (contact["externalId"], contact["source"]) = (json!("c-2"), json!("onefold"));
    let everybody = json!({"data": [bench.double.insert(contact)], "totalItems": 1, "nextPageToken": null});
    bench.double.next(OpenPhoneCall::List, Trouble::Say(200, everybody));
    assert_eq!(bench.phone.get_contact_by_external_id(&external("c-1")).await.unwrap(), None);
}
