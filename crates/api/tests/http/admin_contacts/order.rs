//! Which of several reasons to refuse is told: route, token, contact, ability, fields, user.

use super::*;
use crate::on_both_databases;

const ABILITY: &[&str] = &["admin:contacts"];

on_both_databases!(
    a_path_comes_before_a_token,
    a_token_comes_before_a_contact,
    a_contact_comes_before_an_ability,
    an_ability_comes_before_fields,
    an_owner_comes_before_fields,
    fields_come_before_a_user,
    a_large_body_comes_before_fields,
    a_token_of_a_user_is_for_their_own_contacts,
    an_id_is_a_number_as_it_is_written,
);

async fn a_path_comes_before_a_token(app: TestApp) {
    for path in ["/ia/admin/contacts/1/x", "/ia/admin", "/ia/admin/contacts/", "/ia/admin/Contacts", "/ia/x"]
    {
        for method in [Method::GET, Method::POST, Method::PUT] {
            check_refused(&with_token(&app, "", method, path, "{}").await, 404, "Not Found");
        }
    }
    for (path, allowed) in [("ia/admin/contacts", "POST"), ("ia/admin/contacts/1", "PUT")] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            if method == allowed {
                continue;
            }
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let answer = with_token(&app, "", method.clone(), &format!("/{path}"), "{}").await;
            let message = format!(
                "The {method} method is not supported for route {path}. Supported methods: {allowed}."
            );
            check_refused(&answer, 405, &message);
            assert_eq!(answer.header("allow"), allowed);
        }
        let answer = with_token(&app, "", Method::HEAD, &format!("/{path}"), "").await;
        assert_eq!((answer.status, answer.header("allow"), answer.body.as_str()), (405, allowed, ""));
    }
}

async fn a_token_comes_before_a_contact(app: TestApp) {
    for token in ["", "5|wrong", "wrong", "1|", "|", "0|x y"] {
        for (method, path) in [(Method::PUT, format!("{PATH}/99")), (Method::POST, PATH.to_owned())] {
            let answer = with_token(&app, token, method, &path, "{").await;
            check_refused(&answer, 401, "Unauthenticated.");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
}

async fn a_contact_comes_before_an_ability(app: TestApp) {
    let user = app.user().await;
    let id = add(&app, &user, email("ana@example.com")).await;
    for token in [
        app.token_for(&["contacts:write", "contacts:read"], None).await,
        app.token_for(&["contacts:write"], Some(&user)).await,
        app.token_for(&[], None).await,
    ] {
        let answer = with_token(&app, &token, Method::PUT, &format!("{PATH}/99"), "{").await;
        check_refused(&answer, 404, "Not Found");
        let answer = with_token(&app, &token, Method::PUT, &format!("{PATH}/{id}"), "{}").await;
        check_refused(&answer, 403, "This action is unauthorized.");
    }
    // One that was withdrawn is gone.
    app.call(Method::DELETE, &format!("/contacts/{id}"), &json!({})).await;
    check_refused(&put(&app, id, &json!({"uuid": 5})).await, 404, "Not Found");
}

async fn an_ability_comes_before_fields(app: TestApp) {
    let user = app.user().await;
    let id = add(&app, &user, email("ana@example.com")).await;
    let token = app.token_for(&["contacts:write", "identify", "customers:write"], None).await;
    for body in ["{}", "{", "[]", r#"{"type":5,"uuid":5}"#, &"x".repeat(70_000)] {
        for (method, path) in [(Method::PUT, format!("{PATH}/{id}")), (Method::POST, PATH.to_owned())] {
            let answer = with_token(&app, &token, method, &path, body).await;
            check_refused(&answer, 403, "This action is unauthorized.");
        }
    }
    let token = app.token_for(ABILITY, None).await;
    let answer = with_token(&app, &token, Method::PUT, &format!("{PATH}/{id}"), r#"{"uuid":5}"#).await;
    check_invalid(&answer, "en", &[UUID_PROHIBITED]);
}

async fn an_owner_comes_before_fields(app: TestApp) {
    let (user, other) = (app.user().await, app.user().await);
    let id = add(&app, &other, email("ana@example.com")).await;
    app.identify(json!({"email": "guest@example.com"})).await;
    let token = app.token_for(ABILITY, Some(&user)).await;
    for path in [format!("{PATH}/{id}"), format!("{PATH}/2")] {
        for body in ["{}", r#"{"type":5}"#, "{"] {
            let answer = with_token(&app, &token, Method::PUT, &path, body).await;
            check_refused(&answer, 403, "This action is unauthorized.");
        }
    }
    for uuid in [other.as_str(), NOBODY] {
        for body in [json!({"type": 5}), email("ana@example.com")] {
            let answer = with_token(&app, &token, Method::POST, PATH, &of(uuid, body).to_string()).await;
            check_refused(&answer, 403, "This action is unauthorized.");
        }
    }
    // Of a text that names nobody it cannot be said whose contact it would be.
    let answer = with_token(&app, &token, Method::POST, PATH, &of("5", email("x")).to_string()).await;
    check_invalid(&answer, "en", &[UUID_INVALID, EMAIL_INVALID]);
    let answer = with_token(&app, &token, Method::POST, PATH, "{").await;
    check_invalid(&answer, "en", &[UUID_REQUIRED, TYPE_REQUIRED, CODE_REQUIRED, NUMBER_REQUIRED]);
    assert_eq!(app.contacts().await, 2);
}

async fn fields_come_before_a_user(app: TestApp) {
    check_invalid(&post(&app, &of(NOBODY, email("ana"))).await, "en", &[EMAIL_INVALID]);
    check_refused(&post(&app, &of(NOBODY, email("ana@example.com"))).await, 404, "User not found.");
    let nil = "00000000-0000-0000-0000-000000000000";
    check_refused(&post(&app, &of(nil, phone("whatsapp", "1", "1"))).await, 404, "User not found.");
    assert_eq!(app.contacts().await, 0);
}

async fn a_large_body_comes_before_fields(app: TestApp) {
    let user = app.user().await;
    let id = add(&app, &user, email("ana@example.com")).await;
    let large = json!({"x": "x".repeat(64 * 1024)}).to_string();
    check_refused(&app.post(PATH, large.clone()).await, 413, "The POST data is too large.");
    let answer = app.request(Method::PUT, &format!("{PATH}/{id}")).header("Content-Type", "application/json");
    check_refused(&send(answer.body(large.clone())).await, 413, "The POST data is too large.");
    let answer = app.request(Method::PUT, &format!("{PATH}/99")).header("Content-Type", "application/json");
    check_refused(&send(answer.body(large)).await, 404, "Not Found");
}

async fn a_token_of_a_user_is_for_their_own_contacts(app: TestApp) {
    let user = app.user().await;
    let token = app.token_for(ABILITY, Some(&user)).await;
    let body = of(&user, email("ana@example.com")).to_string();
    let answer = with_token(&app, &token, Method::POST, PATH, &body).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"email": "ana@example.com"})));
    let path = answer.header("location").to_owned();
    let answer = with_token(&app, &token, Method::PUT, &path, r#"{"value":"bo@example.com"}"#).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"email": "bo@example.com"})));
}

async fn an_id_is_a_number_as_it_is_written(app: TestApp) {
    let user = app.user().await;
    assert_eq!(add(&app, &user, email("ana@example.com")).await, 1);
    let ids = ["0", "-1", "+1", "01", "1.0", "1e0", "%201", "1%20", "x", NOBODY, "2", "9223372036854775807"];
    for id in ids.into_iter().chain(["9223372036854775808", "%00", "%FF", "٣"]) {
        let answer =
            with_token(&app, &app.token_for(&["*"], None).await, Method::PUT, &format!("{PATH}/{id}"), "{}")
                .await;
        assert_eq!((answer.status, answer.json()), (404, json!({"message": "Not Found"})), "{id}");
    }
}
