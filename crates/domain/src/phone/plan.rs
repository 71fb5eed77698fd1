//! What the numbering plans of the world say of digits. Their knowledge is libphonenumber's; this module decides
//! what to ask it, and mends what it reads wrongly.

use std::sync::Once;

use phonenumber::metadata::DATABASE;
use phonenumber::{Mode, Type, country};

/// The library compiles its patterns when it needs them and keeps the last hundred. Numbers of a dozen
/// countries need more, and then every number costs most of a millisecond. Six hundred serve some forty
/// countries, for at most about 100 MB; figures in docs/adr/0004-canonical-values.md.
const PATTERNS_KEPT: usize = 600;

static KEEP_PATTERNS: Once = Once::new();

/// The number in E.164 of digits that begin with a calling code, if it is valid.
pub(super) fn international(digits: &str) -> Option<String> {
    if is_valid(digits) {
        return Some(format!("+{digits}"));
    }
    let read = e164(None, digits).or_else(|| {
        // Until 2019 a mobile number was dialled with a prefix within Mexico.
        let national = digits.strip_prefix("52").and_then(mexican)?;
        e164(None, &format!("52{national}"))
    });
    // The library puts an area code before a local number of Madagascar and others. Whoever gives a calling code and
    // none has forgotten some digits, and nobody knows which.
    // Nor does anybody dial a carrier's code from abroad, which it takes off numbers of China: no more than a national
    // prefix may go.
    read.filter(|e164| (digits.len().saturating_sub(3)..=digits.len()).contains(&(e164.len() - 1)))
}

/// The same of digits as they are dialled in a region.
pub(super) fn national(region: country::Id, digits: &str) -> Option<String> {
    e164(Some(region), digits).or_else(|| {
        let national = mexican(digits).filter(|_| region == country::Id::MX)?;
        e164(Some(region), national)
    })
}

/// The same, with its calling code, of digits as they were dialled in a region before all its numbers got more. What
/// they became is told by their match key.
pub(super) fn outdated(region: country::Id, digits: &str) -> Option<String> {
    let code = match region {
        country::Id::BJ => "229",
        country::Id::CI => "225",
        _ => return None,
    };
    (digits.len() == 8).then(|| format!("{code}{digits}"))
}

/// Digits such as `0011 44 …`, dialled in a region whose way out is longer than `00`, here Australia.
pub(super) fn by_exit_code(region: country::Id, digits: &str) -> Option<String> {
    let number = ask(Some(region), digits)?;
    (number.code().source() == country::Source::Idd).then(|| valid(&number)).flatten()
}

/// Whether a number in E.164 is called free of charge, which is where words are dialled.
pub(super) fn is_toll_free(e164: &str) -> bool {
    phonenumber::parse(None, e164).is_ok_and(|number| number.number_type(&DATABASE) == Type::TollFree)
}

/// Whether numbers within the region begin with a zero that a spreadsheet would have lost.
pub(super) fn begins_with_zero(region: country::Id) -> bool {
    DATABASE.by_id(region.as_ref()).is_some_and(|plan| plan.national_prefix() == Some("0"))
}

/// How many digits of these are a calling code of the ITU; `None` if there is none.
pub(super) fn calling_code(digits: &str) -> Option<usize> {
    (1..=3).find(|length| {
        let code = digits.get(..*length).and_then(|code| code.parse::<u16>().ok());
        code.is_some_and(|code| DATABASE.region(&code).is_some())
    })
}

/// Whether the digits are a valid number as they stand, which is what nearly all are that begin with a calling code.
/// The library would take them apart first, and look for every kind of number before those that people have.
fn is_valid(digits: &str) -> bool {
    let Some((code, national)) = calling_code(digits).map(|length| digits.split_at(length)) else {
        return false;
    };
    let plans = code.parse::<u16>().ok().and_then(|code| DATABASE.by_code(&code)).unwrap_or_default();
    plans.into_iter().any(|plan| {
        let kinds = plan.descriptors();
        let of_people =
            [kinds.mobile(), kinds.fixed_line(), kinds.voip(), kinds.toll_free(), kinds.shared_cost()];
        let others =
            [kinds.uan(), kinds.personal_number(), kinds.pager(), kinds.premium_rate(), kinds.voicemail()];
        let begins = plan
            .leading_digits()
            .is_none_or(|pattern| pattern.find(national).is_some_and(|found| found.start() == 0));
        begins
            && kinds.general().is_match(national)
            && of_people.into_iter().chain(others).flatten().any(|kind| kind.is_match(national))
    })
}

/// What follows 044, 045 or 01 of a Mexican number of ten digits.
fn mexican(digits: &str) -> Option<&str> {
    ["044", "045", "01"]
        .into_iter()
        .find_map(|prefix| digits.strip_prefix(prefix))
        .filter(|national| national.len() == 10)
}

/// Reads digits that begin with a calling code, or any other in their region.
fn e164(region: Option<country::Id>, digits: &str) -> Option<String> {
    let number = ask(region, digits)?;
    valid(&number).or_else(|| e164_with_more_prefix(region, digits, &number))
}

/// The library takes a national prefix off twice, or where the number itself begins so, and then calls
/// all of Saint Petersburg (+7 812) invalid. With more of the prefix in front it stops where it should.
fn e164_with_more_prefix(
    region: Option<country::Id>,
    digits: &str,
    number: &phonenumber::PhoneNumber,
) -> Option<String> {
    let country = region.map_or_else(|| number.code().value().to_string(), |_| String::new());
    let national = digits.strip_prefix(&country)?;
    if number.national().to_string() == national {
        return None;
    }
    let first = national.get(..1)?;
    [first, &first.repeat(2), "0"].into_iter().find_map(|more| {
        let number = ask(region, &format!("{country}{more}{national}"))?;
        let kept = number.national().to_string();
        // Nothing may go but a prefix of one digit.
        (kept == national || kept == national[1..]).then(|| valid(&number)).flatten()
    })
}

fn valid(number: &phonenumber::PhoneNumber) -> Option<String> {
    phonenumber::is_valid(number).then(|| number.format().mode(Mode::E164).to_string())
}

/// The library reads `+` numbers wrongly when it is given a region, so it is given none.
fn ask(region: Option<country::Id>, digits: &str) -> Option<phonenumber::PhoneNumber> {
    KEEP_PATTERNS.call_once(|| {
        if let Ok(mut cache) = DATABASE.cache().lock() {
            cache.set_capacity(PATTERNS_KEPT);
        }
    });
    match region {
        None => phonenumber::parse(None, format!("+{digits}")),
        Some(_) => phonenumber::parse(region, digits),
    }
    .ok()
}
