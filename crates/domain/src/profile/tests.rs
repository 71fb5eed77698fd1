//! How profiles are read, patched and ruled about.

use serde_json::json;

use super::*;

fn read(value: &Value) -> Result<Profile, Vec<InvalidProfile>> {
    Profile::parse(value.as_object().unwrap())
}

fn profile(value: &Value) -> Profile {
    read(value).unwrap()
}

fn faults<T: fmt::Debug>(read: Result<T, Vec<InvalidProfile>>) -> Vec<(String, ProfileFault)> {
    read.unwrap_err().into_iter().map(|fault| (fault.path, fault.reason)).collect()
}

fn ann() -> Profile {
    profile(&json!({
        "firstName": "Ann", "notes": "VIP", "address": {"street": "Main St 1", "city": "Bled"},
    }))
}

#[test]
fn what_is_not_known_is_left_out() {
    let read = profile(&json!({"name": null, "role": " \n", "address": {"city": "", "region": null}}));
    assert!(read.is_empty());
    assert!(profile(&json!({"address": {}})).is_empty());
}

#[test]
fn every_fault_is_reported_with_its_path() {
    use ProfileFault as P;
    let bad = json!({
        "address": {"city": 1, "town": null}, "country": "XX", "name": ["Ann"], "nick": null,
        "notes": true, "role": {}, "website": "a b.c", "taxNumber": "x".repeat(65), "firstName": "Ann",
    });
    let country = P::Country(crate::country::InvalidCountry);
    let mut found = faults(read(&bad));
    found.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = [
        ("address.city", P::NotText),
        ("address.town", P::Unknown),
        ("country", country),
        ("name", P::NotText),
        ("nick", P::Unknown),
        ("notes", P::NotText),
        ("role", P::NotText),
        ("taxNumber", P::TooLong { most: 64 }),
        ("website", P::Website),
    ];
    assert_eq!(found, expected.map(|(path, reason)| (path.to_owned(), reason)));
    assert_eq!(faults(read(&json!({"address": "Bled"}))), [("address".to_owned(), P::NotAnAddress)]);
    assert_eq!(faults(read(&json!({"x".repeat(999): 1})))[0].0.len(), 64);
}

#[test]
fn messages_name_the_place_and_never_the_value() {
    let fault = read(&json!({"country": "Atlantis"})).unwrap_err().remove(0);
    let message = fault.to_string();
    assert!(message.starts_with("`country` of the profile: The country is no code"), "{message}");
    assert!(!message.contains("Atlantis"));
}

#[test]
fn a_row_of_a_table_is_read_like_json() {
    let row =
        [("firstName", " Ann"), ("address.street", "Main St 1"), ("address.city", "Bled"), ("role", "")];
    let row =
        Profile::from_texts(&[&row[..], &[("notes", "old"), ("notes", "VIP"), ("notes", " ")]].concat());
    assert_eq!(row, Ok(ann()));

    let bad = [("address", "Bled"), ("address.town", "Bled"), ("nick", ""), ("country", "XX")];
    let paths = faults(Profile::from_texts(&bad)).into_iter().map(|(path, _)| path);
    assert!(paths.eq(["address", "address.town", "nick", "country"]));
}

#[test]
fn a_patch_replaces_merges_and_removes() {
    let patch = json!({"firstName": "Anna", "notes": null, "address": {"city": null, "region": "BC"}});
    let patched = ann().merge_patch(patch.as_object().unwrap()).unwrap();
    let expected = json!({"firstName": "Anna", "address": {"street": "Main St 1", "region": "BC"}});
    assert_eq!(patched, profile(&expected));

    let emptied = json!({"address": {"city": null, "street": " "}});
    assert!(!ann().merge_patch(emptied.as_object().unwrap()).unwrap().states(ProfileField::Address));

    let bad = json!({"address": "Bled", "nick": null});
    assert_eq!(faults(ann().merge_patch(bad.as_object().unwrap())).len(), 2);
}

#[test]
fn a_ruling_holds_what_was_named_and_nothing_else() {
    let patch = json!({"address": {"city": "Kranj"}, "notes": "", "role": null, "name": "Ann Lee"});
    let ruling = Profile::ruling(&ann(), patch.as_object().unwrap()).unwrap();
    let expected = json!({
        "address": {"street": "Main St 1", "city": "Kranj"}, "notes": null, "role": null, "name": "Ann Lee",
    });
    assert_eq!(Value::Object(ruling.to_json()), expected);
    assert_eq!(Profile::from_stored(&expected.to_string()).unwrap(), ruling);

    // What was ruled out stays so when another field is patched.
    let later = ruling.merge_patch(json!({"name": null}).as_object().unwrap()).unwrap();
    assert!(later.states(ProfileField::Notes) && !later.states(ProfileField::Name));
}

#[test]
fn an_overlay_takes_whole_fields() {
    let patch = json!({"address": {"city": "Kranj"}, "notes": null});
    let newer = Profile::ruling(&Profile::default(), patch.as_object().unwrap()).unwrap();
    let both = ann().overlay(&newer);
    assert_eq!(both.text(ProfileField::FirstName), Some("Ann"));
    assert_eq!(both.address().map(|address| address.street.is_none()), Some(true));
    assert!(both.states(ProfileField::Notes) && both.get(ProfileField::Notes).is_none());
}

#[test]
fn stored_profiles_are_read_without_judging() {
    let odd =
        r#"{"country": "Yugoslavia", "nick": "A", "name": 7, "address": {"city": "Bled", "town": "x"}}"#;
    let read = Profile::from_stored(odd).unwrap();
    assert_eq!(read.text(ProfileField::Country), Some("Yugoslavia"));
    assert_eq!(read.iter().count(), 2);
    assert!(Profile::from_stored("[]").is_err());
}

#[test]
fn debug_does_not_show_the_values() {
    let mut shown = format!("{:?}", ann());
    assert_eq!(shown, "Profile {FirstName: true, Address: true, Notes: true}");
    for (_, value) in ann().iter() {
        shown += &format!("{value:?}");
    }
    assert!(!shown.contains("Ann") && !shown.contains("VIP") && !shown.contains("Bled"), "{shown}");
}
