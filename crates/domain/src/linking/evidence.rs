//! What a store knows of customers in full: the evidence from which they are laid anew.

use chrono::{DateTime, Utc};

use crate::block::BlockRule;
use crate::contact::{ClaimedBy, EvidenceOrder, Statement};
use crate::id::{ContactId, CustomerId, LinkId};

/// Everything that links one customer, seen at one moment in one transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CustomerSnapshot {
    pub id: CustomerId,
    pub version: i64,
    /// The customers that it absorbed and that lead to it. Without itself.
    pub absorbed: Vec<CustomerId>,
    /// Ascending, without those that were withdrawn.
    pub contacts: Vec<DetailedContact>,
    /// The merges that made it and that nobody revoked.
    pub joins: Vec<JoinRecord>,
}

/// A contact with what decides whether it links.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DetailedContact {
    pub id: ContactId,
    pub order: EvidenceOrder,
    /// The customer it is filed under: the root, or one that the root absorbed.
    pub filed_under: CustomerId,
    pub statement: Statement,
    /// It counts while the contact has a user.
    pub verified_at: Option<DateTime<Utc>>,
    /// Whether it was a guest's before it became its user's.
    pub claimed_by: Option<ClaimedBy>,
    pub email_blocked_by: Option<BlockRule>,
    pub phone_blocked_by: Option<BlockRule>,
}

/// A statement that joined two customers without becoming a contact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JoinRecord {
    pub id: LinkId,
    /// The youngest evidence at the time: behind it the join has its place.
    pub after: EvidenceOrder,
    /// As with contacts: the root, or one that the root absorbed.
    pub filed_under: CustomerId,
    pub statement: Statement,
    /// The value that the statement's only one belongs together with, where no statement could name both: another
    /// email, or another phone.
    pub beside: Option<Statement>,
}
