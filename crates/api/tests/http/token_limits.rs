//! How often one token may call, and how often an address may be wrong about one.

use std::sync::Arc;

use chrono::TimeDelta;
use onefold_api::{Config, LimitsConfig};
use onefold_persistence::testing::TestDatabase;
use onefold_service::testing::ManualClock;
use reqwest::Method;

use crate::app::{Answer, TestApp, send};
use crate::bad_input::check;

async fn server(limits: LimitsConfig) -> (TestApp, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    let configure = |app: onefold_api::App| app.with_limits(&limits);
    let app = TestApp::serve(TestDatabase::sqlite(), None, clock.clone(), configure, Config::default()).await;
    (app, clock)
}

async fn with_token(app: &TestApp, token: &str, path: &str) -> Answer {
    send(app.bare_request(Method::GET, path).bearer_auth(token)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_token_has_its_own_number() {
    let (app, clock) = server(LimitsConfig { token_per_minute: 2, ..LimitsConfig::default() }).await;
    let (one, other) = (app.token_for(&["*"], None).await, app.token_for(&["identify"], None).await);
    let first = with_token(&app, &one, "/contacts").await;
    assert_eq!((first.status, first.header("ratelimit")), (200, "\"token\";r=1;t=30"));
    assert_eq!(first.header("ratelimit-policy"), "\"token\";q=2;w=60");
    assert_eq!(with_token(&app, &one, "/contacts/999").await.header("ratelimit"), "\"token\";r=0;t=60");
    let refused = with_token(&app, &one, "/contacts").await;
    check(&refused, 429, "too_many_requests");
    assert_eq!((refused.header("retry-after"), refused.header("ratelimit")), ("30", "\"token\";r=0;t=60"));
    // What is refused for want of an ability is counted, too.
    assert_eq!(with_token(&app, &other, "/contacts").await.status, 403);
    assert_eq!(with_token(&app, &other, "/contacts").await.status, 403);
    assert_eq!(with_token(&app, &other, "/contacts").await.status, 429);
    clock.pass(TimeDelta::seconds(30));
    assert_eq!(with_token(&app, &one, "/contacts").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_wrong_about_tokens_so_often() {
    let (app, clock) = server(LimitsConfig { failed_auth_per_minute: 3, ..LimitsConfig::default() }).await;
    let good = app.token_for(&["*"], None).await;
    for _ in 0..5 {
        assert_eq!(send(app.bare_request(Method::GET, "/contacts")).await.status, 401, "nothing was guessed");
        assert_eq!(with_token(&app, &good, "/contacts").await.status, 200);
    }
    for guess in ["1|a", "b", "|"] {
        assert_eq!(with_token(&app, guess, "/contacts").await.status, 401);
    }
    let refused = with_token(&app, "1|d", "/contacts").await;
    check(&refused, 429, "too_many_requests");
    assert_eq!(
        (refused.header("retry-after"), refused.header("ratelimit-policy")),
        ("60", "\"failed-auth\";q=3;w=60")
    );
    let unseen = app.token_for(&["*"], None).await;
    assert_eq!(with_token(&app, &unseen, "/contacts").await.status, 429, "a right guess tells nothing");
    assert_eq!(with_token(&app, &good, "/contacts").await.status, 200, "nobody else is locked out");
    assert_eq!(send(app.bare_request(Method::GET, "/health/live")).await.status, 200);
    clock.pass(TimeDelta::seconds(60));
    assert_eq!(with_token(&app, &good, "/contacts").await.status, 200);
}

/// As Laravel's throttle tells it.
#[tokio::test(flavor = "multi_thread")]
async fn admin_contacts_have_a_window() {
    let (app, clock) = server(LimitsConfig { admin_per_minute: 3, ..LimitsConfig::default() }).await;
    let admin = app.token_for(&["admin:contacts"], None).await;
    let other = app.token_for(&["identify"], None).await;
    let call = async |token: &str| {
        let request = app.bare_request(Method::POST, "/ia/admin/contacts").bearer_auth(token);
        send(request.header("Content-Type", "application/json").body("{}")).await
    };
    let shown = |answer: &Answer| {
        ["limit", "remaining", "reset"].map(|name| answer.header(&format!("x-ratelimit-{name}")).to_owned())
    };
    let invalid = call(&admin).await;
    assert_eq!((invalid.status, shown(&invalid)), (422, ["3", "2", ""].map(str::to_owned)));
    let forbidden = call(&other).await;
    assert_eq!((forbidden.status, shown(&forbidden)), (403, ["3", "2", ""].map(str::to_owned)));
    let nobody = call("1|guess").await;
    assert_eq!((nobody.status, shown(&nobody)), (401, ["", "", ""].map(str::to_owned)));
    clock.pass(TimeDelta::seconds(20));
    assert_eq!(call(&admin).await.header("x-ratelimit-remaining"), "1");
    assert_eq!(call(&admin).await.header("x-ratelimit-remaining"), "0");
    for _ in 0..2 {
        let refused = call(&admin).await;
        assert_eq!((refused.status, refused.body.as_str()), (429, r#"{"message":"Too Many Attempts."}"#));
        assert_eq!(shown(&refused)[..2], ["3", "0"].map(str::to_owned));
        assert_eq!(refused.header("retry-after"), "40", "the window began with the first request");
        assert!(shown(&refused)[2].parse::<i64>().unwrap() > 1_700_000_000);
    }
    clock.pass(TimeDelta::seconds(40));
    assert_eq!(call(&admin).await.header("x-ratelimit-remaining"), "2");
}
