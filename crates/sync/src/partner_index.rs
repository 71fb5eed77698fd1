//! An index of the records of a system that cannot be asked by email or phone: which record had which value when it was
//! last seen. What it names may have changed since, so whoever finds something by it reads the record before believing it.

use chrono::{DateTime, Utc};

use crate::environment::SyncEnvironment;
pub use crate::partner::{IndexedPartner, PartnerId, PartnerLookup, RemotePartner};
use crate::store::Open;
use crate::sync_error::SyncError;
use onefold_service::retry::Failure;
use onefold_service::system::SyncSystem;

/// More records with one value are a switchboard's.
const MOST_FOUND: usize = 20;

/// The index of one system.
#[derive(Clone)]
pub struct PartnerIndex {
    env: SyncEnvironment,
    system: SyncSystem,
}

impl PartnerIndex {
    pub fn new(env: SyncEnvironment, system: SyncSystem) -> Self {
        Self { env, system }
    }

    /// # Errors
    /// A store that does not answer.
    pub async fn find(&self, lookup: &PartnerLookup) -> Result<Vec<PartnerId>, SyncError> {
        let index = self.env.store.partner_index();
        Ok(index.find(self.system, lookup, MOST_FOUND).await.map_err(Failure::from)?)
    }

    /// When the other system last changed the record, as far as it was seen.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn changed_at(&self, id: &PartnerId) -> Result<Option<DateTime<Utc>>, SyncError> {
        let known = self.env.store.partner_index().of(self.system, std::slice::from_ref(id)).await;
        Ok(known.map_err(Failure::from)?.into_iter().find_map(|known| known.changed_at))
    }

    /// Whether all records there are have been seen once.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn is_whole(&self) -> Result<bool, SyncError> {
        let scanned = self.env.store.partner_index().scanned_at(self.system).await;
        Ok(scanned.map_err(Failure::from)?.is_some())
    }

    /// These records are like this now. Those that were so before cost no write.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn seen(&self, partners: &[RemotePartner]) -> Result<(), SyncError> {
        let ids: Vec<_> = partners.iter().map(|partner| partner.id.clone()).collect();
        let known = self.env.store.partner_index().of(self.system, &ids).await.map_err(Failure::from)?;
        let mut news: Vec<_> = partners.iter().map(IndexedPartner::from).collect();
        news.retain(|partner| !known.contains(partner));
        if news.is_empty() {
            return Ok(());
        }
        let (news, at) = (&news, self.env.base.clock.now());
        self.env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    transaction.partner_index().put(self.system, news, at).await?;
                    Ok::<_, SyncError>(((), transaction))
                })
            })
            .await
    }

    /// There is no such record any more.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn gone(&self, id: &PartnerId) -> Result<(), SyncError> {
        self.env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    transaction.partner_index().remove(self.system, id).await?;
                    Ok::<_, SyncError>(((), transaction))
                })
            })
            .await
    }

    /// All records there are have been seen.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn note_scan(&self) -> Result<(), SyncError> {
        let at = self.env.base.clock.now();
        self.env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    transaction.partner_index().note_scan(self.system, at).await?;
                    Ok::<_, SyncError>(((), transaction))
                })
            })
            .await
    }
}
