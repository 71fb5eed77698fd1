//! `phonenumber` beside `rlibphonenumber`, the figures of docs/adr/0004-canonical-values.md.
//!
//! `ONEFOLD_SAMPLE=orders.ndjson cargo bench -p onefold-domain --bench phone_parsers` reads the field
//! `phoneNumber` of each line; without a sample it takes the table of tricky numbers.

#![expect(clippy::unwrap_used, reason = "a measurement may stop")]

use std::hint::black_box;
use std::time::Instant;

use onefold_domain::phone::PhoneNumber;
use phonenumber::Mode;
use rlibphonenumber::{
    PHONE_NUMBER_UTIL, PhoneNumberFormat,
    enums::{PhoneNumberType, Region},
};

fn main() {
    let numbers = sample();
    let plus: Vec<&str> = numbers.iter().map(String::as_str).filter(|number| number.contains('+')).collect();
    println!("{} numbers, {} of them with a +", numbers.len(), plus.len());
    println!("{:<34} {:>13} {:>16}", "", "phonenumber", "rlibphonenumber");

    let differs = |parse: fn(&str, bool) -> Option<String>| {
        plus.iter().filter(|number| parse(number, true) != parse(number, false)).count()
    };
    row("+ numbers read otherwise with US", differs(first), differs(second));
    let valid = |parse: fn(&str, bool) -> Option<String>| {
        plus.iter().filter(|number| parse(number, false).is_some()).count()
    };
    row("+ numbers found valid, as typed", valid(first), valid(second));
    row("nanoseconds per + number", nanoseconds(&plus, first), nanoseconds(&plus, second));
    let world = world();
    let world: Vec<&str> = world.iter().map(String::as_str).collect();
    row("the same, examples of all regions", nanoseconds(&world, first), nanoseconds(&world, second));

    let both = plus.iter().map(|number| (first(number, false), second(number, false)));
    let (mut only_first, mut only_second, mut unlike) = (0, 0, 0);
    for pair in both {
        match pair {
            (Some(one), Some(other)) if one != other => unlike += 1,
            (Some(_), None) => only_first += 1,
            (None, Some(_)) => only_second += 1,
            _ => {}
        }
    }
    println!("valid in one only: {only_first} / {only_second}; valid in both but unlike: {unlike}");

    let cleaned = plus.iter().filter_map(|number| PhoneNumber::parse(number, None).ok());
    let ours = cleaned.filter(|number| number.is_e164() || number.extension().is_some()).count();
    println!("valid after our cleaning, with phonenumber: {ours}");
    // From here on more patterns are kept.
    println!("nanoseconds per + number, ours: {}", nanoseconds(&plus, ours_of));
    println!("the same, examples of all regions: {}", nanoseconds(&world, ours_of));
    missed(&world);
}

fn row(name: &str, one: usize, other: usize) {
    println!("{name:<34} {one:>13} {other:>16}");
}

fn first(number: &str, region: bool) -> Option<String> {
    let region = region.then_some(phonenumber::country::Id::US);
    let parsed = phonenumber::parse(region, number).ok()?;
    phonenumber::is_valid(&parsed).then(|| parsed.format().mode(Mode::E164).to_string())
}

fn second(number: &str, region: bool) -> Option<String> {
    let parsed = PHONE_NUMBER_UTIL.parse(number, region.then_some(Region::US)).ok()?;
    let valid = PHONE_NUMBER_UTIL.is_valid_number(&parsed);
    valid.then(|| PHONE_NUMBER_UTIL.format(&parsed, PhoneNumberFormat::E164).into_owned())
}

fn ours_of(number: &str, _: bool) -> Option<String> {
    PhoneNumber::parse(number, None)
        .ok()
        .filter(PhoneNumber::is_e164)
        .map(|number| number.as_str().to_owned())
}

/// Numbers that `rlibphonenumber` finds valid: the examples with some of their digits redrawn. How many
/// of them the other library, alone and after our cleaning, calls invalid or reads as another.
fn missed(examples: &[&str]) {
    let mut random = fastrand::Rng::with_seed(1101);
    let mut valid = Vec::new();
    for example in examples {
        for _ in 0..20 {
            let redrawn = |(at, letter)| if at > 1 && random.bool() { random.digit(10) } else { letter };
            let number: String = example.chars().enumerate().map(redrawn).collect();
            if second(&number, false).as_ref() == Some(&number) {
                valid.push(number);
            }
        }
    }
    for (name, parse) in [("alone", first as fn(&str, bool) -> Option<String>), ("cleaned", ours_of)] {
        let read = valid.iter().map(|number| (parse(number, false), number));
        let (mut invalid, mut other) = (0, 0);
        for (read, number) in read {
            invalid += usize::from(read.is_none());
            other += usize::from(read.is_some_and(|read| read != *number));
        }
        println!(
            "of {} valid numbers, phonenumber {name}: {invalid} invalid, {other} read as another",
            valid.len()
        );
    }
}

/// An example of a land line and of a mobile number in each region.
fn world() -> Vec<String> {
    let kinds = [PhoneNumberType::FixedLine, PhoneNumberType::Mobile];
    let regions = PHONE_NUMBER_UTIL.get_supported_regions();
    regions
        .flat_map(|region| {
            kinds.map(|kind| PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, kind))
        })
        .filter_map(Result::ok)
        .map(|number| PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned())
        .collect()
}

/// The best of three rounds: the one that was disturbed least.
fn nanoseconds(numbers: &[&str], parse: fn(&str, bool) -> Option<String>) -> usize {
    let round = || {
        let started = Instant::now();
        for number in numbers {
            black_box(parse(black_box(number), false));
        }
        started.elapsed().as_nanos() as usize / numbers.len().max(1)
    };
    (0..3).map(|_| round()).min().unwrap()
}

fn sample() -> Vec<String> {
    match std::env::var("ONEFOLD_SAMPLE") {
        Ok(path) => std::fs::read_to_string(path).unwrap().lines().filter_map(phone_of).collect(),
        Err(_) => include_str!("../tests/data/tricky-phones.tsv")
            .lines()
            .filter(|line| !line.starts_with('#') && !line.contains('\\'))
            .filter_map(|line| line.split('\t').next().map(str::to_owned))
            .collect(),
    }
}

fn phone_of(line: &str) -> Option<String> {
    let order: serde_json::Value = serde_json::from_str(line).unwrap();
    match &order["phoneNumber"] {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
