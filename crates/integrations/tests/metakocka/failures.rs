//! What happens when MetaKocka, or what stands before it, does not do as asked.

use std::time::Duration;

use futures_util::future::join_all;
use onefold_integrations::metakocka::{BaseUrl, Config, Credential, MetaKocka};
use onefold_integrations::testing::{DoubleCall, MetaKockaDouble, Trouble};
use onefold_service::testing::ManualClock;
use onefold_sync::partner::{PartnerDirectory, PartnerError, PartnerLookup};
use serde_json::json;

use crate::support::{Bench, ann, config, id, person};

const GET: DoubleCall = DoubleCall::GetPartner;
const ADD: DoubleCall = DoubleCall::AddPartner;
const UPDATE: DoubleCall = DoubleCall::UpdatePartner;

/// Long enough for loopback, short enough to wait for.
fn hasty(config: &mut Config) {
    config.request_timeout_ms = 150;
}

#[tokio::test]
async fn without_credentials_every_call_says_what_to_set() {
    let config = Config { company_id: Credential::new("4711"), ..Config::default() };
    let mk = MetaKocka::new(&config, std::sync::Arc::new(ManualClock::default()), None).unwrap();
    let email = PartnerLookup::Email(ann().email.unwrap());
    let errors = [
        mk.get(&id("1")).await.err(),
        mk.add(&ann(), onefold_domain::id::CustomerId(uuid::Uuid::nil())).await.err(),
        mk.update(&id("1"), &ann().into(), &Default::default()).await.err(),
        mk.find_by(&email).await.err(),
        mk.list().next().await.err(),
    ];
    for error in errors {
        let error = error.unwrap();
        assert!(matches!(error, PartnerError::NotConfigured { .. }), "{error:?}");
        assert_eq!(error.to_string(), "the connection is not configured: set METAKOCKA_SECRET_KEY");
    }
}

#[tokio::test]
async fn wrong_credentials_are_told_and_never_printed() {
    let bench = Bench::with(|config| config.secret_key = Credential::new("wrong-key")).await;
    let error = bench.mk.get(&id("1")).await.unwrap_err();
    assert!(matches!(error, PartnerError::AccessDenied { .. }));
    let said = "bad request {\"secret_key\":\"wrong-key\"} for ann@example.com".to_owned();
    bench.double.next(GET, Trouble::Refuse { code: "2".to_owned(), said });
    let error = bench.mk.get(&id("1")).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("ann@"));
    match error {
        PartnerError::Rejected { said, .. } => assert!(!said.as_str().contains("wrong-key")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_lost_answer_to_a_creation_is_uncertain_and_nothing_is_repeated() {
    for trouble in [
        Trouble::LoseAnswer,
        Trouble::CutOff,
        Trouble::ForgetIds,
        Trouble::Silence,
        Trouble::Drop,
        Trouble::InternalError,
        Trouble::Page(502),
        Trouble::Page(200),
        Trouble::Say(json!("ok")),
    ] {
        let bench = Bench::with(hasty).await;
        bench.double.next(ADD, trouble.clone());
        let result = bench.add(&ann()).await;
        assert!(matches!(result, Err(PartnerError::Uncertain(_))), "{trouble:?}: {result:?}");
        assert_eq!(bench.double.count(ADD), 1, "{trouble:?}");
        // What was created is found by whoever looks first.
        let email = PartnerLookup::Email(ann().email.unwrap());
        let found = bench.mk.find_by(&email).await.unwrap();
        assert_eq!(found.len(), bench.double.partners().len());
    }
}

#[tokio::test]
async fn what_certainly_created_nothing_is_not_uncertain() {
    for trouble in [
        Trouble::OverQuota,
        Trouble::Page(404),
        Trouble::Status { status: 429, retry_after: None },
        Trouble::Status { status: 403, retry_after: None },
        Trouble::Refuse { code: "2".to_owned(), said: "No partner with such properties.".to_owned() },
        Trouble::Refuse { code: "6".to_owned(), said: "Partner is locked".to_owned() },
    ] {
        let bench = Bench::new().await;
        bench.double.next(ADD, trouble.clone());
        let error = bench.add(&ann()).await.unwrap_err();
        assert!(
            !matches!(error, PartnerError::Uncertain(_) | PartnerError::NotFound),
            "{trouble:?}: {error:?}"
        );
        assert!(bench.double.partners().is_empty());
    }
}

#[tokio::test]
async fn a_read_that_fails_after_a_write_does_not_lose_the_ids() {
    let bench = Bench::new().await;
    bench.double.next(GET, Trouble::Page(503));
    let written = bench.add(&ann()).await.unwrap();
    let partner = bench.double.partner(written.id.as_str()).unwrap();
    assert_eq!(written.partner, None);
    assert_eq!(written.parts.address.unwrap().as_str(), partner.addresses[0].mk_id);
    assert_eq!(written.parts.contact.unwrap().as_str(), partner.contacts[0].mk_id);
}

#[tokio::test]
async fn a_change_may_be_repeated_after_any_failure() {
    let bench = Bench::with(hasty).await;
    let written = bench.add(&ann()).await.unwrap();
    for trouble in [Trouble::LoseAnswer, Trouble::Silence, Trouble::CutOff, Trouble::Page(502)] {
        bench.double.next(UPDATE, trouble.clone());
        let error = bench.mk.update(&written.id, &ann().into(), &written.parts).await.unwrap_err();
        let may_repeat = matches!(
            error,
            PartnerError::Unreachable(_) | PartnerError::TimedOut | PartnerError::Unexpected(_)
        );
        assert!(may_repeat, "{trouble:?}: {error:?}");
        let again = bench.mk.update(&written.id, &ann().into(), &written.parts).await.unwrap();
        assert!(again.differing.is_empty());
    }
    let partner = bench.double.partner(written.id.as_str()).unwrap();
    assert_eq!((partner.addresses.len(), partner.contacts.len()), (1, 1));
}

#[tokio::test]
async fn pages_silence_floods_and_nobody_there_are_told_apart() {
    let bench = Bench::with(hasty).await;
    let ann = bench.double.insert(person("Ann Lee", "ann@example.com"));
    let ann = id(&ann.mk_id);
    for status in [200, 404, 502] {
        bench.double.next(GET, Trouble::Page(status));
        assert!(matches!(bench.mk.get(&ann).await, Err(PartnerError::Unreachable(_))), "{status}");
    }
    bench.double.next(GET, Trouble::Silence);
    assert!(matches!(bench.mk.get(&ann).await, Err(PartnerError::TimedOut)));
    bench.double.next(GET, Trouble::Flood);
    let bench = Bench {
        mk: MetaKocka::new(&config(&bench.double.base_url()), bench.clock.clone(), None).unwrap(),
        ..bench
    };
    let flooded = bench.mk.get(&ann).await;
    assert!(matches!(flooded, Err(PartnerError::Unexpected(_))), "{flooded:?}");
    assert!(bench.mk.get(&ann).await.is_ok());

    // A port that was free a moment ago.
    let address = { MetaKockaDouble::start().await.base_url() };
    let nobody = MetaKocka::new(&config(&address), bench.clock.clone(), None).unwrap();
    let refused = nobody.get(&ann).await;
    assert!(matches!(refused, Err(PartnerError::Unreachable(_) | PartnerError::TimedOut)), "{refused:?}");
}

#[tokio::test]
async fn the_wrong_address_is_no_silent_success() {
    let bench = Bench::new().await;
    let base = bench.double.base_url().replace("/v1/", "/v1/json/");
    let wrong = Config { base_url: BaseUrl::parse(&base).unwrap(), ..config(&base) };
    let mk = MetaKocka::new(&wrong, bench.clock.clone(), None).unwrap();
    let added = mk.add(&ann(), onefold_domain::id::CustomerId(uuid::Uuid::nil())).await;
    assert!(matches!(added, Err(PartnerError::Unreachable(_))), "{added:?}");
}

#[tokio::test]
async fn a_redirect_to_another_host_is_not_followed() {
    let bench = Bench::new().await;
    let elsewhere = MetaKockaDouble::start().await;
    let ann = elsewhere.insert(person("Ann Lee", "ann@example.com"));
    bench.double.next(GET, Trouble::Redirect(format!("{}get_partner", elsewhere.base_url())));
    assert!(matches!(bench.mk.get(&id(&ann.mk_id)).await, Err(PartnerError::Unreachable(_))));
    assert!(elsewhere.calls().is_empty(), "the credentials went elsewhere");

    let bob = bench.double.insert(person("Bob", "bob@example.com"));
    bench.double.next(GET, Trouble::Redirect(format!("{}get_partner", bench.double.base_url())));
    assert!(bench.mk.get(&id(&bob.mk_id)).await.is_ok(), "within one host it is followed");
}

#[tokio::test]
async fn a_quota_is_told_and_the_code_alone_is_none() {
    let bench = Bench::new().await;
    bench.double.behave(|habits| habits.quota = Some(1));
    let written = bench.add(&ann()).await.unwrap();
    assert_eq!(written.partner, None, "the quota allowed the creation only");
    let error = bench.mk.get(&written.id).await.unwrap_err();
    assert!(matches!(error, PartnerError::QuotaExceeded { retry_after: None }));
    bench.double.behave(|habits| habits.quota = None);
    bench.double.next(GET, Trouble::Status { status: 429, retry_after: Some(7) });
    match bench.mk.get(&written.id).await {
        Err(PartnerError::QuotaExceeded { retry_after }) => {
            assert_eq!(retry_after, Some(Duration::from_secs(7)));
        }
        other => panic!("{other:?}"),
    }
    bench.double.next(GET, Trouble::Refuse { code: "5".to_owned(), said: "Stock is negative".to_owned() });
    assert!(matches!(bench.mk.get(&written.id).await, Err(PartnerError::Rejected { .. })));
}

#[tokio::test]
async fn after_failures_in_a_row_no_call_is_made_until_one_is_tried() {
    let bench = Bench::with(|config| config.breaker_failures = 3).await;
    let ann = bench.double.insert(person("Ann Lee", "ann@example.com"));
    let ann = id(&ann.mk_id);
    // Refusals are answers and no reason to stop.
    for _ in 0..5 {
        assert!(matches!(bench.mk.get(&id("404")).await, Err(PartnerError::NotFound)));
    }
    for _ in 0..3 {
        bench.double.next(GET, Trouble::Page(503));
        assert!(matches!(bench.mk.get(&ann).await, Err(PartnerError::Unreachable(_))));
    }
    let before = bench.double.calls().len();
    let shared = bench.mk.clone();
    assert!(matches!(shared.get(&ann).await, Err(PartnerError::CircuitOpen { .. })));
    assert_eq!(bench.double.calls().len(), before);
    bench.clock.pass(chrono::TimeDelta::seconds(30));
    assert!(bench.mk.get(&ann).await.is_ok());
    assert!(bench.mk.get(&ann).await.is_ok());
}

#[tokio::test]
async fn at_most_two_calls_are_made_at_a_time() {
    let bench = Bench::new().await;
    let ann = bench.double.insert(person("Ann Lee", "ann@example.com"));
    let ann = id(&ann.mk_id);
    bench.double.hold();
    let calls = join_all((0..8).map(|_| bench.mk.get(&ann)));
    let watch = async {
        bench.double.until_in_flight(2).await;
        bench.double.release();
    };
    let (results, ()) = tokio::join!(calls, watch);
    assert!(results.iter().all(Result::is_ok));
    assert_eq!((bench.double.calls().len(), bench.double.most_at_once()), (8, 2));
}
