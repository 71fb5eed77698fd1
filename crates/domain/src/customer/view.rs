//! What a customer looks like: computed from its contacts each time, never stored.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::CustomerRecord;
use crate::block::{BlockRule, Part};
use crate::contact::ContactRecord;
use crate::id::{ContactId, CustomerId, UserId};
use crate::profile::{Profile, ProfileField};
use crate::source::ContactSource;
use crate::survivorship::{ProfileEvidence, SurvivorshipRules};

/// A customer as it is shown.
#[derive(Clone, PartialEq, Debug)]
pub struct CustomerView {
    pub id: CustomerId,
    pub revision: String,
    /// `None` only for a customer without contacts, which no store returns.
    pub primary: Option<ContactId>,
    pub profile: Profile,
    /// The contact that each field of the profile comes from; also of a field that a person ruled out.
    pub profile_sources: BTreeMap<ProfileField, ContactId>,
    /// Since when each of them is what it is.
    pub profile_set_at: BTreeMap<ProfileField, DateTime<Utc>>,
    /// Whether first and last name say better than `name` what the person is called.
    pub name_in_parts: bool,
    /// Emails and phones, by the age of the first contact that shows them.
    pub points: Vec<PointView>,
    /// The users whose contacts are part of it, by the age of each one's first contact.
    pub users: Vec<UserId>,
    pub contacts: Vec<ContactRecord>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// An email address or a phone number of a customer, with what its contacts say about it.
#[derive(Clone, PartialEq, Eq)]
pub struct PointView {
    pub part: Part,
    pub value: String,
    /// When it was first verified, if it was.
    pub verified_at: Option<DateTime<Utc>>,
    pub is_primary: bool,
    pub first_seen: DateTime<Utc>,
    pub last_seen: DateTime<Utc>,
    /// In the order in which they first told of it.
    pub sources: Vec<ContactSource>,
    /// The rule for which it links none of the contacts that show it.
    pub blocked_by: Option<BlockRule>,
}

impl std::fmt::Debug for PointView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The value is personal data.
        f.debug_struct("PointView").field("part", &self.part).finish_non_exhaustive()
    }
}

impl CustomerView {
    /// What the person is called.
    pub fn full_name(&self) -> Option<String> {
        let text = |field| self.profile.text(field);
        if !self.name_in_parts {
            return text(ProfileField::Name).map(ToOwned::to_owned);
        }
        let parts = [ProfileField::FirstName, ProfileField::LastName];
        let parts: Vec<_> = parts.into_iter().filter_map(text).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    pub fn of(record: CustomerRecord, rules: &SurvivorshipRules) -> Self {
        let evidence: Vec<_> = record.contacts.iter().filter_map(evidence).collect();
        let survivors = rules.survivors(&evidence);
        let mut users = Vec::new();
        for user in record.contacts.iter().filter_map(ContactRecord::user) {
            if !users.contains(&user) {
                users.push(user);
            }
        }
        Self {
            id: record.id,
            revision: record.revision(),
            primary: record.contacts.first().map(|contact| contact.id),
            profile: survivors.profile,
            profile_sources: survivors.sources,
            profile_set_at: survivors.set_at,
            name_in_parts: survivors.name_in_parts,
            points: points(&record.contacts),
            users,
            created_at: record.created_at,
            updated_at: record.updated_at,
            contacts: record.contacts,
        }
    }
}

fn evidence(contact: &ContactRecord) -> Option<ProfileEvidence<'_>> {
    Some(ProfileEvidence {
        contact: contact.id,
        source: contact.source,
        verified: contact.details.verified_at.is_some(),
        at: contact.updated_at,
        profile: contact.details.profile.as_ref()?,
    })
}

fn points(contacts: &[ContactRecord]) -> Vec<PointView> {
    let mut points: Vec<PointView> = Vec::new();
    let mut places: BTreeMap<(bool, &str), usize> = BTreeMap::new();
    for contact in contacts {
        let email =
            contact.statement.email().map(|email| (Part::Email, email.as_str(), contact.email_blocked_by));
        let phone =
            contact.statement.phone().map(|phone| (Part::Phone, phone.as_str(), contact.phone_blocked_by));
        for (part, value, blocked_by) in email.into_iter().chain(phone) {
            let place = *places.entry((part == Part::Email, value)).or_insert_with(|| {
                points.push(PointView {
                    part,
                    value: value.to_owned(),
                    verified_at: None,
                    is_primary: false,
                    first_seen: contact.created_at,
                    last_seen: contact.updated_at,
                    sources: Vec::new(),
                    blocked_by,
                });
                points.len() - 1
            });
            see(&mut points[place], contact, blocked_by);
        }
    }
    points
}

/// Adds what one more contact says about a point.
fn see(point: &mut PointView, contact: &ContactRecord, blocked_by: Option<BlockRule>) {
    point.verified_at = match (point.verified_at, contact.details.verified_at) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    point.is_primary |= contact.details.is_primary;
    point.last_seen = point.last_seen.max(contact.updated_at);
    point.blocked_by = point.blocked_by.and(blocked_by);
    if !point.sources.contains(&contact.source) {
        point.sources.push(contact.source);
    }
}
