use onefold_domain::email::InvalidEmail;
use onefold_domain::phone::InvalidPhone;
use onefold_domain::profile::ProfileField;
use serde_json::json;

use super::*;

const ID: &str = "9f425a8d-7efc-4768-8f23-7647a74fdf13";
const NIL: &str = "00000000-0000-0000-0000-000000000000";
const FLOW: &str = "3f4b1c9e-0b52-4f63-8ad5-3ac0b7a3b0a1";

fn read_as(body: &Value, trigger: Option<&str>) -> IdentityNotice {
    Kratos::default().read(body.to_string().as_bytes(), trigger).expect("a call that can be read")
}

fn read(body: &Value) -> IdentityNotice {
    read_as(body, None)
}

fn of_traits(traits: &Value) -> IdentityNotice {
    read(&json!({"event": "settings", "identity": {"id": ID, "traits": traits}}))
}

fn told(notice: &IdentityNotice) -> Vec<(&str, bool)> {
    let told = |address| {
        let IdentityAddress { value, is_verified, .. }: &IdentityAddress = address;
        match value {
            IdentityValue::Email(email) => (email.as_str(), *is_verified),
            IdentityValue::Phone(phone) => (phone.as_str(), *is_verified),
        }
    };
    notice.event.addresses.iter().map(told).collect()
}

fn faults(notice: &IdentityNotice) -> Vec<(&str, IdentityFaultReason)> {
    notice.faults.iter().map(|fault| (fault.pointer, fault.reason.clone())).collect()
}

#[test]
fn addresses_are_authoritative_and_other_traits_are_unverified() {
    let notice = read(&json!({
        "event": "verification", "flow_id": FLOW, "unknown": 1,
        "identity": {
            "id": ID, "state": "active", "updated_at": "2024-05-01T10:00:00Z",
            "traits": {"email": " Ann@Example.com", "phone": "+1 202 555 0143", "name": "Ann Lee"},
            "verifiable_addresses": [
                {"value": "ann@example.com", "via": "email", "verified": true, "status": "completed"},
                {"value": "old@example.com", "via": "email", "verified": false, "status": "sent"},
                {"value": "ann", "via": "telegram", "verified": true},
                "nonsense",
            ],
        },
    }));
    let expected = [("ann@example.com", true), ("old@example.com", false), ("+12025550143", false)];
    assert_eq!(told(&notice), expected);
    assert_eq!(notice.event.user, UserId(ID.parse().unwrap()));
    let profile = notice.event.profile.as_ref().unwrap();
    assert_eq!(profile.text(ProfileField::Name), Some("Ann Lee"));
    assert!(notice.faults.is_empty() && notice.event.is_complete && !notice.check_only && !notice.stoppable);
}

#[test]
fn the_whole_context_of_kratos_is_read_as_well() {
    let notice = read(&json!({
        "flow": {"id": FLOW, "type": "browser"}, "request_url": "https://auth.example/self-service/settings",
        "identity": {
            "id": ID, "schema_id": "default", "traits": {"name": {"first": "Ann", "last": "Lee"}},
            "verifiable_addresses": [{"value": "+12025550143", "via": "sms", "verified": true}],
        },
    }));
    assert_eq!(told(&notice), [("+12025550143", true)]);
    let profile = notice.event.profile.as_ref().unwrap();
    assert_eq!(profile.text(ProfileField::FirstName), Some("Ann"));
    assert_eq!(profile.text(ProfileField::LastName), Some("Lee"));
    assert!(notice.stoppable);
}

#[test]
fn what_is_missing_or_blank_is_no_fault() {
    for traits in [json!({}), json!({"email": null, "phone": "", "name": null}), json!({"email": " "})] {
        let notice = of_traits(&traits);
        assert!(told(&notice).is_empty() && notice.faults.is_empty() && notice.event.is_complete);
        assert_eq!(notice.event.profile, None);
    }
    // Without traits nobody can say what the identity has no longer.
    let partial = read(&json!({"identity": {"id": ID}}));
    assert!(!partial.event.is_complete);
    assert_eq!(partial.event.key, None);
}

#[test]
fn faults_are_told_by_the_place_of_their_entry() {
    let notice = of_traits(&json!({"email": "guest", "phone": "n/a", "name": {"first": 5, "last": "Lee"}}));
    let expected = [
        ("#/traits/email", InvalidEmail::MissingAt.into()),
        ("#/traits/phone", InvalidPhone::NoDigit.into()),
        ("#/traits/name", IdentityFaultReason::NotText),
    ];
    assert_eq!(faults(&notice), expected);
    let profile = notice.event.profile.as_ref().unwrap();
    assert_eq!(profile.text(ProfileField::LastName), Some("Lee"), "the rest is taken over");
    assert_eq!(faults(&of_traits(&json!({"email": ["a@b.example"]}))).len(), 1);
    assert_eq!(faults(&of_traits(&json!({"name": "x".repeat(201)})))[0].0, "#/traits/name");
}

#[test]
fn a_refusal_has_the_documented_shape() {
    let faults = [
        IdentityFault { pointer: "#/traits/email", reason: InvalidEmail::MissingAt.into() },
        IdentityFault { pointer: "#/traits/phone", reason: IdentityFaultReason::Taken },
        IdentityFault { pointer: "#/traits/email", reason: IdentityFaultReason::Taken },
    ];
    let message = |id: u32, text: &str| json!({"id": id, "text": text, "type": "error", "context": {}});
    let taken = message(9_000_006, "This address belongs to another account.");
    let missing = message(9_000_001, "The email has no @; write it as name@domain.");
    let expected = json!({"messages": [
        {"instance_ptr": "#/traits/email", "messages": [missing, taken.clone()]},
        {"instance_ptr": "#/traits/phone", "messages": [taken]},
    ]});
    assert_eq!(Kratos::default().refusal(&faults), expected);
}

#[test]
fn repetitions_have_their_key_in_common() {
    let body = |event: &str, updated_at: &str| json!({"event": event, "flow_id": FLOW, "identity": {"id": ID, "updated_at": updated_at, "traits": {}}});
    let settings = body("settings", "2024-05-01T10:00:00Z");
    let key = |body: &Value, trigger: Option<&str>| read_as(body, trigger).event.key;
    assert_eq!(key(&settings, Some("t-1")), Some("trigger:t-1".to_owned()));
    assert_eq!(key(&settings, Some("")), key(&settings, None));
    assert_eq!(key(&settings, Some(&"x".repeat(129))), key(&settings, None));
    assert_ne!(key(&settings, None), key(&body("registration", "2024-05-01T10:00:00Z"), None));
    // A settings flow stays open after it was sent, and may be sent again.
    assert_ne!(key(&settings, None), key(&body("settings", "2024-05-01T10:00:05Z"), None));
}

#[test]
fn what_is_not_stored_yet_is_only_checked() {
    let nil = read(&json!({"event": "registration", "identity": {"id": NIL, "traits": {}}}));
    assert!(nil.check_only && nil.stoppable);
    let said = json!({"event": "settings", "check_only": true, "identity": {"id": ID, "traits": {}}});
    assert!(read(&said).check_only);
    let stored = read(&json!({"event": "registration", "identity": {"id": ID, "traits": {}}}));
    assert!(!stored.check_only && !stored.stoppable);
}

#[test]
fn too_many_addresses_are_cut_and_nothing_is_given_up() {
    let address = |n: usize| json!({"value": format!("a{n}@example.com"), "via": "email", "verified": true});
    let addresses: Vec<_> = (0..=MOST_ADDRESSES).map(address).collect();
    let identity = json!({"id": ID, "traits": {}, "verifiable_addresses": addresses});
    let notice = read(&json!({"event": "settings", "identity": identity}));
    assert_eq!(notice.event.addresses.len(), MOST_ADDRESSES);
    assert!(!notice.event.is_complete && notice.faults.len() == 1);
}

#[test]
fn a_body_without_an_identity_is_a_mistake_of_the_template() {
    let read = |body: &[u8]| Kratos::default().read(body, None).unwrap_err();
    for body in [&b""[..], b"{", b"<html>", b"{\"a\":\"\xff\"}"] {
        assert_eq!(read(body), InvalidNotice::NotJson);
    }
    for body in ["[]", "null", "{}", r#"{"identity":null}"#, r#"{"identity":"x"}"#] {
        assert_eq!(read(body.as_bytes()), InvalidNotice::NoIdentity, "{body}");
    }
    for body in [r#"{"identity":{}}"#, r#"{"identity":{"id":7}}"#, r#"{"identity":{"id":"7"}}"#] {
        assert_eq!(read(body.as_bytes()), InvalidNotice::NoId, "{body}");
    }
}

#[test]
fn of_a_member_that_stands_twice_nobody_knows_which_was_meant() {
    for (body, path) in [
        (
            format!(
                r#"{{"identity":{{"id":"{ID}","traits":{{"email":"a@x.example","email":"b@x.example"}}}}}}"#
            ),
            "identity.traits.email",
        ),
        (format!(r#"{{"identity":{{"id":"{ID}","id":"{ID}"}}}}"#), "identity.id"),
        (
            format!(
                r#"{{"identity":{{"id":"{ID}","verifiable_addresses":[{{"via":"email","via":"sms"}}]}}}}"#
            ),
            "identity.verifiable_addresses.0.via",
        ),
    ] {
        let error = Kratos::default().read(body.as_bytes(), None).unwrap_err();
        assert_eq!(error, InvalidNotice::Doubled { path: path.to_owned() }, "{body}");
    }
    // What is not read may be as large as it likes.
    let body = format!(
        r#"{{"identity":{{"id":"{ID}","traits":{{"email":"a@x.example"}},"metadata_public":{{"n":123456789012345678901234567890}}}}}}"#
    );
    assert_eq!(Kratos::default().read(body.as_bytes(), None).unwrap().event.addresses.len(), 1);
}

#[test]
fn nothing_personal_is_printed() {
    let traits = json!({"email": "secret@example.com", "phone": "+12025550143", "name": "Hidden"});
    let printed = format!("{:?}", of_traits(&traits));
    for personal in ["secret", "2025550143", "Hidden"] {
        assert!(!printed.contains(personal), "{printed}");
    }
}
