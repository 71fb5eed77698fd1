//! PUT.

use onefold_domain::contact::Channel;
use serde_json::{Value, json};

use super::*;

fn put(body: &Value, stored: &Stored) -> Result<Point, Vec<(&'static str, String)>> {
    ChangeContact::validate(&input(&body.to_string()), stored)
        .and_then(|change| change.complete(stored.clone()))
        .map_err(|errors| listed(&errors))
}

#[test]
fn a_put_changes_what_it_gives() {
    for (stored, body, changed) in [
        (whatsapp(), json!({}), whatsapp()),
        (whatsapp(), json!({"uuid": null}), whatsapp()),
        (whatsapp(), json!({"uuid": " "}), whatsapp()),
        (whatsapp(), json!({"uuid": []}), whatsapp()),
        (whatsapp(), json!({"uuid": {}}), whatsapp()),
        (whatsapp(), json!({"number": "(21) 2"}), phone(PhoneChannel::Whatsapp, "+55", "212")),
        (whatsapp(), json!({"country_code": "386"}), phone(PhoneChannel::Whatsapp, "+386", "11912345678")),
        (whatsapp(), json!({"type": "telegram"}), phone(PhoneChannel::Telegram, "+55", "11912345678")),
        (whatsapp(), json!({"type": "telephone", "number": "7"}), phone(PhoneChannel::Telephone, "+55", "7")),
        (whatsapp(), json!({"type": "email", "email": "b@example.com"}), email("b@example.com")),
        (whatsapp(), json!({"type": "email", "value": "b@example.com"}), email("b@example.com")),
        // Of another structure than the type, or of none: judged, and without effect.
        (
            whatsapp(),
            json!({"type": "telegram", "email": "b@example.com"}),
            phone(PhoneChannel::Telegram, "+55", "11912345678"),
        ),
        (whatsapp(), json!({"value": "b@example.com", "full": "x"}), whatsapp()),
        (email("a@example.com"), json!({"type": "email", "number": "7"}), email("a@example.com")),
        (email("a@example.com"), json!({"type": "email"}), email("a@example.com")),
        (email("a@example.com"), json!({"email": "b@example.com"}), email("b@example.com")),
        (email("a@example.com"), json!({"value": "b@example.com"}), email("b@example.com")),
        (
            email("a@example.com"),
            json!({"type": "whatsapp", "country_code": "+55", "number": "11912345678"}),
            whatsapp(),
        ),
    ] {
        assert!(put(&body, &stored.into()).unwrap() == changed, "{body}");
    }
}

#[test]
fn a_put_is_told_every_fault() {
    let mail = email("a@example.com");
    for (stored, body, errors) in [
        (&mail, json!({"uuid": USER}), vec![UUID_PROHIBITED]),
        (&mail, json!({"uuid": 0}), vec![UUID_PROHIBITED]),
        (&mail, json!({"uuid": false}), vec![UUID_PROHIBITED]),
        (&mail, json!({"type": "Email"}), vec![TYPE_INVALID]),
        (&mail, json!({"type": null}), vec![TYPE_INVALID]),
        (&mail, json!({"type": ["email"], "email": 5}), vec![TYPE_INVALID, EMAIL_STRING, EMAIL_INVALID]),
        (&mail, json!({"email": "ana"}), vec![EMAIL_INVALID]),
        (&mail, json!({"value": "ana"}), vec![EMAIL_INVALID]),
        (&mail, json!({"email": null}), vec![EMAIL_STRING, EMAIL_INVALID]),
        (&mail, json!({"type": "email", "email": ""}), vec![EMAIL_REQUIRED]),
        (&mail, json!({"type": "whatsapp"}), vec![CODE_REQUIRED, NUMBER_REQUIRED]),
        (&mail, json!({"type": "telegram", "number": "1"}), vec![CODE_REQUIRED]),
        (&mail, json!({"number": "7"}), vec![TYPE_WITH_NUMBER]),
        (&mail, json!({"country_code": "+55", "email": "b@example.com"}), vec![TYPE_WITH_NUMBER]),
        (&mail, json!({"number": "abc"}), vec![TYPE_WITH_NUMBER, NUMBER_FORMAT]),
        (&whatsapp(), json!({"email": "b@example.com", "number": "7"}), vec![TYPE_WITH_EMAIL]),
        (&whatsapp(), json!({"email": "b"}), vec![TYPE_WITH_EMAIL, EMAIL_INVALID]),
        (&whatsapp(), json!({"type": "email"}), vec![EMAIL_REQUIRED]),
        (&whatsapp(), json!({"type": "email", "value": ""}), vec![EMAIL_REQUIRED]),
        (&whatsapp(), json!({"number": ""}), vec![NUMBER_REQUIRED]),
        (&whatsapp(), json!({"country_code": null}), vec![CODE_REQUIRED]),
        (&whatsapp(), json!({"number": 5}), vec![NUMBER_STRING]),
        (&whatsapp(), json!({"email": ""}), vec![EMAIL_STRING, EMAIL_INVALID]),
        (
            &whatsapp(),
            json!({"number": "", "country_code": 5, "email": "x", "type": "fax", "uuid": USER}),
            vec![UUID_PROHIBITED, TYPE_INVALID, EMAIL_INVALID, CODE_STRING, NUMBER_STRING, NUMBER_FORMAT],
        ),
    ] {
        assert_eq!(put(&body, &stored.clone().into()), Err(expected(&errors)), "{body}");
    }
}

#[test]
fn a_contact_from_elsewhere_lends_what_it_has() {
    let stored = Stored {
        channel: Channel::Telephone,
        email: Some("a@example.com".to_owned()),
        country_code: None,
        number: Some("123456".to_owned()),
    };
    assert!(put(&json!({"type": "email"}), &stored).unwrap() == email("a@example.com"));
    assert_eq!(put(&json!({"type": "telegram"}), &stored), Err(expected(&[CODE_REQUIRED])));
    assert_eq!(put(&json!({}), &stored), Err(expected(&[CODE_REQUIRED])));
    let whole = phone(PhoneChannel::Telephone, "+386", "123456");
    assert!(put(&json!({"country_code": "386"}), &stored).unwrap() == whole);
}

#[test]
fn a_change_is_refused_when_the_contact_is_another_by_now() {
    let change = ChangeContact::validate(&input("{\"number\":\"7\"}"), &whatsapp().into()).unwrap();
    assert_eq!(format!("{change:?}").matches("true").count(), 1);
    let nameless = Stored { channel: Channel::Email, email: None, country_code: None, number: None };
    assert_eq!(listed(&change.clone().complete(nameless.clone()).unwrap_err()), expected(&[EMAIL_REQUIRED]));
    let telegram = Stored { channel: Channel::Telegram, ..nameless };
    assert_eq!(listed(&change.complete(telegram).unwrap_err()), expected(&[CODE_REQUIRED]));
}
