//! The parts of sync that handlers need, and what stands in for them when nothing was put together.

use std::sync::Arc;

use async_trait::async_trait;
use onefold_domain::{
    Conflicts, CustomerId, Environment, PartnerAbilities, PartnerChange, PartnerDirectory, PartnerError,
    PartnerField, PartnerFields, PartnerId, PartnerLookup, PartnerParts, PartnerPull, PartnerWritten, Region,
    RemotePartner, Runs, SurvivorshipRules, SyncError, SyncSettings, SyncSystem, SyncWorker, Synchroniser,
    WorkerSettings,
};

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
    /// Shows what is stored; everything else is told that settings are missing.
    pub(crate) fn unconnected(env: &Environment, survivorship: &Arc<SurvivorshipRules>) -> Self {
        let without = |system| {
            let directory = Arc::new(Unconnected(system));
            Synchroniser::new(
                env.clone(),
                system,
                directory,
                Arc::clone(survivorship),
                SyncSettings::default(),
            )
        };
        let syncs: Vec<_> = SyncSystem::ALL.into_iter().map(without).collect();
        let worker = SyncWorker::new(env.clone(), syncs.clone(), WorkerSettings::default());
        Self { syncs, worker }
    }

    pub(crate) fn systems(&self) -> impl Iterator<Item = SyncSystem> {
        self.syncs.iter().map(Synchroniser::system)
    }

    /// # Errors
    /// [`PartnerError::NotConfigured`] for a system that nobody put together.
    pub(crate) fn of(&self, system: SyncSystem) -> Result<&Synchroniser, SyncError> {
        let found = self.syncs.iter().find(|sync| sync.system() == system);
        found.ok_or_else(|| missing(system).into())
    }

    /// Runs of every system, to look at: they are kept in one place, and any synchroniser reads all of them. One is
    /// asked for, and approved, with that of its own system.
    ///
    /// # Errors
    /// [`PartnerError::NotConfigured`] when nothing at all was put together.
    pub(crate) fn runs(&self) -> Result<Runs, SyncError> {
        Ok(Runs::new(self.any()?.clone()))
    }

    /// The same for conflicts, which are resolved with the synchroniser of their own system.
    pub(crate) fn conflicts(&self, region: Option<Region>) -> Result<Conflicts, SyncError> {
        Ok(Conflicts::new(self.any()?.clone(), region))
    }

    fn any(&self) -> Result<&Synchroniser, SyncError> {
        let none = || PartnerError::NotConfigured { missing: Vec::new() };
        Ok(self.syncs.first().ok_or_else(none)?)
    }
}

/// A directory that nobody connected.
#[derive(Clone, Copy)]
struct Unconnected(SyncSystem);

fn missing(system: SyncSystem) -> PartnerError {
    let missing = match system {
        SyncSystem::MetaKocka => vec!["METAKOCKA_SECRET_KEY", "METAKOCKA_COMPANY_ID"],
        SyncSystem::OpenPhone => vec!["OPENPHONE_API_KEY"],
    };
    PartnerError::NotConfigured { missing }
}

#[async_trait]
impl PartnerDirectory for Unconnected {
    fn abilities(&self) -> PartnerAbilities {
        PartnerAbilities {
            system: self.0.title(),
            fields: &PartnerField::ALL,
            lookups: &[],
            clears: false,
            deletes: false,
            tells_changes: false,
            calls_back: false,
            concurrency: 1,
            calls_per_second: 1,
        }
    }

    fn configured(&self) -> Result<(), PartnerError> {
        Err(missing(self.0))
    }

    fn as_kept(&self, fields: &PartnerFields) -> PartnerFields {
        fields.clone()
    }

    fn check(&self, _: &PartnerFields) -> Result<(), PartnerError> {
        Err(missing(self.0))
    }

    async fn get(&self, _: &PartnerId) -> Result<RemotePartner, PartnerError> {
        Err(missing(self.0))
    }

    async fn add(&self, _: &PartnerFields, _: CustomerId) -> Result<PartnerWritten, PartnerError> {
        Err(missing(self.0))
    }

    async fn update(
        &self,
        _: &PartnerId,
        _: &PartnerChange,
        _: &PartnerParts,
    ) -> Result<PartnerWritten, PartnerError> {
        Err(missing(self.0))
    }

    async fn find_by(&self, _: &PartnerLookup) -> Result<Vec<RemotePartner>, PartnerError> {
        Err(missing(self.0))
    }

    fn list(&self) -> Box<dyn PartnerPull> {
        Box::new(*self)
    }
}

#[async_trait]
impl PartnerPull for Unconnected {
    async fn next(&mut self) -> Result<Option<Vec<RemotePartner>>, PartnerError> {
        Err(missing(self.0))
    }

    fn is_complete(&self) -> bool {
        false
    }
}
