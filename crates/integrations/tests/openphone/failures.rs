//! What happens when OpenPhone, or what stands before it, does not do as asked.

use onefold_integrations::openphone::{BaseUrl, Config, Credential, OpenPhone};
use onefold_integrations::testing::openphone::{OpenPhoneCall, OpenPhoneDouble, Trouble};
use onefold_sync::partner::{PartnerDirectory, PartnerError};
use serde_json::json;

use crate::support::{Bench, ann, change, config, external, id, person};

const GET: OpenPhoneCall = OpenPhoneCall::Get;
const CREATE: OpenPhoneCall = OpenPhoneCall::Create;
const UPDATE: OpenPhoneCall = OpenPhoneCall::Update;

/// Long enough for loopback, short enough to wait for.
fn hasty(config: &mut Config) {
    config.request_timeout_ms = 150;
}

#[tokio::test]
async fn without_a_key_every_call_says_what_to_set() {
    let bench = Bench::with(|config| config.api_key = None).await;
    assert!(!bench.phone.is_configured());
    let nobody = onefold_sync::partner::PartnerId::parse("1").unwrap();
    let errors = [
        bench.phone.configured().err(),
        bench.phone.get_contact(&nobody).await.err(),
        bench.phone.create_contact(&change(ann()), &external("c-1")).await.err(),
        bench.phone.update_contact(&nobody, &change(ann())).await.err(),
        bench.phone.delete_contact(&nobody).await.err(),
        bench.phone.list_contacts(None).await.err(),
        bench.phone.list().next().await.err(),
    ];
    for error in errors {
        let error = error.unwrap();
        assert!(matches!(error, PartnerError::NotConfigured { .. }), "{error:?}");
        assert_eq!(error.to_string(), "the connection is not configured: set OPENPHONE_API_KEY");
    }
    assert!(bench.double.calls().is_empty());
}

#[tokio::test]
async fn a_wrong_key_is_told_and_never_printed() {
    let bench = Bench::with(|config| config.api_key = Credential::new("wrong-key")).await;
    let error = bench.phone.list_contacts(None).await.unwrap_err();
    assert!(matches!(error, PartnerError::AccessDenied { .. }));
    let bench = Bench::new().await;
    let quoted = format!("bad request with {} for ann@example.com", OpenPhoneDouble::API_KEY);
    bench.double.next(OpenPhoneCall::List, Trouble::Say(400, json!({"message": quoted})));
    let error = bench.phone.list_contacts(None).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("ann@"));
    match error {
        PartnerError::Rejected { said, .. } => assert!(!said.as_str().contains(OpenPhoneDouble::API_KEY)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_lost_answer_to_a_creation_is_uncertain_and_trying_again_makes_one_contact() {
    for trouble in [
        Trouble::LoseAnswer,
        Trouble::CutOff,
        Trouble::Silence,
        Trouble::Drop,
        Trouble::Refuse(500),
        Trouble::Page(502),
        Trouble::Page(200),
        Trouble::Say(201, json!({"data": {}})),
        Trouble::Say(201, json!("ok")),
    ] {
        let bench = Bench::with(hasty).await;
        bench.double.next(CREATE, trouble.clone());
        let result = bench.phone.create_contact(&change(ann()), &external("c-1")).await;
        assert!(matches!(result, Err(PartnerError::Uncertain(_))), "{trouble:?}: {result:?}");
        assert_eq!(bench.double.count(CREATE), 1, "{trouble:?}");
        bench.phone.create_contact(&change(ann()), &external("c-1")).await.unwrap();
        assert_eq!(bench.double.contacts().len(), 1, "{trouble:?}");
    }
}

#[tokio::test]
async fn what_certainly_created_nothing_is_not_uncertain() {
    for trouble in [
        Trouble::TooMany { retry_after: None, rate_limit: None },
        Trouble::Page(404),
        Trouble::Refuse(400),
        Trouble::Refuse(401),
        Trouble::Refuse(403),
        Trouble::Refuse(404),
    ] {
        let bench = Bench::new().await;
        bench.double.next(CREATE, trouble.clone());
        let error = bench.phone.create_contact(&change(ann()), &external("c-1")).await.unwrap_err();
        let is_unsure = matches!(error, PartnerError::Uncertain(_) | PartnerError::NotFound);
        assert!(!is_unsure, "{trouble:?}: {error:?}");
        assert!(bench.double.contacts().is_empty());
    }
}

#[tokio::test]
async fn a_change_may_be_repeated_after_any_failure() {
    let bench = Bench::with(hasty).await;
    let created = bench.phone.create_contact(&change(ann()), &external("c-1")).await.unwrap();
    let before = bench.double.contact(created.partner.id.as_str()).unwrap();
    for trouble in [Trouble::LoseAnswer, Trouble::Silence, Trouble::CutOff, Trouble::Page(502)] {
        bench.double.next(UPDATE, trouble.clone());
        let error = bench.phone.update_contact(&created.partner.id, &change(ann())).await.unwrap_err();
        let may_repeat = matches!(error, PartnerError::Unreachable(_) | PartnerError::TimedOut);
        assert!(may_repeat, "{trouble:?}: {error:?}");
        bench.phone.update_contact(&created.partner.id, &change(ann())).await.unwrap();
    }
    let after = bench.double.contact(created.partner.id.as_str()).unwrap();
    assert_eq!(after["defaultFields"], before["defaultFields"], "nothing grew");
}

#[tokio::test]
async fn a_page_or_a_wrong_address_does_not_make_contacts_disappear() {
    let bench = Bench::new().await;
    let ann = bench.double.insert(person("Ann", "ann@example.com"));
    bench.phone.get_contact(&id(&ann)).await.ok();
    for trouble in [
        Trouble::Page(404),
        Trouble::Say(404, json!({"message": "no Route matched with those values"})),
        Trouble::Say(404, json!({"error": {"message": "Not Found", "key": "NotFound"}})),
        Trouble::Page(200),
        Trouble::Page(503),
    ] {
        bench.double.next(GET, trouble.clone());
        let error = bench.phone.get_contact(&id(&ann)).await.unwrap_err();
        assert!(matches!(error, PartnerError::Unreachable(_)), "{trouble:?}: {error:?}");
    }
    let base = bench.double.base_url().replace("/v1", "/v9");
    let wrong = Config { base_url: BaseUrl::parse(&base).unwrap(), ..config(&base) };
    let wrong = OpenPhone::new(&wrong, bench.clock.clone(), None, None).unwrap();
    assert!(matches!(wrong.get_contact(&id(&ann)).await, Err(PartnerError::Unreachable(_))));
}

#[tokio::test]
async fn somebody_else_than_was_asked_for_is_not_believed() {
    let bench = Bench::new().await;
    let ann = bench.double.insert(person("Ann", "ann@example.com"));
    let bob = bench.double.insert(person("Bob", "bob@example.com"));
    bench.double.next(GET, Trouble::Say(200, json!({"data": bob})));
    assert!(matches!(bench.phone.get_contact(&id(&ann)).await, Err(PartnerError::Unexpected(_))));
}

#[tokio::test]
async fn a_flood_and_nobody_there_are_told_apart() {
    let bench = Bench::new().await;
    let ann = bench.double.insert(person("Ann", "ann@example.com"));
    bench.double.next(GET, Trouble::Flood);
    let flooded = bench.phone.get_contact(&id(&ann)).await;
    assert!(matches!(flooded, Err(PartnerError::Unexpected(_))), "{flooded:?}");
    // A port that was free a moment ago.
    let address = { OpenPhoneDouble::start().await.base_url() };
    let nobody = OpenPhone::new(&config(&address), bench.clock.clone(), None, None).unwrap();
    let refused = nobody.get_contact(&id(&ann)).await;
    assert!(matches!(refused, Err(PartnerError::Unreachable(_) | PartnerError::TimedOut)), "{refused:?}");
}

#[tokio::test]
async fn a_redirect_to_another_host_does_not_take_the_key_along() {
    let bench = Bench::new().await;
    let elsewhere = OpenPhoneDouble::start().await;
    let ann = elsewhere.insert(person("Ann", "ann@example.com"));
    let there = format!("{}/contacts/{}", elsewhere.base_url(), ann["id"].as_str().unwrap());
    bench.double.next(GET, Trouble::Redirect(there));
    assert!(matches!(bench.phone.get_contact(&id(&ann)).await, Err(PartnerError::Unreachable(_))));
    assert!(elsewhere.calls().is_empty(), "the key went elsewhere");
}

#[tokio::test]
async fn after_failures_in_a_row_no_call_is_made_until_one_is_tried() {
    let bench = Bench::with(|config| config.breaker_failures = 3).await;
    let ann = bench.double.insert(person("Ann", "ann@example.com"));
    for _ in 0..3 {
        bench.double.next(GET, Trouble::Page(503));
        assert!(bench.phone.get_contact(&id(&ann)).await.is_err());
    }
    let before = bench.double.calls().len();
    let shared = bench.phone.clone();
    assert!(matches!(shared.get_contact(&id(&ann)).await, Err(PartnerError::CircuitOpen { .. })));
    assert_eq!(bench.double.calls().len(), before);
    bench.clock.pass(chrono::TimeDelta::seconds(30));
    assert!(bench.phone.get_contact(&id(&ann)).await.is_ok());
}
