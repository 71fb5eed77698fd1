//! What is accepted, and what is answered and stored then.

use super::*;
use crate::on_both_databases;

on_both_databases!(
    a_post_adds_a_contact,
    a_contact_is_one_of_its_user_by_hand,
    a_contact_that_many_post_at_once_is_there_as_often,
);

/// Request, answer, and the value and channel as `/contacts` shows them.
fn rows() -> Vec<(Value, Value, &'static str)> {
    let number = |number: &str| shown("whatsapp", "+55", number);
    let mail = |address: &str| json!({"email": address});
    let whatsapp = |code: &str, number: &str| phone("whatsapp", code, number);
    let brazilian = "+5511912345678";
    vec![
        (email("ana@example.com"), mail("ana@example.com"), "ana@example.com"),
        (json!({"type": "email", "value": "ana@example.com"}), mail("ana@example.com"), "ana@example.com"),
        // `value` is the alternative: it counts where there is no email.
        (json!({"type": "email", "email": "", "value": "a@b.example"}), mail("a@b.example"), "a@b.example"),
        (json!({"type": "email", "email": null, "value": "a@b.example"}), mail("a@b.example"), "a@b.example"),
        (json!({"type": "email", "email": "a@b.example", "value": 5}), mail("a@b.example"), "a@b.example"),
        (email(" ANA@Example.COM\n"), mail("ANA@Example.COM"), "ana@example.com"),
        (email("user@localhost"), mail("user@localhost"), "user@localhost"),
        (email("\"a b\"@example.com"), mail("\"a b\"@example.com"), "\"a b\"@example.com"),
        (email("ana@bücher.example"), mail("ana@bücher.example"), "ana@xn--bcher-kva.example"),
        (whatsapp("+55", "11912345678"), number("11912345678"), brazilian),
        (phone("telephone", "+55", "11912345678"), shown("telephone", "+55", "11912345678"), brazilian),
        (phone("telegram", "+55", "11912345678"), shown("telegram", "+55", "11912345678"), brazilian),
        // `country_code` keeps digits behind a `+`, `number` digits.
        (whatsapp("55", "(11) 91234-5678"), number("11912345678"), brazilian),
        (whatsapp(" + 5-5 ", "+11.9.1234/5678 ext"), number("11912345678"), brazilian),
        (whatsapp("+386", "031 123 456"), shown("whatsapp", "+386", "031123456"), "+38631123456"),
        (whatsapp("0055", "1"), shown("whatsapp", "+0055", "1"), "+551"),
        (whatsapp("0", "0"), shown("whatsapp", "+0", "0"), "+00"),
        (
            whatsapp("1234567890", "12345678901234567890"),
            shown("whatsapp", "+1234567890", "12345678901234567890"),
            "123456789012345678901234567890",
        ),
        // A number that has its country already.
        (
            phone("telephone", "+1", "+1 202 555 0143"),
            shown("telephone", "+1", "12025550143"),
            "+12025550143",
        ),
        (
            phone("telephone", "+386", "00386 31 123 456"),
            shown("telephone", "+386", "0038631123456"),
            "+38631123456",
        ),
        (
            phone("telephone", "+1", "202 555 0143 (home)"),
            shown("telephone", "+1", "2025550143"),
            "+12025550143",
        ),
        // Fields of the other structure, and fields that nobody knows.
        (
            json!({"type": "email", "email": "a@b.example", "number": "1", "x": [{}]}),
            mail("a@b.example"),
            "a@b.example",
        ),
        (
            json!({"type": "whatsapp", "country_code": "55", "number": "11912345678", "email": "a@b.example", "value": []}),
            number("11912345678"),
            brazilian,
        ),
    ]
}

async fn a_post_adds_a_contact(app: TestApp) {
    let user = app.user().await;
    for (at, (body, expected, value)) in rows().into_iter().enumerate() {
        let answer = post(&app, &of(&user, body.clone())).await;
        assert_eq!((answer.status, answer.json()), (200, expected.clone()), "{body}");
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!((answer.header("content-language"), answer.header("vary")), ("", ""), "no words in it");
        let id = at + 1;
        assert_eq!(answer.header("location"), format!("{PATH}/{id}"));
        let stored = app.show(&format!("/contacts/{id}")).await;
        let channel = expected.as_object().unwrap().keys().next().unwrap().as_str();
        let kind = if channel == "email" { "email" } else { "phone" };
        assert_eq!(
            (&stored["kind"], &stored["channel"], &stored["value"]),
            (&json!(kind), &json!(channel), &json!(value)),
            "{body}"
        );
        // What was answered is what a change that changes nothing finds again.
        assert_eq!(changed(&app, id.try_into().unwrap(), json!({})).await, expected, "{body}");
    }
    app.database.assert_invariants().await;
}

async fn a_contact_is_one_of_its_user_by_hand(app: TestApp) {
    let user = app.user().await;
    let id = add(&app, &user.to_uppercase(), phone("telegram", "+1", "2025550143")).await;
    let stored = contact(&app, id).await;
    assert_eq!(
        stored,
        json!({
            "id": id, "kind": "phone", "value": "+12025550143", "channel": "telegram", "source": "manual",
            "userId": user, "isPrimary": false, "isVerified": false, "verifiedAt": null, "metadata": {},
            "profile": null, "customerId": stored["customerId"], "linkPrecedence": "primary", "linkedId": null,
            "createdAt": stored["createdAt"], "updatedAt": stored["createdAt"],
        })
    );
}

async fn a_contact_that_many_post_at_once_is_there_as_often(app: TestApp) {
    let user = app.user().await;
    let calls = (0..20).map(|_| {
        let request = app.request(Method::POST, PATH).header("Content-Type", "application/json");
        tokio::spawn(send(request.body(of(&user, email("ana@example.com")).to_string())))
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().status, 200);
    }
    assert_eq!(app.contacts().await, 20);
    app.database.assert_invariants().await;
}
