//! What a person decides about a record that is missing there: the customer gets a new one, or does without. Either may be
//! said at once, also while the record is only missed and might come back.

use super::ResolveError;
use super::Resolver;
use crate::log::SyncOutcome;
use crate::mapping::{DetachReason, Mapping, MappingId};
use crate::store::SyncTransaction;
use crate::sync_error::SyncError;
use crate::synchroniser::current;
use onefold_domain::id::CustomerId;

impl Resolver {
    /// The mapping of the record that is gone stays as it was, out of use: should the record come back, it is recognised. A
    /// new mapping begins with nothing agreed on, and the next sync creates the record.
    pub(super) async fn recreate(
        &self,
        transaction: &mut dyn SyncTransaction,
        customer: CustomerId,
        mapping: Mapping,
    ) -> Result<(), ResolveError> {
        self.release(transaction, mapping).await?;
        let at = self.sync.env.base.clock.now();
        let record = current(transaction, customer).await.map_err(SyncError::from)?;
        let id = MappingId(self.sync.env.base.randomness.uuid(at));
        // Not added if the customer has another one by now, and then that one is brought into step.
        transaction.mappings().insert(&self.sync.new_mapping(id, &record, at)).await?;
        Ok(())
    }

    /// Nothing is kept the same any more, and no change here makes a record there.
    pub(super) async fn release(
        &self,
        transaction: &mut dyn SyncTransaction,
        mapping: Mapping,
    ) -> Result<(), ResolveError> {
        if mapping.detached.is_some() {
            return Ok(());
        }
        let at = self.sync.env.base.clock.now();
        let aside = self.sync.touched(mapping, at).out_of_use(DetachReason::Gone);
        transaction.mappings().update(&aside).await?;
        Ok(self.sync.log_mapping(transaction, &aside, SyncOutcome::Detached, at).await?)
    }
}
