//! What the rows of a batch come to, and what is to be written for them.

use crate::store::{CustomerBatch, FiledDraft, LinkDraft};
use onefold_domain::contact::{ContactDraft, ContactKind, ContactRecord, EvidenceOrder};
use onefold_domain::id::{ContactId, CustomerId, UserId};

/// Contacts that have no id yet get numbers from here on: larger than any that a store gives, so that they
/// are the younger ones, as they will be.
pub(super) const PROVISIONAL: i64 = i64::MAX / 2;

/// What a batch comes to.
pub(super) struct Outcome {
    /// The customers that it rests on, ascending, with their versions.
    pub(super) guards: Vec<(CustomerId, i64)>,
    /// How many contacts are new and need an id.
    pub(super) new_contacts: usize,
    pub(super) customers: CustomerBatch,
    pub(super) new: Vec<(CustomerId, ContactId)>,
    pub(super) created: Vec<ContactRecord>,
    /// Stored contacts as they were and as they are to be.
    pub(super) updated: Vec<(ContactRecord, ContactRecord)>,
    /// Stored customers that others absorb: survivor, absorbed, and its stored contacts.
    pub(super) merged: Vec<(CustomerId, CustomerId, Vec<ContactId>)>,
    pub(super) links: Vec<LinkDraft>,
    /// Contacts whose users have verified their values with this batch: what hangs together with them is laid anew.
    pub(super) unsettled: Vec<ContactId>,
    /// Users whose first choice among the contacts of a kind is another one now.
    pub(super) preferred: Vec<(UserId, ContactKind)>,
}

impl Outcome {
    /// The writes with the ids that were reserved for the new contacts, ascending.
    pub(super) fn numbered(&mut self, ids: &[ContactId]) -> (CustomerBatch, Vec<FiledDraft>, Vec<LinkDraft>) {
        let unsettled = std::mem::take(&mut self.unsettled);
        let real = |id: ContactId| match usize::try_from(id.0 - PROVISIONAL) {
            Ok(index) => ids.get(index).copied().unwrap_or(id),
            Err(_) => id,
        };
        let mut customers = std::mem::take(&mut self.customers);
        customers.new = self.new.iter().map(|(customer, contact)| (*customer, real(*contact))).collect();
        let contacts = std::mem::take(&mut self.created)
            .into_iter()
            .map(|record| FiledDraft {
                id: real(record.id),
                customer: record.customer,
                draft: ContactDraft {
                    statement: record.statement,
                    claimed_by: record.claimed_by,
                    email_blocked_by: record.email_blocked_by,
                    phone_blocked_by: record.phone_blocked_by,
                    source: record.source,
                    details: record.details,
                    received: record.received,
                    import: record.import,
                    origin: record.origin,
                },
                times: record.origin.map(|_| (record.created_at, record.updated_at)),
            })
            .collect();
        let links = std::mem::take(&mut self.links)
            .into_iter()
            .map(|link| LinkDraft {
                contact: link.contact.map(real),
                after: EvidenceOrder(real(ContactId(link.after.0)).0),
                ..link
            })
            .collect();
        self.unsettled = unsettled.into_iter().map(real).collect();
        (customers, contacts, links)
    }
}
