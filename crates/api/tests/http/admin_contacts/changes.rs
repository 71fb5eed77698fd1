//! `PUT`: what is given changes, and nothing else.

use super::*;
use crate::on_both_databases;

on_both_databases!(
    each_field_changes_alone,
    a_type_changes_in_every_direction,
    a_new_value_has_yet_to_be_verified,
    another_structure_is_nobodys_first_choice,
    a_change_to_what_is_there_changes_nothing,
    contacts_from_elsewhere_can_be_changed,
    changes_of_many_at_once_are_all_kept,
);

async fn each_field_changes_alone(app: TestApp) {
    let user = app.user().await;
    let whatsapp = || phone("whatsapp", "+55", "11912345678");
    let same = || shown("whatsapp", "+55", "11912345678");
    let mail = || email("ana@example.com");
    for (stored, body, expected) in [
        (mail(), json!({"email": "Bo@example.com"}), json!({"email": "Bo@example.com"})),
        (mail(), json!({"value": "bo@example.com"}), json!({"email": "bo@example.com"})),
        (mail(), json!({"email": null, "value": "bo@example.com"}), json!({"email": "bo@example.com"})),
        (mail(), json!({"type": "email"}), json!({"email": "ana@example.com"})),
        (whatsapp(), json!({"number": "(21) 2"}), shown("whatsapp", "+55", "212")),
        (whatsapp(), json!({"country_code": "3 8 6"}), shown("whatsapp", "+386", "11912345678")),
        (whatsapp(), json!({"type": "telegram"}), shown("telegram", "+55", "11912345678")),
        (whatsapp(), json!({"type": "telephone", "number": "7"}), shown("telephone", "+55", "7")),
        // The id of the user is prohibited, and no id is none.
        (whatsapp(), json!({"uuid": null}), same()),
        (whatsapp(), json!({"uuid": ""}), same()),
        (whatsapp(), json!({"uuid": " \u{200B} "}), same()),
        (whatsapp(), json!({"uuid": []}), same()),
        (whatsapp(), json!({"uuid": {}}), same()),
        // Judged, and without effect beside a type that has no use for it, or as no field at all.
        (whatsapp(), json!({"type": "whatsapp", "email": "bo@example.com"}), same()),
        (whatsapp(), json!({"value": 5, "full": "x", "id": 9}), same()),
        (mail(), json!({"type": "email", "number": "7"}), json!({"email": "ana@example.com"})),
        (mail(), json!({}), json!({"email": "ana@example.com"})),
    ] {
        let id = add(&app, &user, stored).await;
        assert_eq!(changed(&app, id, body.clone()).await, expected, "{body}");
        assert_eq!(changed(&app, id, json!({})).await, expected, "{body}, read again");
        assert_eq!(contact(&app, id).await["userId"], json!(user));
    }
    app.database.assert_invariants().await;
}

async fn a_type_changes_in_every_direction(app: TestApp) {
    let user = app.user().await;
    let types = ["email", "telephone", "whatsapp", "telegram"];
    let (address, number) = ("ana@example.com", ("+55", "11912345678"));
    let request = |kind| {
        if kind == "email" { email(address) } else { phone(kind, number.0, number.1) }
    };
    for (from, to) in types.into_iter().flat_map(|from| types.map(|to| (from, to))) {
        let id = add(&app, &user, request(from)).await;
        let before = contact(&app, id).await;
        let expected = if to == "email" { json!({"email": address}) } else { shown(to, number.0, number.1) };
        assert_eq!(changed(&app, id, request(to)).await, expected, "{from} to {to}");
        let after = contact(&app, id).await;
        let (kind, value) = if to == "email" { ("email", address) } else { ("phone", "+5511912345678") };
        assert_eq!(
            (&after["kind"], &after["channel"], &after["value"], &after["userId"], &after["id"]),
            (&json!(kind), &json!(to), &json!(value), &json!(user), &json!(id)),
            "{from} to {to}"
        );
        assert_eq!(after["createdAt"], before["createdAt"]);
        assert_eq!(after["updatedAt"] == before["updatedAt"], from == to, "{from} to {to}");
        // And only what the new type needs is there: the old value is no lender any more.
        if (from == "email") != (to == "email") {
            let missing =
                if from == "email" { vec![EMAIL_REQUIRED] } else { vec![CODE_REQUIRED, NUMBER_REQUIRED] };
            check_invalid(&put(&app, id, &json!({"type": from})).await, "en", &missing);
        }
    }
    app.database.assert_invariants().await;
}

async fn a_new_value_has_yet_to_be_verified(app: TestApp) {
    let user = app.user().await;
    for (stored, body, stays) in [
        (email("ana@example.com"), json!({"email": "bo@example.com"}), false),
        (email("ana@example.com"), json!({"email": "ANA@example.com"}), true),
        (phone("whatsapp", "+55", "11912345678"), json!({"number": "1"}), false),
        (phone("whatsapp", "+55", "11912345678"), json!({"country_code": "386"}), false),
        // Another way to the same number.
        (phone("whatsapp", "+55", "11912345678"), json!({"type": "telegram"}), true),
        (phone("whatsapp", "+55", "11912345678"), email("ana@example.com"), false),
        (email("ana@example.com"), phone("whatsapp", "+55", "11912345678"), false),
    ] {
        let id = add(&app, &user, stored).await;
        let path = format!("/contacts/{id}");
        app.call(Method::PATCH, &path, &json!({"isVerified": true, "isPrimary": true})).await;
        let before = contact(&app, id).await;
        assert_eq!((&before["isVerified"], &before["isPrimary"]), (&json!(true), &json!(true)));
        changed(&app, id, body.clone()).await;
        let after = contact(&app, id).await;
        assert_eq!(after["isVerified"], stays, "{body}");
        assert_eq!(after["isPrimary"], after["kind"] == before["kind"], "{body}");
    }
    app.database.assert_invariants().await;
}

async fn another_structure_is_nobodys_first_choice(app: TestApp) {
    let user = app.user().await;
    let mail = add(&app, &user, email("ana@example.com")).await;
    let number = add(&app, &user, phone("whatsapp", "+55", "11912345678")).await;
    for id in [mail, number] {
        app.call(Method::PATCH, &format!("/contacts/{id}"), &json!({"isPrimary": true})).await;
    }
    changed(&app, mail, phone("telegram", "+55", "11987654321")).await;
    assert_eq!(contact(&app, mail).await["isPrimary"], false);
    assert_eq!(contact(&app, number).await["isPrimary"], true, "the first among the phones is what it was");
    app.database.assert_invariants().await;
}

async fn a_change_to_what_is_there_changes_nothing(app: TestApp) {
    let user = app.user().await;
    let id = add(&app, &user, phone("whatsapp", "+55", "11912345678")).await;
    let path = format!("/contacts/{id}");
    let before = app.get(&path).await;
    for body in
        [json!({}), json!({"number": "(11) 91234-5678"}), json!({"type": "whatsapp"}), json!({"x": 1})]
    {
        changed(&app, id, body).await;
        assert_eq!(app.get(&path).await.header("etag"), before.header("etag"));
    }
    // The same number, written in another way, is kept as it was written last.
    changed(&app, id, json!({"country_code": "+5511", "number": "912345678"})).await;
    assert!(app.get(&path).await.header("etag") != before.header("etag"));
    assert_eq!(contact(&app, id).await["value"], "+5511912345678");
    assert_eq!(changed(&app, id, json!({})).await, shown("whatsapp", "+5511", "912345678"));
}

async fn contacts_from_elsewhere_can_be_changed(app: TestApp) {
    app.identify(json!({"email": "Doc@HillValley.edu", "phoneNumber": "+1 (202) 555-0143"})).await;
    app.identify(json!({"phoneNumber": "123456"})).await;
    // An email and a phone in one: it is what its channel says, and an email as long as nobody says so.
    assert_eq!(contact(&app, 1).await["kind"], "both");
    assert_eq!(changed(&app, 1, json!({})).await, json!({"email": "Doc@HillValley.edu"}));
    let telegram = shown("telegram", "+1", "2025550143");
    assert_eq!(changed(&app, 1, json!({"type": "telegram"})).await, telegram);
    assert_eq!(changed(&app, 1, json!({})).await, telegram);
    let other = json!({"type": "email", "value": "emmett@hillvalley.edu"});
    assert_eq!(changed(&app, 1, other).await, json!({"email": "emmett@hillvalley.edu"}));
    let stored = contact(&app, 1).await;
    assert_eq!(
        (&stored["email"], &stored["phone"], &stored["channel"]),
        (&json!("emmett@hillvalley.edu"), &json!("+12025550143"), &json!("email")),
        "it keeps what the request is not about"
    );
    // A number of which nobody knows the country cannot be shown without one.
    check_invalid(&put(&app, 2, &json!({"type": "telegram"})).await, "en", &[CODE_REQUIRED]);
    assert_eq!(changed(&app, 2, json!({"country_code": "386"})).await, shown("telephone", "+386", "123456"));
    app.database.assert_invariants().await;
}

async fn changes_of_many_at_once_are_all_kept(app: TestApp) {
    let user = app.user().await;
    let id = add(&app, &user, phone("whatsapp", "+55", "11912345678")).await;
    let bodies = [json!({"number": "7"}), json!({"country_code": "386"}), json!({"type": "telegram"})];
    let calls = bodies.iter().cycle().take(12).map(|body| {
        let request = app.request(Method::PUT, &format!("{PATH}/{id}"));
        tokio::spawn(send(request.header("Content-Type", "application/json").body(body.to_string())))
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().status, 200);
    }
    assert_eq!(changed(&app, id, json!({})).await, shown("telegram", "+386", "7"));
    app.database.assert_invariants().await;
}
