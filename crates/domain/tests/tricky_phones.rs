//! Numbers that were read wrongly somewhere, with what they must be read as.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use onefold_domain::phone::{PhoneNumber, Region};

#[test]
fn tricky_numbers_are_read_as_the_table_says() {
    let table = include_str!("data/tricky-phones.tsv");
    let (mut rows, mut wrong) = (0, Vec::new());
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let [received, region, expected] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("three columns: {line}");
        };
        let received = unescape(received);
        let region = (region != "-").then(|| Region::parse(region).unwrap());
        let number = PhoneNumber::parse(&received, region);
        let read = number.as_ref().map_or("refused", PhoneNumber::as_str);
        if read != expected {
            wrong.push(format!("{line}: {number:?}"));
        }
        rows += 1;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(rows > 170, "the table is there");
}

#[test]
fn spellings_of_one_number_have_one_match_key() {
    let key = |text| PhoneNumber::parse(text, None).unwrap().match_key().into_owned();
    for (one, other) in [
        ("+55 11 99123-4567", "+55 11 9123-4567"),
        ("+55 85 99406-8866", "55 85 9406.8866"),
        ("+52 1 442 755 7404", "+52 442 755 7404"),
        ("+54 9 11 2345-6789", "+54 11 2345-6789"),
        ("+44 7700 900123", "0044 7700 900123"),
        ("+55 11 98123-4567", "0055 11 8123-4567"),
        ("+229 01 97 12 34 56", "+229 97 12 34 56"),
        ("+225 07 07 12 34 56", "+225 07 12 34 56"),
        ("+225 05 44 12 34 56", "+225 44 12 34 56"),
        ("+225 01 43 12 34 56", "+225 43 12 34 56"),
        ("+225 27 22 41 23 45", "+225 22 41 23 45"),
        ("+1234567890", "1234567890"),
        ("+1 202 555 0143 x12", "+1 202 555 0143;ext=12"),
    ] {
        assert_eq!(key(one), key(other), "{one}");
    }
    // A land line in S\u{e3}o Paulo and a mobile number that ends in the same digits.
    assert_ne!(key("+55 11 2345-6789"), key("+55 11 92345-6789"));
    // The same eight digits of two operators.
    assert_ne!(key("+225 05 07 12 34 56"), key("+225 07 07 12 34 56"));
    // Two desks of one house, and its switchboard.
    assert_ne!(key("+1 202 555 0143 x12"), key("+1 202 555 0143 x34"));
    assert_ne!(key("+1 202 555 0143 x12"), key("+1 202 555 0143"));
    // Nobody knows what was meant by a number without + and region.
    assert_ne!(key("44 20 7946 0018"), key("+44 20 7946 0018"));
    assert_ne!(key("+39 06 1234 5678"), key("+33 6 12 34 56 78"));
    assert_eq!(key("+1 202 555 0143"), "+12025550143");
}

/// `\u` followed by four hexadecimal digits, and tab and line break.
fn unescape(text: &str) -> String {
    let mut parts = text.split("\\u");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = u32::from_str_radix(&part[..4], 16).unwrap();
        out.push(char::from_u32(code).unwrap());
        out.push_str(&part[4..]);
    }
    out.replace("\\t", "\t").replace("\\n", "\n")
}
