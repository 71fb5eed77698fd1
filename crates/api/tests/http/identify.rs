//! `POST /identify`: the contract's shape and the rules as a caller sees them.

use onefold_domain::phone::Region;
use onefold_persistence::testing::TestDatabase;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::on_both_databases;

on_both_databases!(
    the_contract_to_the_letter,
    two_customers_become_one,
    a_repetition_adds_nothing,
    placeholders_link_nobody_and_say_so,
    fields_of_an_order_are_ignored,
);

fn contact(primary: i64, emails: &[&str], phones: &[&str], secondary: &[i64]) -> Value {
    json!({"contact": {
        "primaryContatctId": primary, "emails": emails, "phoneNumbers": phones, "secondaryContactIds": secondary,
    }})
}

async fn the_contract_to_the_letter(app: TestApp) {
    app.identify(json!({"email": "lorraine@hillvalley.edu", "phoneNumber": "123456"})).await;
    let answer = app.post("/identify", r#"{"email":"mcfly@hillvalley.edu","phoneNumber":123456}"#).await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(
        answer.body,
        r#"{"contact":{"primaryContatctId":1,"emails":["lorraine@hillvalley.edu","mcfly@hillvalley.edu"],"phoneNumbers":["123456"],"secondaryContactIds":[2]}}"#
    );
    let expected = contact(1, &["lorraine@hillvalley.edu", "mcfly@hillvalley.edu"], &["123456"], &[2]);
    for body in [
        json!({"email": null, "phoneNumber": "123456"}),
        json!({"email": "lorraine@hillvalley.edu"}),
        json!({"email": " MCFLY@hillvalley.edu ", "phoneNumber": null}),
        json!({"email": "lorraine@hillvalley.edu", "phoneNumber": "12-34-56"}),
    ] {
        assert_eq!(app.identify(body).await, expected);
    }
    assert_eq!(app.contacts().await, 2);
}

async fn two_customers_become_one(app: TestApp) {
    app.identify(json!({"email": "george@hillvalley.edu", "phoneNumber": "919191"})).await;
    app.identify(json!({"email": "biffsucks@hillvalley.edu", "phoneNumber": "717171"})).await;
    let joined = app.identify(json!({"email": "george@hillvalley.edu", "phoneNumber": "717171"})).await;
    let emails = ["george@hillvalley.edu", "biffsucks@hillvalley.edu"];
    assert_eq!(joined, contact(1, &emails, &["919191", "717171"], &[2]));
    assert_eq!(app.contacts().await, 2, "both values were known");
    assert_eq!(app.database.count("SELECT COUNT(*) FROM link").await, 1);
    app.database.assert_invariants().await;
}

async fn a_repetition_adds_nothing(app: TestApp) {
    let body = json!({"email": "doc@hillvalley.edu", "phoneNumber": "+1 202 555 0143"});
    let first = app.identify(body.clone()).await;
    assert_eq!(first, contact(1, &["doc@hillvalley.edu"], &["+12025550143"], &[]));
    for _ in 0..3 {
        assert_eq!(app.identify(body.clone()).await, first);
    }
    assert_eq!(app.contacts().await, 1);
}

async fn placeholders_link_nobody_and_say_so(app: TestApp) {
    let post = |body: Value| app.post("/identify", body.to_string());
    let one = post(json!({"email": "a@example.com", "phoneNumber": "0000000000"})).await;
    assert_eq!(one.header("onefold-blocked"), "phoneNumber;rule=never_links");
    assert_eq!(one.json(), contact(1, &["a@example.com"], &["0000000000"], &[]));
    let other = post(json!({"email": "b@example.com", "phoneNumber": "000 000 0000"})).await;
    assert_eq!(other.json(), contact(2, &["b@example.com"], &["0000000000"], &[]));
    // Nothing of it links, so it is a customer of its own, and stays the same one.
    for _ in 0..2 {
        let nobody = post(json!({"email": "noemail@shop.example", "phoneNumber": "0000000000"})).await;
        assert_eq!(nobody.json(), contact(3, &["noemail@shop.example"], &["0000000000"], &[]));
        assert_eq!(nobody.header("onefold-blocked"), "email;rule=never_links, phoneNumber;rule=never_links");
    }
    assert_eq!(app.contacts().await, 3);
    let blocked = "SELECT COUNT(*) FROM contact WHERE phone_blocked_by = 'never_links'";
    assert_eq!(app.database.count(blocked).await, 3);
}

async fn fields_of_an_order_are_ignored(app: TestApp) {
    let order = json!({
        "orderId": "W2024-100001", "at": "2024-01-08T02:26:13Z", "email": "maite@caixa.example",
        "phoneNumber": "+55 85 99406-8866", "name": "Maitê", "total": 188.78, "currency": "BRL", "country": "BR",
    });
    assert_eq!(app.identify(order).await, contact(1, &["maite@caixa.example"], &["+5585994068866"], &[]));
}

#[tokio::test(flavor = "multi_thread")]
async fn national_numbers_are_read_in_the_configured_region() {
    let region = Region::parse("SI").unwrap();
    let app = TestApp::start(TestDatabase::sqlite(), Some(region)).await;
    app.identify(json!({"phoneNumber": "030 199 513"})).await;
    let answer = app.identify(json!({"email": "l@example.com", "phoneNumber": "+386 30 199 513"})).await;
    assert_eq!(answer, contact(1, &["l@example.com"], &["+38630199513"], &[2]));
}
