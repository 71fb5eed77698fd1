use proptest::prelude::*;

use super::*;

fn region() -> impl Strategy<Value = Option<Region>> {
    prop::option::of(prop::sample::select(vec!["US", "DE", "BR", "MX", "SI", "IT", "LT", "AU", "RU"]))
        .prop_map(|code| code.map(|code| Region::parse(code).unwrap()))
}

#[test]
fn what_is_no_number_is_refused_with_its_reason() {
    use InvalidPhone as P;
    for (received, reason) in [
        ("", P::Empty),
        (" \u{202A}\u{202C} ", P::Empty),
        ("n/a", P::NoDigit),
        ("+", P::NoDigit),
        ("unknown", P::NoDigit),
        ("12\u{0}34", P::ControlCharacter),
        ("1234567890123456", P::TooManyDigits),
        ("+12345678901234567890", P::TooManyDigits),
        ("+1 202 555 0143 ext 1234567890", P::Extension),
        ("Room 101", P::Word),
        ("041 123 456 Ana", P::Word),
        ("+1202555O149", P::Letter),
        ("+49 30 XXXX 5756", P::Masked),
        ("+1 202 555 01x3", P::Masked),
        ("+1 202 555 01..", P::Masked),
        ("4.91512E+11", P::Scientific),
        ("2026-12-01", P::Date),
        ("+1 202 555 0143 / 12", P::Parts),
        ("+1+202", P::Parts),
        ("10:30", P::Symbol),
        ("50 %", P::Symbol),
    ] {
        assert_eq!(PhoneNumber::parse(received, None), Err(reason), "{received:?}");
    }
    assert_eq!(PhoneNumber::parse(&"1 ".repeat(33), None), Err(P::TooLong));
    assert!(PhoneNumber::parse(&format!("123456{}(home)", " ".repeat(52)), None).is_ok());
    for code in ["", "us", "USA", "XX"] {
        assert_eq!(Region::parse(code), Err(P::Region), "{code}");
    }
}

#[test]
fn a_value_of_two_numbers_names_both() {
    let refused = PhoneNumber::parse("2025550143 / +49 30 23125756", None).unwrap_err();
    let message = "The phone number holds 2 numbers, 2025550143 and +493023125756; send one of them.";
    assert_eq!(refused.to_string(), message);
    assert_eq!(format!("{refused:?}"), "Several([PhoneNumber(…43), PhoneNumber(…56)])");
}

#[test]
fn debug_does_not_show_the_number() {
    let debug = |text| format!("{:?}", PhoneNumber::parse(text, None).unwrap());
    assert_eq!(debug("+1 202 555 0143"), "PhoneNumber(…43)");
    assert_eq!(debug("+1 202 555 0143 x7788"), "PhoneNumber(…43)");
    assert_eq!(debug("7"), "PhoneNumber(…7)");
}

#[test]
fn what_no_plan_knows_keeps_its_plus_and_is_found_by_its_digits() {
    let parse = |text| PhoneNumber::parse(text, None).unwrap();
    for (text, shown) in [("+1234567890", "+1234567890"), ("0044 7700 900123", "+447700900123")] {
        let number = parse(text);
        assert_eq!((number.as_str(), number.is_e164()), (shown, false));
        assert_eq!(number.match_key(), shown[1..]);
        assert_eq!(PhoneNumber::from_canonical(number.as_stored().to_owned()), number);
        // What older releases stored of it.
        assert_eq!(PhoneNumber::from_canonical(shown[1..].to_owned()).match_key(), number.match_key());
    }
    assert_eq!(parse("1234567890").match_key(), "1234567890");
    assert_eq!(parse("+1234567890").country_and_number(), Some(("1", "234567890")));
}

#[test]
fn spellings_lead_back_to_their_key() {
    for text in [
        "+12025550143",
        "+1 202 555 0143 x12",
        "+1234567890",
        "+1234567890 x5",
        "123456",
        "123456 x7",
        "+55 11 99123-4567",
        "+55 11 9123-4567",
        "+229 97 12 34 56",
        "+229 01 97 12 34 56",
        "+225 07 07 12 34 56",
        "+52 1 442 755 7404",
        "0044 7700 900123",
    ] {
        let number = PhoneNumber::parse(text, None).unwrap();
        let mut spellings = PhoneNumber::spellings_of(&number.match_key()).collect::<Vec<_>>();
        assert!(spellings.contains(&number), "{text}");
        spellings.sort();
        spellings.dedup();
        assert!(spellings.iter().all(|spelling| spelling.match_key() == number.match_key()), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_breaks_it(text in any::<String>(), region in region()) {
        let _ = PhoneNumber::parse_all(&text, region);
    }

    #[test]
    fn parsing_twice_is_parsing_once(
        text in "(tel:|[+0(]){0,2}[-0-9 ().x+/;,a]{1,24}( x[0-9]{1,3})?",
        first in region(),
        second in region(),
    ) {
        for number in PhoneNumber::parse_all(&text, first).unwrap_or_default() {
            // Digits say nothing of a region, so another one may read more into them.
            let second = second.filter(|_| number.as_str().starts_with('+'));
            prop_assert_eq!(PhoneNumber::parse(number.as_str(), second), Ok(number));
        }
    }
}
