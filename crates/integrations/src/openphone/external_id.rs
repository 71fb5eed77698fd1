//! Our reference on a contact.

use std::fmt;

use onefold_domain::id::CustomerId;

/// Our reference on a contact, unique among those of our source.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ExternalId(String);

/// A text of no characters or more than 75.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("An external id has 1 to 75 visible ASCII characters.")]
pub struct InvalidExternalId;

impl ExternalId {
    /// # Errors
    /// A text that OpenPhone would not keep.
    pub fn parse(text: &str) -> Result<Self, InvalidExternalId> {
        let is_id = (1..=75).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_id { Ok(Self(text.to_owned())) } else { Err(InvalidExternalId) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A customer's own id: it never changes, and is no other record's.
impl From<CustomerId> for ExternalId {
    fn from(customer: CustomerId) -> Self {
        Self(customer.0.to_string())
    }
}

impl fmt::Display for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
