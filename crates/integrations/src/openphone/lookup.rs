//! Finding contacts by their values, which OpenPhone itself cannot: the index names candidates, and each is read and
//! compared before it is believed.

use onefold_domain::email::EmailAddress;
use onefold_domain::phone::PhoneNumber;
use onefold_sync::partner::{PartnerError, PartnerLookup, PartnerLookupKind, PartnerPull};

use super::contact::Contact;
use super::pull::Pull;
use super::{ContactIndex, OpenPhone};

/// The most contacts that are read for one look-up. More with the same number are a switchboard's.
const MOST_CANDIDATES: usize = 20;

impl OpenPhone {
    /// The contact with this email, the oldest if there are several, whoever made it.
    ///
    /// # Errors
    /// An index or an OpenPhone that does not answer; "not there" would be a wrong answer then.
    pub async fn get_contact_by_email(&self, email: &EmailAddress) -> Result<Option<Contact>, PartnerError> {
        Ok(self.find(&PartnerLookup::Email(email.clone())).await?.into_iter().next())
    }

    /// The contact with this phone, the oldest if there are several, whoever made it.
    ///
    /// # Errors
    /// An index or an OpenPhone that does not answer; "not there" would be a wrong answer then.
    pub async fn get_contact_by_phone(&self, phone: &PhoneNumber) -> Result<Option<Contact>, PartnerError> {
        Ok(self.find(&PartnerLookup::Phone(phone.clone())).await?.into_iter().next())
    }

    /// Without an index, and for what it does not keep, nothing is found. One that has never seen all contacts sees them
    /// first, or people who are there would be created again.
    pub(super) async fn find(&self, lookup: &PartnerLookup) -> Result<Vec<Contact>, PartnerError> {
        let Some(index) = &self.connected()?.index else { return Ok(Vec::new()) };
        if !matches!(lookup.kind(), PartnerLookupKind::Email | PartnerLookupKind::Phone) {
            return Ok(Vec::new());
        }
        self.fill(index.as_ref()).await?;
        let mut found = Vec::new();
        for id in index.find(lookup).await?.iter().take(MOST_CANDIDATES) {
            match self.get_contact(id).await {
                Ok(contact) => found.extend(lookup.matches(&contact.partner).then_some(contact)),
                Err(PartnerError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    async fn fill(&self, index: &dyn ContactIndex) -> Result<(), PartnerError> {
        if index.is_whole().await? {
            return Ok(());
        }
        let alone = self.connected()?.scanning.lock().await;
        if !index.is_whole().await? {
            tracing::info!("all contacts are read once, to be found by email and phone");
            let mut pull = Pull::new(self.connected.clone());
            while pull.next().await?.is_some() {}
        }
        drop(alone);
        Ok(())
    }
}
