//! What the trail holds: drafts as use cases make them, and entries as they are stored. A stored entry is kept
//! in plain texts, so that it can be verified letter by letter whatever somebody made of it.

use std::fmt;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::actor::Acting;
use crate::operation::OperationId;
use crate::system::SyncSystem;
use crate::token::TokenId;
use onefold_domain::id::{ContactId, CustomerId, ImportId, UserId};

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AuditAction {
    ContactCreated,
    ContactUpdated,
    /// A guest's contact became a user's.
    ContactClaimed,
    ContactWithdrawn,
    /// Contacts of one customer became another one's, which absorbed it.
    CustomersMerged,
    /// Contacts fell off a customer, and became another one's.
    CustomersSplit,
    UserCreated,
    UserUpdated,
    /// A file came in to be imported.
    ImportReceived,
    /// Rows of a file changed contacts that were there before. Those that they added name the import themselves.
    ImportUpdated,
    TokenCreated,
    TokenRevoked,
    /// The rules by which both sides of a sync are merged.
    SyncRulesChanged,
    /// A person decided which of two values holds.
    ConflictResolved,
}

impl AuditAction {
    pub const ALL: [Self; 14] = [
        Self::ContactCreated,
        Self::ContactUpdated,
        Self::ContactClaimed,
        Self::ContactWithdrawn,
        Self::CustomersMerged,
        Self::CustomersSplit,
        Self::UserCreated,
        Self::UserUpdated,
        Self::ImportReceived,
        Self::ImportUpdated,
        Self::TokenCreated,
        Self::TokenRevoked,
        Self::SyncRulesChanged,
        Self::ConflictResolved,
    ];

    /// The stable name under which stores and the API know this action.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ContactCreated => "contact.created",
            Self::ContactUpdated => "contact.updated",
            Self::ContactClaimed => "contact.claimed",
            Self::ContactWithdrawn => "contact.withdrawn",
            Self::CustomersMerged => "customers.merged",
            Self::CustomersSplit => "customers.split",
            Self::UserCreated => "user.created",
            Self::UserUpdated => "user.updated",
            Self::ImportReceived => "import.received",
            Self::ImportUpdated => "import.updated",
            Self::TokenCreated => "token.created",
            Self::TokenRevoked => "token.revoked",
            Self::SyncRulesChanged => "sync_rules.changed",
            Self::ConflictResolved => "conflict.resolved",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }
}

/// What it was done to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AuditSubject {
    Contact(ContactId),
    Customer(CustomerId),
    User(UserId),
    Import(ImportId),
    Token(TokenId),
    /// All that is kept the same in another system.
    Sync(SyncSystem),
}

impl AuditSubject {
    pub fn kind(self) -> &'static str {
        match self {
            Self::Contact(_) => "contact",
            Self::Customer(_) => "customer",
            Self::User(_) => "user",
            Self::Import(_) => "import",
            Self::Token(_) => "token",
            Self::Sync(_) => "sync",
        }
    }

    pub fn id(self) -> String {
        match self {
            Self::Contact(ContactId(id)) | Self::Token(TokenId(id)) => id.to_string(),
            Self::Customer(CustomerId(id)) | Self::User(UserId(id)) | Self::Import(ImportId(id)) => {
                id.hyphenated().to_string()
            }
            Self::Sync(system) => system.as_str().to_owned(),
        }
    }

    /// Kind and id with a colon between them.
    ///
    /// ```
    /// use onefold_domain::id::ContactId;
    /// use onefold_service::audit::AuditSubject;
    ///
    /// assert_eq!(AuditSubject::parse("contact:7"), Some(AuditSubject::Contact(ContactId(7))));
    /// assert_eq!(AuditSubject::parse("contact:seven"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once(':')?;
        let uuid = || Uuid::try_parse(id).ok();
        match kind {
            "contact" => id.parse().ok().map(ContactId).map(Self::Contact),
            "token" => id.parse().ok().map(TokenId).map(Self::Token),
            "customer" => uuid().map(CustomerId).map(Self::Customer),
            "user" => uuid().map(UserId).map(Self::User),
            "import" => uuid().map(ImportId).map(Self::Import),
            "sync" => SyncSystem::parse(id).map(Self::Sync),
            _ => None,
        }
    }
}

/// How something was before or after a change, as JSON text: the letters that are hashed are those that are
/// stored and shown. Holds personal data and does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Snapshot(Box<str>);

impl Snapshot {
    pub fn of(value: &Value) -> Self {
        Self(value.to_string().into())
    }

    /// Read back from where it was stored, whatever it is now.
    pub fn from_stored(text: String) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({} bytes)", self.0.len())
    }
}

/// An entry to be appended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditDraft {
    pub at: DateTime<Utc>,
    pub acting: Acting,
    pub action: AuditAction,
    pub subject: AuditSubject,
    /// The customer that it concerns, by the name that it had then.
    pub customer: Option<CustomerId>,
    pub before: Option<Snapshot>,
    pub after: Option<Snapshot>,
}

/// What an entry says, as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditFacts {
    /// To the microsecond, which both databases keep.
    pub at: DateTime<Utc>,
    pub actor: String,
    pub token: Option<TokenId>,
    pub user: Option<UserId>,
    pub request_id: Option<String>,
    pub operation: Option<OperationId>,
    pub action: String,
    pub subject_kind: String,
    pub subject_id: String,
    pub customer: Option<CustomerId>,
    pub before: Option<Snapshot>,
    pub after: Option<Snapshot>,
}

impl From<&AuditDraft> for AuditFacts {
    fn from(draft: &AuditDraft) -> Self {
        let Acting { actor, request_id, operation } = &draft.acting;
        Self {
            at: draft.at.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(draft.at),
            actor: actor.name(),
            token: actor.token(),
            user: actor.user(),
            request_id: request_id.as_deref().map(str::to_owned),
            operation: *operation,
            action: draft.action.as_str().to_owned(),
            subject_kind: draft.subject.kind().to_owned(),
            subject_id: draft.subject.id(),
            customer: draft.customer,
            before: draft.before.clone(),
            after: draft.after.clone(),
        }
    }
}

/// An entry of the chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditEntry {
    /// 1, 2, 3 … without gaps.
    pub number: u64,
    pub facts: AuditFacts,
    /// The hash of the entry before, in hexadecimal digits; zeros for the first.
    pub previous_hash: String,
    pub hash: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_and_subjects_are_known_by_their_names() {
        for action in AuditAction::ALL {
            assert_eq!(AuditAction::parse(action.as_str()), Some(action));
        }
        let id = Uuid::from_u128(7);
        for subject in [
            AuditSubject::Contact(ContactId(7)),
            AuditSubject::Customer(CustomerId(id)),
            AuditSubject::User(UserId(id)),
            AuditSubject::Import(ImportId(id)),
            AuditSubject::Token(TokenId(7)),
        ] {
            let text = format!("{}:{}", subject.kind(), subject.id());
            assert_eq!(AuditSubject::parse(&text), Some(subject));
        }
        for text in ["contact", "contact:", "contact:x", "customer:7", "person:7", ":7"] {
            assert_eq!(AuditSubject::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_a_snapshot_holds_is_not_printed() {
        let snapshot = Snapshot::of(&serde_json::json!({"email": "doc@hillvalley.edu"}));
        assert!(!format!("{snapshot:?}").contains("doc"));
    }
}
