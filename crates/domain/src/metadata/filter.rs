//! Looking for records by a member of their metadata.

use std::fmt;

use super::Metadata;

/// A member that the metadata of a record is to have: its name, and its value as it is shown, letter by letter. A number
/// is compared by its digits, and true and false by these words.
///
/// ```
/// use onefold_domain::metadata::{Metadata, MetadataFilter};
///
/// let metadata = Metadata::from_json(r#"{"orderId": "order_123", "items": 2, "crm": {"id": 7}}"#)?;
/// assert!(MetadataFilter::parse("orderId", "order_123")?.matches(&metadata));
/// assert!(MetadataFilter::parse("items", "2")?.matches(&metadata));
/// assert!(!MetadataFilter::parse("crm", "7")?.matches(&metadata), "only the outermost object counts");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct MetadataFilter {
    name: String,
    value: String,
}

/// Why no record can be looked for by a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidMetadataFilter {
    #[error("Say which value the member has.")]
    Empty,
    #[error(
        "The name or the value has more than {} characters; contacts are not found by longer ones.",
        MetadataFilter::MAX_LENGTH
    )]
    TooLong,
    #[error("The name or the value holds a zero character; contacts are not found by it.")]
    ZeroCharacter,
}

impl MetadataFilter {
    /// The most characters of a name, and of a value.
    pub const MAX_LENGTH: usize = 255;

    /// How many members may be asked for at once.
    pub const MOST: usize = 5;

    /// # Errors
    /// No value, a name or a value that is too long, or one with a zero character, which PostgreSQL cannot hold.
    pub fn parse(name: &str, value: &str) -> Result<Self, InvalidMetadataFilter> {
        check(name, value)?;
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn value(&self) -> &str {
        &self.value
    }

    pub fn matches(&self, metadata: &Metadata) -> bool {
        metadata.terms().any(|(name, value)| name == self.name && value == self.value)
    }
}

/// What an index keeps is what a filter can name.
pub(super) fn check(name: &str, value: &str) -> Result<(), InvalidMetadataFilter> {
    let too_long = |text: &str| {
        // Most texts have fewer bytes than that, and need not be counted.
        text.len() > MetadataFilter::MAX_LENGTH && text.chars().count() > MetadataFilter::MAX_LENGTH
    };
    if value.is_empty() {
        Err(InvalidMetadataFilter::Empty)
    } else if too_long(name) || too_long(value) {
        Err(InvalidMetadataFilter::TooLong)
    } else if name.contains('\0') || value.contains('\0') {
        Err(InvalidMetadataFilter::ZeroCharacter)
    } else {
        Ok(())
    }
}

/// Metadata is anybody's data.
impl fmt::Debug for MetadataFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetadataFilter(…)")
    }
}
