//! What is read and written, without a server.

use onefold_domain::email::EmailAddress;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::profile::Tags;
use onefold_sync::partner::{NameParts, PartnerField, PartnerFields};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::contact::{Translation, as_kept};
use super::*;

fn translation() -> Translation {
    let key = |text: &str| Some(FieldKey::try_from(text.to_owned()).unwrap());
    Translation {
        source: SourceName::default(),
        custom: CustomFields {
            note: NoteText::default(),
            note_field: key("about"),
            tags_field: key("groups"),
        },
        write_app_contacts: true,
        region: onefold_domain::phone::Region::parse("SI").ok(),
    }
}

fn named(name: &str) -> PartnerFields {
    PartnerFields { name: Some(name.to_owned()), ..PartnerFields::default() }
}

fn change(fields: PartnerFields) -> PartnerChange {
    fields.into()
}

fn wire(contact: Value) -> wire::Contact {
    serde_json::from_value(contact).unwrap()
}

/// Somebody with two of everything, made by us.
fn mira() -> Value {
    json!({
        "id": "65f0a1", "externalId": "4f9c", "source": "onefold", "sourceUrl": "https://crm.example/4f9c",
        "defaultFields": {
            "firstName": "Mira", "lastName": "Zupan Kos", "company": "Kos d.o.o.", "role": "Buyer",
            "emails": [
                {"id": "e1", "name": "office", "value": "mira@example.org"},
                {"id": "e2", "name": "home", "value": "kos@example.net"},
            ],
            "phoneNumbers": [
                {"id": "p1", "name": "desk", "value": "01 475 12 34"},
                {"name": "mobile", "value": "+38640000123"},
            ],
        },
        "customFields": [
            {"id": "c1", "key": "groups", "name": "Groups", "type": "multi-select", "value": ["gold"]},
            {"key": "since", "name": "Since", "type": "date", "value": "2026-02-03T00:00:00.000Z"},
        ],
        "createdAt": "2026-02-03T04:05:06.789Z", "updatedAt": "2026-03-04T05:06:07.890Z",
        "createdByUserId": "USxyz",
    })
}

fn whole(there: Value, change: &PartnerChange) -> Value {
    serde_json::to_value(translation().whole(&wire(there), change, TagsKind::List).unwrap()).unwrap()
}

#[test]
fn a_contact_is_read_with_all_its_values() {
    let contact = translation().read(&wire(mira())).unwrap();
    let fields = &contact.partner.fields;
    assert_eq!(fields.name.as_deref(), Some("Mira Zupan Kos"));
    assert_eq!(fields.company_name.as_deref(), Some("Kos d.o.o."));
    assert_eq!(fields.email.as_ref().map(EmailAddress::as_str), Some("mira@example.org"));
    assert_eq!(fields.phone.as_ref().map(PhoneNumber::as_str), Some("+38614751234"));
    assert_eq!((contact.partner.emails.len(), contact.partner.phones.len()), (2, 2));
    assert_eq!((fields.tags.as_ref().map(Tags::as_str), contact.is_ours), (Some("gold"), true));
    assert_eq!(contact.partner.changed_at.unwrap().to_rfc3339(), "2026-03-04T05:06:07.890+00:00");
    assert!(contact.partner.unreadable.is_empty());
}

#[test]
fn what_is_no_value_here_is_unreadable_and_not_empty() {
    let mut contact = mira();
    contact["defaultFields"]["emails"] = json!([{"name": "office", "value": "ask Ann"}]);
    contact["defaultFields"]["phoneNumbers"] = json!([{"name": "desk", "value": null}]);
    contact["updatedAt"] = json!("yesterday");
    let contact = translation().read(&wire(contact)).unwrap();
    assert_eq!(contact.partner.unreadable, [PartnerField::Email]);
    assert_eq!(contact.partner.changed_at, None);
}

#[test]
fn an_answer_without_its_lists_is_not_taken_for_a_contact_without_values() {
    for path in ["/customFields", "/defaultFields", "/defaultFields/emails", "/defaultFields/phoneNumbers"] {
        let mut contact = mira();
        let (parent, name) = path.rsplit_once('/').unwrap();
        contact.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
        assert!(serde_json::from_value::<wire::Contact>(contact).is_err(), "{path}");
    }
}

#[test]
fn a_change_sends_everything_else_as_it_was() {
    let sent = whole(mira(), &change(PartnerFields::default()));
    let there = mira();
    assert_eq!(sent["defaultFields"], there["defaultFields"]);
    for member in ["externalId", "source", "sourceUrl"] {
        assert_eq!(sent[member], there[member]);
    }
    let expected = json!([
        {"id": "c1", "key": "groups", "value": ["gold"]},
        {"key": "since", "value": "2026-02-03T00:00:00.000Z"},
    ]);
    assert_eq!(sent["customFields"], expected);
}

#[test]
fn a_new_value_takes_the_first_place_and_one_that_is_there_is_moved() {
    let fields = PartnerFields {
        email: EmailAddress::parse("new@example.org").ok(),
        phone: PhoneNumber::parse("+38640000123", None).ok(),
        ..PartnerFields::default()
    };
    let sent = whole(mira(), &change(fields));
    let emails = json!([
        {"id": "e1", "name": "office", "value": "new@example.org"},
        {"id": "e2", "name": "home", "value": "kos@example.net"},
    ]);
    let phones = json!([
        {"name": "mobile", "value": "+38640000123"},
        {"id": "p1", "name": "desk", "value": "01 475 12 34"},
    ]);
    assert_eq!(sent["defaultFields"]["emails"], emails);
    assert_eq!(sent["defaultFields"]["phoneNumbers"], phones);
}

#[test]
fn names_are_split_where_they_were_split_before() {
    for (name, first, last) in [
        ("Mira Zupan Kos", "Mira", Some("Zupan Kos")),
        ("Anna Maria Zupan Kos", "Anna Maria", Some("Zupan Kos")),
        ("Mira van der Berg", "Mira", Some("van der Berg")),
        ("Jo Ann Lee", "Jo Ann", Some("Lee")),
        ("Cher", "Cher", None),
    ] {
        let sent = whole(mira(), &change(named(name)));
        assert_eq!(
            (sent["defaultFields"]["firstName"].as_str(), sent["defaultFields"]["lastName"].as_str()),
            (Some(first), last)
        );
    }
}

#[test]
fn the_parts_of_a_name_are_sent_as_they_are_known() {
    let parts = |first: &str, last: &str| NameParts { first: first.to_owned(), last: Some(last.to_owned()) };
    let mia = |name_parts| PartnerFields { name_parts: Some(name_parts), ..named("Mia van der Berg") };
    let sent = whole(mira(), &change(mia(parts("Mia", "van der  Berg"))));
    assert_eq!(sent["defaultFields"]["lastName"], "van der Berg");
    // Parts of another name say nothing.
    let sent = whole(mira(), &change(mia(parts("Eva", "Kos"))));
    assert_eq!(sent["defaultFields"]["lastName"], "Berg");
}

#[test]
fn a_custom_field_that_cannot_be_named_stops_the_change() {
    let mut contact = mira();
    contact["customFields"] = json!([{"name": "Old", "type": "string", "value": "x"}]);
    assert!(translation().whole(&wire(contact), &change(named("Mira")), TagsKind::List).is_err());
}

#[test]
fn a_new_contact_has_its_note_its_tags_and_our_reference() {
    let id = ExternalId::parse("4f9c").unwrap();
    let translation = translation();
    let tagged = PartnerFields { tags: Some(Tags::of(["gold"])), ..named("Mira Kos") };
    let sent = serde_json::to_value(translation.new_contact(
        &change(tagged),
        &FieldKinds { tags: TagsKind::List, note: Some("about".to_owned()) },
        &id,
    ))
    .unwrap();
    let expected = json!({
        "defaultFields": {
            "firstName": "Mira", "lastName": "Kos", "company": null, "role": null, "emails": [], "phoneNumbers": [],
        },
        "customFields": [
            {"key": "about", "value": "Customer from Onefold - ID: 4f9c"},
            {"key": "groups", "value": ["gold"]},
        ],
        "source": "onefold", "externalId": "4f9c",
    });
    assert_eq!(sent, expected);
}

#[test]
fn external_ids_have_a_length() {
    assert!(ExternalId::parse("").is_err() && ExternalId::parse(&"x".repeat(76)).is_err());
    assert!(ExternalId::parse(&"x".repeat(75)).is_ok());
}

proptest! {
    /// Whatever is written reads back as `as_kept` says, also on top of somebody else.
    #[test]
    fn what_is_written_reads_back(name in "[ A-Za-zč]{0,12}", company in ".{0,12}", phone in "[+0-9]{0,12}") {
        let fields = PartnerFields {
            name: Some(name),
            company_name: Some(company),
            email: EmailAddress::parse("ann@example.com").ok(),
            phone: PhoneNumber::parse(&phone, None).ok(),
            ..PartnerFields::default()
        };
        let sent = whole(mira(), &change(fields.clone()));
        let mut contact = mira();
        contact["defaultFields"] = sent["defaultFields"].clone();
        let read = translation().read(&wire(contact)).unwrap();
        prop_assert_eq!(as_kept(&fields).differing(&read.partner.fields), vec![]);
    }
}
