//! Admin contacts are ordinary contacts: they link, are listed and are relinked like all others.

use super::*;
use crate::on_both_databases;

on_both_databases!(
    contacts_of_one_user_are_one_customer,
    they_are_listed_with_their_channel,
    a_number_that_was_known_before_links,
    a_change_links_anew,
    another_structure_links_anew,
    two_users_with_one_number_stay_two_customers,
);

async fn customer(app: &TestApp, contact: i64) -> Value {
    app.show(&format!("/customers/{contact}")).await
}

/// Whose customer the contact belongs to.
async fn customer_id(app: &TestApp, id: i64) -> Value {
    contact(app, id).await["customerId"].clone()
}

async fn contacts_of_one_user_are_one_customer(app: TestApp) {
    let user = app.user().await;
    let mail = add(&app, &user, email("ana@example.com")).await;
    let number = add(&app, &user, phone("whatsapp", "+55", "11912345678")).await;
    let shown = customer(&app, mail).await;
    assert_eq!(customer(&app, number).await, shown);
    assert_eq!((&shown["users"], &shown["contactCount"]), (&json!([user]), &json!(2)));
    let points = shown["contactPoints"].as_array().unwrap().iter();
    let values: Vec<_> = points.map(|point| (&point["value"], &point["blockedBy"])).collect();
    assert_eq!(values, [(&json!("ana@example.com"), &json!(null)), (&json!("+5511912345678"), &json!(null))]);
    let found = app.identify(json!({"phoneNumber": "+55 11 91234-5678"})).await;
    assert_eq!(found["contact"]["emails"], json!(["ana@example.com"]));
}

async fn they_are_listed_with_their_channel(app: TestApp) {
    let user = app.user().await;
    add(&app, &user, email("ana@example.com")).await;
    for channel in ["telephone", "whatsapp", "telegram"] {
        add(&app, &user, phone(channel, "+55", "11912345678")).await;
    }
    let channels = async |query: &str| {
        let list = app.show(&format!("/contacts?{query}")).await;
        let contacts = list["contacts"].as_array().unwrap().clone();
        contacts.iter().map(|contact| contact["channel"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(channels("").await, ["email", "telephone", "whatsapp", "telegram"]);
    assert_eq!(channels(&format!("userId={user}&kind=phone")).await, ["telephone", "whatsapp", "telegram"]);
    assert_eq!(channels("value=%2B55%2011%2091234-5678").await, ["telephone", "whatsapp", "telegram"]);
    assert_eq!(channels("value=ANA@example.com").await, ["email"]);
    changed(&app, 2, email("bo@example.com")).await;
    assert_eq!(channels("").await, ["email", "email", "whatsapp", "telegram"]);
    assert_eq!(channels("value=bo@example.com").await, ["email"]);
    assert_eq!(channels("source=manual&kind=email").await, ["email", "email"]);
}

async fn a_number_that_was_known_before_links(app: TestApp) {
    app.identify(json!({"email": "ana@example.com", "phoneNumber": "+55 11 91234-5678"})).await;
    let user = app.user().await;
    let number = add(&app, &user, phone("telegram", "55", "(11) 91234 5678")).await;
    assert_eq!(customer_id(&app, number).await, customer_id(&app, 1).await);
    assert_eq!(contact(&app, number).await["linkPrecedence"], "secondary");
    // And the other way round.
    add(&app, &user, email("bo@example.com")).await;
    let found = app.identify(json!({"email": "bo@example.com"})).await;
    assert_eq!(found["contact"]["emails"], json!(["ana@example.com", "bo@example.com"]));
    app.database.assert_invariants().await;
}

async fn a_change_links_anew(app: TestApp) {
    app.identify(json!({"phoneNumber": "+5511912345678"})).await;
    app.identify(json!({"phoneNumber": "+5511987654321"})).await;
    let user = app.user().await;
    let number = add(&app, &user, phone("whatsapp", "+55", "11912345678")).await;
    assert_eq!(customer_id(&app, number).await, customer_id(&app, 1).await);
    changed(&app, number, json!({"number": "11987654321"})).await;
    assert_eq!(customer_id(&app, number).await, customer_id(&app, 2).await);
    assert!(customer_id(&app, number).await != customer_id(&app, 1).await);
    assert_eq!(customer(&app, 1).await["contactCount"], 1);
    changed(&app, number, json!({"type": "telegram"})).await;
    assert_eq!(customer_id(&app, number).await, customer_id(&app, 2).await, "by the same number");
    app.database.assert_invariants().await;
}

async fn another_structure_links_anew(app: TestApp) {
    app.identify(json!({"email": "ana@example.com"})).await;
    app.identify(json!({"phoneNumber": "+5511912345678"})).await;
    let user = app.user().await;
    let id = add(&app, &user, email("ana@example.com")).await;
    assert_eq!(customer_id(&app, id).await, customer_id(&app, 1).await);
    changed(&app, id, phone("whatsapp", "+55", "11912345678")).await;
    assert_eq!(customer_id(&app, id).await, customer_id(&app, 2).await);
    let left = customer(&app, 1).await;
    assert_eq!((&left["contactCount"], &left["users"]), (&json!(1), &json!([])));
    changed(&app, id, email("ana@example.com")).await;
    assert_eq!(customer_id(&app, id).await, customer_id(&app, 1).await, "and back");
    assert_eq!(app.show("/contacts?value=%2B5511912345678").await["contacts"].as_array().unwrap().len(), 1);
    app.database.assert_invariants().await;
}

async fn two_users_with_one_number_stay_two_customers(app: TestApp) {
    let (user, other) = (app.user().await, app.user().await);
    let number = || phone("whatsapp", "+55", "11912345678");
    let first = add(&app, &user, number()).await;
    let second = add(&app, &other, number()).await;
    let third = add(&app, &other, email("ana@example.com")).await;
    assert!(customer_id(&app, first).await != customer_id(&app, second).await);
    assert_eq!(customer_id(&app, third).await, customer_id(&app, second).await);
    let path = format!("/contacts/{second}");
    assert_eq!(app.get(&path).await.header("onefold-blocked"), "value;rule=two_users");
    let shown = customer(&app, second).await;
    assert_eq!(
        (&shown["users"], &shown["contactPoints"][0]["blockedBy"]),
        (&json!([other]), &json!("two_users"))
    );
    // By a change as well, and it is over when the first one gives the number up.
    let fourth = add(&app, &other, email("bo@example.com")).await;
    changed(&app, fourth, number()).await;
    assert_eq!(
        app.get(&format!("/contacts/{fourth}")).await.header("onefold-blocked"),
        "value;rule=two_users"
    );
    assert!(customer_id(&app, fourth).await != customer_id(&app, first).await);
    changed(&app, first, email("cy@example.com")).await;
    assert_eq!(app.get(&path).await.header("onefold-blocked"), "");
    app.database.assert_invariants().await;
}
