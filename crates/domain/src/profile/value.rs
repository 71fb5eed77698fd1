//! The values in a profile, and how they are written to JSON and read back from a store. What callers
//! send is judged in `parse`.

use std::fmt;

use serde_json::{Map, Value};

use crate::profile::ProfileField;

/// The value of a field: an address for [`ProfileField::Address`], tags for [`ProfileField::Tags`], for all others a text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum ProfileValue {
    Text(String),
    Address(Address),
    Tags(Tags),
}

/// Tags in the order in which they were given, none twice, whatever its capitals.
///
/// ```
/// use onefold_domain::profile::Tags;
///
/// let tags = Tags::of(["VIP", "newsletter", "vip"]);
/// assert_eq!(tags.iter().collect::<Vec<_>>(), ["VIP", "newsletter"]);
/// assert_eq!(tags.as_str(), "VIP, newsletter");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Tags(String);

impl Tags {
    /// The most tags of a profile.
    pub const MOST: usize = 50;

    /// The most characters of a tag.
    pub const LONGEST: usize = 64;

    /// Tags that were judged before. Blank ones and repetitions are left out.
    pub fn of<'a>(tags: impl IntoIterator<Item = &'a str>) -> Self {
        let mut kept: Vec<&str> = Vec::new();
        for tag in tags.into_iter().map(str::trim).filter(|tag| !tag.is_empty()) {
            if !kept.iter().any(|known| known.to_lowercase() == tag.to_lowercase()) {
                kept.push(tag);
            }
        }
        Self(kept.join(Self::BETWEEN))
    }

    /// No tag holds a comma, so a text of them can be taken apart again.
    const BETWEEN: &'static str = ", ";

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(Self::BETWEEN).filter(|tag| !tag.is_empty())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All tags as one text, with commas between.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A postal address, as far as it is known. The country is a field of its own.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Address {
    /// Street, house and unit; may have several lines.
    pub street: Option<String>,
    pub city: Option<String>,
    pub postal_code: Option<String>,
    /// The state, province or county.
    pub region: Option<String>,
}

impl ProfileValue {
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Tags(tags) => tags.iter().map(Value::from).collect(),
            Self::Address(address) => address
                .parts()
                .map(|(name, part)| (name.to_owned(), part.into()))
                .collect::<Map<_, _>>()
                .into(),
        }
    }

    /// What `to_json` gave for this field; `None` for what no version of it gave.
    pub(super) fn from_stored(field: ProfileField, value: Value) -> Option<Self> {
        match (field, value) {
            (ProfileField::Address, Value::Object(parts)) => {
                let mut address = Address::default();
                for (name, part) in parts {
                    if let (Some(place), Value::String(part)) = (address.part_mut(&name), part) {
                        *place = Some(part);
                    }
                }
                (!address.is_empty()).then_some(Self::Address(address))
            }
            (ProfileField::Tags, Value::Array(items)) => {
                let tags = Tags::of(items.iter().filter_map(Value::as_str));
                (!tags.is_empty()).then_some(Self::Tags(tags))
            }
            (ProfileField::Address | ProfileField::Tags, _) => None,
            (_, Value::String(text)) => Some(Self::Text(text)),
            _ => None,
        }
    }
}

impl Address {
    /// Whether no part is known.
    pub fn is_empty(&self) -> bool {
        self.parts().next().is_none()
    }

    /// The parts that are known, under their names in JSON.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let parts = [
            ("street", &self.street),
            ("city", &self.city),
            ("postalCode", &self.postal_code),
            ("region", &self.region),
        ];
        parts.into_iter().filter_map(|(name, part)| Some((name, part.as_deref()?)))
    }

    pub(super) fn part_mut(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name {
            "street" => Some(&mut self.street),
            "city" => Some(&mut self.city),
            "postalCode" => Some(&mut self.postal_code),
            "region" => Some(&mut self.region),
            _ => None,
        }
    }
}

/// Personal data: only the kind of value, and which parts are known, may be printed.
impl fmt::Debug for ProfileValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(…)"),
            Self::Tags(tags) => tags.fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tags({})", self.iter().count())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address ")?;
        f.debug_set().entries(self.parts().map(|(name, _)| name)).finish()
    }
}
