//! Looking contacts up, page by page.

use super::Contacts;
use crate::error::RecordError;
use crate::store::ContactFilter;
use onefold_domain::contact::ContactRecord;
use onefold_domain::id::ContactId;

/// A part of a list, in ascending order of ids.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageRequest {
    /// The last contact of the page before.
    pub after: Option<ContactId>,
    /// At most this many, at least 1.
    pub limit: u16,
}

/// A page, and where the next one begins.
#[derive(Clone, PartialEq, Debug)]
pub struct ContactPage {
    pub contacts: Vec<ContactRecord>,
    /// `None` when there is nothing behind this page.
    pub next: Option<ContactId>,
}

impl Contacts {
    /// # Errors
    /// [`RecordError::NoSuchContact`], also for one that was withdrawn; a store that does not answer.
    pub async fn contact(&self, id: ContactId) -> Result<ContactRecord, RecordError> {
        self.env.store.contacts().get(id).await?.ok_or(RecordError::NoSuchContact)
    }

    /// # Errors
    /// A store that does not answer.
    pub async fn contacts(
        &self,
        filter: &ContactFilter,
        page: PageRequest,
    ) -> Result<ContactPage, RecordError> {
        // One more than asked for tells whether there is another page.
        let wanted = usize::from(page.limit.max(1));
        let mut contacts = self.env.store.contacts().list(filter, page.after, wanted + 1).await?;
        let more = contacts.len() > wanted;
        contacts.truncate(wanted);
        let next = contacts.last().filter(|_| more).map(|contact| contact.id);
        Ok(ContactPage { contacts, next })
    }
}
