//! An access token: a random secret that its holder shows with each request, and what it permits. Only a hash of the secret
//! is kept.

mod ability;
mod authority;
mod expiry;
mod secret;

use chrono::{DateTime, TimeDelta, Utc};

use onefold_domain::id::UserId;

pub use ability::{Abilities, Ability};
pub use authority::{NotYours, TokenAuthority};
pub use expiry::{InvalidExpiry, TokenExpiry};
pub(crate) use secret::Secret;
pub use secret::{PlainToken, PresentedToken, TokenHash};

/// The number of a token, which its holder sends before the secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TokenId(pub i64);

/// A token as far as it can be told again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessToken {
    pub id: TokenId,
    pub name: TokenName,
    pub abilities: Abilities,
    /// The holder sees and changes this user's data only.
    pub user: Option<UserId>,
    /// From this moment on it is worth nothing.
    pub expires_at: Option<DateTime<Utc>>,
    /// To the minute: writing it down each time would make every read a write.
    pub last_used_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

impl AccessToken {
    pub fn has_expired(&self, at: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|end| end <= at)
    }

    pub(crate) fn was_used_lately(&self, at: DateTime<Utc>) -> bool {
        self.last_used_at.is_some_and(|last| at - last < TimeDelta::minutes(1))
    }
}

/// What a token is for, to be told from others: 1 to 255 characters, none of them a control character.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenName(Box<str>);

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("A token's name has 1 to 255 characters, none of them a control character.")]
pub struct InvalidTokenName;

impl TokenName {
    pub const MAX_LENGTH: usize = 255;

    /// # Errors
    /// A text that is empty, too long, or holds a control character.
    pub fn parse(text: &str) -> Result<Self, InvalidTokenName> {
        let text = text.trim();
        let length = text.chars().count();
        if length == 0 || length > Self::MAX_LENGTH || text.chars().any(char::is_control) {
            return Err(InvalidTokenName);
        }
        Ok(Self(text.into()))
    }

    /// A name that `parse` made before, read back from where it was stored.
    #[must_use]
    pub fn from_stored(name: String) -> Self {
        Self(name.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A token to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewToken {
    pub name: TokenName,
    pub abilities: Abilities,
    pub user: Option<UserId>,
    pub expires_at: Option<TokenExpiry>,
}
