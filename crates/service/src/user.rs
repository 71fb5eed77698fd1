//! A user: an account that contacts may belong to, registered here or known from an identity provider.

use chrono::{DateTime, Utc};

use onefold_domain::id::UserId;
use onefold_domain::profile::Profile;

/// An account.
#[derive(Clone, PartialEq, Debug)]
pub struct User {
    pub id: UserId,
    /// What another system calls it; unique.
    pub external_id: Option<ExternalId>,
    pub profile: Option<Profile>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The name of a user in another system: 1 to 255 characters, none of them a control character.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ExternalId(Box<str>);

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("An external id has 1 to 255 characters, none of them a control character.")]
pub struct InvalidExternalId;

impl ExternalId {
    pub const MAX_LENGTH: usize = 255;

    /// # Errors
    /// A text that is empty, too long, or holds a control character.
    pub fn parse(text: &str) -> Result<Self, InvalidExternalId> {
        let length = text.chars().count();
        if length == 0 || length > Self::MAX_LENGTH || text.chars().any(char::is_control) {
            return Err(InvalidExternalId);
        }
        Ok(Self(text.into()))
    }

    /// A value that `parse` made before, read back from where it was stored.
    #[must_use]
    pub fn from_stored(value: String) -> Self {
        Self(value.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for ExternalId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Some systems name people by their address.
        f.write_str("ExternalId(…)")
    }
}
