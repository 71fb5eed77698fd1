//! POST.

use actix_web::body::MessageBody;
use onefold_domain::phone::PhoneNumber;
use serde_json::{Value, json};

use super::*;

fn post(body: &str) -> Result<CreateContact, Vec<(&'static str, String)>> {
    CreateContact::validate(&input(body)).map_err(|errors| listed(&errors))
}

/// The body with a user who is known to be fine.
fn of_user(mut body: Value) -> String {
    body["uuid"] = json!(USER);
    body.to_string()
}

#[test]
fn a_post_gives_a_contact() {
    for (body, point) in [
        (json!({"type": "email", "email": "ana@example.com"}), email("ana@example.com")),
        (json!({"type": "email", "value": "ana@example.com"}), email("ana@example.com")),
        (json!({"type": "email", "email": "", "value": "ana@example.com"}), email("ana@example.com")),
        (json!({"type": "email", "email": "ana@example.com", "value": 5}), email("ana@example.com")),
        (json!({"type": "email", "email": " \u{FEFF}ANA@example.com\u{200B}\n"}), email("ANA@example.com")),
        (json!({"type": "email", "email": "user@localhost"}), email("user@localhost")),
        (json!({"type": "whatsapp", "country_code": "+55", "number": "11912345678"}), whatsapp()),
        (json!({"type": "whatsapp", "country_code": "55", "number": "(11) 91234-5678"}), whatsapp()),
        (json!({"type": " whatsapp ", "country_code": "++5 5", "number": "+11 9.1234.5678"}), whatsapp()),
        (
            json!({"type": "telephone", "country_code": "+386", "number": "31 123 456", "value": []}),
            phone(PhoneChannel::Telephone, "+386", "31123456"),
        ),
        (
            json!({"type": "telegram", "country_code": "0055", "number": "0", "email": "ana@example.com"}),
            phone(PhoneChannel::Telegram, "+0055", "0"),
        ),
        (
            json!({"type": "email", "email": "a@b.example", "number": "1", "other": {"a": []}}),
            email("a@b.example"),
        ),
    ] {
        let created = CreateContact { user: USER.parse().unwrap(), point };
        assert!(post(&of_user(body.clone())).unwrap() == created, "{body}");
    }
}

#[test]
fn a_post_without_fields_is_told_what_is_required() {
    for body in ["{}", "", "{\"uuid\":", "null", "5", "\"x\"", "[]", "[{\"type\":\"email\"}]"] {
        let errors = [UUID_REQUIRED, TYPE_REQUIRED, CODE_REQUIRED, NUMBER_REQUIRED];
        assert_eq!(post(body), Err(expected(&errors)), "{body}");
    }
    let input = Input::read(b"{\"type\":\"email\"}", Some("text/plain"), "type=email").unwrap();
    let errors = CreateContact::validate(&input).unwrap_err();
    assert_eq!(listed(&errors), expected(&[UUID_REQUIRED, EMAIL_REQUIRED]));
}

#[test]
fn a_uuid_is_judged_by_its_shape() {
    for (uuid, error) in [
        (json!(null), UUID_REQUIRED),
        (json!(" \u{A0} "), UUID_REQUIRED),
        (json!([]), UUID_REQUIRED),
        (json!({}), UUID_REQUIRED),
        (json!(123), UUID_INVALID),
        (json!(false), UUID_INVALID),
        (json!([USER]), UUID_INVALID),
        (json!({"uuid": USER}), UUID_INVALID),
        (json!("8e03978e40d543e8bc936894a57f9324"), UUID_INVALID),
        (json!(format!("{{{USER}}}")), UUID_INVALID),
        (json!(format!("urn:uuid:{USER}")), UUID_INVALID),
        (json!("5"), UUID_INVALID),
    ] {
        let body = json!({"uuid": uuid, "type": "email", "email": "ana@example.com"});
        assert_eq!(post(&body.to_string()), Err(expected(&[error])), "{body}");
    }
    let spaced =
        json!({"uuid": format!(" {} ", USER.to_uppercase()), "type": "email", "email": "a@b.example"});
    assert_eq!(post(&spaced.to_string()).unwrap().user.to_string(), USER);
}

#[test]
fn another_type_asks_for_a_number_as_well() {
    for (kind, error) in [
        (json!("Email"), TYPE_INVALID),
        (json!("WHATSAPP"), TYPE_INVALID),
        (json!("sms"), TYPE_INVALID),
        (json!(1), TYPE_INVALID),
        (json!(0), TYPE_INVALID),
        (json!(true), TYPE_INVALID),
        (json!(["email"]), TYPE_INVALID),
        (json!({"type": "email"}), TYPE_INVALID),
        (json!(null), TYPE_REQUIRED),
        (json!(""), TYPE_REQUIRED),
    ] {
        let body = json!({"type": kind, "email": "ana@example.com"});
        assert_eq!(post(&of_user(body)), Err(expected(&[error, CODE_REQUIRED, NUMBER_REQUIRED])), "{kind}");
    }
}

#[test]
fn an_email_is_judged_by_every_rule() {
    let long = format!("{}@example.com", "a".repeat(288));
    for (body, errors) in [
        (json!({}), vec![EMAIL_REQUIRED]),
        (json!({"email": null}), vec![EMAIL_REQUIRED]),
        (json!({"email": " \u{200B} "}), vec![EMAIL_REQUIRED]),
        (json!({"email": [], "value": "ana@example.com"}), vec![EMAIL_REQUIRED]),
        (json!({"email": {}}), vec![EMAIL_REQUIRED]),
        (json!({"email": 5}), vec![EMAIL_STRING, EMAIL_INVALID]),
        (json!({"email": false}), vec![EMAIL_STRING, EMAIL_INVALID]),
        (json!({"email": ["ana@example.com"]}), vec![EMAIL_STRING, EMAIL_INVALID]),
        (json!({"email": {"a": "ana@example.com"}}), vec![EMAIL_STRING, EMAIL_INVALID]),
        (json!({"email": "ana"}), vec![EMAIL_INVALID]),
        (json!({"email": "ana"  , "value": "ana@example.com"}), vec![EMAIL_INVALID]),
        (json!({"email": "ana@example.com\r\nb"}), vec![EMAIL_INVALID]),
        (json!({"email": long}), vec![EMAIL_INVALID]),
        (json!({"email": "\u{1F600}".repeat(256)}), vec![EMAIL_INVALID]),
        (json!({"value": null}), vec![EMAIL_REQUIRED]),
        (json!({"value": ""}), vec![EMAIL_REQUIRED]),
        (json!({"value": "ana"}), vec![EMAIL_INVALID]),
        (json!({"value": 5}), vec![EMAIL_STRING, EMAIL_INVALID]),
        (json!({"email": "ana", "number": 5}), vec![EMAIL_INVALID, NUMBER_STRING]),
    ] {
        let mut body = body;
        body["type"] = json!("email");
        assert_eq!(post(&of_user(body.clone())), Err(expected(&errors)), "{body}");
    }
}

#[test]
fn a_number_is_judged_by_every_rule() {
    for (body, errors) in [
        (json!({}), vec![CODE_REQUIRED, NUMBER_REQUIRED]),
        (json!({"number": "1"}), vec![CODE_REQUIRED]),
        (json!({"number": "1", "country_code": "  "}), vec![CODE_REQUIRED]),
        (json!({"country_code": "+55", "number": null}), vec![NUMBER_REQUIRED]),
        (json!({"country_code": [], "number": {}}), vec![CODE_REQUIRED, NUMBER_REQUIRED]),
        (json!({"country_code": 55, "number": 912_345_678}), vec![CODE_STRING, NUMBER_STRING]),
        (json!({"country_code": "+55", "number": 0}), vec![NUMBER_STRING]),
        (json!({"country_code": "+55", "number": ["1"]}), vec![NUMBER_STRING, NUMBER_FORMAT]),
        (json!({"country_code": {"a": 1}, "number": "1"}), vec![CODE_STRING, CODE_FORMAT]),
        (json!({"country_code": "+", "number": "abc"}), vec![CODE_FORMAT, NUMBER_FORMAT]),
        (json!({"country_code": "+55", "number": "٩١٢٣"}), vec![NUMBER_FORMAT]),
        // Of these the digits alone are another number.
        (json!({"country_code": "+1", "number": "2025550143 x12"}), vec![NUMBER_FORMAT]),
        (json!({"country_code": "+1", "number": "202555O143"}), vec![NUMBER_FORMAT]),
        (json!({"country_code": "+1", "number": "4.91512E+11"}), vec![NUMBER_FORMAT]),
        (json!({"country_code": "1".repeat(11), "number": "1".repeat(21)}), vec![CODE_LONG, NUMBER_LONG]),
        (json!({"country_code": "+55", "number": "x".repeat(21)}), vec![NUMBER_LONG, NUMBER_FORMAT]),
        (
            json!({"country_code": "+55", "number": 123_456_789_012_345_678_901_f64}),
            vec![NUMBER_STRING, NUMBER_LONG],
        ),
        // Not nullable: what is there is judged, needed or not.
        (json!({"country_code": "+55", "number": "1", "email": ""}), vec![EMAIL_STRING, EMAIL_INVALID]),
        (json!({"country_code": "+55", "number": "1", "email": "ana"}), vec![EMAIL_INVALID]),
    ] {
        let mut body = body;
        body["type"] = json!("telegram");
        assert_eq!(post(&of_user(body.clone())), Err(expected(&errors)), "{body}");
    }
}

#[test]
fn the_longest_number_is_one_to_the_domain() {
    let body = json!({"type": "telephone", "country_code": "1".repeat(10), "number": "2".repeat(20)});
    let Point::Phone { country_code, number, .. } = post(&of_user(body)).unwrap().point else {
        panic!("no phone");
    };
    assert!(PhoneNumber::parse_long(&point::full(&country_code, &number), None).is_ok());
}

#[test]
fn malformed_json_is_answered_in_the_callers_language() {
    let errors = CreateContact::validate(&input("{\"type\":")).unwrap_err();
    let answer = answer::invalid(&errors, Language::negotiate(Some("de-AT, en;q=0.5")));
    assert_eq!(answer.status().as_u16(), 422);
    assert_eq!(answer.headers().get("Content-Language").unwrap(), "de");
    let body = answer.into_body().try_into_bytes().unwrap();
    let expected = json!({"message": "The given data was invalid.", "errors": {
        "uuid": ["Uuid muss ausgefüllt werden."],
        "type": ["Typ muss ausgefüllt werden."],
        "country_code": ["Country code muss ausgefüllt werden, wenn Typ nicht den Wert email hat."],
        "number": ["Nummer muss ausgefüllt werden, wenn Typ nicht den Wert email hat."],
    }});
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expected);
}
