//! An index of the records of a system that cannot be asked by email or phone: which record had which value when it was
//! last seen. What it names may have changed since, so whoever finds something by it reads the record before believing it.

use async_trait::async_trait;
use chrono::{DateTime, SubsecRound, Utc};

use super::{PartnerId, PartnerLookup, RemotePartner, SyncSystem};
use crate::contacts::Open;
use crate::{EmailAddress, Environment, Failure, PhoneNumber, StoreError, SyncError};

/// More records with one value are a switchboard's.
const MOST_FOUND: usize = 20;

/// What was seen of a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IndexedPartner {
    pub id: PartnerId,
    pub emails: Vec<EmailAddress>,
    pub phones: Vec<PhoneNumber>,
    /// When it was changed there, if the other system tells.
    pub changed_at: Option<DateTime<Utc>>,
}

impl From<&RemotePartner> for IndexedPartner {
    fn from(partner: &RemotePartner) -> Self {
        Self {
            id: partner.id.clone(),
            emails: partner.emails.clone(),
            phones: partner.phones.clone(),
            // Databases keep no more, and what they do not keep would look like news.
            changed_at: partner.changed_at.map(|moment| moment.trunc_subsecs(6)),
        }
    }
}

#[async_trait]
pub trait PartnerIndexReader: Send + Sync {
    /// Those with this value, in the order in which they were first seen, at most `limit`. Phones are the same if their
    /// [`PhoneNumber::match_key`] is. None for look-ups other than email and phone.
    async fn find(
        &self,
        system: SyncSystem,
        lookup: &PartnerLookup,
        limit: usize,
    ) -> Result<Vec<PartnerId>, StoreError>;

    /// Those of these records that are known, in no particular order; values of each as they were put.
    async fn of(&self, system: SyncSystem, ids: &[PartnerId]) -> Result<Vec<IndexedPartner>, StoreError>;

    /// When all records were last seen; `None` before the first time.
    async fn scanned_at(&self, system: SyncSystem) -> Result<Option<DateTime<Utc>>, StoreError>;
}

#[async_trait]
pub trait PartnerIndexRepository: Send {
    /// Puts these, none of them twice, in place of what was known of the same records.
    async fn put(
        &mut self,
        system: SyncSystem,
        partners: &[IndexedPartner],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Forgets a record; one that is not known is no error.
    async fn remove(&mut self, system: SyncSystem, id: &PartnerId) -> Result<(), StoreError>;

    /// All records there are have been seen.
    async fn note_scan(&mut self, system: SyncSystem, at: DateTime<Utc>) -> Result<(), StoreError>;
}

/// The index of one system.
#[derive(Clone)]
pub struct PartnerIndex {
    env: Environment,
    system: SyncSystem,
}

impl PartnerIndex {
    pub fn new(env: Environment, system: SyncSystem) -> Self {
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
        let (news, at) = (&news, self.env.clock.now());
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
        let at = self.env.clock.now();
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
