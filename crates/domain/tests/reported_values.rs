//! Values that people really typed and that were read wrongly once, with what is wanted of them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use onefold_domain::email::EmailAddress;
use onefold_domain::phone::{InvalidPhone, PhoneNumber, Region};
use onefold_domain::policy::LinkPolicy;

#[test]
fn every_reported_phone_comes_out_as_wanted() {
    let mut rows = 0;
    for line in include_str!("data/phones.tsv").lines().filter(|line| !line.starts_with('#')) {
        let [input, region, _, wanted, _] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("five columns: {line}");
        };
        let region = (region != "-").then(|| Region::parse(region).unwrap());
        let read = PhoneNumber::parse(input, region);
        assert!(
            wanted.split(" or ").flat_map(|wish| wish.split(", or ")).any(|wish| is_met(wish, &read)),
            "{line}: {read:?}"
        );
        rows += 1;
    }
    assert_eq!(rows, 30);
}

/// One of the wishes of a line.
fn is_met(wish: &str, read: &Result<PhoneNumber, InvalidPhone>) -> bool {
    let Ok(number) = read else {
        let several = matches!(read, Err(InvalidPhone::Several(numbers)) if numbers.len() == 2);
        return wish.starts_with("refused") || several && wish.starts_with("two numbers");
    };
    match wish.trim_end_matches(',') {
        "links nobody" => LinkPolicy::from_toml("").unwrap().never_links_phone(number),
        "one match key" => {
            let new = PhoneNumber::parse("+2290197123456", None).unwrap();
            assert!(new.is_e164());
            new.match_key() == number.match_key()
        }
        "+12025550143;ext=12, does not link with x34" => {
            let other = PhoneNumber::parse("+1 202 555 0143 x34", None).unwrap();
            number.as_str() == "+12025550143;ext=12" && other.match_key() != number.match_key()
        }
        wanted => number.as_str() == wanted,
    }
}

#[test]
fn every_reported_email_comes_out_as_wanted() {
    let mut rows = 0;
    for line in include_str!("data/emails.tsv").lines().filter(|line| !line.starts_with('#')) {
        let [input, _, wanted] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("three columns: {line}");
        };
        let read = EmailAddress::parse(input);
        if wanted.starts_with("refused") {
            assert!(read.is_err(), "{line}");
        } else {
            assert_eq!(read.unwrap().as_str(), wanted, "{line}");
        }
        rows += 1;
    }
    assert_eq!(rows, 9);
}
