//! Reads phones and emails that nobody thought of, for as long as is told, and stops at the first that breaks a rule:
//!
//! - no text breaks the reader;
//! - what was read and written is read as itself, and stored and read back as itself;
//! - no number comes out whose digits were not there;
//! - labels around a number that was read change nothing.
//!
//! `cargo run --release -p onefold-domain --example fuzz-values -- SECONDS SEED`, or `scripts/fuzz-phones`.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use onefold_domain::email::EmailAddress;
use onefold_domain::phone::{PhoneNumber, Region};

/// Values that were read wrongly once; most others are made of them.
const REPORTED: [&str; 3] = [
    include_str!("../tests/data/phones.tsv"),
    include_str!("../tests/data/tricky-phones.tsv"),
    include_str!("../tests/data/emails.tsv"),
];

/// What values are made of besides.
const PIECES: [&str; 60] = [
    "+",
    "00",
    "0",
    "1",
    "49",
    "386",
    "202",
    "5550143",
    "030",
    "199513",
    "(0)",
    "(",
    ")",
    "[",
    "]",
    "-",
    " - ",
    " ",
    "/",
    " / ",
    ",",
    ";",
    "|",
    "\n",
    ".",
    "..",
    ":",
    "::",
    "#",
    "*",
    "x",
    "X",
    " x12",
    "ext. ",
    ";ext=",
    "Tel ",
    "Tel 1: ",
    "home",
    " (home)",
    " or ",
    "Ana",
    "O",
    "l",
    "E+11",
    ".0",
    "٣",
    "៣",
    "\u{200B}",
    "\u{A0}",
    "–",
    "☎",
    "доб. ",
    "@",
    "x.example",
    "<",
    ">",
    "mailto:",
    "\"",
    "'",
    "?",
];

const REGIONS: [&str; 8] = ["", "US", "DE", "SI", "IT", "MX", "AU", "RU"];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let (Some(Ok(seconds)), Some(Ok(seed))) = (arguments.next(), arguments.next()) else {
        eprintln!("fuzz-values SECONDS SEED");
        return ExitCode::FAILURE;
    };
    let reported: Vec<&str> = REPORTED
        .iter()
        .flat_map(|table| table.lines())
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split('\t').next())
        .collect();
    let mut random = fastrand::Rng::with_seed(seed);
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut values, mut numbers, mut emails) = (0_u64, 0_u64, 0_u64);
    while Instant::now() < end {
        for _ in 0..100 {
            let text = value(&mut random, &reported);
            let region = Region::parse(REGIONS[random.usize(..REGIONS.len())]).ok();
            values += 1;
            match phones(&text, region).and_then(|read| Ok((read, self::emails(&text)?))) {
                Ok((phones, addresses)) => {
                    numbers += phones;
                    emails += addresses;
                }
                Err(rule) => {
                    eprintln!("{text:?} in {region:?}, seed {seed}: {rule}");
                    return ExitCode::FAILURE;
                }
            }
        }
    }
    println!(
        "{values} values, {numbers} phones and {emails} emails among them, no rule broken (seed {seed})"
    );
    ExitCode::SUCCESS
}

/// A reported value with some of its letters changed, or pieces in any order.
fn value(random: &mut fastrand::Rng, reported: &[&str]) -> String {
    let mut letters: Vec<char> = match random.u8(..3) {
        0 => Vec::new(),
        _ => reported[random.usize(..reported.len())].chars().collect(),
    };
    for _ in 0..random.usize(1..6) {
        let at = random.usize(..=letters.len());
        match random.u8(..5) {
            0 if at < letters.len() => {
                letters.remove(at);
            }
            1 if at < letters.len() => letters[at] = random.char(..),
            2 => letters.insert(at, random.digit(10)),
            _ => {
                let piece = PIECES[random.usize(..PIECES.len())];
                letters.splice(at..at, piece.chars());
            }
        }
    }
    letters.into_iter().collect()
}

fn phones(text: &str, region: Option<Region>) -> Result<u64, String> {
    let read = PhoneNumber::parse_all(text, region).unwrap_or_default();
    for number in &read {
        let shown = number.as_str();
        let again = PhoneNumber::parse(shown, region.filter(|_| shown.starts_with('+')));
        if again.as_ref() != Ok(number) {
            return Err(format!("{shown} is read as {:?}", again.map(|number| number.as_str().to_owned())));
        }
        let stored = PhoneNumber::from_canonical(number.as_stored().to_owned());
        if stored != *number || stored.match_key() != number.match_key() {
            return Err(format!("{shown} is not stored as itself"));
        }
        if !was_there(number, text, region.is_some()) {
            return Err(format!("{shown} was not there"));
        }
        for labelled in [format!("Tel: {shown}"), format!("{shown} (home)"), format!("{shown} - Ana")] {
            let again = PhoneNumber::parse(&labelled, None);
            // Of few digits nobody knows whether a name behind them is part of the number.
            if again.as_ref() != Ok(number) && number.number().len() >= 10 {
                return Err(format!("{labelled} is {:?}", again.map(|number| number.as_str().to_owned())));
            }
        }
    }
    Ok(read.len() as u64)
}

/// Whether the digits stand in the text one behind the other, but for a national prefix; of a number that was dialled
/// within its country, those behind the calling code.
fn was_there(number: &PhoneNumber, text: &str, in_region: bool) -> bool {
    let typed = typed_digits(text);
    let digits = number.number().trim_start_matches('+');
    let national = number.country_and_number().map_or(digits, |(_, national)| national);
    // Within Argentina a mobile number has 15 where it has 9 from abroad. Words stand for digits where calls are free.
    let is_argentine = digits.starts_with("549");
    let is_vanity = text.chars().filter(char::is_ascii_alphabetic).count() >= 4;
    is_argentine || is_vanity || stand_in(digits, &typed) || (in_region && stand_in(national, &typed))
}

fn typed_digits(text: &str) -> String {
    let mut typed = String::new();
    for letter in text.chars() {
        // One letter of any script, read as a number of its own.
        if letter.is_ascii_digit() {
            typed.push(letter);
        } else if let Ok(digit) = PhoneNumber::parse(letter.encode_utf8(&mut [0; 4]), None) {
            let _ = write!(typed, "{}", digit.as_str());
        }
    }
    typed
}

/// With a `(0)` and a national prefix at most left out within.
fn stand_in(digits: &str, typed: &str) -> bool {
    (0..typed.len()).any(|from| begins(&typed[from..], digits, &[1, 3]))
}

/// Whether the text begins with the digits, up to as many others within, at as many places, as `gaps` says.
fn begins(text: &str, digits: &str, gaps: &[usize]) -> bool {
    let Some((gap, gaps)) = gaps.split_first() else { return text.starts_with(digits) };
    (0..=digits.len()).any(|at| {
        let rest = text.strip_prefix(&digits[..at]);
        rest.is_some_and(|rest| {
            (0..=*gap.min(&rest.len())).any(|gap| begins(&rest[gap..], &digits[at..], gaps))
        })
    })
}

fn emails(text: &str) -> Result<u64, String> {
    let read = EmailAddress::parse_all(text).unwrap_or_default();
    for email in &read {
        if EmailAddress::parse(email.as_str()).as_ref() != Ok(email) {
            return Err(format!("{} is not read as itself", email.as_str()));
        }
        for clinging in [format!("<{}>", email.as_str()), format!("mailto:{}?subject=hi", email.as_str())] {
            let again = EmailAddress::parse(&clinging);
            if again.as_ref() != Ok(email) {
                return Err(format!("{clinging} is {:?}", again.map(|email| email.as_str().to_owned())));
            }
        }
    }
    Ok(read.len() as u64)
}
