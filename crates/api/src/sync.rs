//! The parts of sync that handlers need, and what stands in for them when nothing was put together.

use onefold_service::system::SyncSystem;
use onefold_sync::environment::SyncEnvironment;
use onefold_sync::partner::PartnerError;
use onefold_sync::sync_error::SyncError;
use onefold_sync::synchroniser::Synchroniser;
use onefold_sync::worker::{SyncWorker, WorkerSettings};

/// Sync with the other systems. Cheap to clone: everything is shared.
#[derive(Clone)]
pub struct SyncParts {
    /// One for each system that is known, in the order in which they are shown. Whoever is not configured belongs to them:
    /// what is stored of it is shown, and its calls are told which settings are missing.
    pub syncs: Vec<Synchroniser>,
    /// Carries out the runs that callers wait for.
    pub worker: SyncWorker,
}

impl SyncParts {
    /// Without any: what is stored is shown, and everything else is told that settings are missing.
    pub(crate) fn none(env: &SyncEnvironment) -> Self {
        Self {
            syncs: Vec::new(),
            worker: SyncWorker::new(env.clone(), Vec::new(), WorkerSettings::default()),
        }
    }

    /// # Errors
    /// [`PartnerError::NotConfigured`] for a system that nobody put together.
    pub(crate) fn of(&self, system: SyncSystem) -> Result<&Synchroniser, SyncError> {
        let found = self.syncs.iter().find(|sync| sync.system() == system);
        found.ok_or_else(|| missing(system).into())
    }
}

fn missing(system: SyncSystem) -> PartnerError {
    let missing = match system {
        SyncSystem::MetaKocka => vec!["METAKOCKA_SECRET_KEY", "METAKOCKA_COMPANY_ID"],
        SyncSystem::OpenPhone => vec!["OPENPHONE_API_KEY"],
    };
    PartnerError::NotConfigured { missing }
}
