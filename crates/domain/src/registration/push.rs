//! Telling the other system of somebody who has just registered: tried once, for a moment, with the promise to try again
//! already stored.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::Registrations;
use crate::{
    CustomerId, EmailAddress, Errand, PartnerError, PartnerId, Retry, SyncError, SyncFault, SyncSystem,
    Synchroniser,
};

const BUSY_PAUSE: Duration = Duration::from_millis(100);

/// What came of it.
#[derive(Clone, PartialEq, Debug)]
pub enum Pushed {
    /// The person is there, under this id.
    Done(PartnerId),
    /// There is no other system, or it is not configured.
    Skipped,
    /// The worker will do it.
    Pending,
    /// Trying again would end the same way. The fault holds nothing of what the other system said.
    Failed(SyncFault),
}

impl Registrations {
    /// Never an error, whatever happens there. The lines of the log have the words that operators look for, by the contract
    /// of the endpoint; the email in them is masked.
    pub(super) async fn push(&self, customer: CustomerId, email: &EmailAddress) -> Pushed {
        let title = self.sync.as_ref().map_or(SyncSystem::OpenPhone, Synchroniser::system).title();
        let Some(sync) = self.sync.clone().filter(|sync| sync.configured().is_ok()) else {
            tracing::info!(
                customer = %customer.0,
                "{title} contact creation skipped (API not configured or failed)"
            );
            return Pushed::Skipped;
        };
        let system = sync.system();
        tracing::info!(customer = %customer.0, %system, "Creating {title} contact for: {}", email.masked());
        let Ok(place) = Arc::clone(&self.in_time).try_acquire_owned() else {
            tracing::info!(customer = %customer.0, %system, "creating the contact is left to the worker: many register");
            return Pushed::Pending;
        };
        let working = tokio::spawn({
            let sync = sync.clone();
            // Its job is stored already.
            let until = Instant::now() + self.settings.push_deadline;
            async move {
                let _place = place;
                loop {
                    match sync.sync_customer(customer, Errand { run: None, is_job: true }).await {
                        // A job of an earlier change may be at it; what it does is as good.
                        Err(SyncError::Busy) if Instant::now() < until => sleep(BUSY_PAUSE).await,
                        done => return done,
                    }
                }
            }
        });
        // It goes on when the time is up: a creation that is dropped half-way would have to be looked for.
        let pushed = match timeout(self.settings.push_deadline, working).await {
            Ok(Ok(Ok(synced))) => synced.mapping.external.map_or(Pushed::Pending, Pushed::Done),
            Ok(Ok(Err(error))) => came_to(&sync, customer, &error).await,
            Ok(Err(_)) | Err(_) => Pushed::Pending,
        };
        match &pushed {
            Pushed::Done(contact) => {
                tracing::info!(
                    customer = %customer.0, %system, "{title} contact created successfully: {contact}"
                );
            }
            Pushed::Pending => {
                tracing::warn!(customer = %customer.0, %system, "creating the contact is left to the worker");
            }
            Pushed::Failed(fault) => tracing::warn!(
                customer = %customer.0, %system, error = %fault.code,
                "{title} integration failed: {}", fault.message
            ),
            Pushed::Skipped => tracing::info!(
                customer = %customer.0, %system,
                "{title} contact creation skipped (API not configured or failed)"
            ),
        }
        pushed
    }
}

/// A person who was there before is there, even if something else remains to be done.
async fn came_to(sync: &Synchroniser, customer: CustomerId, error: &SyncError) -> Pushed {
    if let Ok(Some(mapping)) = sync.mapping_of_customer(customer).await
        && let (Some(external), None) = (mapping.external, mapping.detached)
    {
        return Pushed::Done(external);
    }
    match error {
        SyncError::Partner(PartnerError::NotConfigured { .. }) => Pushed::Skipped,
        // The worker tries again, and the person can be told now.
        SyncError::Partner(PartnerError::Rejected { .. }) => refused(error),
        error if error.retry() != Retry::Never => Pushed::Pending,
        // Not the fault that is kept: it repeats what the other system said, and that may be anybody's data.
        error => refused(error),
    }
}

fn refused(error: &SyncError) -> Pushed {
    Pushed::Failed(SyncFault::new(error.code(), error.to_string()))
}
