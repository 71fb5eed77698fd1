//! MetaKocka, an ERP that keeps partners. `client` makes its calls, `wire` knows their shapes, `read` and
//! `write` translate, `pull` reads the whole register, `country` knows the names of countries.
//!
//! Its oddities, and what they ask of a caller: partners are never deleted here, values never cleared;
//! creating is not idempotent; nothing tells what changed; looking up finds more than was asked for.

mod client;
mod config;
mod country;
mod lookup;
mod pull;
mod read;
#[cfg(test)]
mod tests;
mod wire;
mod write;

use std::sync::Arc;

use async_trait::async_trait;
use onefold_domain::id::CustomerId;
use onefold_domain::phone::Region;
use onefold_service::clock::Clock;
use onefold_sync::pace::CallPace;
use onefold_sync::partner::{
    KnownNames, PartnerAbilities, PartnerAddressId, PartnerChange, PartnerContactId, PartnerDirectory,
    PartnerError, PartnerField, PartnerFields, PartnerId, PartnerKind, PartnerLookup, PartnerLookupKind,
    PartnerParts, PartnerPull, PartnerWritten, RemotePartner,
};

use crate::call_error::CallError;
use client::{Call, Client};
use pull::Pull;
use read::Reading;
use wire::{Added, Partners, Selector};
use write::Writing;

pub use config::{BaseUrl, Config, HomeCountry};
pub use country::CountryLanguage;

pub use crate::address::InvalidBaseUrl;
pub use crate::credential::Credential;
pub use crate::reach::{AllowedHost, PrivateHost};

/// No safe connection can be made from this program.
#[derive(Debug, thiserror::Error)]
#[error("the connection to MetaKocka cannot be prepared")]
pub struct Unprepared(#[source] Box<dyn std::error::Error + Send + Sync>);

/// The partners of one company in MetaKocka. Clones share connections, pace and circuit breaker.
#[derive(Clone)]
pub struct MetaKocka {
    connected: Result<Arc<Connected>, Vec<&'static str>>,
    calls_per_second: u32,
}

struct Connected {
    client: Client,
    reading: Reading,
    writing: Writing,
}

impl MetaKocka {
    /// Makes no call. Without credentials every call will answer [`PartnerError::NotConfigured`]; without `pace`
    /// calls are counted here alone, and other processes may make as many.
    ///
    /// # Errors
    /// A program that cannot make safe connections.
    pub fn new(
        config: &Config,
        clock: Arc<dyn Clock>,
        pace: Option<Arc<dyn CallPace>>,
    ) -> Result<Self, Unprepared> {
        let home = config.home_country.0;
        let connected = match config.credentials() {
            Err(missing) => Err(missing),
            Ok(credentials) => {
                let client = Client::new(config, credentials, clock, pace).map_err(Unprepared)?;
                let reading = Reading { home, region: Region::parse(home.as_str()).ok() };
                let writing = Writing { home, language: config.country_language };
                Ok(Arc::new(Connected { client, reading, writing }))
            }
        };
        Ok(Self { connected, calls_per_second: config.calls_per_second })
    }

    fn connected(&self) -> Result<&Connected, PartnerError> {
        match &self.connected {
            Ok(connected) => Ok(connected),
            Err(missing) => Err(PartnerError::NotConfigured { missing: missing.clone() }),
        }
    }
}

/// The fields that a partner has a place for.
const FIELDS: [PartnerField; 10] = [
    PartnerField::Name,
    PartnerField::CompanyName,
    PartnerField::Kind,
    PartnerField::Email,
    PartnerField::Phone,
    PartnerField::Street,
    PartnerField::City,
    PartnerField::PostalCode,
    PartnerField::Country,
    PartnerField::TaxNumber,
];

#[async_trait]
impl PartnerDirectory for MetaKocka {
    fn abilities(&self) -> PartnerAbilities {
        PartnerAbilities {
            system: "MetaKocka",
            fields: &FIELDS,
            lookups: &[
                PartnerLookupKind::TaxNumber,
                PartnerLookupKind::Email,
                PartnerLookupKind::Phone,
                PartnerLookupKind::Name,
            ],
            clears: false,
            deletes: false,
            tells_changes: false,
            calls_back: false,
            concurrency: config::CONCURRENCY,
            calls_per_second: self.calls_per_second,
        }
    }

    fn configured(&self) -> Result<(), PartnerError> {
        self.connected().map(drop)
    }

    fn as_kept(&self, fields: &PartnerFields) -> PartnerFields {
        write::as_kept(fields)
    }

    fn check(&self, fields: &PartnerFields) -> Result<(), PartnerError> {
        let faults = write::faults_of_new(&write::as_kept(fields));
        if faults.is_empty() { Ok(()) } else { Err(PartnerError::Invalid(faults)) }
    }

    async fn get(&self, id: &PartnerId) -> Result<RemotePartner, PartnerError> {
        self.connected()?.get(id).await
    }

    /// MetaKocka keeps no reference of ours, so the identity is not sent.
    async fn add(&self, fields: &PartnerFields, _: CustomerId) -> Result<PartnerWritten, PartnerError> {
        let connected = self.connected()?;
        self.check(fields)?;
        connected.add(&write::as_kept(fields)).await
    }

    async fn update(
        &self,
        id: &PartnerId,
        change: &PartnerChange,
        parts: &PartnerParts,
    ) -> Result<PartnerWritten, PartnerError> {
        let connected = self.connected()?;
        let fields = write::as_kept(&change.fields);
        let faults = write::faults_of_length(&fields);
        if !faults.is_empty() {
            return Err(PartnerError::Invalid(faults));
        }
        connected.update(id, &fields, &change.known, parts).await
    }

    async fn find_by(&self, lookup: &PartnerLookup) -> Result<Vec<RemotePartner>, PartnerError> {
        self.connected()?.find_by(lookup).await
    }

    fn list(&self) -> Box<dyn PartnerPull> {
        Box::new(Pull::new(self.connected.clone()))
    }
}

impl Connected {
    /// The id is checked again: a selector that is not honoured would give somebody else.
    async fn get(&self, id: &PartnerId) -> Result<RemotePartner, PartnerError> {
        let selector = Selector::Id(id.as_str());
        let list =
            self.client.call(Call::GetPartner, selector).await.map_err(CallError::into_partner_error)?;
        let found = partners(self, list).map_err(CallError::into_partner_error)?;
        found.into_iter().find(|partner| partner.id == *id).ok_or(PartnerError::NotFound)
    }

    async fn add(&self, fields: &PartnerFields) -> Result<PartnerWritten, PartnerError> {
        let body = self.writing.new_partner(fields);
        let added: Added =
            self.client.call(Call::AddPartner, body).await.map_err(CallError::into_creation_error)?;
        // Without an id it may be there all the same, and only a look-up can tell.
        let id = added.mk_id.get().and_then(|id| PartnerId::parse(id).ok());
        let id = id.ok_or_else(|| PartnerError::Uncertain("the answer has no id".into()))?;
        let first_address = added.mk_address_id_list.0.first().and_then(|address| address.mk_id.get());
        let parts = PartnerParts {
            address: first_address.and_then(|id| PartnerAddressId::parse(id).ok()),
            contact: added.mk_contact_id.get().and_then(|id| PartnerContactId::parse(id).ok()),
        };
        Ok(self.read_back(id, fields, fields.kind, parts).await)
    }

    async fn update(
        &self,
        id: &PartnerId,
        fields: &PartnerFields,
        known: &KnownNames,
        parts: &PartnerParts,
    ) -> Result<PartnerWritten, PartnerError> {
        let (has_address, has_contact) = write::rows(fields, known);
        let lacks = |parts: &PartnerParts| {
            (has_address && parts.address.is_none()) || (has_contact && parts.contact.is_none())
        };
        let mut parts = parts.clone();
        if lacks(&parts) {
            // A row without an id would be added, each time again, beside one that may well be there.
            self.complete(&mut parts, id).await?;
        }
        self.write(id, fields, known, &parts).await?;
        if has_contact && parts.contact.is_none() && parts.address.is_none() {
            // A contact hangs on an address, which this partner did not have until now.
            self.complete(&mut parts, id).await?;
            if parts.address.is_some() {
                self.write(id, fields, known, &parts).await?;
            }
        }
        Ok(self.read_back(id.clone(), fields, fields.kind.or(known.kind), parts).await)
    }

    async fn write(
        &self,
        id: &PartnerId,
        fields: &PartnerFields,
        known: &KnownNames,
        parts: &PartnerParts,
    ) -> Result<(), PartnerError> {
        let body = self.writing.changed_partner(id, fields, known, parts);
        match self.client.call::<Partners>(Call::UpdatePartner, body).await {
            Ok(_) => Ok(()),
            // The text may be about a row of the partner. Whether the partner is there, only it can say.
            Err(CallError::NotFound { said, .. }) => {
                self.get(id).await?;
                Err(PartnerError::Rejected { code: "2".to_owned(), said })
            }
            Err(error) => Err(error.into_partner_error()),
        }
    }

    async fn complete(&self, parts: &mut PartnerParts, id: &PartnerId) -> Result<(), PartnerError> {
        let known = self.get(id).await?.parts;
        parts.address = parts.address.take().or(known.address);
        parts.contact = parts.contact.take().or(known.contact);
        Ok(())
    }

    /// Values are replaced or ignored without a word, so a write is worth what a read shows.
    async fn read_back(
        &self,
        id: PartnerId,
        fields: &PartnerFields,
        kind: Option<PartnerKind>,
        parts: PartnerParts,
    ) -> PartnerWritten {
        match self.get(&id).await {
            Ok(partner) => {
                let partner = partner.known_as(kind);
                let differing = fields.differing(&partner.fields);
                PartnerWritten { id, parts: partner.parts.clone(), partner: Some(partner), differing }
            }
            Err(error) => {
                tracing::warn!(partner = %id, %error, "written to MetaKocka, but not read back");
                PartnerWritten { id, parts, partner: None, differing: Vec::new() }
            }
        }
    }
}

/// For the double, which replaces names that nobody knows.
#[cfg(feature = "testing")]
pub(crate) fn is_known_country(name: &str) -> bool {
    country::code(name).is_some()
}

/// The partners of an answer. One without a list is no answer to the question.
fn partners(connected: &Connected, list: Partners) -> Result<Vec<RemotePartner>, CallError> {
    let list = match (list.partner_list, list.partner_list_count.get()) {
        (Some(list), _) => list.0,
        (None, Some("0")) => Vec::new(),
        (None, _) => return Err(CallError::Unreadable("the answer has no partner_list".into())),
    };
    Ok(list.iter().filter_map(|partner| connected.reading.partner(partner)).collect())
}
