//! What is gone: records that are missing there, customers without a contact here, and records that were never
//! created. Nothing is deleted on either side, and nothing is let go in large numbers without a person's word.

use std::collections::HashSet;

use chrono::TimeDelta;

use super::outcome::{Done, count, outcome};
use super::{Runner, Stopping, stop_if};
use crate::fault::SyncFault;
use crate::log::SyncOutcome;
use crate::mapping::{DetachReason, Mapping, MappingId, MappingStatus, PlacedMapping};
use crate::partner::{PartnerError, PartnerId};
use crate::run::{ItemOutcome, Run, RunItem};
use crate::store::Open;
use crate::sync_error::SyncError;
use crate::synchroniser::{Errand, Synchroniser};
use onefold_service::retry::Failure;

/// How many mappings are looked at together.
const PORTION: usize = 500;

/// What has to be done about a mapping whose record was not seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Loss {
    /// It is missing since now.
    Stale,
    /// It has been missing for longer than the grace period.
    Gone,
    /// Its customer has no contact any more.
    Withdrawn,
}

impl Loss {
    fn action(self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::Gone | Self::Withdrawn => "detached",
        }
    }
}

/// What a look at all mappings found.
#[derive(Default)]
struct Found {
    in_use: u64,
    seen: u64,
    lost: Vec<(Mapping, Loss)>,
    /// Never created, or not to the end.
    unfinished: Vec<Mapping>,
}

impl Runner {
    /// Returns why it is held, if it is.
    pub(super) async fn look_for_missing(
        &self,
        run: &mut Run,
        seen: &mut HashSet<PartnerId>,
        mut position: u64,
        stopping: Stopping<'_>,
    ) -> Result<Option<String>, SyncError> {
        let found = self.find(seen).await?;
        let held = self.brake(run, &found);
        let act = held.is_none() && !run.dry_run;
        let mut items = Vec::new();
        for (mapping, loss) in &found.lost {
            stop_if(stopping)?;
            let error = match act {
                true => self.sync.let_go(mapping, *loss).await.err().map(|error| error.fault()),
                false => None,
            };
            let outcome = lost(mapping, *loss, error);
            count(&mut run.counts, &outcome);
            run.counts.total += 1;
            items.push(RunItem { position, subject: subject(mapping), outcome: Some(outcome) });
            position += 1;
        }
        for mapping in found.unfinished {
            stop_if(stopping)?;
            let errand = Errand { run: Some(run.id), is_job: false };
            let done = match act {
                true => self.sync.sync_customer(mapping.customer, errand).await.map(Done::Synced),
                false => self.sync.show_customer(mapping.customer).await.map(Done::Shown),
            };
            let outcome = ItemOutcome { customer: Some(mapping.customer), ..outcome(done) };
            count(&mut run.counts, &outcome);
            run.counts.total += 1;
            items.push(RunItem { position, subject: subject(&mapping), outcome: Some(outcome) });
            position += 1;
        }
        self.put(run, &items).await?;
        Ok(held)
    }

    async fn find(&self, seen: &HashSet<PartnerId>) -> Result<Found, SyncError> {
        let mut found = Found { seen: seen.len() as u64, ..Found::default() };
        let mut after: Option<MappingId> = None;
        loop {
            let portion = self.sync.env.store.mappings().list(self.sync.system, after, PORTION).await;
            let portion = portion.map_err(Failure::from)?;
            let Some(last) = portion.last() else { return Ok(found) };
            after = Some(last.mapping.id);
            for placed in portion {
                self.judge(placed, seen, &mut found).await?;
            }
        }
    }

    async fn judge(
        &self,
        placed: PlacedMapping,
        seen: &HashSet<PartnerId>,
        found: &mut Found,
    ) -> Result<(), SyncError> {
        let mapping = placed.mapping;
        if mapping.detached.is_some() {
            return Ok(());
        }
        found.in_use += 1;
        if placed.now.is_none() {
            // The contact is withdrawn; the customer may have others.
            let customer = self.sync.env.store.customers().get(mapping.customer).await;
            if customer.map_err(Failure::from)?.is_none() {
                found.lost.push((mapping, Loss::Withdrawn));
                return Ok(());
            }
        }
        match &mapping.external {
            None if mapping.status == MappingStatus::Conflict => {}
            None => found.unfinished.push(mapping),
            Some(external) if seen.contains(external) => {}
            Some(_) => {
                let now = self.sync.env.base.clock.now();
                let grace = TimeDelta::from_std(self.sync.settings.grace).unwrap_or(TimeDelta::MAX);
                match mapping.missing_since {
                    None => found.lost.push((mapping, Loss::Stale)),
                    Some(since) if now - since >= grace => found.lost.push((mapping, Loss::Gone)),
                    Some(_) => {}
                }
            }
        }
        Ok(())
    }

    fn brake(&self, run: &Run, found: &Found) -> Option<String> {
        if run.approved || run.dry_run {
            return None;
        }
        if found.seen == 0 && found.in_use > 0 {
            let title = self.sync.system.title();
            return Some(format!("{title} has no record at all, while {} are expected.", found.in_use));
        }
        let settings = &self.sync.settings;
        let most = settings.most_lost.max(found.in_use * settings.most_lost_percent / 100);
        let lost = found.lost.len() as u64;
        (lost > most)
            .then(|| format!("{lost} of {} mappings would be let go, more than {most}.", found.in_use))
    }
}

impl Synchroniser {
    /// Marks a mapping whose record is missing, or takes it out of use. What it knows stays.
    async fn let_go(&self, mapping: &Mapping, loss: Loss) -> Result<(), SyncError> {
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

    /// The same when nobody doubts it.
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

fn subject(mapping: &Mapping) -> String {
    match &mapping.external {
        Some(external) => external.as_str().to_owned(),
        None => mapping.customer.0.hyphenated().to_string(),
    }
}

fn lost(mapping: &Mapping, loss: Loss, error: Option<SyncFault>) -> ItemOutcome {
    ItemOutcome {
        customer: Some(mapping.customer),
        mapping: Some(mapping.id),
        external: mapping.external.clone(),
        action: loss.action().to_owned(),
        error,
        plan: None,
    }
}
