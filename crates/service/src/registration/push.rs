//! Telling the other system of somebody who has just registered: tried once, for a moment, with the promise to try again
//! already stored.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::{Instant, timeout};

use super::Registrations;
use crate::actor::Acting;
use crate::system::SyncSystem;
use onefold_domain::email::EmailAddress;
use onefold_domain::id::CustomerId;

/// The system that is told of people who register.
#[async_trait]
pub trait RegistrationPush: Send + Sync {
    fn system(&self) -> SyncSystem;

    /// Whether there is what it takes to call it.
    fn is_configured(&self) -> bool;

    /// How many calls the other system lets through in a second.
    fn calls_per_second(&self) -> u32;

    /// Brings the customer there, and waits for somebody else who is at it no longer than `until`. It goes on when nobody
    /// waits for the answer any more.
    async fn push(&self, customer: CustomerId, acting: &Acting, until: Instant) -> Pushed;
}

/// What a push came to.
#[derive(Clone, PartialEq, Debug)]
pub enum Pushed {
    /// The person is there, under this id.
    Done(String),
    /// There is no other system, or it is not configured.
    Skipped,
    /// The worker will do it.
    Pending,
    /// Trying again would end the same way.
    Failed(PushFault),
}

/// Why the other system does not take a person. Holds nothing of what that system said, which may be anybody's data.
#[derive(Clone, PartialEq, Eq)]
pub struct PushFault {
    /// In snake case, such as `missing_field`.
    pub code: String,
    pub message: String,
}

impl fmt::Debug for PushFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PushFault({})", self.code)
    }
}

impl Registrations {
    /// Never an error, whatever happens there. The lines of the log have the words that operators look for, by the contract
    /// of the endpoint; the email in them is masked.
    pub(super) async fn push(&self, customer: CustomerId, email: &EmailAddress) -> Pushed {
        let system = self.push.as_ref().map_or(SyncSystem::OpenPhone, |push| push.system());
        let title = system.title();
        let Some(push) = self.push.clone().filter(|push| push.is_configured()) else {
            tracing::info!(
                customer = %customer.0,
                "{title} contact creation skipped (API not configured or failed)"
            );
            return Pushed::Skipped;
        };
        tracing::info!(customer = %customer.0, %system, "Creating {title} contact for: {}", email.masked());
        let Ok(place) = Arc::clone(&self.in_time).try_acquire_owned() else {
            tracing::info!(customer = %customer.0, %system, "creating the contact is left to the worker: many register");
            return Pushed::Pending;
        };
        let working = tokio::spawn({
            // A sync stores in several transactions: what an idempotency key names ends with the first.
            let acting = Acting { operation: None, ..self.env.acting.clone() };
            let until = Instant::now() + self.settings.push_deadline;
            async move {
                let _place = place;
                push.push(customer, &acting, until).await
            }
        });
        // It goes on when the time is up: a creation that is dropped half-way would have to be looked for.
        let pushed = match timeout(self.settings.push_deadline, working).await {
            Ok(Ok(pushed)) => pushed,
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
