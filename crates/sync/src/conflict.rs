//! Conflicts: what both sides changed, or who may be the same, with all that was said kept until a person
//! decides and after.

use chrono::{DateTime, Utc};

use crate::mapping::MappingId;
use crate::partner::PartnerField;
use crate::rules::FieldRule;
use crate::view::SyncText;
use onefold_domain::id::CustomerId;
use onefold_service::system::SyncSystem;

/// The number of a conflict.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ConflictId(pub i64);

/// What is in question.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum ConflictSubject {
    /// A field that both sides changed.
    Field(PartnerField),
    /// The record belongs to another customer already: `local` is that customer's id, `remote` the record's.
    /// The two customers are probably one.
    SamePartner,
    /// The customer has another record already: `local` is that record's id, `remote` the one that came.
    SameCustomer,
    /// The record, `remote`, is missing there: it is made anew, or the customer does without.
    Gone,
}

impl ConflictSubject {
    /// Its name in stores and in the API; that of the field for a field.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Field(field) => field.as_str(),
            Self::SamePartner => "samePartner",
            Self::SameCustomer => "sameCustomer",
            Self::Gone => "gone",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "samePartner" => Some(Self::SamePartner),
            "sameCustomer" => Some(Self::SameCustomer),
            "gone" => Some(Self::Gone),
            field => PartnerField::parse(field).map(Self::Field),
        }
    }
}

/// Where the matter stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ConflictStatus {
    /// Waits for a person.
    Open,
    /// A rule decided; the value that lost is kept here.
    Settled,
    /// A person decided, or both sides came to agree.
    Resolved,
}

impl ConflictStatus {
    pub const ALL: [Self; 3] = [Self::Open, Self::Settled, Self::Resolved];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Settled => "settled",
            Self::Resolved => "resolved",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// A conflict that is about to be stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConflictDraft {
    pub mapping: MappingId,
    pub system: SyncSystem,
    pub customer: CustomerId,
    pub subject: ConflictSubject,
    pub base: Option<SyncText>,
    pub local: Option<SyncText>,
    pub remote: Option<SyncText>,
    pub status: ConflictStatus,
    /// The rule that decided, if one did.
    pub rule: Option<FieldRule>,
    pub at: DateTime<Utc>,
}

/// A conflict.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conflict {
    pub id: ConflictId,
    pub mapping: MappingId,
    pub system: SyncSystem,
    pub customer: CustomerId,
    pub subject: ConflictSubject,
    /// What both had agreed on before.
    pub base: Option<SyncText>,
    pub local: Option<SyncText>,
    pub remote: Option<SyncText>,
    pub status: ConflictStatus,
    pub rule: Option<FieldRule>,
    /// `local`, `remote`, `value`, `merge`, `separate`, `recreate`, `release`, or `agreed`; `None` until it is resolved.
    pub resolution: Option<String>,
    /// The name of who resolved it, as the audit trail has it.
    pub resolved_by: Option<String>,
    pub created_at: DateTime<Utc>,
    pub resolved_at: Option<DateTime<Utc>>,
}

/// Which conflicts are meant. Everything that is given must hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ConflictFilter {
    pub system: Option<SyncSystem>,
    pub status: Option<ConflictStatus>,
    pub customer: Option<CustomerId>,
    pub mapping: Option<MappingId>,
}
