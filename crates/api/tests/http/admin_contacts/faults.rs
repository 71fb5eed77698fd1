//! What is refused with 422: every message, of one field and of several, in the order of the contract.

use super::*;
use crate::on_both_databases;

on_both_databases!(a_post_is_told_every_fault, a_put_is_told_every_fault);

fn posts() -> Vec<(Value, Vec<Error>)> {
    let mail = |email: Value| json!({"type": "email", "email": email});
    let number =
        |code: Value, number: Value| json!({"type": "telegram", "country_code": code, "number": number});
    vec![
        (json!({"type": "email"}), vec![EMAIL_REQUIRED]),
        (mail(json!(null)), vec![EMAIL_REQUIRED]),
        (mail(json!("")), vec![EMAIL_REQUIRED]),
        (mail(json!([])), vec![EMAIL_REQUIRED]),
        (json!({"type": "email", "value": ""}), vec![EMAIL_REQUIRED]),
        (json!({"type": "email", "number": "1", "country_code": "1"}), vec![EMAIL_REQUIRED]),
        (mail(json!("ana")), vec![EMAIL_INVALID]),
        (mail(json!("ana@")), vec![EMAIL_INVALID]),
        (mail(json!("ana@b..example")), vec![EMAIL_INVALID]),
        (mail(json!(".ana@b.example")), vec![EMAIL_INVALID]),
        (mail(json!("ana b@c.example")), vec![EMAIL_INVALID]),
        (mail(json!(5)), vec![EMAIL_STRING, EMAIL_INVALID]),
        (mail(json!(true)), vec![EMAIL_STRING, EMAIL_INVALID]),
        (json!({"type": "email", "value": "ana"}), vec![EMAIL_INVALID]),
        (json!({"type": "email", "value": 5}), vec![EMAIL_STRING, EMAIL_INVALID]),
        // An email that is there is judged, whatever stands in for it.
        (json!({"type": "email", "email": "ana", "value": "ana@example.com"}), vec![EMAIL_INVALID]),
        (json!({"type": "telephone"}), vec![CODE_REQUIRED, NUMBER_REQUIRED]),
        (json!({"type": "whatsapp", "number": "1"}), vec![CODE_REQUIRED]),
        (json!({"type": "telegram", "country_code": "1"}), vec![NUMBER_REQUIRED]),
        (json!({"type": "telegram", "value": "ana@example.com"}), vec![CODE_REQUIRED, NUMBER_REQUIRED]),
        (number(json!(55), json!(912_345_678)), vec![CODE_STRING, NUMBER_STRING]),
        (number(json!("+"), json!("abc")), vec![CODE_FORMAT, NUMBER_FORMAT]),
        (number(json!("1".repeat(11)), json!("1".repeat(21))), vec![CODE_LONG, NUMBER_LONG]),
        (
            number(json!("x".repeat(11)), json!([[]])),
            vec![CODE_LONG, CODE_FORMAT, NUMBER_STRING, NUMBER_FORMAT],
        ),
        (json!({}), vec![TYPE_REQUIRED, CODE_REQUIRED, NUMBER_REQUIRED]),
        (
            json!({"type": null, "email": "ana"}),
            vec![TYPE_REQUIRED, EMAIL_INVALID, CODE_REQUIRED, NUMBER_REQUIRED],
        ),
        (
            json!({"type": "Email", "email": "a@b.example"}),
            vec![TYPE_INVALID, CODE_REQUIRED, NUMBER_REQUIRED],
        ),
        (json!({"type": "sms", "country_code": "1", "number": "1"}), vec![TYPE_INVALID]),
    ]
}

async fn a_post_is_told_every_fault(app: TestApp) {
    let user = app.user().await;
    for (body, errors) in posts() {
        check_invalid(&post(&app, &of(&user, body.clone())).await, "en", &errors);
        // With a fault of the first field of the table, too.
        let first = [vec![UUID_INVALID], errors.clone()].concat();
        check_invalid(&post(&app, &of("5", body.clone())).await, "en", &first);
        let first = [vec![UUID_REQUIRED], errors].concat();
        check_invalid(&post(&app, &body).await, "en", &first);
    }
    // Not the order of the request.
    let body = r#"{"number":5,"country_code":5,"email":5,"type":5,"uuid":5}"#;
    let errors = [UUID_INVALID, TYPE_INVALID, EMAIL_STRING, EMAIL_INVALID, CODE_STRING, NUMBER_STRING];
    check_invalid(&app.post(PATH, body).await, "en", &errors);
    assert_eq!(app.contacts().await, 0, "nothing of it is stored");
}

async fn a_put_is_told_every_fault(app: TestApp) {
    let user = app.user().await;
    let mail = add(&app, &user, email("ana@example.com")).await;
    let number = add(&app, &user, phone("whatsapp", "+55", "11912345678")).await;
    let before = [contact(&app, mail).await, contact(&app, number).await];
    for (id, body, errors) in [
        (mail, json!({"uuid": user}), vec![UUID_PROHIBITED]),
        (mail, json!({"uuid": "x", "email": "bo@example.com"}), vec![UUID_PROHIBITED]),
        (mail, json!({"uuid": 0}), vec![UUID_PROHIBITED]),
        (mail, json!({"uuid": false}), vec![UUID_PROHIBITED]),
        (mail, json!({"uuid": [null]}), vec![UUID_PROHIBITED]),
        (mail, json!({"type": "Email"}), vec![TYPE_INVALID]),
        (mail, json!({"type": ""}), vec![TYPE_INVALID]),
        (mail, json!({"type": null}), vec![TYPE_INVALID]),
        (mail, json!({"type": ["email"], "email": 5}), vec![TYPE_INVALID, EMAIL_STRING, EMAIL_INVALID]),
        (mail, json!({"email": "bo"}), vec![EMAIL_INVALID]),
        (mail, json!({"value": "bo"}), vec![EMAIL_INVALID]),
        (mail, json!({"email": ""}), vec![EMAIL_STRING, EMAIL_INVALID]),
        (mail, json!({"type": "email", "email": ""}), vec![EMAIL_REQUIRED]),
        (mail, json!({"type": "whatsapp"}), vec![CODE_REQUIRED, NUMBER_REQUIRED]),
        (mail, json!({"type": "telegram", "number": "1"}), vec![CODE_REQUIRED]),
        (mail, json!({"type": "telephone", "country_code": "1"}), vec![NUMBER_REQUIRED]),
        (mail, json!({"country_code": "+55", "number": "11912345678"}), vec![TYPE_WITH_NUMBER]),
        (mail, json!({"number": "abc"}), vec![TYPE_WITH_NUMBER, NUMBER_FORMAT]),
        (number, json!({"email": "bo@example.com"}), vec![TYPE_WITH_EMAIL]),
        (number, json!({"type": "email"}), vec![EMAIL_REQUIRED]),
        (number, json!({"type": "email", "value": ""}), vec![EMAIL_REQUIRED]),
        (number, json!({"number": ""}), vec![NUMBER_REQUIRED]),
        (number, json!({"country_code": null}), vec![CODE_REQUIRED]),
        (number, json!({"country_code": "+"}), vec![CODE_FORMAT]),
        (number, json!({"number": 5}), vec![NUMBER_STRING]),
        (number, json!({"number": "1".repeat(21)}), vec![NUMBER_LONG]),
        (number, json!({"email": ""}), vec![EMAIL_STRING, EMAIL_INVALID]),
        (
            number,
            json!({"number": "", "country_code": 5, "email": "x", "type": "fax", "uuid": user}),
            vec![UUID_PROHIBITED, TYPE_INVALID, EMAIL_INVALID, CODE_STRING, NUMBER_STRING, NUMBER_FORMAT],
        ),
    ] {
        check_invalid(&put(&app, id, &body).await, "en", &errors);
    }
    assert_eq!([contact(&app, mail).await, contact(&app, number).await], before, "nothing of it is stored");
}
