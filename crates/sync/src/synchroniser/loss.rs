//! What becomes of a mapping whose record is missing there, or whose customer is gone here.

use super::Synchroniser;
use crate::log::SyncOutcome;
use crate::mapping::{DetachReason, Mapping, MappingId, MappingStatus};
use crate::partner::{PartnerError, PartnerId};
use crate::store::Open;
use crate::sync_error::SyncError;

/// What has to be done about a mapping whose record was not seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Loss {
    /// The record is missing since this moment.
    Stale,
    /// It has been missing for longer than the grace period.
    Gone,
    /// Its customer has no contact any more.
    Withdrawn,
}

impl Loss {
    pub(crate) fn action(self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::Gone | Self::Withdrawn => "detached",
        }
    }
}

impl Synchroniser {
    /// Marks a mapping whose record is missing, or takes it out of use, unless the other system has the record after all.
    /// What the mapping knows stays.
    pub(crate) async fn let_go(&self, mapping: &Mapping, loss: Loss) -> Result<(), SyncError> {
        if let (Loss::Stale | Loss::Gone, Some(id)) = (loss, &mapping.external) {
            // A register that is read in portions may have missed it.
            match self.directory.get(id).await {
                Err(PartnerError::NotFound) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        self.note_loss(mapping, loss).await
    }

    /// Marks a mapping whose record is missing, or takes it out of use, without asking the other system once more.
    pub(crate) async fn note_loss(&self, mapping: &Mapping, loss: Loss) -> Result<(), SyncError> {
        let is_noted = self
            .env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    let stored = transaction.mappings().get(mapping.id).await?;
                    let Some(stored) = stored.filter(|stored| stored.version == mapping.version) else {
                        // It has changed since it was judged: the next comparison judges anew.
                        return Ok((false, transaction));
                    };
                    let at = self.env.base.clock.now();
                    let changed = match loss {
                        Loss::Stale => Mapping {
                            status: MappingStatus::Stale,
                            missing_since: Some(at),
                            error: Some(SyncError::Missing.fault()),
                            ..stored
                        },
                        Loss::Gone => stored.out_of_use(DetachReason::Gone),
                        Loss::Withdrawn => stored.out_of_use(DetachReason::Withdrawn),
                    };
                    let changed = self.touched(changed, at);
                    transaction.mappings().update(&changed).await?;
                    let open = transaction.as_mut();
                    match loss {
                        Loss::Stale | Loss::Gone => self.ask_about_missing(open, &changed, at).await?,
                        Loss::Withdrawn => self.ask_no_more(open, changed.id, "agreed", at).await?,
                    }
                    let outcome = match loss {
                        Loss::Stale => SyncOutcome::Missing,
                        Loss::Gone | Loss::Withdrawn => SyncOutcome::Detached,
                    };
                    self.log_mapping(transaction.as_mut(), &changed, outcome, at).await?;
                    Ok::<_, SyncError>((true, transaction))
                })
            })
            .await?;
        if is_noted {
            tracing::info!(
                customer = %mapping.customer.0, system = %self.system, outcome = loss.action(),
                record = mapping.external.as_ref().map_or("-", PartnerId::as_str), "synced"
            );
        }
        Ok(())
    }

    /// Takes a mapping into use again whose record is back; `false` if the customer has another one.
    pub async fn attach(&self, id: MappingId) -> Result<bool, SyncError> {
        self.env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    let Some(stored) = transaction.mappings().get(id).await? else {
                        return Ok((false, transaction));
                    };
                    let others = transaction.mappings().of_customer(self.system, stored.customer).await?;
                    if others.iter().any(|other| other.id != id && other.detached.is_none()) {
                        return Ok((false, transaction));
                    }
                    let at = self.env.base.clock.now();
                    let status = MappingStatus::Pending;
                    let missing_since = None;
                    let back = Mapping { status, detached: None, missing_since, ..self.touched(stored, at) };
                    transaction.mappings().update(&back).await?;
                    self.log_mapping(transaction.as_mut(), &back, SyncOutcome::Attached, at).await?;
                    Ok::<_, SyncError>((true, transaction))
                })
            })
            .await
    }
}
