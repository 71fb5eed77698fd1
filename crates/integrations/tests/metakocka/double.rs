//! The double itself: whoever plays the other side has to be believable, and to do as told.

use std::collections::BTreeSet;
use std::time::Duration;

use onefold_domain::country::CountryCode;
use onefold_integrations::testing::{
    CallCounts, DoubleCall, DoubleChange, DoublePartner, Lasting, MetaKockaDouble, Trouble,
};
use onefold_integrations::tls::client_builder;
use onefold_sync::partner::{PartnerDirectory, PartnerError, PartnerLookup, TaxNumber};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Bench, ann, id, person};

const MANY: usize = 10_000;

#[tokio::test]
async fn a_register_is_filled_the_same_way_every_time() {
    let (one, other) = (MetaKockaDouble::start().await, MetaKockaDouble::start().await);
    let ids = one.fill(MANY);
    // In portions, nobody is made twice.
    other.fill(MANY - 1);
    other.fill(1);
    let partners = one.partners();
    assert_eq!(partners, other.partners());
    assert_eq!((one.partner_count(), ids.len()), (MANY, MANY));
    assert!(one.doubled_ids().is_empty());
    let distinct =
        |value: fn(&DoublePartner) -> String| partners.iter().map(value).collect::<BTreeSet<_>>().len();
    assert_eq!(distinct(|partner| partner.contacts[0].email.clone()), MANY);
    assert_eq!(distinct(|partner| partner.contacts[0].gsm.replace(' ', "")), MANY);
    assert_eq!(distinct(|partner| partner.tax_id_number.clone()), MANY * 3 / 10 + 1);
}

#[tokio::test]
async fn invented_partners_are_read_whole_and_found_again() {
    let bench = Bench::new().await;
    bench.double.fill(MANY);
    let mut pull = bench.mk.list();
    let found = pull.next().await.unwrap().unwrap();
    assert!(pull.next().await.unwrap().is_none() && pull.is_complete());
    assert_eq!(found.len(), MANY);
    for partner in &found {
        assert_eq!(partner.unreadable, [], "{}", partner.id);
        assert!(
            partner.fields.email.is_some()
                && partner.fields.phone.is_some()
                && partner.fields.country.is_some()
        );
    }
    let kinds = [CountryCode::parse("AT"), CountryCode::parse("SI")].map(Result::ok);
    assert!(kinds.iter().all(|country| found.iter().any(|partner| partner.fields.country == *country)));
    let tax = PartnerLookup::TaxNumber(TaxNumber::parse("SI10009002").unwrap());
    assert_eq!(bench.mk.find_by(&tax).await.unwrap(), [found[9_002].clone()]);
}

#[tokio::test]
async fn what_a_person_changes_is_what_the_connector_reads() {
    let bench = Bench::new().await;
    let written = bench.add(&ann()).await.unwrap();
    let change: DoubleChange = serde_json::from_value(json!({
        "name": "Ana Novak", "email": "ana@example.com", "phone": "041 000 321", "street": "Nova pot 1",
        "city": "Graz", "post_number": "8010", "country": "Avstrija", "tax_id": "SI10000001",
    }))
    .unwrap();
    let changed = bench.double.change(written.id.as_str(), &change).unwrap();
    assert_eq!(bench.double.partner(written.id.as_str()), Some(changed));
    let fields = bench.mk.get(&written.id).await.unwrap().fields;
    assert_eq!((fields.name.as_deref(), &fields.company_name), (Some("Ana Novak"), &None));
    assert_eq!(fields.email.unwrap().as_str(), "ana@example.com");
    assert_eq!(fields.phone.unwrap().as_str(), "+38641000321");
    assert_eq!((fields.street.as_deref(), fields.city.as_deref()), (Some("Nova pot 1"), Some("Graz")));
    assert_eq!(
        (fields.postal_code.as_deref(), fields.country),
        (Some("8010"), CountryCode::parse("AT").ok())
    );
    assert_eq!(fields.tax_number, TaxNumber::parse("SI10000001").ok());

    let away = DoubleChange { phone: Some(String::new()), ..DoubleChange::default() };
    bench.double.change(written.id.as_str(), &away).unwrap();
    let fields = bench.mk.get(&written.id).await.unwrap().fields;
    assert_eq!((fields.phone, fields.city.as_deref()), (None, Some("Graz")));

    let bare = bench.double.insert(DoublePartner { customer: "Bob".to_owned(), ..DoublePartner::default() });
    let email = DoubleChange { email: Some("bob@example.com".to_owned()), ..DoubleChange::default() };
    let bob = bench.double.change(&bare.mk_id, &email).unwrap();
    assert_eq!((bob.contacts.len(), bob.addresses.len()), (1, 1));
    assert!(bench.double.doubled_ids().is_empty());
    let carl = bench.double.insert(person("Carl", "carl@example.com"));
    assert!(bench.double.remove(&bare.mk_id) && !bench.double.remove(&bare.mk_id));
    assert_eq!(bench.double.change(&bare.mk_id, &email), None);
    assert!(matches!(bench.mk.get(&id(&bare.mk_id)).await, Err(PartnerError::NotFound)));
    // Who was removed leaves the others where they are.
    assert_eq!((bench.double.partner_count(), bench.double.partners().len()), (2, 2));
    assert_eq!(bench.double.partner(&carl.mk_id), Some(carl));
}

#[tokio::test]
async fn trouble_lasts_as_long_as_was_ordered_and_for_whom() {
    let bench = Bench::with(|config| config.breaker_failures = 100).await;
    let partner = id(&bench.double.insert(person("Ann Lee", "ann@example.com")).mk_id);
    let broken = async || matches!(bench.mk.get(&partner).await, Err(PartnerError::Unreachable(_)));
    let over = async || matches!(bench.mk.get(&partner).await, Err(PartnerError::QuotaExceeded { .. }));
    bench.double.trouble(Some(DoubleCall::AddPartner), Lasting::UntilTold, Trouble::Page(500));
    assert!(bench.mk.get(&partner).await.is_ok(), "another kind of call");
    bench.double.trouble(None, Lasting::UntilTold, Trouble::OverQuota);
    bench.double.trouble(Some(DoubleCall::GetPartner), Lasting::Times(2), Trouble::Page(500));
    bench.double.trouble(None, Lasting::Times(0), Trouble::Silence);
    assert!(broken().await && broken().await, "what is counted comes first");
    for _ in 0..3 {
        assert!(over().await);
    }
    bench.double.trouble(Some(DoubleCall::GetPartner), Lasting::UntilTold, Trouble::Page(502));
    assert!(broken().await, "the latest counts");
    bench.double.end_trouble();
    assert!(bench.mk.get(&partner).await.is_ok() && bench.add(&ann()).await.is_ok());
}

#[tokio::test]
async fn a_slow_answer_comes_late_and_the_work_is_done_before() {
    let bench = Bench::with(|config| config.request_timeout_ms = 150).await;
    bench.double.next(DoubleCall::AddPartner, Trouble::Slow(Duration::from_secs(3_600)));
    assert!(matches!(bench.add(&ann()).await, Err(PartnerError::Uncertain(_))));
    assert_eq!(bench.double.partner_count(), 1);
    bench.double.next(DoubleCall::AddPartner, Trouble::Slow(Duration::from_millis(1)));
    assert!(bench.add(&ann()).await.is_ok());
}

#[tokio::test]
async fn calls_are_counted_by_kind_and_writes_are_kept() {
    let bench = Bench::new().await;
    let written = bench.add(&ann()).await.unwrap();
    bench.mk.update(&written.id, &ann().into(), &written.parts).await.unwrap();
    let counts = bench.double.counts();
    assert_eq!(counts, CallCounts { get_partner: 2, add_partner: 1, update_partner: 1 });
    assert_eq!((bench.double.writes(), bench.double.count(DoubleCall::GetPartner)), (2, 2));
    let writes = bench.double.write_calls();
    let kinds: Vec<_> = writes.iter().map(|recorded| recorded.call).collect();
    assert_eq!(kinds, [DoubleCall::AddPartner, DoubleCall::UpdatePartner]);
    assert_eq!(writes[0].body["partner"]["customer"], "Ann Lee");
    assert!(writes[0].body.get("secret_key").is_none());
    bench.double.forget_calls();
    assert_eq!((bench.double.counts(), bench.double.calls().len()), (CallCounts::default(), 0));
}

/// One request as `curl` would send it. Every answer has to say whose it is.
async fn asked(double: &MetaKockaDouble, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
    let client = client_builder().unwrap().build().unwrap();
    let url = format!("http://{}{path}", double.address());
    let request =
        client.request(method, url).body(if body.is_null() { String::new() } else { body.to_string() });
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["x-double"], "a stand-in, not MetaKocka");
    (answer.status(), serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
}

#[tokio::test]
async fn a_person_with_curl_sees_changes_and_removes() {
    let bench = Bench::new().await;
    let double = &bench.double;
    let ids = double.fill(30);
    for (query, shown) in [("", 20), ("?limit=2", 2), ("?limit=1000", 30)] {
        let (status, told) =
            asked(double, Method::GET, &format!("/double/partners{query}"), Value::Null).await;
        assert_eq!((status, told["count"].as_u64()), (StatusCode::OK, Some(30)));
        assert_eq!(told["partners"].as_array().unwrap().len(), shown);
    }
    let one = format!("/double/partners/{}", ids[3]);
    let (_, before) = asked(double, Method::GET, &one, Value::Null).await;
    assert_eq!(before["mk_id"], ids[3].as_str());
    let (status, after) = asked(double, Method::PATCH, &one, json!({"city": "Bled"})).await;
    assert_eq!((status, &after["addresses"][0]["city"]), (StatusCode::OK, &json!("Bled")));
    assert_eq!(bench.mk.get(&id(&ids[3])).await.unwrap().fields.city.as_deref(), Some("Bled"));
    assert_eq!(asked(double, Method::DELETE, &one, Value::Null).await.0, StatusCode::OK);
    assert_eq!((double.partner(&ids[3]), double.partner_count()), (None, 29));
    let (_, calls) = asked(double, Method::GET, "/double/calls", Value::Null).await;
    assert_eq!((&calls["counts"]["get_partner"], &calls["latest_writes"]), (&json!(1), &json!([])));

    for (method, path, body, status) in [
        (Method::GET, one.as_str(), Value::Null, 404),
        (Method::PATCH, &one, json!({"city": "Bled"}), 404),
        (Method::DELETE, &one, Value::Null, 404),
        (Method::PATCH, &one, json!({"town": "Bled"}), 400),
        (Method::PATCH, &one, Value::Null, 400),
        (Method::GET, "/double/partners?limit=0", Value::Null, 400),
        (Method::GET, "/double/partners?limit=1001", Value::Null, 400),
        (Method::GET, "/double/nothing", Value::Null, 404),
        (Method::POST, "/double/trouble", json!({"trouble": "slow"}), 400),
        (Method::POST, "/double/trouble", json!({"trouble": "broken", "milliseconds": 1}), 400),
        (Method::POST, "/double/trouble", json!({"trouble": "none", "times": 1}), 400),
        (Method::POST, "/double/trouble", json!({"trouble": "flood"}), 400),
    ] {
        let (told, error) = asked(double, method.clone(), path, body.clone()).await;
        assert_eq!(told.as_u16(), status, "{method} {path} {body}");
        assert!(error["error"].is_string());
    }
    // The contract's own answers say whose they are too.
    assert_eq!(asked(double, Method::GET, "/", Value::Null).await.0, StatusCode::METHOD_NOT_ALLOWED);
    let get = "/rest/eshop/v1/get_partner";
    assert_eq!(asked(double, Method::POST, get, json!({})).await.1["opr_code"], "3");
}

#[tokio::test]
async fn a_person_with_curl_makes_trouble_and_ends_it() {
    let bench = Bench::with(|config| config.request_timeout_ms = 150).await;
    let order = async |body: Value| {
        let (status, _) = asked(&bench.double, Method::POST, "/double/trouble", body).await;
        assert_eq!(status, StatusCode::OK);
    };
    order(json!({"trouble": "lost_answer", "call": "add_partner", "times": 1})).await;
    assert!(matches!(bench.add(&ann()).await, Err(PartnerError::Uncertain(_))));
    let partner = id(&bench.double.partners()[0].mk_id);
    order(json!({"trouble": "slow", "milliseconds": 3_600_000})).await;
    assert!(matches!(bench.mk.get(&partner).await, Err(PartnerError::TimedOut)));
    order(json!({"trouble": "over_quota"})).await;
    assert!(matches!(bench.mk.get(&partner).await, Err(PartnerError::QuotaExceeded { .. })));
    order(json!({"trouble": "broken"})).await;
    assert!(matches!(bench.mk.get(&partner).await, Err(PartnerError::Unreachable(_))));
    order(json!({"trouble": "none"})).await;
    assert!(bench.mk.get(&partner).await.is_ok());
}
