//! The parts of sync that handlers need, and what stands in for them when nothing was put together.

use std::sync::Arc;

use async_trait::async_trait;
use onefold_domain::{
    CustomerId, Environment, PartnerAbilities, PartnerChange, PartnerDirectory, PartnerError, PartnerFields,
    PartnerId, PartnerLookup, PartnerParts, PartnerPull, PartnerWritten, RemotePartner, SurvivorshipRules,
    SyncSettings, SyncSystem, SyncWorker, Synchroniser, WorkerSettings,
};

/// Sync with the other system. Cheap to clone: everything is shared.
#[derive(Clone)]
pub struct SyncParts {
    pub synchroniser: Synchroniser,
    /// Carries out the runs that callers wait for.
    pub worker: SyncWorker,
}

impl SyncParts {
    /// Shows what is stored; everything else is told that settings are missing.
    pub(crate) fn unconnected(env: &Environment, survivorship: &Arc<SurvivorshipRules>) -> Self {
        let synchroniser = Synchroniser::new(
            env.clone(),
            SyncSystem::MetaKocka,
            Arc::new(Unconnected),
            Arc::clone(survivorship),
            SyncSettings::default(),
        );
        let syncs = vec![synchroniser.clone()];
        Self { synchroniser, worker: SyncWorker::new(env.clone(), syncs, WorkerSettings::default()) }
    }
}

/// A directory that nobody connected.
struct Unconnected;

fn missing() -> PartnerError {
    PartnerError::NotConfigured { missing: vec!["METAKOCKA_SECRET_KEY", "METAKOCKA_COMPANY_ID"] }
}

#[async_trait]
impl PartnerDirectory for Unconnected {
    fn abilities(&self) -> PartnerAbilities {
        PartnerAbilities {
            system: SyncSystem::MetaKocka.title(),
            fields: &[],
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
        Err(missing())
    }

    fn as_kept(&self, fields: &PartnerFields) -> PartnerFields {
        fields.clone()
    }

    fn check(&self, _: &PartnerFields) -> Result<(), PartnerError> {
        Err(missing())
    }

    async fn get(&self, _: &PartnerId) -> Result<RemotePartner, PartnerError> {
        Err(missing())
    }

    async fn add(&self, _: &PartnerFields, _: CustomerId) -> Result<PartnerWritten, PartnerError> {
        Err(missing())
    }

    async fn update(
        &self,
        _: &PartnerId,
        _: &PartnerChange,
        _: &PartnerParts,
    ) -> Result<PartnerWritten, PartnerError> {
        Err(missing())
    }

    async fn find_by(&self, _: &PartnerLookup) -> Result<Vec<RemotePartner>, PartnerError> {
        Err(missing())
    }

    fn list(&self) -> Box<dyn PartnerPull> {
        Box::new(Self)
    }
}

#[async_trait]
impl PartnerPull for Unconnected {
    async fn next(&mut self) -> Result<Option<Vec<RemotePartner>>, PartnerError> {
        Err(missing())
    }

    fn is_complete(&self) -> bool {
        false
    }
}
