//! Metadata: what a caller keeps with a record for its own use. Onefold stores and returns it, finds the record by it
//! and reads nothing else from it; this module bounds it and merges changes into it.

mod filter;

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};

use crate::exact_json::{InexactJson, JsonFault, read_exactly};

pub use filter::{InvalidMetadataFilter, MetadataFilter};

/// A JSON object of the caller's making, at most [`Self::MAX_BYTES`] as JSON without blanks and
/// [`Self::MAX_DEPTH`] levels deep. It serves as a patch as well, in which null removes a member.
///
/// ```
/// use onefold_domain::metadata::Metadata;
///
/// let known = Metadata::from_json(r#"{"tier": "gold", "crm": {"id": 7, "owner": "ann"}}"#)?;
/// let patch = Metadata::from_json(r#"{"tier": null, "crm": {"owner": "bob"}}"#)?;
/// assert_eq!(known.merge_patch(&patch)?.to_json(), r#"{"crm":{"id":7,"owner":"bob"}}"#);
/// # Ok::<(), onefold_domain::metadata::InvalidMetadata>(())
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Metadata(Map<String, Value>);

/// Why a value cannot be metadata. The messages never repeat the value.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidMetadata {
    #[error("The metadata is no JSON object; send an object, or {{}} for none.")]
    NotAnObject,
    #[error("The metadata has more than {} bytes as JSON; remove some of it.", Metadata::MAX_BYTES)]
    TooLarge,
    #[error("The metadata is nested more than {} levels deep; make it flatter.", Metadata::MAX_DEPTH)]
    TooDeep,
    /// Something in it could only be kept as something else.
    #[error(transparent)]
    Inexact(InexactJson),
}

impl InvalidMetadata {
    /// The way to the member at fault, with dots between; empty if it is the metadata as a whole.
    pub fn path(&self) -> &str {
        match self {
            Self::Inexact(inexact) => &inexact.path,
            Self::NotAnObject | Self::TooLarge | Self::TooDeep => "",
        }
    }
}

impl From<InexactJson> for InvalidMetadata {
    fn from(inexact: InexactJson) -> Self {
        match inexact.fault {
            JsonFault::TooDeep { .. } => Self::TooDeep,
            JsonFault::Malformed => Self::NotAnObject,
            JsonFault::Doubled | JsonFault::Number | JsonFault::Escape => Self::Inexact(inexact),
        }
    }
}

impl Metadata {
    /// The most bytes as JSON without blanks.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// The most objects and arrays inside one another, the outermost object included.
    pub const MAX_DEPTH: usize = 32;

    /// How deep metadata may be that is read back from a store: more than is taken now, should the limit ever have been another.
    const STORED_DEPTH: usize = 128;

    /// Takes a JSON text that somebody sent, nulls included, so that it can serve as a patch. What is to be kept
    /// goes through [`Self::stored`].
    ///
    /// # Errors
    /// No object, one beyond the limits, or one that cannot be kept as it stands: see [`read_exactly`].
    pub fn from_json(text: &str) -> Result<Self, InvalidMetadata> {
        if !text.trim_start().starts_with('{') {
            return Err(InvalidMetadata::NotAnObject);
        }
        Self::parse(&read_exactly(text, Self::MAX_DEPTH)?)
    }

    /// Takes a value that this program made, nulls included. A text that somebody sent goes through [`Self::from_json`]: as a
    /// value it would have lost already what a value cannot hold.
    ///
    /// # Errors
    /// No object, or one beyond the limits.
    pub fn parse(value: &Value) -> Result<Self, InvalidMetadata> {
        let map = value.as_object().ok_or(InvalidMetadata::NotAnObject)?;
        // The depth comes first: what follows walks the value to its ground.
        if !is_within(value, Self::MAX_DEPTH) {
            return Err(InvalidMetadata::TooDeep);
        }
        Self(map.clone()).within_size()
    }

    /// What `to_json` gave, read back from where it was stored. The limits are not checked again.
    ///
    /// # Errors
    /// A text that is no JSON object.
    pub fn from_stored(json: &str) -> Result<Self, InvalidMetadata> {
        // The exact reader here as well: the quick one may be off by one in the last place of a double, and a record
        // that is read and written would drift.
        match read_exactly(json, Self::STORED_DEPTH)? {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(InvalidMetadata::NotAnObject),
        }
    }

    /// By what the record is found: the members of the outermost object that are texts, numbers or truth values, with
    /// their values as they are shown. Those that no [`MetadataFilter`] can name are left out.
    pub fn terms(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        self.0.iter().filter_map(|(name, value)| {
            let text = match value {
                Value::String(text) => Cow::Borrowed(text.as_str()),
                Value::Number(number) => Cow::Owned(number.to_string()),
                Value::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
                Value::Null | Value::Array(_) | Value::Object(_) => return None,
            };
            filter::check(name, &text).is_ok().then_some((name.as_str(), text))
        })
    }

    /// Applies a patch as RFC 7396 says: members replace, objects merge, null removes.
    ///
    /// # Errors
    /// [`InvalidMetadata::TooLarge`] when the result would be; nothing is cut off.
    pub fn merge_patch(&self, patch: &Self) -> Result<Self, InvalidMetadata> {
        // Neither goes deeper than the limit, and so neither does the result.
        self.merged(patch).within_size()
    }

    /// The form that is stored: without members that are null, at any depth. In an array null is an
    /// element like any other and stays, with all that is in the array (RFC 7396, 1).
    #[must_use]
    pub fn stored(self) -> Self {
        Self::default().merged(&self)
    }

    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The object as JSON, without blanks.
    ///
    /// # Panics
    /// Never: a map of JSON values under text keys can always be written.
    #[expect(clippy::expect_used, reason = "JSON values under text keys can always be written")]
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.0).expect("JSON values can be written as JSON")
    }

    fn merged(&self, patch: &Self) -> Self {
        let mut target = Value::Object(self.0.clone());
        json_patch::merge(&mut target, &Value::Object(patch.0.clone()));
        match target {
            Value::Object(map) => Self(map),
            // An object merged into an object is one.
            _ => Self::default(),
        }
    }

    fn within_size(self) -> Result<Self, InvalidMetadata> {
        if self.to_json().len() > Self::MAX_BYTES { Err(InvalidMetadata::TooLarge) } else { Ok(self) }
    }
}

/// Says how many members there are; keys and values are the caller's and may be anybody's data.
impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Metadata({} members)", self.0.len())
    }
}

fn is_within(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| is_within(item, levels - 1)),
        Value::Object(map) => levels > 0 && map.values().all(|member| is_within(member, levels - 1)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn metadata(value: &Value) -> Metadata {
        Metadata::parse(value).unwrap()
    }

    /// As a value, and as a text.
    fn parse(value: &Value) -> Result<Metadata, InvalidMetadata> {
        let read = Metadata::from_json(&value.to_string());
        assert_eq!(Metadata::parse(value), read);
        read
    }

    #[test]
    fn only_objects_within_the_limits_are_metadata() {
        for value in [json!(null), json!([]), json!("{}"), json!(1), json!(true)] {
            assert_eq!(parse(&value), Err(InvalidMetadata::NotAnObject));
        }
        assert_eq!(parse(&json!({})), Ok(Metadata::default()));

        // {"a":"…"} is eight bytes beside the text.
        let fits = json!({"a": "x".repeat(Metadata::MAX_BYTES - 8)});
        assert_eq!(metadata(&fits).to_json().len(), Metadata::MAX_BYTES);
        let larger = json!({"a": "x".repeat(Metadata::MAX_BYTES - 7)});
        assert_eq!(parse(&larger), Err(InvalidMetadata::TooLarge));
    }

    #[test]
    fn nesting_is_bounded_in_objects_and_arrays() {
        let nested = |levels: usize, wrap: fn(Value) -> Value| {
            let inside = (1..levels).fold(json!(1), |inner, _| wrap(inner));
            json!({"a": inside})
        };
        for wrap in [|inner| json!([inner]), |inner| json!({"a": inner})] as [fn(Value) -> Value; 2] {
            assert!(parse(&nested(32, wrap)).is_ok());
            assert_eq!(parse(&nested(33, wrap)), Err(InvalidMetadata::TooDeep));
        }
    }

    #[test]
    fn merging_follows_the_examples_of_the_rfc() {
        // RFC 7396, appendix A: those whose target and patch are objects.
        for (target, patch, result) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ] {
            assert_eq!(metadata(&target).merge_patch(&metadata(&patch)), Ok(metadata(&result)));
        }
    }

    #[test]
    fn a_merge_that_grows_too_large_is_refused() {
        let known = metadata(&json!({"a": "x".repeat(10_000)}));
        let patch = metadata(&json!({"b": "x".repeat(10_000)}));
        assert_eq!(known.merge_patch(&patch), Err(InvalidMetadata::TooLarge));
        let swap = metadata(&json!({"a": null, "b": "x".repeat(10_000)}));
        assert!(known.merge_patch(&swap).is_ok());
    }

    #[test]
    fn stored_metadata_has_no_null_members_and_reads_back() {
        let stored = metadata(&json!({"a": null, "b": {"c": null, "d": [null, 1]}})).stored();
        assert_eq!(stored, metadata(&json!({"b": {"d": [null, 1]}})));
        assert_eq!(Metadata::from_stored(&stored.to_json()).unwrap(), stored);
        assert!(Metadata::from_stored("[]").is_err());
        assert!(metadata(&json!({"a": null})).stored().is_empty());
    }

    #[test]
    fn what_could_only_be_kept_as_something_else_is_refused_with_its_path() {
        for (text, path) in [
            (r#"{"a":1,"a":1}"#, "a"),
            (r#"{"a":[0,{"b":1,"b":2}]}"#, "a.1.b"),
            (r#"{"a":{"b":123456789012345678901234567890}}"#, "a.b"),
            (r#"{"a":"\ud800"}"#, "a"),
        ] {
            assert_eq!(Metadata::from_json(text).unwrap_err().path(), path, "{text}");
        }
        let double = metadata(&json!({"a": 0.1 + 0.2, "b": 2.000_000_000_000_000_4e-300}));
        assert_eq!(Metadata::from_stored(&double.to_json()), Ok(double));
    }

    #[test]
    fn a_record_is_found_by_plain_members_of_the_outermost_object() {
        let metadata = metadata(&json!({
            "order": "order_123", "count": 3, "total": 1e2, "vip": true, "empty": "", "zero": "a\0b",
            "null": null, "list": ["a"], "inner": {"order": "x"}, "long": "x".repeat(256), "fits": "é".repeat(255),
        }));
        let terms: Vec<_> = metadata.terms().map(|(name, value)| format!("{name}={value}")).collect();
        let fits = format!("fits={}", "é".repeat(255));
        assert_eq!(terms, ["count=3", &fits, "order=order_123", "total=100.0", "vip=true"]);
        for term in terms {
            let (name, value) = term.split_once('=').unwrap();
            assert!(MetadataFilter::parse(name, value).unwrap().matches(&metadata), "{term}");
        }
        for (name, value) in [("order", "order_12"), ("order", "ORDER_123"), ("inner", "x"), ("total", "100")]
        {
            assert!(!MetadataFilter::parse(name, value).unwrap().matches(&metadata), "{name}={value}");
        }
    }

    #[test]
    fn debug_does_not_show_the_content() {
        assert_eq!(format!("{:?}", metadata(&json!({"ann": "lee"}))), "Metadata(1 members)");
    }

    /// Objects of few keys and levels, so that patches hit what is there.
    fn objects() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(json!(null)), any::<i8>().prop_map(|number| json!(number))];
        let inner = leaf.prop_recursive(3, 24, 4, |inner| {
            prop::collection::btree_map("[a-d]", inner, 0..4).prop_map(|members| json!(members))
        });
        prop::collection::btree_map("[a-d]", inner, 0..4).prop_map(|members| json!(members))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn merging_twice_is_merging_once(known in objects(), patch in objects()) {
            let (known, patch) = (metadata(&known).stored(), metadata(&patch));
            let once = known.merge_patch(&patch).unwrap();
            prop_assert_eq!(&once.merge_patch(&patch).unwrap(), &once);
            prop_assert_eq!(once.clone().stored(), once);
        }
    }
}
