//! Whether the database could be written to when it was last tried.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use onefold_service::store::{StorageFault, StoreError};
use sea_orm::DbErr;
use tokio::time::Instant;

use crate::error::storage_fault;

/// How often readiness may try by itself whether writing works again. Whoever asks more often gets the last
/// answer.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// What became of the last write. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct WriteHealth {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    fault: Option<StorageFault>,
    tried: Option<Instant>,
}

impl WriteHealth {
    /// Notes a failure if the storage is at fault. The log gets a line when the state changes, not for each
    /// request that meets it.
    pub(crate) fn failed(&self, error: &DbErr) {
        let Some(fault) = storage_fault(error) else { return };
        let before = self.state().fault.replace(fault);
        if before != Some(fault) {
            tracing::error!(%fault, %error, "nothing can be stored; writes are refused until this has been seen to");
        }
    }

    /// Notes that something was changed and is on disk.
    pub(crate) fn wrote(&self) {
        let mut state = self.state();
        state.tried = None;
        if let Some(fault) = state.fault.take() {
            tracing::info!(%fault, "writing works again");
        }
    }

    /// The fault that the last write met, as an answer to whoever asks for it.
    pub(crate) fn standing(&self) -> Result<(), StoreError> {
        match self.state().fault {
            None => Ok(()),
            Some(fault) => Err(StoreError::Storage { fault, source: "no write has succeeded since".into() }),
        }
    }

    /// Whether it is time to try again. Of many who ask at once, one is told so.
    pub(crate) fn may_try(&self, now: Instant) -> bool {
        let mut state = self.state();
        let due = state.tried.is_none_or(|tried| now - tried >= TRY_EVERY);
        if due {
            state.tried = Some(now);
        }
        due
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing can panic while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_spaced() {
        let (health, now) = (WriteHealth::default(), Instant::now());
        assert!(health.may_try(now));
        assert!(!health.may_try(now + TRY_EVERY / 2));
        assert!(health.may_try(now + TRY_EVERY));
        health.wrote();
        assert!(health.may_try(now + TRY_EVERY), "a write that succeeded ends the waiting");
    }

    #[test]
    fn what_is_no_fault_of_the_storage_is_not_noted() {
        let health = WriteHealth::default();
        health.failed(&DbErr::Custom("a defect".to_owned()));
        assert!(health.standing().is_ok());
    }
}
