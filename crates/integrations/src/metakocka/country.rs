//! Countries: ISO codes here, names there. MetaKocka takes a name in English or Slovenian and gives one
//! back as its register has it, sometimes decorated: "Združeno kraljestvo (UK)", "Koreja, Republika".

use std::collections::HashMap;
use std::sync::LazyLock;

use onefold_domain::country::CountryCode;
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Code, English name, Slovenian name, and more spellings that are read.
const TABLE: &str = include_str!("../../data/countries.tsv");

/// What a name may have more or less and still mean the same.
const FILLERS: [&str; 6] = ["the", "of", "and", "in", "republika", "republic"];

static COUNTRIES: LazyLock<Countries> = LazyLock::new(|| Countries::read(TABLE));

/// The language in which countries are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CountryLanguage {
    English,
    /// What the contract's examples use.
    #[default]
    Slovenian,
}

struct Countries {
    names: HashMap<&'static str, [&'static str; 2]>,
    codes: HashMap<String, CountryCode>,
}

/// The name to write, at most 50 characters: the short form, since official ones are longer.
pub(super) fn name(country: CountryCode, language: CountryLanguage) -> &'static str {
    let names = COUNTRIES.names.get(country.as_str());
    // A test sees to it that every code has both.
    let [english, slovenian] = names.copied().unwrap_or([country.as_str(); 2]);
    match language {
        CountryLanguage::English => english,
        CountryLanguage::Slovenian => slovenian,
    }
}

/// The country that a name means, in either language; a code of two letters is read too.
pub(super) fn code(name: &str) -> Option<CountryCode> {
    let known = COUNTRIES.codes.get(&folded(name)).copied();
    known.or_else(|| CountryCode::parse(name).ok())
}

impl Countries {
    fn read(table: &'static str) -> Self {
        let mut countries = Self { names: HashMap::new(), codes: HashMap::new() };
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let mut cells = line.split('\t');
            let mut cell = || cells.next().unwrap_or_default();
            let (code, english, slovenian, others) = (cell(), cell(), cell(), cell());
            let Ok(country) = CountryCode::parse(code) else { continue };
            countries.names.insert(country.as_str(), [english, slovenian]);
            let spellings = [english, slovenian].into_iter().chain(others.split('|'));
            let spellings = spellings.map(folded).filter(|name| !name.is_empty());
            countries.codes.extend(spellings.map(|name| (name, country)));
        }
        countries
    }
}

/// A name without decoration: no brackets, an inverted name put right, no accents, no fillers.
fn folded(name: &str) -> String {
    let name = name.split_once('(').map_or(name, |(before, _)| before);
    let name = match name.split_once(',') {
        Some((last, first)) if !first.contains(',') => format!("{first} {last}"),
        _ => name.to_owned(),
    };
    let plain: String = name.nfkd().filter(|letter| !is_combining_mark(*letter)).collect();
    let plain = plain.replace('&', " and ").to_lowercase().replace('đ', "d");
    let words = plain.split(|letter: char| !letter.is_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty() && !FILLERS.contains(word)).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANGUAGES: [CountryLanguage; 2] = [CountryLanguage::English, CountryLanguage::Slovenian];

    #[test]
    fn every_country_has_both_names_within_the_limit_and_each_reads_back() {
        for country in CountryCode::ALL {
            for language in LANGUAGES {
                let name = name(country, language);
                assert!(name.chars().count() > 2, "{country:?} has no name in {language:?}");
                assert!(name.chars().count() <= 50, "{name}");
                assert_eq!(code(name), Some(country), "{name}");
                assert_eq!(code(&name.to_uppercase()), Some(country), "{name}");
            }
        }
    }

    #[test]
    fn no_spelling_means_two_countries() {
        let mut seen = HashMap::new();
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let (country, names) = line.split_once('\t').unwrap();
            for name in names.split(['\t', '|']).map(folded) {
                let first = seen.insert(name.clone(), country);
                assert!(name.is_empty() || first.is_none_or(|first| first == country), "{name}");
            }
        }
        assert_eq!(TABLE.lines().filter(|line| !line.starts_with('#')).count(), CountryCode::ALL.len());
    }

    #[test]
    fn decorated_inverted_and_partial_names_are_understood() {
        for (name, expected) in [
            ("Slovenija", "SI"),
            ("SLOVENIA", "SI"),
            ("Republika Slovenija", "SI"),
            ("Slovenija, Republika", "SI"),
            ("Združeno kraljestvo (UK)", "GB"),
            ("Zdruzeno kraljestvo", "GB"),
            ("Koreja, Republika", "KR"),
            ("Korea, Republic of", "KR"),
            ("Češka republika", "CZ"),
            ("Kanarski otoki", "ES"),
            ("Bosnia & Herzegovina", "BA"),
            ("Hrvaška", "HR"),
            ("Hrvas\u{30C}ka", "HR"),
            (" at ", "AT"),
        ] {
            assert_eq!(code(name).map(CountryCode::as_str), Some(expected), "{name}");
        }
        for unknown in ["", " ", "(UK)", "Atlantis", "Evropa", "Republika", "UK2"] {
            assert_eq!(code(unknown), None, "{unknown}");
        }
    }
}
