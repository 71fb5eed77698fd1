//! What holds of all phone numbers, tried on some 10,000 valid ones of all regions. Which are valid says
//! `rlibphonenumber`, which the reader does not use.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use onefold_domain::phone::{PhoneNumber, Region};
use proptest::prelude::*;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, enums::PhoneNumberType};

/// Examples of land lines and mobile numbers of all regions, and the same with some of their digits redrawn.
static VALID: LazyLock<Vec<String>> = LazyLock::new(|| {
    let kinds = [PhoneNumberType::FixedLine, PhoneNumberType::Mobile];
    let examples = PHONE_NUMBER_UTIL.get_supported_regions().flat_map(|region| {
        kinds.map(|kind| PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, kind))
    });
    let examples: BTreeSet<String> = examples
        .filter_map(Result::ok)
        .map(|number| PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned())
        .collect();
    let mut random = fastrand::Rng::with_seed(1101);
    let mut valid = examples.clone();
    for example in &examples {
        for _ in 0..70 {
            let redrawn = |(at, letter)| if at > 3 && random.bool() { random.digit(10) } else { letter };
            let number: String = example.chars().enumerate().map(redrawn).collect();
            let parsed = PHONE_NUMBER_UTIL.parse(&number, None);
            if parsed.is_ok_and(|parsed| {
                PHONE_NUMBER_UTIL.is_valid_number(&parsed)
                    && PHONE_NUMBER_UTIL.format(&parsed, PhoneNumberFormat::E164) == number
            }) {
                valid.insert(number);
            }
        }
    }
    valid.into_iter().collect()
});

fn parse(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text, None).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn no_two_valid_numbers_become_equal() {
    assert!(VALID.len() >= 10_000, "{}", VALID.len());
    let mut keys = HashMap::new();
    for number in VALID.iter() {
        let read = parse(number);
        assert_eq!(read.as_str(), number);
        // Land lines and mobile numbers of Argentina share a key on purpose, see `match_key`.
        let is_quirk = number.starts_with("+549");
        if let Some(other) = keys.insert(read.match_key().into_owned(), number).filter(|_| !is_quirk) {
            panic!("{number} and {other} have one key");
        }
    }
}

/// What may stand before a number, between its digits, and behind it.
const BEFORE: [&str; 12] = [
    "",
    "Tel: ",
    "tel:",
    "Mobil ",
    "Telefon 1: ",
    "(home) ",
    "тел. ",
    "☎ ",
    "'",
    "携帯:",
    "\u{202A}",
    "work - ",
];
const BETWEEN: [&str; 12] =
    [" ", "-", ".", "\u{A0}", "\u{2011}", " - ", "\u{200B}", "\u{2009}", "·", ") ", " (", "/"];
const BEHIND: [&str; 12] = [
    "",
    " (home)",
    " home",
    " - Ana Novak",
    " [privat]",
    ".",
    " – after work",
    " (mamma)",
    " GSM",
    ";",
    "\u{202C}",
    " ext.",
];

fn valid_number() -> impl Strategy<Value = &'static str> {
    (0..VALID.len()).prop_map(|at| VALID[at].as_str())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn labels_and_separators_change_nothing(
        number in valid_number(),
        before in prop::sample::select(&BEFORE[..]),
        behind in prop::sample::select(&BEHIND[..]),
        between in prop::sample::select(&BETWEEN[..]),
        places in prop::collection::vec(2_usize..14, 0..3),
    ) {
        let places: BTreeSet<_> = places.into_iter().filter(|place| *place < number.len()).collect();
        let mut text = number.to_owned();
        for place in places.into_iter().rev() {
            text.insert_str(place, between);
        }
        let text = format!("{before}{text}{behind}");
        prop_assume!(text.chars().count() <= PhoneNumber::MAX_LENGTH);
        prop_assert_eq!(PhoneNumber::parse(&text, None).map(|read| read.as_str().to_owned()), Ok(number.to_owned()), "{}", text);
        let doubled = number.replacen('+', "00", 1);
        prop_assert_eq!(PhoneNumber::parse(&doubled, None), PhoneNumber::parse(number, None));
    }

    #[test]
    fn an_extension_is_kept_beside_the_number(
        number in valid_number(),
        word in prop::sample::select(&["x", " x", " ext. ", ";ext=", " Durchwahl ", " доб. ", " int. ", " #", ", ext "][..]),
        extension in "[0-9]{1,9}",
    ) {
        // Some that our library does not know are valid; an x may hide a digit of what nobody knows.
        prop_assume!(word != "x" || parse(number).is_e164());
        let read = parse(&format!("{number}{word}{extension}"));
        prop_assert!(read.number() == number && read.extension() == Some(&extension));
        prop_assert_eq!(read.as_str(), format!("{number};ext={extension}"));
        prop_assert!(read.match_key() != parse(number).match_key());
        prop_assert_eq!(parse(read.as_str()), read);
    }

    #[test]
    fn two_numbers_are_two(
        one in valid_number(),
        other in valid_number(),
        between in prop::sample::select(&[" / ", ";", ", ", " ::: ", " or ", "\n", " oder ", " | ", " & ", " (home) ", ", Fax: "][..]),
    ) {
        prop_assume!(one != other);
        let both = PhoneNumber::parse_all(&format!("{one}{between}{other}"), None).unwrap();
        prop_assert_eq!(both, [parse(one), parse(other)]);
    }

    #[test]
    fn no_number_comes_out_that_was_not_there(
        parts in prop::collection::vec(
            prop_oneof![
                "[0-9]{1,12}",
                "\\+[0-9]{1,12}",
                prop::sample::select(&[" ", "-", "/", ", ", "(", ")", ".", ";", "\n", "x", " or ", " Tel ", "Ana", " home", "O", ":", "*", "#", "?", "'", "E", "(0)"][..])
                    .prop_map(str::to_owned),
            ],
            1..7,
        ),
        region in prop::sample::select(&["", "US", "DE", "SI", "MX", "IT"][..]),
    ) {
        let text = parts.concat();
        let typed: String = text.chars().filter(char::is_ascii_digit).collect();
        for number in PhoneNumber::parse_all(&text, Region::parse(region).ok()).unwrap_or_default() {
            let digits = number.number().trim_start_matches('+');
            // Within Argentina a mobile number has 15 where it has 9 from abroad.
            prop_assume!(!digits.starts_with("549"));
            // A national number gets its calling code.
            let national = number.country_and_number().map_or(digits, |(_, national)| national);
            let is_there = stands_in(digits, &typed) || (!region.is_empty() && stands_in(national, &typed));
            prop_assert!(is_there, "{:?} gave {}", text, number.as_str());
        }
    }
}

/// Whether the digits stand there one behind the other, but for a national prefix within.
fn stands_in(digits: &str, typed: &str) -> bool {
    let starts = (0..typed.len()).map(|from| &typed[from..]);
    starts.into_iter().any(|rest| {
        (0..=digits.len()).any(|at| {
            rest.strip_prefix(&digits[..at])
                .is_some_and(|rest| (0..=3.min(rest.len())).any(|gap| rest[gap..].starts_with(&digits[at..])))
        })
    })
}
