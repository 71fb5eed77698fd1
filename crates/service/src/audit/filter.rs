//! Which entries are meant, and what is sealed.

use chrono::{DateTime, Utc};

use super::{AuditAction, AuditEntry, AuditFacts, AuditSubject};
use crate::token::TokenId;
use onefold_domain::id::{CustomerId, UserId};

/// Which entries are meant. Everything that is given must hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct AuditFilter {
    pub subject: Option<AuditSubject>,
    /// The customer by the name that it had then: what was done before a merge is found under the absorbed one.
    pub customer: Option<CustomerId>,
    /// Only changes by this token.
    pub token: Option<TokenId>,
    /// Only changes by this user's own tokens.
    pub user: Option<UserId>,
    pub action: Option<AuditAction>,
    /// Only changes of this moment and later ones.
    pub since: Option<DateTime<Utc>>,
    /// Only changes of earlier moments than this.
    pub until: Option<DateTime<Utc>>,
}

/// What was appended and has no number yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PendingEntry {
    pub id: i64,
    pub facts: AuditFacts,
}

/// An entry that takes the place of a pending one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedEntry {
    pub pending: i64,
    pub entry: AuditEntry,
}
