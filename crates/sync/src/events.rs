//! What another system reports by itself. A report is kept as a promise to look, in one transaction with the name of its
//! delivery: it is lost by no crash, and one that comes twice is one.

use chrono::{DateTime, SubsecRound, Utc};

use crate::environment::SyncEnvironment;
use crate::job::JobKind;
use crate::partner::PartnerId;
use crate::partner_index::PartnerIndex;
use crate::store::Open;
use crate::sync_error::SyncError;
use onefold_service::system::SyncSystem;

/// What happened to a record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PartnerEventKind {
    /// It was changed, or is new.
    Updated,
    Deleted,
}

/// A report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartnerEvent {
    /// The name of the report. It stays the same when the report is delivered again, by which that is recognised.
    pub delivery: String,
    pub kind: PartnerEventKind,
    pub partner: PartnerId,
    /// When the record was changed, if the report says so.
    pub changed_at: Option<DateTime<Utc>>,
}

/// What became of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventReceived {
    /// The record will be looked at.
    Promised,
    /// It was received before.
    Repeated,
    /// The record was seen in a later state already.
    Stale,
}

/// Receives reports.
#[derive(Clone)]
pub struct PartnerEvents {
    env: SyncEnvironment,
    system: SyncSystem,
    index: PartnerIndex,
}

impl PartnerEvents {
    pub fn new(env: SyncEnvironment, system: SyncSystem) -> Self {
        let index = PartnerIndex::new(env.clone(), system);
        Self { env, system, index }
    }

    /// Promises to look at the record. Nothing that the report says of it is believed: deliveries come late and in any
    /// order, and what counts is how the record is when it is looked at.
    ///
    /// # Errors
    /// A store that does not answer; whoever reports tries again.
    pub async fn receive(&self, event: &PartnerEvent) -> Result<EventReceived, SyncError> {
        if self.is_stale(event).await? {
            return Ok(EventReceived::Stale);
        }
        let at = self.env.base.clock.now();
        self.env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    let source = self.system.as_str();
                    if !transaction.deliveries().remember(source, &event.delivery, at).await? {
                        return Ok((EventReceived::Repeated, transaction));
                    }
                    let job = JobKind::SyncPartner(self.system, event.partner.clone());
                    transaction.jobs().enqueue(&[job], at, at).await?;
                    Ok::<_, SyncError>((EventReceived::Promised, transaction))
                })
            })
            .await
    }

    /// A deletion is never stale: it changes nothing of what it ends.
    async fn is_stale(&self, event: &PartnerEvent) -> Result<bool, SyncError> {
        let (PartnerEventKind::Updated, Some(said)) = (event.kind, event.changed_at) else {
            return Ok(false);
        };
        let seen = self.index.changed_at(&event.partner).await?;
        Ok(seen.is_some_and(|seen| said.trunc_subsecs(6) < seen))
    }
}

/// Reads the reports of one system, and believes none that is not signed.
pub trait PartnerEventReader: Send + Sync {
    /// `header` gives a header of the request by its name in small letters. `None` for a report that is about
    /// something else than a record.
    ///
    /// # Errors
    /// See [`InvalidEvent`].
    fn read(
        &self,
        header: &dyn Fn(&str) -> Option<String>,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Option<PartnerEvent>, InvalidEvent>;
}

/// Why a report is not believed, or cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidEvent {
    #[error("there is no signature")]
    Unsigned,
    #[error("the signature is of no key that is known")]
    Forged,
    /// Somebody may be sending again what was overheard.
    #[error("it was signed too long ago, or will be")]
    Expired,
    #[error("the body is no event of a contact: {0}")]
    Malformed(&'static str),
}
