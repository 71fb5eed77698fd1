//! What the other system says by itself: that a record changed or is gone. It says so late, twice, or out of order, so it
//! is only a reason to look; what counts is how the record is now.

use super::{Loss, SyncContext, Synchroniser};
use crate::mapping::{DetachReason, Mapping};
use crate::merge::is_unchanged;
use crate::partner::{PartnerError, PartnerId, RemotePartner};
use crate::sync_error::SyncError;
use onefold_service::retry::Failure;

impl Synchroniser {
    /// Looks at a record and does what its state asks for: takes it in, brings it into step, or takes its mapping
    /// out of use if it is gone. A report of a deletion means that somebody deleted it, so there is no period of grace.
    ///
    /// # Errors
    /// Those of [`Self::sync_customer`].
    pub async fn look_at(&self, id: &PartnerId, context: SyncContext) -> Result<(), SyncError> {
        let known = self.mapping_of_partner(id).await?;
        match (self.directory.get(id).await, known) {
            (Err(PartnerError::NotFound), Some(mapping)) => self.gone(&mapping).await,
            (Err(PartnerError::NotFound), None) => Ok(()),
            (Err(error), _) => Err(error.into()),
            (Ok(partner), Some(mapping)) => self.changed(&mapping, partner, context).await,
            (Ok(partner), None) => self.new_there(&partner, context).await,
        }
    }

    async fn gone(&self, mapping: &Mapping) -> Result<(), SyncError> {
        match mapping.detached {
            None => self.note_loss(mapping, Loss::Gone).await,
            Some(_) => Ok(()),
        }
    }

    async fn changed(
        &self,
        mapping: &Mapping,
        partner: RemotePartner,
        context: SyncContext,
    ) -> Result<(), SyncError> {
        match mapping.detached {
            // The other system reports what we wrote ourselves, too.
            None if self.is_as_it_was(mapping, &partner).await? => Ok(()),
            None => self.sync_with(mapping, partner, context).await.map(drop),
            Some(DetachReason::Gone) if self.attach(mapping.id).await? => {
                self.sync_with(mapping, partner, context).await.map(drop)
            }
            // Another record is kept in step with this customer, or nobody is left.
            Some(_) => Ok(()),
        }
    }

    async fn is_as_it_was(&self, mapping: &Mapping, partner: &RemotePartner) -> Result<bool, SyncError> {
        let record = self.env.store.customers().get(mapping.customer).await.map_err(Failure::from)?;
        let here = record.filter(|record| record.id == mapping.customer).map(|record| record.version);
        let abilities = self.directory.abilities();
        Ok(here.is_some_and(|version| is_unchanged(mapping, version, partner, &abilities)))
    }

    async fn new_there(&self, partner: &RemotePartner, context: SyncContext) -> Result<(), SyncError> {
        if !self.settings.import_new {
            return Ok(());
        }
        match self.take_in(partner, &self.rules().await?, context).await {
            // Without an email and a phone it is nobody's contact. It may get one later, and is reported again then.
            Ok(_) | Err(SyncError::NoContactPoint) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
