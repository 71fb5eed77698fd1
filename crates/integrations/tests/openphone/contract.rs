//! Every request of the connector against the OpenAPI document. The double checks requests by it, too; here they are looked
//! up by method and path and checked parameter by parameter, so that a mistake there does not excuse one of the connector.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use jsonschema::Validator;
use onefold_domain::country::CountryCode;
use onefold_domain::email::EmailAddress;
use onefold_domain::id::CustomerId;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::profile::Tags;
use onefold_integrations::openphone::{ExternalId, FieldKey, SourceName};
use onefold_integrations::testing::openphone::{OpenPhoneCall, OpenPhoneDouble, RecordedCall, Trouble};
use onefold_integrations::tls;
use onefold_sync::partner::{PartnerChange, PartnerDirectory, PartnerField, PartnerFields, PartnerParts};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Bench, ann, change, external, id, person};

/// With every reference replaced by what it refers to.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let document = include_str!("../../src/testing/openphone/contract.json");
    jsonschema::dereference(&serde_json::from_str(document).unwrap()).unwrap()
});

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::options().should_validate_formats(true).build(schema).unwrap()
}

/// The operation that a request is for.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let is_it = |template: &str| {
        let (known, given) = (template.split('/'), path.split('/'));
        known.clone().count() == given.clone().count()
            && known
                .zip(given)
                .all(|(known, given)| known == given || (known.starts_with('{') && !given.is_empty()))
    };
    let paths = DOCUMENT["paths"].as_object()?;
    paths.iter().find(|(template, _)| is_it(template))?.1.get(method.to_lowercase())
}

/// What the document does not have of a request.
fn faults(call: &RecordedCall) -> Vec<String> {
    let Some(operation) = operation(&call.method, &call.path) else { return vec!["no such call".to_owned()] };
    let mut faults = Vec::new();
    let parameters: Vec<_> = operation["parameters"].as_array().into_iter().flatten().collect();
    for parameter in &parameters {
        let given = call.query.iter().filter(|(name, _)| parameter["name"] == name.as_str());
        let given: Vec<_> = given.map(|(_, value)| value).collect();
        let value = match parameter["schema"]["type"].as_str().unwrap() {
            "array" => json!(given),
            "integer" => {
                given.first().map_or(Value::Null, |text| serde_json::from_str(text).unwrap_or_default())
            }
            _ => json!(given.first()),
        };
        let is_left_out = given.is_empty() && parameter["required"] != true;
        let is_repeated = given.len() > 1 && !value.is_array();
        if is_repeated || !(is_left_out || validator(&parameter["schema"]).is_valid(&value)) {
            faults.push(format!("{}: {given:?}", parameter["name"]));
        }
    }
    let is_known = |name: &str| parameters.iter().any(|parameter| parameter["name"] == name);
    faults.extend(call.query.iter().filter(|(name, _)| !is_known(name)).map(|(name, _)| name.clone()));
    match operation.pointer("/requestBody/content/application~1json/schema") {
        Some(schema) => {
            let told = |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
            faults.extend(validator(schema).iter_errors(&call.body).map(told));
        }
        None => faults.extend((!call.body.is_null()).then(|| "a body".to_owned())),
    }
    faults
}

fn assert_by_the_contract(double: &OpenPhoneDouble) {
    for call in double.calls() {
        assert_eq!(faults(&call), Vec::<String>::new(), "{call:?}");
    }
}

fn key(text: &str) -> Option<FieldKey> {
    Some(FieldKey::try_from(text.to_owned()).unwrap())
}

/// One field of every type, and a value of it.
fn custom_fields() -> [(&'static str, Value); 7] {
    [
        ("address", json!("Main Street 1")),
        ("boolean", json!(true)),
        ("date", json!("2026-02-03T00:00:00.000Z")),
        ("multi-select", json!(["gold", "new"])),
        ("number", json!(1.5)),
        ("string", json!("x")),
        ("url", json!("https://crm.example/")),
    ]
}

#[tokio::test]
async fn every_request_of_the_connector_is_by_the_contract() {
    let bench = Bench::with(|config| {
        (config.note_field, config.tags_field) = (key("string"), key("multi-select"));
    })
    .await;
    custom_fields().iter().for_each(|(kind, _)| bench.double.define(kind, kind));

    let all = PartnerFields {
        street: Some("Main Street 1".to_owned()),
        city: Some("Ljubljana".to_owned()),
        country: CountryCode::parse("SI").ok(),
        tags: Some(Tags::of(["new", "gold"])),
        ..ann()
    };
    let full = bench.phone.create_contact(&change(all.clone()), &external("c-1")).await.unwrap();
    let least = PartnerFields { name: Some("Cher".to_owned()), ..PartnerFields::default() };
    let minimal = bench.phone.add(&least, CustomerId(Uuid::from_u128(7))).await.unwrap();
    // It is there, so it is changed; then a contact of a person, and everything that can be taken away.
    bench.phone.create_contact(&change(all), &external("c-1")).await.unwrap();
    let persons = bench.double.insert(person("Eva", "eva@example.com"));
    bench.double.edit(persons["id"].as_str().unwrap(), |contact| {
        let fields = custom_fields();
        contact["customFields"] = fields
            .iter()
            .map(|(kind, value)| json!({"id": "f1", "key": kind, "name": kind, "type": kind, "value": value}))
            .collect();
    });
    bench.phone.update_contact(&id(&persons), &change(ann())).await.unwrap();
    let sent = bench.double.calls().pop().unwrap().body;
    assert_eq!(sent["customFields"].as_array().map(Vec::len), Some(7));
    let nothing = PartnerChange { cleared: PartnerField::ALL.to_vec(), ..PartnerChange::default() };
    for contact in [&full.partner.id, &minimal.id, &id(&persons)] {
        bench.phone.update(contact, &nothing, &PartnerParts::default()).await.unwrap();
    }
    bench.phone.get_contact(&minimal.id).await.unwrap();
    bench.phone.delete_contact(&minimal.id).await.unwrap();

    (0..60).for_each(|number| drop(bench.double.insert(person("Ann", &format!("a{number}@example.com")))));
    let mut page = bench.phone.list_contacts(None).await.unwrap();
    while let Some(next) = page.next {
        page = bench.phone.list_contacts(Some(&next)).await.unwrap();
    }
    let ids: Vec<_> = (0..45).map(|number| external(&format!("c-{number}"))).collect();
    for count in 1..=ids.len() {
        bench.phone.get_contacts_by_external_ids(&ids[..count]).await.unwrap();
    }
    assert_by_the_contract(&bench.double);
    let made: BTreeSet<_> = bench.double.calls().iter().map(|call| call.call).collect();
    assert_eq!(made.len(), 6, "every call of the document was made: {made:?}");
}

#[tokio::test]
async fn the_check_sees_what_is_wrong() {
    let bench = Bench::new().await;
    bench.phone.create_contact(&change(ann()), &external("c-1")).await.unwrap();
    let [list, _, create] = &bench.double.calls()[..] else { panic!("a look, the fields, and a creation") };
    assert!(faults(list).is_empty() && faults(create).is_empty());
    let list = |change: &dyn Fn(&mut RecordedCall)| {
        let mut call = list.clone();
        change(&mut call);
        faults(&call)
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(list(&|call| call.query.push(pair("email", "a@example.com"))), ["email"]);
    assert_eq!(list(&|call| call.query.push(pair("sources", ""))).len(), 1);
    assert_eq!(list(&|call| call.query.retain(|(name, _)| name != "maxResults")).len(), 1);
    assert_eq!(list(&|call| call.query.push(pair("maxResults", "5"))).len(), 1);
    assert_eq!(list(&|call| call.path.push_str("/1/notes")), ["no such call"]);
    assert_eq!(list(&|call| call.body = json!({})), ["a body"]);
    let create = |pointer: &str, value: Value| {
        let mut call = create.clone();
        *call.body.pointer_mut(pointer).unwrap() = value;
        faults(&call).len()
    };
    assert_eq!(create("/defaultFields/emails/0", json!({"id": "1", "name": "main", "value": "x"})), 1);
    assert_eq!(create("/externalId", json!("x".repeat(76))), 1);
    assert_eq!(create("/source", Value::Null), 1);
    assert_eq!(create("/defaultFields", json!({})), 1);
}

#[tokio::test]
async fn the_errors_of_the_double_are_by_the_contract() {
    let double = OpenPhoneDouble::start().await;
    let client = tls::client_builder().unwrap().build().unwrap();
    for (call, path) in
        [(OpenPhoneCall::Get, "/contacts/1"), (OpenPhoneCall::ListFields, "/contact-custom-fields")]
    {
        let operation = operation("GET", &format!("/v1{path}")).unwrap();
        let check = validator(&operation["responses"]["default"]["content"]["application/json"]["schema"]);
        for status in [400, 401, 403, 404, 500] {
            double.next(call, Trouble::Refuse(status));
            let request = client.get(format!("{}{path}", double.base_url()));
            let answer = request.header("authorization", OpenPhoneDouble::API_KEY).send().await.unwrap();
            let said: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            assert!(check.is_valid(&said) && said["status"] == status, "{said}");
        }
    }
}

#[tokio::test]
async fn a_double_that_breaks_the_contract_stops_its_test() {
    let bench = Bench::new().await;
    let mut broken = person("Ann", "ann@example.com");
    broken["nickname"] = json!("Annie");
    let broken = bench.double.insert(broken);
    assert!(bench.phone.get_contact(&id(&broken)).await.is_err());
    let stopped = catch_unwind(AssertUnwindSafe(|| drop(bench.double))).unwrap_err();
    let said = stopped.downcast_ref::<String>().unwrap();
    assert!(said.contains("nickname") && said.contains("Get"), "{said}");
}

/// Anything that somebody may want to have written.
fn any_fields() -> impl Strategy<Value = PartnerFields> {
    let text = || proptest::option::of(any::<String>());
    let email = proptest::option::of("[a-z0-9.+_-]{1,30}@[a-z]{1,20}\\.[a-z]{2,5}");
    let phone = proptest::option::of("\\+?[0-9 ]{0,16}");
    let tags = proptest::option::of(proptest::collection::vec(any::<String>(), 0..5));
    (text(), text(), email, phone, tags).prop_map(|(name, company_name, email, phone, tags)| PartnerFields {
        name,
        company_name,
        email: email.and_then(|text| EmailAddress::parse(&text).ok()),
        phone: phone.and_then(|text| PhoneNumber::parse(&text, None).ok()),
        tags: tags.map(|tags| Tags::of(tags.iter().map(String::as_str))),
        ..PartnerFields::default()
    })
}

/// A contact as people there may have left it.
fn any_contact() -> impl Strategy<Value = Value> {
    let text = || proptest::option::of(any::<String>());
    let items = || {
        let item = (any::<String>(), any::<String>());
        proptest::collection::vec(item.prop_map(|(name, value)| json!({"name": name, "value": value})), 0..3)
    };
    (text(), text(), text(), items(), items()).prop_map(|(first, last, company, emails, phones)| {
        json!({"defaultFields": {
            "firstName": first, "lastName": last, "company": company, "emails": emails, "phoneNumbers": phones,
        }})
    })
}

fn any_change() -> impl Strategy<Value = PartnerChange> {
    let cleared = proptest::sample::subsequence(PartnerField::ALL.to_vec(), 0..PartnerField::ALL.len());
    (any_fields(), cleared).prop_map(|(fields, cleared)| PartnerChange {
        fields,
        cleared,
        ..PartnerChange::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn whatever_is_written_the_requests_are_by_the_contract(
        change in any_change(),
        there in any_contact(),
        kind in proptest::sample::select(vec!["multi-select", "string", "number"]),
        source in "\\PC{1,72}".prop_filter_map("a reserved word", |text| SourceName::parse(&text).ok()),
        external_id in "[!-~]{1,75}".prop_map(|text| ExternalId::parse(&text).unwrap()),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bench = Bench::with(|config| {
                (config.note_field, config.tags_field) = (key("about"), key("groups"));
                config.source = source;
            }).await;
            bench.double.define("about", "string");
            bench.double.define("groups", kind);
            let there = id(&bench.double.insert(there));
            bench.phone.create_contact(&change, &external_id).await.unwrap();
            bench.phone.create_contact(&change, &external_id).await.unwrap();
            bench.phone.update_contact(&there, &change).await.unwrap();
            assert_eq!(bench.double.count(OpenPhoneCall::Update), 2);
            assert_by_the_contract(&bench.double);
        });
    }
}
