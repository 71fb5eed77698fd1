//! OpenPhone as a directory of partners: a contact is one, our customer's id its external id.

use async_trait::async_trait;
use onefold_domain::id::CustomerId;
use onefold_sync::partner::{
    PartnerAbilities, PartnerChange, PartnerDirectory, PartnerError, PartnerFault, PartnerFaultReason,
    PartnerField, PartnerFields, PartnerId, PartnerLookup, PartnerLookupKind, PartnerParts, PartnerPull,
    PartnerWritten, RemotePartner,
};

use super::contact::{self, Contact};
use super::pull::Pull;
use super::{ExternalId, OpenPhone, config};

#[async_trait]
impl PartnerDirectory for OpenPhone {
    fn abilities(&self) -> PartnerAbilities {
        let has_tags =
            self.connected.as_ref().is_ok_and(|connected| connected.translation.custom.tags_field.is_some());
        let has_index = self.connected.as_ref().is_ok_and(|connected| connected.index.is_some());
        PartnerAbilities {
            system: "OpenPhone",
            fields: if has_tags { &contact::FIELDS } else { &contact::FIELDS[..4] },
            lookups: if has_index { &[PartnerLookupKind::Email, PartnerLookupKind::Phone] } else { &[] },
            clears: true,
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
        let change = fields.clone().into();
        let contact = self.create_contact(&change, &ExternalId::from(identity)).await?;
        Ok(written(contact, fields))
    }

    /// Contacts have no parts with ids that must be named: the whole contact is sent.
    async fn update(
        &self,
        id: &PartnerId,
        change: &PartnerChange,
        _: &PartnerParts,
    ) -> Result<PartnerWritten, PartnerError> {
        Ok(written(self.update_contact(id, change).await?, &change.fields))
    }

    async fn find_by(&self, lookup: &PartnerLookup) -> Result<Vec<RemotePartner>, PartnerError> {
        Ok(self.find(lookup).await?.into_iter().map(|contact| contact.partner).collect())
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
