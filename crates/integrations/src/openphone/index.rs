//! The seam for an index of the contacts there. OpenPhone has no look-up by email or phone, and a made-up query
//! parameter would give everybody; so whoever wants to find contacts by their values has to remember them.

use async_trait::async_trait;
use onefold_sync::partner::{PartnerError, PartnerId, PartnerLookup, RemotePartner};
use onefold_sync::partner_index::PartnerIndex;
use onefold_sync::sync_error::SyncError;

/// Remembers which contact has which email and phone. What it needs to be of use:
///
/// - a full scan when it is new, which the first look-up sees to, and every night ([`OpenPhone::list`](super::OpenPhone)), since
///   events get lost and nothing tells of a contact that was created by a native integration;
/// - `contact.updated`, which is also sent for new contacts, and `contact.deleted`;
/// - our own writes and reads, which the connector tells it as they happen.
///
/// It may name contacts that have changed or are gone: each is read and compared before it is believed. A
/// contact that it does not name is not found, and may then be created twice.
#[async_trait]
pub trait ContactIndex: Send + Sync {
    /// The contacts that had the value when they were last seen, oldest first; keys of phones are
    /// [`PhoneNumber::match_key`](onefold_domain::phone::PhoneNumber::match_key). None for a kind that is not kept.
    ///
    /// # Errors
    /// The index cannot be asked. "Not found" would be a wrong answer then.
    async fn find(&self, lookup: &PartnerLookup) -> Result<Vec<PartnerId>, PartnerError>;

    /// The contacts are like this now; all that was known of them before is void. A failure is the index's own to
    /// tell: the write that is reported here has happened.
    async fn seen(&self, contacts: &[RemotePartner]);

    /// There is no such contact any more.
    async fn gone(&self, id: &PartnerId);

    /// Whether all contacts were seen once. Before, whoever is not found may be there all the same.
    ///
    /// # Errors
    /// As for `find`.
    async fn is_whole(&self) -> Result<bool, PartnerError>;

    /// All contacts were seen.
    async fn scanned(&self);
}

/// The index that is kept with the customers.
#[async_trait]
impl ContactIndex for PartnerIndex {
    async fn find(&self, lookup: &PartnerLookup) -> Result<Vec<PartnerId>, PartnerError> {
        Self::find(self, lookup).await.map_err(unanswered)
    }

    async fn seen(&self, contacts: &[RemotePartner]) {
        if let Err(error) = Self::seen(self, contacts).await {
            tracing::warn!(%error, contacts = contacts.len(), "the index of contacts was not brought up to date");
        }
    }

    async fn gone(&self, id: &PartnerId) {
        if let Err(error) = Self::gone(self, id).await {
            tracing::warn!(%error, contact = %id, "a contact that is gone stays in the index");
        }
    }

    async fn is_whole(&self) -> Result<bool, PartnerError> {
        Self::is_whole(self).await.map_err(unanswered)
    }

    async fn scanned(&self) {
        if let Err(error) = self.note_scan().await {
            tracing::warn!(%error, "it was not noted that all contacts were seen; they will be read again");
        }
    }
}

/// Nothing was asked of the other system, so it may be tried again.
fn unanswered(error: SyncError) -> PartnerError {
    PartnerError::Unreachable(error.into())
}
