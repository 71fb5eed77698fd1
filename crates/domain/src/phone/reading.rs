//! From what was typed to numbers: which of the typed digits are complete, and what they are canonically.

use super::grammar::{self, Parting, Tail, Typed};
use super::{EXTENSION, InvalidPhone, MAX_DIGITS, PhoneNumber, Region, UNPLANNED, not_numbers, plan, seen};

/// From so many digits on a number may be one without an area code before it.
const COMPLETE: usize = 7;

/// The same of a number that begins with its calling code.
const COMPLETE_WITH_COUNTRY: usize = 8;

/// All numbers of the text, each once.
pub(super) fn read(received: &str, region: Option<Region>) -> Result<Vec<PhoneNumber>, InvalidPhone> {
    let text = seen(received)?;
    let plain = not_numbers::plain(&text)?;
    let typed = grammar::read(plain.text)?;
    let [one] = &typed[..] else { return several(&typed, region) };
    if plain.was_quantity && !one.plus && region.is_some_and(|region| plan::begins_with_zero(region.0)) {
        return Err(InvalidPhone::Quantity);
    }
    Ok(vec![Judged::of(one, region)?.into_number()])
}

/// Several numbers, if each is complete; otherwise one that has a slash or the like within, or an extension behind a
/// comma.
fn several(typed: &[Typed], region: Option<Region>) -> Result<Vec<PhoneNumber>, InvalidPhone> {
    let judged: Vec<_> = typed.iter().map(|typed| Judged::of(typed, region)).collect();
    if judged.iter().all(|judged| judged.as_ref().is_ok_and(|judged| judged.is_complete(region))) {
        let mut numbers: Vec<PhoneNumber> = Vec::new();
        for judged in judged {
            let number = judged?.into_number();
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        return Ok(numbers);
    }
    let begins_complete = matches!(judged.first(), Some(Ok(judged)) if judged.is_complete(region));
    let whole = joined(typed);
    match whole.as_ref().map(|whole| Judged::of(whole, region)) {
        Some(Ok(whole)) if whole.e164.is_some() || !begins_complete => Ok(vec![whole.into_number()]),
        Some(Err(error)) if !begins_complete => Err(error),
        _ => dialled_on(typed, region).map(|number| vec![number]),
    }
}

/// All the digits as those of one number, if what parts them may stand within one.
fn joined(typed: &[Typed]) -> Option<Typed> {
    let (first, rest) = typed.split_first()?;
    let (last, before) = rest.split_last()?;
    let is_one = rest.iter().all(|next| !next.plus && next.parting != Parting::Certainly)
        && std::iter::once(first).chain(before).all(|one| one.extension.is_none() && one.tail == Tail::None);
    let digits = typed.iter().map(|one| one.digits.as_str()).collect();
    is_one.then(|| Typed {
        plus: first.plus,
        digits,
        zero_in_brackets: first.zero_in_brackets,
        parting: first.parting,
        ..last.clone()
    })
}

/// `+1 202 555 0143,,12`: an automatic dialler waits, and dials an extension.
fn dialled_on(typed: &[Typed], region: Option<Region>) -> Result<PhoneNumber, InvalidPhone> {
    let [
        number,
        Typed { parting: Parting::Pause, plus: false, extension: None, tail: Tail::None, digits, .. },
    ] = typed
    else {
        return Err(InvalidPhone::Parts);
    };
    if number.extension.is_some() || digits.len() >= COMPLETE {
        return Err(InvalidPhone::Parts);
    }
    let number = Typed { extension: Some(digits.clone()), ..number.clone() };
    let judged = Judged::of(&number, region)?;
    if judged.e164.is_some() { Ok(judged.into_number()) } else { Err(InvalidPhone::Parts) }
}

/// Typed digits, beside what the numbering plans say of them.
struct Judged<'a> {
    /// With a calling code in front, whoever says so.
    international: bool,
    digits: String,
    e164: Option<String>,
    extension: Option<&'a str>,
}

impl<'a> Judged<'a> {
    fn of(typed: &'a Typed, region: Option<Region>) -> Result<Self, InvalidPhone> {
        if let Some(vanity) =
            typed.vanity.as_deref().and_then(|letters| Self::of_vanity(typed, letters, region))
        {
            return Ok(vanity);
        }
        if typed.digits.len() > MAX_DIGITS + 5 {
            return Err(InvalidPhone::TooManyDigits);
        }
        let judged = Self::of_digits(typed, region);
        let digits = judged.digits.len();
        let known = judged.e164.is_some();
        let is_told = match typed.tail {
            Tail::None => true,
            Tail::Bracket => known || digits >= 5,
            Tail::Dash => known || digits >= COMPLETE,
            Tail::Touching => known || digits >= 10,
            Tail::Words => false,
        };
        if !is_told {
            return Err(InvalidPhone::Word);
        }
        if typed.by_x && !known && (judged.international || region.is_some() || digits < COMPLETE) {
            return Err(InvalidPhone::Masked);
        }
        if !known && digits > MAX_DIGITS {
            return Err(InvalidPhone::TooManyDigits);
        }
        Ok(judged)
    }

    /// `1-800-FLOWERS`. Words are dialled where a call is free; anywhere else a name would become a number.
    fn of_vanity(typed: &'a Typed, letters: &str, region: Option<Region>) -> Option<Self> {
        let digits = format!("{}{letters}", typed.digits);
        if letters.len() < 4 || typed.extension.is_some() || digits.len() > MAX_DIGITS {
            return None;
        }
        let whole = Typed { plus: typed.plus, digits, ..Typed::default() };
        let Judged { international, digits, e164, .. } = Judged::of_digits(&whole, region);
        let is_free = e164.as_deref().is_some_and(plan::is_toll_free);
        is_free.then_some(Self { international, digits, e164, extension: None })
    }

    fn of_digits(typed: &'a Typed, region: Option<Region>) -> Self {
        let extension = typed.extension.as_deref();
        let abroad = behind_zeros(&typed.digits);
        if !typed.plus && abroad.is_none() {
            let e164 = region.and_then(|region| plan::national(region.0, &typed.digits));
            let e164 = e164.filter(|read| reads_as_itself(read, &typed.digits));
            let outdated = region.filter(|_| e164.is_none());
            if let Some(digits) = outdated.and_then(|region| plan::outdated(region.0, &typed.digits)) {
                return Self { international: true, digits, e164, extension };
            }
            return Self { international: false, digits: typed.digits.clone(), e164, extension };
        }
        let number = abroad.unwrap_or(&typed.digits);
        // Behind the calling code, and nowhere else.
        let zero = typed.zero_in_brackets.filter(|at| {
            let code = &typed.digits[..*at];
            let code = behind_zeros(code).unwrap_or(code);
            plan::calling_code(code) == Some(code.len())
        });
        let bare = zero.map(|at| [&typed.digits[..at], &typed.digits[at + 1..]].concat());
        let bare = bare.as_deref().map(|bare| behind_zeros(bare).unwrap_or(bare));
        let e164 = plan::international(number)
            .or_else(|| plan::international(bare?))
            .or_else(|| plan::by_exit_code(region?.0, &typed.digits).filter(|_| !typed.plus))
            .filter(|read| reads_as_itself(read, number));
        let international = typed.plus
            || e164.is_some()
            || number.len() >= 8
            || plan::calling_code(number) == Some(number.len());
        let digits = if international { bare.unwrap_or(number) } else { &typed.digits };
        Self { international, digits: digits.to_owned(), e164, extension }
    }

    /// Whether it can be a number by itself, and not the beginning or the end of one.
    fn is_complete(&self, region: Option<Region>) -> bool {
        let digits = self.digits.len();
        if self.e164.is_some() && (self.international || digits >= COMPLETE) {
            return true;
        }
        match (self.international, region) {
            (true, _) => digits >= COMPLETE_WITH_COUNTRY,
            // Few digits, but not those of an area code, which begin with the national prefix.
            (false, Some(_)) => {
                digits >= COMPLETE || self.e164.is_some() && digits >= 5 && !self.digits.starts_with('0')
            }
            (false, None) => digits >= COMPLETE,
        }
    }

    fn into_number(self) -> PhoneNumber {
        let unplanned = self.international && self.e164.is_none();
        let mut stored = match self.e164 {
            Some(e164) => e164,
            None if unplanned => format!("+{}", self.digits),
            None => self.digits,
        };
        if let Some(extension) = self.extension {
            stored.push_str(EXTENSION);
            stored.push_str(extension);
        }
        if unplanned {
            stored.push(UNPLANNED);
        }
        PhoneNumber(stored.into())
    }
}

/// What follows `00`, which stands for `+`, unless there is more of zeros.
fn behind_zeros(digits: &str) -> Option<&str> {
    digits.strip_prefix("00").filter(|rest| !rest.is_empty() && !rest.starts_with('0'))
}

/// What is kept must be read back as itself.
fn reads_as_itself(e164: &str, digits: &str) -> bool {
    e164[1..] == *digits || plan::international(&e164[1..]).as_deref() == Some(e164)
}
