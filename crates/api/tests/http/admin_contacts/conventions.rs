//! How requests are read: decoding, trimming, rules, as Laravel has them, oddities included.

use super::*;
use crate::on_both_databases;

on_both_databases!(
    what_surrounds_a_text_does_not_count,
    a_body_is_json_or_nothing,
    parameters_of_the_query_stand_in,
    a_uuid_has_one_shape,
    a_type_is_written_in_one_way,
    an_email_may_be_unusual_but_not_long,
    digits_of_other_scripts_are_not_lost,
);

async fn sent(app: &TestApp, method: Method, path: &str, content_type: &str, body: Vec<u8>) -> Answer {
    let request = app.request(method, path);
    let request =
        if content_type.is_empty() { request } else { request.header("Content-Type", content_type) };
    send(request.body(body)).await
}

async fn what_surrounds_a_text_does_not_count(app: TestApp) {
    let user = app.user().await;
    for mark in [
        "\u{A0}",
        "\u{AD}",
        "\u{200B}",
        "\u{200F}",
        "\u{2060}",
        "\u{3000}",
        "\u{FEFF}",
        "\u{E0020}",
        "\t\r\n ",
        "\0",
    ] {
        let around = |text: &str| format!("{mark}{text}{mark}");
        let body =
            json!({"uuid": around(&user), "type": around("email"), "email": around("ana@example.com")});
        let answer = post(&app, &body).await;
        assert_eq!((answer.status, answer.json()), (200, json!({"email": "ana@example.com"})), "{mark:?}");
        let body = phone(&around("whatsapp"), &around("+55"), &around("11912345678"));
        let answer = post(&app, &of(&around(&user), body)).await;
        assert_eq!(
            (answer.status, answer.json()),
            (200, shown("whatsapp", "+55", "11912345678")),
            "{mark:?}"
        );
        // Nothing but marks is null.
        let body = json!({"uuid": mark, "type": "email", "email": mark, "value": mark});
        check_invalid(&post(&app, &body).await, "en", &[UUID_REQUIRED, EMAIL_REQUIRED]);
        // Within a text they are a mistake.
        let body = of(&user, email(&format!("a{mark}na@example.com")));
        check_invalid(&post(&app, &body).await, "en", &[EMAIL_INVALID]);
    }
    // Names are not trimmed, and neither is what is no text.
    let body = json!({" uuid": user, "type": "email", "email ": "ana@example.com", "email": {"a": " x "}});
    check_invalid(&post(&app, &body).await, "en", &[UUID_REQUIRED, EMAIL_STRING, EMAIL_INVALID]);
}

async fn a_body_is_json_or_nothing(app: TestApp) {
    const JSON: &str = "application/json";
    const NOT_AN_OBJECT: &str = "The request body is not a JSON object.";
    let user = app.user().await;
    let id = add(&app, &user, email("ana@example.com")).await;
    let path = format!("{PATH}/{id}");
    let nothing = [UUID_REQUIRED, TYPE_REQUIRED, CODE_REQUIRED, NUMBER_REQUIRED];
    let good = of(&user, email("bo@example.com")).to_string();
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(600), "]".repeat(600));
    for (content_type, body) in [
        (JSON, ""),
        (JSON, " "),
        (JSON, "{"),
        (JSON, "{\"uuid\":}"),
        (JSON, "{'uuid':1}"),
        (JSON, "{\"uuid\":1,}"),
        (JSON, "{}{}"),
        (JSON, "\u{FEFF}{}"),
        (JSON, "{\"uuid\":\"\\ud800\"}"),
        (JSON, "\"x\""),
        (JSON, "5"),
        (JSON, "true"),
        (JSON, "null"),
        (JSON, "[]"),
        (JSON, "[{\"type\":\"email\"}]"),
        (JSON, &deep),
        ("text/plain", &good),
        ("application/x-www-form-urlencoded", &good),
        ("application/JSON", &good),
        ("", &good),
    ] {
        let answer = sent(&app, Method::POST, PATH, content_type, body.into()).await;
        check_invalid(&answer, "en", &nothing);
        let answer = sent(&app, Method::PUT, &path, content_type, body.into()).await;
        check_refused(&answer, 400, NOT_AN_OBJECT);
    }
    let answer = sent(&app, Method::POST, PATH, JSON, b"{\"uuid\":\"\xFF\"}".to_vec()).await;
    check_invalid(&answer, "en", &nothing);
    for content_type in ["application/json; charset=utf-8", "text/json", "application/vnd.api+json"] {
        let answer = sent(&app, Method::POST, PATH, content_type, good.clone().into()).await;
        assert_eq!(answer.status, 200, "{content_type}: {answer:?}");
    }
    // An empty object is one, and of a member that stands twice the last one counts.
    assert_eq!(changed(&app, id, json!({})).await, json!({"email": "ana@example.com"}));
    let twice = format!(r#"{{"uuid":5,"type":"email","email":"a@b.example","uuid":"{user}"}}"#);
    assert_eq!(app.post(PATH, twice).await.status, 200);
    // JSON is what is answered, whatever is preferred.
    let request = app.request(Method::POST, PATH).header("Accept", "text/html");
    check_invalid(&send(request).await, "en", &nothing);
}

async fn parameters_of_the_query_stand_in(app: TestApp) {
    let user = app.user().await;
    let body = json!({"email": "ana@example.com"});
    let answer = app.call(Method::POST, &format!("{PATH}?uuid={user}&type=%20email+"), &body).await;
    assert_eq!((answer.status, answer.json()), (200, body.clone()));
    // The body goes before it, null included.
    let answer =
        app.call(Method::POST, &format!("{PATH}?uuid=5&type=fax"), &of(&user, email("a@b.example"))).await;
    assert_eq!(answer.status, 200);
    let with_null = json!({"uuid": user, "type": "email", "email": null});
    let answer = app.call(Method::POST, &format!("{PATH}?email=ana@example.com"), &with_null).await;
    check_invalid(&answer, "en", &[EMAIL_REQUIRED]);
    // A plus is a blank there.
    let query = format!("uuid={user}&type=whatsapp&country_code=+55&number=11%2091234-5678");
    let answer = sent(&app, Method::POST, &format!("{PATH}?{query}"), "", Vec::new()).await;
    assert_eq!((answer.status, answer.json()), (200, shown("whatsapp", "+55", "11912345678")));
    let answer = sent(&app, Method::PUT, &format!("{PATH}/3?type=telegram"), "", Vec::new()).await;
    assert_eq!((answer.status, answer.json()), (200, shown("telegram", "+55", "11912345678")));
    let answer = app.call(Method::PUT, &format!("{PATH}/3?uuid={user}"), &json!({})).await;
    check_invalid(&answer, "en", &[UUID_PROHIBITED]);
    let answer = app
        .call(Method::POST, &format!("{PATH}?email[]=ana@example.com&type=email"), &json!({"uuid": user}))
        .await;
    check_invalid(&answer, "en", &[EMAIL_STRING, EMAIL_INVALID]);
}

async fn a_uuid_has_one_shape(app: TestApp) {
    let user = app.user().await;
    let simple = user.replace('-', "");
    let long = format!("{user}0");
    for (uuid, error) in [
        (json!(null), UUID_REQUIRED),
        (json!("\u{A0} "), UUID_REQUIRED),
        (json!([]), UUID_REQUIRED),
        (json!({}), UUID_REQUIRED),
        (json!(123), UUID_INVALID),
        (json!(0), UUID_INVALID),
        (json!(false), UUID_INVALID),
        (json!([user]), UUID_INVALID),
        (json!({"uuid": user}), UUID_INVALID),
        (json!(simple), UUID_INVALID),
        (json!(format!("{{{user}}}")), UUID_INVALID),
        (json!(format!("urn:uuid:{user}")), UUID_INVALID),
        (json!(long), UUID_INVALID),
        (json!("g".repeat(36)), UUID_INVALID),
    ] {
        let body = json!({"uuid": uuid, "type": "email", "email": "ana@example.com"});
        check_invalid(&post(&app, &body).await, "en", &[error]);
    }
    assert_eq!(add(&app, &format!(" {} ", user.to_uppercase()), email("ana@example.com")).await, 1);
    assert_eq!(contact(&app, 1).await["userId"], json!(user));
}

async fn a_type_is_written_in_one_way(app: TestApp) {
    let user = app.user().await;
    for kind in ["Email", "EMAIL", "WhatsApp", "sms", "e mail", "email,telephone", "1"] {
        let body = of(&user, json!({"type": kind, "email": "ana@example.com"}));
        check_invalid(&post(&app, &body).await, "en", &[TYPE_INVALID, CODE_REQUIRED, NUMBER_REQUIRED]);
    }
    for kind in [json!(1), json!(true), json!(false), json!(["email"]), json!({"a": "email"})] {
        let body = of(&user, json!({"type": kind, "country_code": "1", "number": "1"}));
        check_invalid(&post(&app, &body).await, "en", &[TYPE_INVALID]);
    }
}

async fn an_email_may_be_unusual_but_not_long(app: TestApp) {
    let user = app.user().await;
    let of_length = |length: usize| format!("{}@example.com", "a".repeat(length - 12));
    for address in
        ["user@localhost", "\"a b\"@example.com", "a(x)@example.com", "jösé@example.com", "a@[192.0.2.1]"]
    {
        assert_eq!(post(&app, &of(&user, email(address))).await.json(), json!({"email": address}));
    }
    let longest = of_length(254);
    assert_eq!(post(&app, &of(&user, email(&longest))).await.json(), json!({"email": longest}));
    let emoji = format!("{}@example.com", "\u{1F600}".repeat(243));
    for address in [
        &of_length(255),
        &of_length(300),
        &emoji,
        "a@b@c.example",
        "a@b.example\r\nX: y",
        "@",
        "a.@b.example",
        "a..b@c.example",
    ] {
        check_invalid(&post(&app, &of(&user, email(address))).await, "en", &[EMAIL_INVALID]);
        let body = of(&user, json!({"type": "email", "value": address}));
        check_invalid(&post(&app, &body).await, "en", &[EMAIL_INVALID]);
        check_invalid(&put(&app, 1, &json!({"email": address})).await, "en", &[EMAIL_INVALID]);
    }
    for value in [json!(5), json!(0), json!(["a@b.example"]), json!({"email": "a@b.example"}), json!(1e300)] {
        let body = of(&user, json!({"type": "email", "email": value}));
        check_invalid(&post(&app, &body).await, "en", &[EMAIL_STRING, EMAIL_INVALID]);
    }
}

async fn digits_of_other_scripts_are_not_lost(app: TestApp) {
    let user = app.user().await;
    for number in ["٩١٢٣٤٥", "９１２３", "12³", "\u{1F600}", "--", "("] {
        let body = of(&user, phone("telegram", "+55", number));
        check_invalid(&post(&app, &body).await, "en", &[NUMBER_FORMAT]);
    }
    for (code, errors) in [
        (json!(55), vec![CODE_STRING]),
        (json!(0), vec![CODE_STRING]),
        (json!(true), vec![CODE_STRING, CODE_FORMAT]),
        (json!([55]), vec![CODE_STRING, CODE_FORMAT]),
        (json!({"a": {"b": []}}), vec![CODE_STRING, CODE_FORMAT]),
        (json!("+５５"), vec![CODE_FORMAT]),
        (json!(12_345_678_901_i64), vec![CODE_STRING, CODE_LONG]),
    ] {
        let body = json!({"uuid": user, "type": "telegram", "country_code": code, "number": "1"});
        check_invalid(&post(&app, &body).await, "en", &errors);
    }
}
