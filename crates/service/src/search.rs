//! What a search compares: one folded line of text for each contact, and the words of a query folded in
//! the same way. How a line is found fast is the store's business.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use onefold_domain::contact::{ContactRecord, Statement};
use onefold_domain::email::EmailAddress;
use onefold_domain::metadata::Metadata;
use onefold_domain::phone::{PhoneNumber, Region};
use onefold_domain::profile::{Profile, ProfileField};

/// The fields of a profile that are part of the line that is searched.
const SEARCHED: [ProfileField; 4] =
    [ProfileField::FirstName, ProfileField::LastName, ProfileField::Name, ProfileField::CompanyName];

/// The most characters that metadata adds to the line: it is to lead to a contact by an order's number, and not by all
/// that is written down there.
const MOST_METADATA: usize = 1_000;

/// The words of a search. All of them must occur in one contact's name, company, email, phone or metadata: as a whole,
/// at the beginning or inside. Capitals and accents do not matter.
#[derive(Clone, PartialEq, Eq)]
pub struct SearchQuery {
    terms: Vec<String>,
}

/// Why a text is no search.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidSearch {
    #[error("Search for at least 3 characters in a row; shorter words only narrow a search down.")]
    TooShort,
    #[error("The search has more than 200 characters.")]
    TooLong,
    #[error("The search holds a control character; remove it.")]
    ControlCharacter,
}

impl SearchQuery {
    /// The shortest word that can be looked up: the indexes know pieces of three characters.
    pub const SHORTEST: usize = 3;
    /// The most characters of a query.
    pub const MAX_LENGTH: usize = 200;

    /// Reads a query. One that looks like a phone number is compared as one, however it is written.
    ///
    /// # Errors
    /// A text without a word of three characters, or one of more than 200, or one with a control character that
    /// is no blank: no line holds one, and databases stumble over some.
    pub fn parse(text: &str, region: Option<Region>) -> Result<Self, InvalidSearch> {
        if text.chars().count() > Self::MAX_LENGTH {
            return Err(InvalidSearch::TooLong);
        }
        if text.chars().any(|letter| letter.is_control() && !letter.is_whitespace()) {
            return Err(InvalidSearch::ControlCharacter);
        }
        let terms: Vec<String> = match phone_digits(text, region) {
            Some(digits) => vec![digits],
            None => fold(text).split_whitespace().map(str::to_owned).collect(),
        };
        if terms.iter().any(|term| term.chars().count() >= Self::SHORTEST) {
            Ok(Self { terms })
        } else {
            Err(InvalidSearch::TooShort)
        }
    }

    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    pub fn matches(&self, record: &ContactRecord) -> bool {
        let details = &record.details;
        let line = search_text(&record.statement, details.profile.as_ref(), &details.metadata);
        self.terms.iter().all(|term| line.contains(term.as_str()))
    }
}

impl std::fmt::Debug for SearchQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What is searched for is personal data.
        write!(f, "SearchQuery({} terms)", self.terms.len())
    }
}

/// The line under which a contact is found: its values, its names, and the texts and numbers among its
/// [`Metadata::terms`], up to 1,000 characters of them.
pub fn search_text(statement: &Statement, profile: Option<&Profile>, metadata: &Metadata) -> String {
    let mut line = String::new();
    let mut add = |text: &str| {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(text);
    };
    let values = [statement.email().map(EmailAddress::as_str), statement.phone().map(PhoneNumber::as_str)];
    let texts = profile.into_iter().flat_map(|profile| SEARCHED.map(|field| profile.text(field)));
    values.into_iter().chain(texts).flatten().for_each(&mut add);
    let mut room = MOST_METADATA;
    for (name, text) in metadata.terms() {
        if metadata.as_map().get(name).is_some_and(serde_json::Value::is_boolean) {
            // Every search for "true" would find half of all contacts.
            continue;
        }
        let Some(rest) = room.checked_sub(text.chars().count()) else { continue };
        room = rest;
        add(&text);
    }
    // Most lines are ASCII, and folding them is only a matter of case.
    if line.is_ascii() {
        line.make_ascii_lowercase();
        return line;
    }
    fold(&line)
}

/// Without case, accents and compatibility forms.
fn fold(text: &str) -> String {
    text.nfkd().filter(|letter| !is_combining_mark(*letter)).flat_map(char::to_lowercase).collect()
}

/// The digits of a text that is written like a phone number. A whole number is compared in its canonical
/// form, a piece of one digit by digit.
fn phone_digits(text: &str, region: Option<Region>) -> Option<String> {
    let text = text.trim();
    let written = |letter: char| letter.is_ascii_digit() || " +-()./\u{a0}".contains(letter);
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < SearchQuery::SHORTEST || !text.chars().all(written) {
        return None;
    }
    let number = PhoneNumber::parse(text, region).ok()?;
    Some(number.as_str().trim_start_matches('+').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(email: &str, phone: &str) -> String {
        let statement =
            Statement::new(EmailAddress::parse(email).ok(), PhoneNumber::parse(phone, None).ok()).unwrap();
        search_text(&statement, None, &Metadata::default())
    }

    #[test]
    fn spelling_does_not_matter() {
        let line = line("Zoë@example.com", "+1 202-555-0143");
        assert_eq!(line, "zoe@example.com +12025550143");
        for query in ["ZOË", "zoe@", "example zo", "+1 (202) 555-0143", "555 0143", "2025"] {
            let query = SearchQuery::parse(query, None).unwrap();
            assert!(query.terms.iter().all(|term| line.contains(term.as_str())), "{:?}", query.terms);
        }
    }

    #[test]
    fn metadata_is_part_of_the_line_within_bounds() {
        let statement = Statement::new(EmailAddress::parse("doc@hillvalley.edu").ok(), None).unwrap();
        let long = "x".repeat(250);
        let metadata = serde_json::json!({
            "order": "Ordré_123", "count": 42, "vip": true, "inner": {"a": "b"}, "list": ["c"],
            "p": long, "q": long, "r": long, "s": long, "z": "last",
        });
        let line = search_text(&statement, None, &Metadata::parse(&metadata).unwrap());
        let found: Vec<_> = line.split(' ').map(|word| if word == long { "x…" } else { word }).collect();
        assert_eq!(found, ["doc@hillvalley.edu", "42", "ordre_123", "x…", "x…", "x…", "last"]);
    }

    #[test]
    fn a_national_number_is_read_in_its_region() {
        let query = SearchQuery::parse("030 199 513", Region::parse("SI").ok()).unwrap();
        assert_eq!(query.terms, ["38630199513"]);
    }

    #[test]
    fn a_query_needs_three_characters_in_a_row() {
        assert_eq!(SearchQuery::parse("zo e", None), Err(InvalidSearch::TooShort));
        assert_eq!(SearchQuery::parse(&"x".repeat(201), None), Err(InvalidSearch::TooLong));
        assert_eq!(SearchQuery::parse("mar\0ty", None), Err(InvalidSearch::ControlCharacter));
    }
}
