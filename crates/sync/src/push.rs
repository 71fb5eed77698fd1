//! People who register are told to the system that they are to be in.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep};

use crate::partner::PartnerError;
use crate::sync_error::{Retry, SyncError};
use crate::synchroniser::{SyncContext, Synchroniser};
use onefold_domain::id::CustomerId;
use onefold_service::actor::Acting;
use onefold_service::registration::{PushFault, Pushed, RegistrationPush};
use onefold_service::system::SyncSystem;

const BUSY_PAUSE: Duration = Duration::from_millis(100);

#[async_trait]
impl RegistrationPush for Synchroniser {
    fn system(&self) -> SyncSystem {
        self.system
    }

    fn is_configured(&self) -> bool {
        self.configured().is_ok()
    }

    fn calls_per_second(&self) -> u32 {
        self.abilities().calls_per_second
    }

    async fn push(&self, customer: CustomerId, acting: &Acting, until: Instant) -> Pushed {
        let sync = self.acting(acting);
        // Registration has stored its job already.
        let context = SyncContext { run: None, is_job: true };
        loop {
            match sync.sync_customer(customer, context).await {
                Ok(synced) => {
                    let external = synced.mapping.external;
                    return external.map_or(Pushed::Pending, |id| Pushed::Done(id.as_str().to_owned()));
                }
                // A job of an earlier change may be at it; what it does is as good.
                Err(SyncError::Busy) if Instant::now() < until => sleep(BUSY_PAUSE).await,
                Err(error) => return came_to(&sync, customer, &error).await,
            }
        }
    }
}

/// A person who was there before is there, even if something else remains to be done.
async fn came_to(sync: &Synchroniser, customer: CustomerId, error: &SyncError) -> Pushed {
    if let Ok(Some(mapping)) = sync.mapping_of_customer(customer).await
        && let (Some(external), None) = (mapping.external, mapping.detached)
    {
        return Pushed::Done(external.as_str().to_owned());
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
    Pushed::Failed(PushFault { code: error.code().to_owned(), message: error.to_string() })
}
