//! What a contact is about, and what its source tells beside the values.

use chrono::{DateTime, Utc};

use crate::contact::{Channel, Statement};
use crate::metadata::Metadata;
use crate::profile::Profile;

/// What a contact is about. The names are those of the API.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ContactKind {
    Email,
    Phone,
    /// An email and a phone in one statement.
    Both,
}

impl ContactKind {
    pub const ALL: [Self; 3] = [Self::Email, Self::Phone, Self::Both];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Both => "both",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// The kind of a contact that makes this statement.
    pub fn of(statement: &Statement) -> Self {
        match (statement.email(), statement.phone()) {
            (Some(_), Some(_)) => Self::Both,
            (_, None) => Self::Email,
            (None, Some(_)) => Self::Phone,
        }
    }
}

/// What a source tells beside the values.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct ContactDetails {
    /// How the phone is reached; `None` for a phone of which nobody said so, and without a phone.
    pub channel: Option<Channel>,
    /// Whether it is its user's first choice among the contacts of its kind.
    pub is_primary: bool,
    pub verified_at: Option<DateTime<Utc>>,
    pub metadata: Metadata,
    pub profile: Option<Profile>,
}

impl ContactDetails {
    pub fn channel_for(&self, kind: ContactKind) -> Option<Channel> {
        match (self.channel, kind) {
            (_, ContactKind::Email) => Some(Channel::Email),
            (None, ContactKind::Phone) => Some(Channel::Telephone),
            (channel, _) => channel,
        }
    }
}
