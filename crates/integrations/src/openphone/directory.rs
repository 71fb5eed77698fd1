//! OpenPhone as a directory of partners: a contact is one, our customer's id its external id.

use async_trait::async_trait;
use onefold_domain::{
    CustomerId, PartnerAbilities, PartnerDirectory, PartnerError, PartnerFault, PartnerFaultReason,
    PartnerField, PartnerFields, PartnerId, PartnerLookup, PartnerLookupKind, PartnerParts, PartnerPull,
    PartnerWritten, RemotePartner,
};

use super::contact::{self, Contact, ContactChange};
use super::pull::Pull;
use super::{ExternalId, OpenPhone, config};

/// The most contacts that are read for one look-up. More with the same number are a switchboard's.
const MOST_CANDIDATES: usize = 20;

#[async_trait]
impl PartnerDirectory for OpenPhone {
    /// Values could be taken away there, but the port has no word for it: an absent one leaves what is there.
    /// So `clears` is false until it has.
    fn abilities(&self) -> PartnerAbilities {
        let has_index = self.connected.as_ref().is_ok_and(|connected| connected.index.is_some());
        PartnerAbilities {
            system: "OpenPhone",
            fields: &contact::FIELDS,
            lookups: if has_index { &[PartnerLookupKind::Email, PartnerLookupKind::Phone] } else { &[] },
            clears: false,
            deletes: true,
            tells_changes: false,
            calls_back: true,
            concurrency: config::CONCURRENCY,
            calls_per_second: self.calls_per_second,
        }
    }

    fn configured(&self) -> Result<(), PartnerError> {
        self.connected().map(drop)
    }

    fn as_kept(&self, fields: &PartnerFields) -> PartnerFields {
        contact::as_kept(fields)
    }

    /// A first name may be empty by the contract, but people would see a contact without any name.
    fn check(&self, fields: &PartnerFields) -> Result<(), PartnerError> {
        let kept = contact::as_kept(fields);
        if kept.name.is_some() || kept.company_name.is_some() {
            return Ok(());
        }
        let fault = PartnerFault { field: PartnerField::Name, reason: PartnerFaultReason::Missing };
        Err(PartnerError::Invalid(vec![fault]))
    }

    async fn get(&self, id: &PartnerId) -> Result<RemotePartner, PartnerError> {
        Ok(self.get_contact(id).await?.partner)
    }

    async fn add(
        &self,
        fields: &PartnerFields,
        identity: CustomerId,
    ) -> Result<PartnerWritten, PartnerError> {
        self.configured()?;
        self.check(fields)?;
        let change = ContactChange { fields: fields.clone(), tags: None };
        let contact = self.create_contact(&change, &ExternalId::from(identity)).await?;
        Ok(written(contact, fields))
    }

    /// Contacts have no parts with ids that must be named: the whole contact is sent.
    async fn update(
        &self,
        id: &PartnerId,
        fields: &PartnerFields,
        _: &PartnerParts,
    ) -> Result<PartnerWritten, PartnerError> {
        let change = ContactChange { fields: fields.clone(), tags: None };
        Ok(written(self.update_contact(id, &change).await?, fields))
    }

    /// What the index names is read and compared. Without an index, and for what it does not keep, nothing is
    /// found.
    async fn find_by(&self, lookup: &PartnerLookup) -> Result<Vec<RemotePartner>, PartnerError> {
        let Some(index) = &self.connected()?.index else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for id in index.find(lookup).await?.iter().take(MOST_CANDIDATES) {
            match self.get(id).await {
                Ok(partner) => found.extend(lookup.matches(&partner).then_some(partner)),
                Err(PartnerError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    fn list(&self) -> Box<dyn PartnerPull> {
        Box::new(Pull::new(self.connected.clone()))
    }
}

/// The answer to a write is the contact as it is now, so it is not read again.
fn written(contact: Contact, fields: &PartnerFields) -> PartnerWritten {
    let differing = contact::as_kept(fields).differing(&contact.partner.fields);
    let partner = contact.partner;
    PartnerWritten { id: partner.id.clone(), parts: partner.parts.clone(), partner: Some(partner), differing }
}
