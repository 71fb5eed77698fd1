//! Looking contacts up, page by page.

use super::Contacts;
use crate::error::RecordError;
use crate::page::Page;
use crate::store::ContactFilter;
use onefold_domain::contact::ContactRecord;
use onefold_domain::id::ContactId;

/// A part of a list, in ascending order of ids.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageRequest {
    /// The last contact of the page before.
    pub after: Option<ContactId>,
    /// The most contacts of the page; at least 1.
    pub limit: u16,
}

/// Contacts, and the one that the next page follows.
pub type ContactPage = Page<ContactRecord, ContactId>;

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
        let contacts = self.env.store.contacts();
        let page = Page::read(
            usize::from(page.limit),
            |wanted| contacts.list(filter, page.after, wanted),
            |contact: &ContactRecord| contact.id,
        );
        Ok(page.await?)
    }
}
