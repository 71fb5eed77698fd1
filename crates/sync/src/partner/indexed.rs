//! What was seen of a record, for an index.

use chrono::{DateTime, SubsecRound, Utc};

use super::{PartnerId, RemotePartner};
use onefold_domain::email::EmailAddress;
use onefold_domain::phone::PhoneNumber;

/// What was seen of a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IndexedPartner {
    pub id: PartnerId,
    pub emails: Vec<EmailAddress>,
    pub phones: Vec<PhoneNumber>,
    /// When it was changed there, if the other system tells.
    pub changed_at: Option<DateTime<Utc>>,
}

impl From<&RemotePartner> for IndexedPartner {
    fn from(partner: &RemotePartner) -> Self {
        Self {
            id: partner.id.clone(),
            emails: partner.emails.clone(),
            phones: partner.phones.clone(),
            // Databases keep no more, and what they do not keep would look like news.
            changed_at: partner.changed_at.map(|moment| moment.trunc_subsecs(6)),
        }
    }
}
