//! Working on a mapping: its lease is renewed all the while, so that it can be short, and whoever is killed is followed soon.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::{Instant, sleep};

use super::{Opened, SyncContext, Synced, Synchroniser};
use crate::job::JobKind;
use crate::log::{SyncAttempt, SyncLogFilter, SyncOutcome};
use crate::mapping::Mapping;
use crate::renewal::while_renewing;
use crate::store::{Open, SyncTransaction};
use crate::sync_error::SyncError;
use onefold_domain::id::CustomerId;
use onefold_service::retry::Failure;
use onefold_service::store::StoreError;

/// How long a person waits for somebody who is at the same customer.
const WAIT: Duration = Duration::from_secs(15);

/// Between two looks whether that one is done.
const LOOK: Duration = Duration::from_millis(100);

impl Synchroniser {
    /// Awaits something that may take long, a call to the other system above all, while the mapping stays leased to us. Ends
    /// with `Busy` if it was lost: this process was halted for so long that somebody took over.
    pub(super) async fn holding<T, E>(
        &self,
        opened: &Opened,
        work: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, SyncError>
    where
        SyncError: From<E>,
    {
        // On the heap, as wherever a sync is part of something else: one inside the other they outgrow a thread's stack.
        let work = Box::pin(async { Ok(work.await?) });
        while_renewing(work, self.settings.lease, || self.renew(opened)).await
    }

    async fn renew(&self, opened: &Opened) -> Result<(), SyncError> {
        let at = self.env.base.clock.now();
        let until = self.lease_until(at);
        self.env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    let held =
                        transaction.mappings().lease(opened.mapping.id, opened.owner, at, until).await?;
                    held.ok_or(SyncError::Busy)?;
                    Ok::<_, SyncError>(((), transaction))
                })
            })
            .await
    }

    /// What was promised in case that nothing would come of this attempt is done; so is what earlier ones left for a
    /// person.
    pub(super) async fn clear_promises(
        &self,
        transaction: &mut dyn SyncTransaction,
        mapping: &Mapping,
        promised: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let customer = JobKind::SyncCustomer(self.system, mapping.customer);
        if let Some(promised) = promised {
            transaction.jobs().take_back(&customer, promised).await?;
        }
        let record = mapping.external.clone().map(|id| JobKind::SyncPartner(self.system, id));
        let kinds: Vec<_> = std::iter::once(customer).chain(record).collect();
        transaction.jobs().clear_dead(&kinds).await
    }

    /// Waits for whoever is at this customer, and gives what came of that; if that is nothing, it is done now.
    pub(super) async fn after_another(
        &self,
        customer: CustomerId,
        context: SyncContext,
    ) -> Result<Synced, SyncError> {
        let (began, end) = (self.env.base.clock.now(), Instant::now() + WAIT);
        loop {
            if Instant::now() >= end {
                return Err(SyncError::Busy);
            }
            sleep(LOOK).await;
            let mapping = self.mapping_of_customer(customer).await?;
            let now = self.env.base.clock.now();
            if mapping.as_ref().is_some_and(|mapping| mapping.lease.is_some_and(|(_, until)| until > now)) {
                continue;
            }
            if let Some(done) = self.done_since(mapping, began).await? {
                return Ok(done);
            }
            match self.try_to_sync(customer, context).await {
                Err(SyncError::Busy) => {}
                done => return done,
            }
        }
    }

    /// What an attempt came to that ended since then, if both sides are in step as it left them.
    async fn done_since(
        &self,
        mapping: Option<Mapping>,
        began: DateTime<Utc>,
    ) -> Result<Option<Synced>, SyncError> {
        let Some(mapping) = mapping.filter(Mapping::is_settled) else { return Ok(None) };
        let record = self.env.store.customers().get(mapping.customer).await.map_err(Failure::from)?;
        if record.map(|record| record.version) != mapping.customer_version {
            return Ok(None);
        }
        let filter = SyncLogFilter { mapping: Some(mapping.id), ..SyncLogFilter::default() };
        let last = self.env.store.sync_log().list(&filter, None, 1).await.map_err(Failure::from)?;
        let last = last.into_iter().map(|logged| logged.attempt).find(|attempt| attempt.at >= began);
        let brought = |attempt: &SyncAttempt| attempt.outcome != SyncOutcome::Failed;
        Ok(last.filter(brought).map(|SyncAttempt { outcome, pushed, pulled, .. }| Synced {
            mapping,
            outcome,
            pushed,
            pulled,
        }))
    }
}
