//! JSON that is read without losing anything of it. Left to itself, a reader keeps the last of two members of one
//! name, and rounds a number that its number types cannot hold; here either is a fault, with the way to it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

/// What of a JSON text cannot be kept as it stands, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{fault}")]
pub struct InexactJson {
    /// The names of members and the places in lists that lead there, with dots between: `order.lines.0.price`. Empty
    /// for the text as a whole. The names are the caller's own; each is cut off after 64 characters.
    pub path: String,
    pub fault: JsonFault,
}

/// What is wrong. The messages never repeat a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum JsonFault {
    #[error("The member stands twice; send it once.")]
    Doubled,
    #[error("The number is out of range or has more digits than can be kept; send it as a string.")]
    Number,
    #[error("The text holds an invalid escape sequence.")]
    Escape,
    #[error("There are more than {most} levels; make it flatter.")]
    TooDeep { most: usize },
    #[error("It is not valid JSON.")]
    Malformed,
}

/// Reads a JSON text with at most so many objects and lists inside one another.
///
/// A whole number is kept from -2^63 up to 2^64 - 1. Any other is kept as a double, if it has 17 digits at most and the
/// double agrees with all of them: `1.50`, `1e3` and `0.10000000000000001` are kept, `9007199254740993.0` and `1e-400`
/// are not.
///
/// # Errors
/// The first fault in the order of the text.
///
/// ```
/// use onefold_domain::exact_json::{JsonFault, read_exactly};
///
/// assert_eq!(read_exactly(r#"{"total": 1.50}"#, 32)?, serde_json::json!({"total": 1.5}));
/// let doubled = read_exactly(r#"{"order": {"id": 1, "id": 2}}"#, 32).unwrap_err();
/// assert_eq!((doubled.path.as_str(), doubled.fault), ("order.id", JsonFault::Doubled));
/// let large = read_exactly(r#"{"ids": [18446744073709551616]}"#, 32).unwrap_err();
/// assert_eq!((large.path.as_str(), large.fault), ("ids.0", JsonFault::Number));
/// # Ok::<(), onefold_domain::exact_json::InexactJson>(())
/// ```
pub fn read_exactly(text: &str, most: usize) -> Result<Value, InexactJson> {
    Reader { most, rounds: false }.read_text(text)
}

/// Reads a text in which no member stands twice, for callers to whom numbers mean nothing: one of too many digits is rounded
/// and not refused. `most` is how deep objects and arrays may be nested.
///
/// # Errors
/// The first fault in the order of the text.
pub fn read_undoubled(text: &str, most: usize) -> Result<Value, InexactJson> {
    Reader { most, rounds: true }.read_text(text)
}

/// A fault with the way to it, from the inside out.
struct Found {
    fault: JsonFault,
    way: Vec<String>,
}

/// The most characters of a name in a path.
const LONGEST_NAME: usize = 64;

/// With so many digits every double is told from its neighbours; more say what no double can keep.
const MOST_DIGITS: usize = 17;

impl Found {
    fn of(fault: JsonFault) -> Self {
        Self { fault, way: Vec::new() }
    }

    fn within(mut self, name: &str) -> Self {
        self.way.push(name.chars().take(LONGEST_NAME).collect());
        self
    }
}

impl From<Found> for InexactJson {
    fn from(mut found: Found) -> Self {
        found.way.reverse();
        Self { path: found.way.join("."), fault: found.fault }
    }
}

struct Reader {
    most: usize,
    rounds: bool,
}

impl Reader {
    fn read_text(&self, text: &str) -> Result<Value, InexactJson> {
        let value: &RawValue = serde_json::from_str(text).map_err(|_| Found::of(JsonFault::Malformed))?;
        Ok(self.read(value, self.most)?)
    }

    /// The recursion ends with the levels that are left.
    fn read(&self, value: &RawValue, levels: usize) -> Result<Value, Found> {
        let text = value.get();
        let inside = || levels.checked_sub(1).ok_or(Found::of(JsonFault::TooDeep { most: self.most }));
        match text.as_bytes().first() {
            Some(b'{') => self.object(text, inside()?),
            Some(b'[') => self.list(text, inside()?),
            Some(b'-' | b'0'..=b'9') => {
                let number = if self.rounds { serde_json::from_str(text).ok() } else { number(text) };
                number.map(Value::Number).ok_or_else(|| Found::of(JsonFault::Number))
            }
            _ => serde_json::from_str(text).map_err(|_| Found::of(JsonFault::Escape)),
        }
    }

    fn object(&self, text: &str, levels: usize) -> Result<Value, Found> {
        // It is JSON by syntax, so that only half of a surrogate pair in a name can be wrong here.
        let Entries(entries) = serde_json::from_str(text).map_err(|_| Found::of(JsonFault::Escape))?;
        let mut members = Map::new();
        for (name, value) in entries {
            if members.contains_key(&name) {
                return Err(Found::of(JsonFault::Doubled).within(&name));
            }
            let value = self.read(value, levels).map_err(|found| found.within(&name))?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }

    fn list(&self, text: &str, levels: usize) -> Result<Value, Found> {
        let items: Vec<&RawValue> =
            serde_json::from_str(text).map_err(|_| Found::of(JsonFault::Malformed))?;
        let read = |(place, item): (usize, &&RawValue)| {
            self.read(item, levels).map_err(|found| found.within(&place.to_string()))
        };
        items.iter().enumerate().map(read).collect::<Result<_, _>>().map(Value::Array)
    }
}

/// The members of an object in the order of the text, those that stand twice among them.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}

/// `None` for a number that would come out with other digits than it was written with. The parser of the standard
/// library finds the nearest double; that of `serde_json` may be off by one.
fn number(text: &str) -> Option<Number> {
    if text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()) {
        let positive = text.parse::<u64>().map(Number::from);
        return positive.or_else(|_| text.parse::<i64>().map(Number::from)).ok();
    }
    let double: f64 = text.parse().ok()?;
    let written = Decimal::of(text)?;
    let digits = written.digits.len();
    if digits > MOST_DIGITS {
        return None;
    }
    let kept = Decimal::of(&format!("{double:.*e}", digits.saturating_sub(1)))?;
    if kept == written { Number::from_f64(double) } else { None }
}

/// The size of a number as its text has it, however it is written.
#[derive(PartialEq, Eq)]
struct Decimal {
    /// Without zeros at either end; none for zero.
    digits: String,
    /// Where the point stands, counted from the first of the digits.
    point: i64,
}

impl Decimal {
    /// `None` for an exponent beyond all bounds, and for what is no finite number.
    fn of(text: &str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent: i64 = exponent.parse().ok()?;
        let mantissa = mantissa.trim_start_matches('-');
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0');
        let zeros = i64::try_from(all.len() - digits.len()).ok()?;
        let digits = digits.trim_end_matches('0');
        if digits.is_empty() {
            return Some(Self { digits: String::new(), point: 0 });
        }
        let point = i64::try_from(whole.len()).ok()?.checked_sub(zeros)?.checked_add(exponent)?;
        Some(Self { digits: digits.to_owned(), point })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn fault(text: &str) -> (String, JsonFault) {
        let inexact = read_exactly(text, 4).unwrap_err();
        (inexact.path, inexact.fault)
    }

    #[test]
    fn a_number_is_kept_if_all_its_digits_are() {
        for (text, kept) in [
            ("0", json!(0)),
            ("-0", json!(0)),
            ("18446744073709551615", json!(u64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("1.50", json!(1.5)),
            ("0.1", json!(0.1)),
            ("0.30000000000000004", json!(0.1 + 0.2)),
            // As older programs print a tenth.
            ("0.10000000000000001", json!(0.1)),
            ("-1.5E+3", json!(-1500.0)),
            ("1e3", json!(1000.0)),
            ("0.000e9", json!(0.0)),
            ("1e22", json!(1e22)),
            ("5e-324", json!(5e-324)),
            ("1.7976931348623157e308", json!(f64::MAX)),
            ("9007199254740992.0", json!(9_007_199_254_740_992.0)),
        ] {
            assert_eq!(read_exactly(text, 0), Ok(kept), "{text}");
        }
        for text in [
            "18446744073709551616",
            "-9223372036854775809",
            "12345678901234567890123",
            "9007199254740993.0",
            "18446744073709551616.0",
            "0.1234567890123456789",
            "1.00000000000000000001",
            "1e999",
            "1e-400",
            "1e99999999999999999999",
            &format!("0.{}", "3".repeat(100_000)),
        ] {
            assert_eq!(fault(text), (String::new(), JsonFault::Number), "{text}");
        }
    }

    #[test]
    fn a_fault_is_told_with_the_way_to_it() {
        use JsonFault as F;
        for (text, path, expected) in [
            (r#"{"a":1,"b":2,"\u0061":3}"#, "a", F::Doubled),
            (r#"{"a":[{},{"b":{"c":1,"c":1}}]}"#, "a.1.b.c", F::Doubled),
            (r#"{"a":{"b":[0,1e999]}}"#, "a.b.1", F::Number),
            (r#"{"a":["\ud800"]}"#, "a.0", F::Escape),
            (r#"{"a":{"\ud800":1}}"#, "a", F::Escape),
            ("[[[[[]]]]]", "0.0.0.0", F::TooDeep { most: 4 }),
            ("99999999999999999999", "", F::Number),
            ("{\"a\":}", "", F::Malformed),
            ("", "", F::Malformed),
        ] {
            assert_eq!(fault(text), (path.to_owned(), expected), "{text}");
        }
        let long = format!(r#"{{"{}":1e999}}"#, "x".repeat(100));
        assert_eq!(fault(&long).0.len(), 64);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_as_json_is_read_as_it_was(double in any::<f64>(), whole in any::<i64>(), text in ".*") {
            let value = json!({"double": double, "whole": whole, &text: [text, null, true]});
            prop_assert_eq!(read_exactly(&value.to_string(), 4), Ok(value));
        }

        #[test]
        fn seventeen_digits_of_a_double_are_that_double(double in any::<f64>()) {
            prop_assume!(double.is_finite());
            prop_assert_eq!(read_exactly(&format!("{double:.16e}"), 4), Ok(json!(double)));
        }
    }
}
