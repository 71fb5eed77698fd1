//! Reading the values of a profile: which texts a field takes, how they are cleaned, and what is said
//! of those that cannot be meant.

use serde_json::{Map, Value};

use crate::country::{CountryCode, InvalidCountry};
use crate::profile::{Address, ProfileField, ProfileValue, Tags};
use crate::text::visible;

/// A faulty member of a profile, by its path: `country`, `address.city`.
///
/// The path of an unknown member is the caller's own name for it, cut off after 64 characters.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{path}` of the profile: {reason}")]
pub struct InvalidProfile {
    pub path: String,
    pub reason: ProfileFault,
}

/// What is wrong with a member of a profile. The messages never repeat the value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProfileFault {
    #[error("There is no such member; remove it, or keep it in the metadata.")]
    Unknown,
    #[error("The tags are no list of texts; send an array such as [\"VIP\"].")]
    NotTags,
    #[error("There are more than {} tags; remove some.", Tags::MOST)]
    TooManyTags,
    #[error("A tag holds a comma; make it two.")]
    Comma,
    #[error("The value is no text; send a text, or null if it is not known.")]
    NotText,
    #[error("The address is no object; send one with street, city, postalCode and region, as far as known.")]
    NotAnAddress,
    #[error("The value has more than {most} characters; shorten it.")]
    TooLong { most: usize },
    #[error("The value holds a control character; remove it.")]
    ControlCharacter,
    #[error(transparent)]
    Country(#[from] InvalidCountry),
    #[error("The website is no web address; send one such as www.example.com or https://example.com.")]
    Website,
}

/// The value of a field as JSON; `None` for null, blank texts and addresses without a part. Faults are
/// added to the list.
pub(super) fn read_value(
    field: ProfileField,
    value: &Value,
    faults: &mut Vec<InvalidProfile>,
) -> Option<ProfileValue> {
    let read = match (field, value) {
        (_, Value::Null) => Ok(None),
        (ProfileField::Address, Value::Object(parts)) => return read_address(parts, faults),
        (ProfileField::Address, _) => Err(ProfileFault::NotAnAddress),
        (ProfileField::Tags, value) => {
            return noted(tags_of(value), field.as_str(), faults).map(ProfileValue::Tags);
        }
        (_, Value::String(text)) => read_text(field, text),
        _ => Err(ProfileFault::NotText),
    };
    noted(read, field.as_str(), faults).map(ProfileValue::Text)
}

/// The text of any field but the address; `None` if it is blank.
pub(super) fn read_text(field: ProfileField, received: &str) -> Result<Option<String>, ProfileFault> {
    let Some(text) = clean(received, limit(field), field == ProfileField::Notes)? else { return Ok(None) };
    match field {
        ProfileField::Country => Ok(Some(CountryCode::parse(&text)?.as_str().to_owned())),
        ProfileField::Website if !is_website(&text) => Err(ProfileFault::Website),
        _ => Ok(Some(text)),
    }
}

fn tags_of(value: &Value) -> Result<Option<Tags>, ProfileFault> {
    match value {
        Value::String(text) => read_tags(text.split(',')),
        Value::Array(items) => {
            let texts: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
            let texts = texts.ok_or(ProfileFault::NotTags)?;
            if texts.iter().any(|text| text.contains(',')) {
                return Err(ProfileFault::Comma);
            }
            read_tags(texts.into_iter())
        }
        _ => Err(ProfileFault::NotTags),
    }
}

/// `None` if none is left that is not blank.
pub(super) fn read_tags<'a>(received: impl Iterator<Item = &'a str>) -> Result<Option<Tags>, ProfileFault> {
    let cleaned: Result<Vec<_>, _> = received.map(|text| clean(text, Tags::LONGEST, false)).collect();
    let cleaned: Vec<_> = cleaned?.into_iter().flatten().collect();
    let tags = Tags::of(cleaned.iter().map(String::as_str));
    if tags.iter().count() > Tags::MOST {
        return Err(ProfileFault::TooManyTags);
    }
    Ok(Some(tags).filter(|tags| !tags.is_empty()))
}

/// Reads one part of an address into its place; a blank text leaves the place as it is.
pub(super) fn read_part(address: &mut Address, part: &str, received: &str) -> Result<(), ProfileFault> {
    let place = address.part_mut(part).ok_or(ProfileFault::Unknown)?;
    let most = if part == "postalCode" { 32 } else { 200 };
    if let Some(text) = clean(received, most, part == "street")? {
        *place = Some(text);
    }
    Ok(())
}

/// Takes the value, or adds the fault to the list.
pub(super) fn noted<T: Default>(
    read: Result<T, ProfileFault>,
    path: &str,
    faults: &mut Vec<InvalidProfile>,
) -> T {
    read.unwrap_or_else(|reason| {
        // Paths of known members are shorter by far; others may have any length.
        faults.push(InvalidProfile { path: path.chars().take(64).collect(), reason });
        T::default()
    })
}

fn read_address(parts: &Map<String, Value>, faults: &mut Vec<InvalidProfile>) -> Option<ProfileValue> {
    let mut address = Address::default();
    for (part, value) in parts {
        let read = match value {
            // A misspelt part is a fault even when it is null.
            _ if address.part_mut(part).is_none() => Err(ProfileFault::Unknown),
            Value::Null => Ok(()),
            Value::String(text) => read_part(&mut address, part, text),
            _ => Err(ProfileFault::NotText),
        };
        noted(read, &format!("address.{part}"), faults);
    }
    (!address.is_empty()).then_some(ProfileValue::Address(address))
}

/// The most characters of a field; parts of the address have their own.
fn limit(field: ProfileField) -> usize {
    match field {
        ProfileField::TaxNumber => 64,
        ProfileField::Notes => 10_000,
        ProfileField::Website => 2_048,
        _ => 200,
    }
}

/// Trims, and outside of fields with `lines` makes tabs and line breaks a blank.
///
/// Marks without a glyph stay: Persian and Hindi names need the joiners among them. A text of nothing
/// else is blank all the same.
fn clean(received: &str, most: usize, lines: bool) -> Result<Option<String>, ProfileFault> {
    const BREAKS: [char; 3] = ['\n', '\r', '\t'];
    if visible(received).is_empty() {
        return Ok(None);
    }
    let text = if lines {
        received.trim().to_owned()
    } else {
        let pieces: Vec<_> =
            received.split(BREAKS).map(str::trim).filter(|piece| !piece.is_empty()).collect();
        pieces.join(" ")
    };
    if text.chars().any(|letter| letter.is_control() && !BREAKS.contains(&letter)) {
        Err(ProfileFault::ControlCharacter)
    } else if text.chars().count() > most {
        Err(ProfileFault::TooLong { most })
    } else {
        Ok(Some(text))
    }
}

/// Whether a text can be meant as a web address. Screens make links of these, so no other scheme
/// (`javascript:`, `data:`) may pass.
fn is_website(text: &str) -> bool {
    let after_scheme = match text.split_once(':') {
        // A dot or slash before the colon: a host with its port, or a path.
        Some((before, rest)) if !before.contains(['.', '/']) => {
            let http = before.eq_ignore_ascii_case("http") || before.eq_ignore_ascii_case("https");
            rest.strip_prefix("//").filter(|host| http && !host.is_empty())
        }
        _ => Some(text).filter(|text| text.contains('.')),
    };
    after_scheme.is_some() && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(field: ProfileField, text: &str) -> Result<Option<String>, ProfileFault> {
        read_text(field, text)
    }

    #[test]
    fn texts_are_cleaned_as_their_field_wants() {
        use ProfileField as F;
        for (field, received, kept) in [
            (F::Name, "  Ann Lee ", Some("Ann Lee")),
            (F::Name, "Ann\r\n\tLee", Some("Ann Lee")),
            (F::Name, "Ann \n Lee\n", Some("Ann Lee")),
            (F::Name, "می\u{200C}خواهم", Some("می\u{200C}خواهم")),
            (F::Name, " \t\n ", None),
            (F::Name, "\u{200B}\u{FEFF}", None),
            (F::Notes, " one\n\ttwo\r\n", Some("one\n\ttwo")),
            (F::Country, " si\n", Some("SI")),
            (F::Country, "", None),
            (F::Website, "Example.com/a:b", Some("Example.com/a:b")),
            (F::Website, "example.com:8080", Some("example.com:8080")),
            (F::Website, "HTTPS://shop", Some("HTTPS://shop")),
        ] {
            assert_eq!(read(field, received), Ok(kept.map(str::to_owned)), "{received:?}");
        }
    }

    #[test]
    fn what_a_field_cannot_mean_is_refused() {
        use ProfileField as F;
        for (field, received, reason) in [
            (F::Name, "Ann\0Lee", ProfileFault::ControlCharacter),
            (F::Notes, "a\u{1B}[31m", ProfileFault::ControlCharacter),
            (F::Country, "Slovenia", ProfileFault::Country(InvalidCountry)),
            (F::Website, "none", ProfileFault::Website),
            (F::Website, "http://", ProfileFault::Website),
            (F::Website, "a.example b.example", ProfileFault::Website),
            (F::Website, "javascript:alert(1.5)", ProfileFault::Website),
            (F::Website, "java\tscript:alert(1.5)", ProfileFault::Website),
            (F::Website, "mailto:ann@example.com", ProfileFault::Website),
        ] {
            assert_eq!(read(field, received), Err(reason), "{received:?}");
        }
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        use ProfileField as F;
        for (field, most) in [(F::Role, 200), (F::TaxNumber, 64), (F::Notes, 10_000)] {
            assert!(read(field, &"ž".repeat(most)).is_ok());
            assert_eq!(read(field, &"ž".repeat(most + 1)), Err(ProfileFault::TooLong { most }));
        }
        assert!(read(F::Website, &format!("a.{}", "b".repeat(2_046))).is_ok());
        assert!(read(F::Website, &format!("a.{}", "b".repeat(2_047))).is_err());

        let mut address = Address::default();
        assert_eq!(read_part(&mut address, "postalCode", &"1".repeat(32)), Ok(()));
        let longer = read_part(&mut address, "postalCode", &"1".repeat(33));
        assert_eq!(longer, Err(ProfileFault::TooLong { most: 32 }));
        let longer = read_part(&mut address, "city", &"x".repeat(201));
        assert_eq!(longer, Err(ProfileFault::TooLong { most: 200 }));
        assert_eq!(read_part(&mut address, "street", "Unit 1\nMain St 2"), Ok(()));
        assert_eq!(address.street.as_deref(), Some("Unit 1\nMain St 2"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn reading_twice_is_reading_once(text in any::<String>(), index in 0..ProfileField::ALL.len()) {
            let field = ProfileField::ALL[index];
            if let Ok(Some(kept)) = read(field, &text) {
                prop_assert_eq!(read(field, &kept), Ok(Some(kept)));
            }
        }
    }
}
