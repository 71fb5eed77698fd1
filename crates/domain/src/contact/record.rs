//! The contact record: a statement with everything its source told about it, as it is stored and shown.

use chrono::{DateTime, Utc};

use crate::block::BlockRule;
use crate::contact::{Channel, ClaimedBy, ContactDetails, ContactKind, EvidenceOrder, Received, Statement};
use crate::id::{ContactId, CustomerId, ImportId, UserId};
use crate::origin::Origin;
use crate::profile::{Attribution, Profile};
use crate::source::ContactSource;

/// A stored contact that was not withdrawn.
#[derive(Clone, PartialEq, Debug)]
pub struct ContactRecord {
    pub id: ContactId,
    /// The customer that it resolves to.
    pub customer: CustomerId,
    pub customer_version: i64,
    /// That customer's oldest contact; its own id if it is the oldest.
    pub primary: ContactId,
    /// Its place among all evidence: what is older counts first.
    pub order: EvidenceOrder,
    pub statement: Statement,
    /// How a guest's contact became its user's; `None` for one that always was, and for a guest's.
    pub claimed_by: Option<ClaimedBy>,
    pub email_blocked_by: Option<BlockRule>,
    pub phone_blocked_by: Option<BlockRule>,
    pub source: ContactSource,
    pub details: ContactDetails,
    pub received: Received,
    /// The import that wrote it last.
    pub import: Option<ImportId>,
    /// Where it was made, if that was elsewhere. It never changes.
    pub origin: Option<Origin>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Raised by every change of the record itself.
    pub version: i64,
}

impl ContactRecord {
    pub fn kind(&self) -> ContactKind {
        ContactKind::of(&self.statement)
    }

    pub fn user(&self) -> Option<UserId> {
        self.statement.user()
    }

    /// How the contact is reached; `None` for one that holds an email and a phone of which nobody said so.
    pub fn channel(&self) -> Option<Channel> {
        self.details.channel_for(self.kind())
    }

    /// The contact that this one is linked to; `None` for a primary one.
    pub fn linked(&self) -> Option<ContactId> {
        (self.primary != self.id).then_some(self.primary)
    }

    /// Differs whenever anything that is shown of the contact does, its place among others included.
    pub fn revision(&self) -> String {
        format!("{}-{}-{}", self.version, self.primary.0, self.customer.0.simple())
    }

    /// Whether a registration claimed it from a guest, and its user has verified none of its values yet. Until then
    /// it links as the user's, and is not shown to whoever comes with the user's own token.
    pub fn is_unproven(&self) -> bool {
        self.claimed_by == Some(ClaimedBy::Registration)
    }

    /// The user who has verified it: a guest's verification counts for nobody.
    pub fn verifier(&self) -> Option<UserId> {
        self.user().filter(|_| self.details.verified_at.is_some())
    }

    /// Whether a statement of this source may be put into it. What a person entered, and what somebody corrected, is
    /// changed by its own source only: others say what they say in a contact of theirs.
    pub fn is_open_to(&self, source: ContactSource) -> bool {
        let is_corrected = self.details.profile.as_ref().is_some_and(Profile::has_corrections);
        self.source == source || (self.source != ContactSource::Manual && !is_corrected)
    }

    /// Notes a change of something else than the profile.
    pub fn touch(&mut self, at: DateTime<Utc>) {
        self.touch_as(self.source, at);
    }

    /// It is its user's first choice no more.
    pub fn step_back(&mut self, at: DateTime<Utc>) {
        self.details.is_primary = false;
        self.touch(at);
    }

    /// Notes a change by this source, before anything is put into the profile: what is there was set before. A clock may have
    /// gone back since the last change, or be another server's: no record changes before it was made, and of two changes the
    /// one that comes second never has the earlier moment.
    pub fn touch_as(&mut self, source: ContactSource, at: DateTime<Utc>) {
        let before = Attribution::statement(self.source, self.updated_at);
        if let Some(profile) = &mut self.details.profile {
            profile.attribute(before);
        }
        self.source = source;
        self.version += 1;
        self.updated_at = at.max(self.updated_at).max(self.created_at);
    }
}
