//! OpenPhone, now also called Quo: a telephone service that keeps contacts. `client` makes its calls, `wire`
//! knows their shapes, `contact` and `custom_fields` translate, `pull` reads everything, `lookup` finds contacts by their
//! values with the help of an `index`, `webhook` verifies and reads what it reports by itself.
//!
//! Its oddities, and what they ask of a caller: an update replaces, so the whole contact is sent; contacts that other
//! programs brought are read and never written; nothing is found by email or phone; people see a contact only
//! where there is a conversation with its number.

mod check;
mod client;
mod config;
mod contact;
mod custom_fields;
mod directory;
mod external_id;
mod index;
mod lookup;
mod pull;
mod setting;
#[cfg(test)]
mod tests;
mod webhook;
mod wire;

use std::sync::Arc;

use onefold_service::clock::Clock;
use onefold_sync::pace::CallPace;
use onefold_sync::partner::{PartnerChange, PartnerError, PartnerField, PartnerId};
use tokio::sync::{Mutex, OnceCell};

use crate::call_error::CallError;
use client::{Call, Client, rejected};
use contact::Translation;
use custom_fields::{CustomFields, FieldKinds, TagsKind};

pub use check::{Check, Checked};
pub use config::{BaseUrl, Config};
pub use contact::Contact;
pub use external_id::{ExternalId, InvalidExternalId};
pub use index::ContactIndex;
pub use pull::{ContactPage, PageToken};
pub use setting::{
    DefaultRegion, FieldKey, InvalidSetting, InvalidWebhookKey, NoteText, SourceName, WebhookKey,
};
pub use webhook::Webhook;

pub use crate::address::InvalidBaseUrl;
pub use crate::credential::Credential;
pub use crate::reach::{AllowedHost, PrivateHost};

/// More external ids in one look-up are refused: their server takes a longer list for something else.
const MOST_EXTERNAL_IDS: usize = 20;

const CONTACTS: &str = "contacts";

/// No connection can be made with these settings.
#[derive(Debug, thiserror::Error)]
#[error("the connection to OpenPhone cannot be prepared")]
pub struct Unprepared(#[source] Box<dyn std::error::Error + Send + Sync>);

/// The contacts of one workspace in OpenPhone. Clones share connections, pace and circuit breaker.
#[derive(Clone)]
pub struct OpenPhone {
    connected: Result<Arc<Connected>, Vec<&'static str>>,
    calls_per_second: u32,
}

struct Connected {
    client: Client,
    translation: Translation,
    index: Option<Arc<dyn ContactIndex>>,
    kinds: OnceCell<FieldKinds>,
    /// Held while all contacts are read for the index, so that this happens once.
    scanning: Mutex<()>,
}

impl OpenPhone {
    /// Makes no call. Without a key every call will answer [`PartnerError::NotConfigured`]; without an index
    /// nothing is found by email or phone; without `pace` calls are counted here alone, and other processes may make
    /// as many.
    ///
    /// # Errors
    /// A program that cannot make safe connections, or a key that no header can carry.
    pub fn new(
        config: &Config,
        clock: Arc<dyn Clock>,
        index: Option<Arc<dyn ContactIndex>>,
        pace: Option<Arc<dyn CallPace>>,
    ) -> Result<Self, Unprepared> {
        let connected = match config.key() {
            Err(missing) => Err(missing),
            Ok(key) => {
                let client = Client::new(config, key, clock, pace).map_err(Unprepared)?;
                let translation = Translation {
                    source: config.source.clone(),
                    custom: CustomFields {
                        note: config.note.clone(),
                        note_field: config.note_field.clone(),
                        tags_field: config.tags_field.clone(),
                    },
                    write_app_contacts: config.write_app_contacts,
                    region: config.default_region.map(|region| region.0),
                };
                let (kinds, scanning) = Default::default();
                Ok(Arc::new(Connected { client, translation, index, kinds, scanning }))
            }
        };
        Ok(Self { connected, calls_per_second: config.calls_per_second })
    }

    pub fn is_configured(&self) -> bool {
        self.connected.is_ok()
    }

    /// Creates the contact, or changes the one that has this external id already: after a lost answer it may
    /// be called again.
    ///
    /// # Errors
    /// [`PartnerError::Uncertain`] when it may have been created; after every other error it was not.
    pub async fn create_contact(
        &self,
        change: &PartnerChange,
        id: &ExternalId,
    ) -> Result<Contact, PartnerError> {
        self.connected()?.create(change, id).await
    }

    /// Changes what is stated and sends all the rest as it was read.
    ///
    /// # Errors
    /// [`PartnerError::Rejected`] with code `read_only` for a contact of another source, which is not written.
    pub async fn update_contact(
        &self,
        id: &PartnerId,
        change: &PartnerChange,
    ) -> Result<Contact, PartnerError> {
        self.connected()?.update(id, change).await
    }

    pub async fn get_contact(&self, id: &PartnerId) -> Result<Contact, PartnerError> {
        let connected = self.connected()?;
        let contact = connected.translated(&connected.get(id).await?)?;
        connected.seen(&contact).await;
        Ok(contact)
    }

    /// Our contact with this external id.
    pub async fn get_contact_by_external_id(&self, id: &ExternalId) -> Result<Option<Contact>, PartnerError> {
        Ok(self.connected()?.by_external_ids(std::slice::from_ref(id)).await?.into_iter().next())
    }

    /// Our contacts with these external ids, as many calls as that takes. Who is not there is left out.
    pub async fn get_contacts_by_external_ids(
        &self,
        ids: &[ExternalId],
    ) -> Result<Vec<Contact>, PartnerError> {
        self.connected()?.by_external_ids(ids).await
    }

    /// # Errors
    /// [`PartnerError::NotFound`] when it is gone already, [`PartnerError::Rejected`] with code `read_only` for
    /// a contact of another source.
    pub async fn delete_contact(&self, id: &PartnerId) -> Result<(), PartnerError> {
        self.connected()?.delete(id).await
    }

    /// A page of all contacts, whoever made them; the first without a token.
    pub async fn list_contacts(&self, from: Option<&PageToken>) -> Result<ContactPage, PartnerError> {
        self.connected()?.page(from).await
    }

    fn connected(&self) -> Result<&Connected, PartnerError> {
        match &self.connected {
            Ok(connected) => Ok(connected),
            Err(missing) => Err(PartnerError::NotConfigured { missing: missing.clone() }),
        }
    }
}

impl Connected {
    /// Looks first: whether a second contact with the same external id is always refused is not promised.
    async fn create(&self, change: &PartnerChange, id: &ExternalId) -> Result<Contact, PartnerError> {
        if let Some(known) = self.change_known(change, id).await? {
            return Ok(known);
        }
        let kinds = self.kinds().await?;
        let body = self.translation.new_contact(change, &kinds, id);
        let created: Result<wire::One, _> = self.client.call(Call::post(&[CONTACTS], body)).await;
        match created {
            Ok(created) => {
                let contact = self.translation.read(&created.data);
                let contact =
                    contact.ok_or_else(|| PartnerError::Uncertain("the answer has no id".into()))?;
                self.seen(&contact).await;
                Ok(contact)
            }
            // Somebody was faster. The answer does not say who, and one that is not shown stays for a person.
            Err(error @ CallError::Conflict { .. }) => {
                let known = self.change_known(change, id).await?;
                known.ok_or_else(|| error.into_creation_error())
            }
            Err(error) => Err(error.into_creation_error()),
        }
    }

    /// A contact that was deleted may still be listed for a while; then it is as good as not there.
    async fn change_known(
        &self,
        change: &PartnerChange,
        id: &ExternalId,
    ) -> Result<Option<Contact>, PartnerError> {
        let known = self.by_external_ids(std::slice::from_ref(id)).await?.into_iter().next();
        let Some(known) = known else { return Ok(None) };
        match self.update(&known.partner.id, change).await {
            Err(PartnerError::NotFound) => Ok(None),
            changed => changed.map(Some),
        }
    }

    async fn update(&self, id: &PartnerId, change: &PartnerChange) -> Result<Contact, PartnerError> {
        let there = self.get(id).await?;
        if !self.translation.is_writable(&there) {
            return Err(not_ours());
        }
        let tags = match change.fields.tags.is_some() || change.cleared.contains(&PartnerField::Tags) {
            true => self.kinds().await?.tags,
            false => TagsKind::None,
        };
        let whole = self.translation.whole(&there, change, tags);
        let whole = whole.map_err(|error| PartnerError::Unexpected(error.into()))?;
        let path = [CONTACTS, id.as_str()];
        let changed: wire::One =
            self.client.call(Call::patch(&path, whole)).await.map_err(CallError::into_partner_error)?;
        let contact = self.translated(&changed.data)?;
        self.seen(&contact).await;
        Ok(contact)
    }

    async fn get(&self, id: &PartnerId) -> Result<wire::Contact, PartnerError> {
        let path = [CONTACTS, id.as_str()];
        let result: Result<wire::One, _> = self.client.call(Call::get(&path, &[])).await;
        match result {
            Ok(found) if found.data.id == id.as_str() => Ok(found.data),
            Ok(_) => Err(PartnerError::Unexpected("another contact than the one that was asked for".into())),
            Err(error) => {
                if let (CallError::NotFound { .. }, Some(index)) = (&error, &self.index) {
                    index.gone(id).await;
                }
                Err(error.into_partner_error())
            }
        }
    }

    async fn delete(&self, id: &PartnerId) -> Result<(), PartnerError> {
        if self.get(id).await?.source.as_deref() != Some(self.translation.source.as_str()) {
            return Err(not_ours());
        }
        let deleted = self.client.tell(Call::delete(&[CONTACTS, id.as_str()])).await;
        if let (Ok(()) | Err(CallError::NotFound { .. }), Some(index)) = (&deleted, &self.index) {
            index.gone(id).await;
        }
        deleted.map_err(CallError::into_partner_error)
    }

    /// Every row is checked: a filter that is not honoured gives everybody.
    async fn by_external_ids(&self, ids: &[ExternalId]) -> Result<Vec<Contact>, PartnerError> {
        let mut found = Vec::new();
        for some in ids.chunks(MOST_EXTERNAL_IDS) {
            let page_size = pull::PAGE.to_string();
            let mut query =
                vec![("maxResults", page_size.as_str()), ("sources", self.translation.source.as_str())];
            query.extend(some.iter().map(|id| ("externalIds", id.as_str())));
            let page: wire::Page = self
                .client
                .call(Call::get(&[CONTACTS], &query))
                .await
                .map_err(CallError::into_partner_error)?;
            let contacts = page.data.iter().filter_map(|contact| self.translation.read(contact));
            let is_asked = |contact: &Contact| {
                contact.is_ours && contact.external_id.as_ref().is_some_and(|id| some.contains(id))
            };
            found.extend(contacts.filter(is_asked));
        }
        Ok(found)
    }

    async fn page(&self, from: Option<&PageToken>) -> Result<ContactPage, PartnerError> {
        let page_size = pull::PAGE.to_string();
        let mut query = vec![("maxResults", page_size.as_str())];
        query.extend(from.map(|token| ("pageToken", token.0.as_str())));
        let page: wire::Page =
            self.client.call(Call::get(&[CONTACTS], &query)).await.map_err(CallError::into_partner_error)?;
        let rows = page.data.len();
        let contacts: Vec<_> =
            page.data.iter().filter_map(|contact| self.translation.read(contact)).collect();
        if let Some(index) = &self.index {
            let partners: Vec<_> = contacts.iter().map(|contact| contact.partner.clone()).collect();
            index.seen(&partners).await;
        }
        let next = page.next_page_token.filter(|token| !token.is_empty()).map(PageToken);
        Ok(ContactPage { unreadable: rows - contacts.len(), contacts, next })
    }

    fn translated(&self, contact: &wire::Contact) -> Result<Contact, PartnerError> {
        let read = self.translation.read(contact);
        read.ok_or_else(|| PartnerError::Unexpected("a contact with an id that is none".into()))
    }

    /// Asked once: only people change it, and seldom.
    async fn kinds(&self) -> Result<FieldKinds, PartnerError> {
        let custom = &self.translation.custom;
        match self.kinds.get_or_try_init(|| custom.ask(&self.client)).await {
            Ok(kinds) => Ok(kinds.clone()),
            // Nobody asked for a field, so there is nothing that would be missing; the next contact asks again.
            Err(error) if !custom.is_configured() => {
                tracing::debug!(%error, "the custom fields are not known");
                Ok(FieldKinds { tags: TagsKind::None, note: None })
            }
            Err(error) => Err(error),
        }
    }

    async fn seen(&self, contact: &Contact) {
        if let Some(index) = &self.index {
            index.seen(std::slice::from_ref(&contact.partner)).await;
        }
    }
}

fn not_ours() -> PartnerError {
    rejected("read_only", "The contact belongs to another source, and is changed there.")
}
