//! Faults in words. The words are data: `data/admin-messages.json` and `data/admin-extras.json`.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::errors::{Fault, Field};
use super::language::Language;

type Texts = HashMap<String, HashMap<String, String>>;

#[derive(Deserialize, Default)]
struct Extras {
    attributes: Texts,
}

// The files are part of the program, and tests see to their shape. Should they be broken all the same, a
// caller gets to see the names of rules instead of sentences, as in Laravel.
static TEMPLATES: LazyLock<Texts> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/admin-messages.json")).unwrap_or_default()
});

static EXTRAS: LazyLock<Extras> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/admin-extras.json")).unwrap_or_default());

/// The sentence that tells a caller of this fault.
pub(super) fn message(field: Field, fault: Fault, language: Language) -> String {
    fill(template(fault.rule(), language), |placeholder| match placeholder {
        "attribute" => Some(display_name(field, language)),
        "other" => Some(display_name(Field::Type, language)),
        "values" if !fault.fields().is_empty() => {
            let names: Vec<_> = fault.fields().iter().map(|field| display_name(*field, language)).collect();
            Some(names.join(" / "))
        }
        // The only value that another field's need hangs on. Values are not translated.
        "value" | "values" => Some("email".to_owned()),
        "max" => match fault {
            Fault::TooLong { most } => Some(most.to_string()),
            _ => None,
        },
        _ => None,
    })
}

fn template(rule: &'static str, language: Language) -> &'static str {
    let of = |language: Language| TEMPLATES.get(language.tag())?.get(rule);
    of(language).or_else(|| of(Language::English)).map_or(rule, String::as_str)
}

/// The field's name in a sentence; its own with blanks where there is no translation.
fn display_name(field: Field, language: Language) -> String {
    let translated = EXTRAS.attributes.get(language.tag()).and_then(|names| names.get(field.name()));
    translated.cloned().unwrap_or_else(|| field.name().replace('_', " "))
}

/// Replaces every `:placeholder`. One with a capital first letter gets its text with one, too. All in
/// one pass, so that nothing in a text is taken for a placeholder, and `:values` not for `:value`.
fn fill(template: &str, text_of: impl Fn(&str) -> Option<String>) -> String {
    let mut parts = template.split(':');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (placeholder, rest) = part.split_at(placeholder_length(part));
        match text_of(&placeholder.to_ascii_lowercase()) {
            Some(text) if placeholder.starts_with(|first: char| first.is_ascii_uppercase()) => {
                filled.push_str(&capitalised(&text));
            }
            Some(text) => filled.push_str(&text),
            None => {
                filled.push(':');
                filled.push_str(placeholder);
            }
        }
        filled.push_str(rest);
    }
    filled
}

fn placeholder_length(text: &str) -> usize {
    text.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(text.len())
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    type Sorted = BTreeMap<String, BTreeMap<String, String>>;

    fn placeholders(template: &str) -> BTreeSet<String> {
        let parts = template.split(':').skip(1);
        parts.map(|part| part[..placeholder_length(part)].to_ascii_lowercase()).collect()
    }

    fn locales() -> BTreeSet<&'static str> {
        Language::ALL.into_iter().map(Language::tag).collect()
    }

    #[test]
    fn every_locale_has_every_template_with_its_placeholders_and_no_other() {
        let texts: Sorted = serde_json::from_str(include_str!("../../data/admin-messages.json")).unwrap();
        assert_eq!(texts.keys().map(String::as_str).collect::<BTreeSet<_>>(), locales());
        let used: BTreeSet<&str> = Fault::ALL.into_iter().map(Fault::rule).collect();
        for (locale, templates) in &texts {
            assert_eq!(templates.keys().map(String::as_str).collect::<BTreeSet<_>>(), used, "{locale}");
            for (rule, template) in templates {
                assert_eq!(placeholders(template), placeholders(&texts["en"][rule]), "{locale} {rule}");
            }
        }
    }

    #[test]
    fn every_locale_has_the_same_names_of_fields() {
        let extras: BTreeMap<String, Sorted> =
            serde_json::from_str(include_str!("../../data/admin-extras.json")).unwrap();
        assert_eq!(extras.keys().collect::<Vec<_>>(), ["attributes"]);
        let names = &extras["attributes"];
        assert_eq!(names.keys().map(String::as_str).collect::<BTreeSet<_>>(), locales());
        for (locale, names) in names {
            assert_eq!(names.keys().collect::<Vec<_>>(), ["email", "number", "type"], "{locale}");
        }
    }

    #[test]
    fn no_placeholder_is_left_in_any_message() {
        for language in Language::ALL {
            for fault in Fault::ALL {
                for field in Field::ALL {
                    let message = message(field, fault, language);
                    assert!(!message.contains(':') && message.contains(' '), "{message}");
                }
            }
        }
    }

    #[test]
    fn the_contracts_sentences() {
        use Language as L;
        for (field, fault, language, expected) in [
            (Field::Uuid, Fault::Required, L::English, "The uuid field is required."),
            (Field::Uuid, Fault::Uuid, L::English, "The uuid field must be a valid UUID."),
            (Field::Uuid, Fault::Prohibited, L::English, "The uuid field is prohibited."),
            (Field::Type, Fault::NotInList, L::English, "The selected type is invalid."),
            (
                Field::Email,
                Fault::RequiredForEmail,
                L::English,
                "The email field is required when type is email.",
            ),
            (Field::Email, Fault::Email, L::English, "The email must be a valid email address."),
            (
                Field::CountryCode,
                Fault::RequiredForPhone,
                L::English,
                "The country code field is required when type is not email.",
            ),
            (
                Field::Number,
                Fault::RequiredForPhone,
                L::English,
                "The number field is required when type is not email.",
            ),
            (
                Field::Type,
                Fault::RequiredWithNumber,
                L::English,
                "The type field is required when country code / number is present.",
            ),
            (
                Field::Type,
                Fault::RequiredWithEmail,
                L::German,
                "Typ muss ausgefüllt werden, wenn E-Mail-Adresse ausgefüllt wurde.",
            ),
            (Field::Number, Fault::NotAString, L::English, "The number field must be a string."),
            (
                Field::Number,
                Fault::TooLong { most: 20 },
                L::English,
                "The number field must not be greater than 20 characters.",
            ),
            (Field::Email, Fault::Email, L::German, "E-Mail-Adresse muss eine gültige E-Mail-Adresse sein."),
            (
                Field::CountryCode,
                Fault::RequiredForPhone,
                L::German,
                "Country code muss ausgefüllt werden, wenn Typ nicht den Wert email hat.",
            ),
            (Field::Uuid, Fault::Uuid, L::BrazilianPortuguese, "Uuid deve ser um UUID válido."),
            (Field::Type, Fault::Required, L::Spanish, "El campo tipo es obligatorio."),
            (
                Field::Email,
                Fault::RequiredForEmail,
                L::Slovenian,
                "Polje E-naslov je obvezno, če je vrsta enak email.",
            ),
        ] {
            assert_eq!(message(field, fault, language), expected);
        }
    }

    #[test]
    fn what_is_no_placeholder_stays() {
        let text_of = |name: &str| (name == "value").then(|| "élan :value".to_owned());
        assert_eq!(fill("5: :value, :other:", text_of), "5: élan :value, :other:");
        assert_eq!(fill(":Value", text_of), "Élan :value");
        assert_eq!(capitalised(""), "");
    }
}
