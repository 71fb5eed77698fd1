//! What is gone: records that are missing there, customers without a contact here, and records that were never
//! created. Nothing is deleted on either side, and nothing is let go in large numbers without a person's word.

use std::collections::HashSet;

use chrono::TimeDelta;

use super::brake::{Bulk, brake};
use super::outcome::{Done, count, outcome};
use super::{Runner, Stopping, stop_if};
use crate::fault::SyncFault;
use crate::mapping::{Mapping, MappingId, MappingStatus, PlacedMapping};
use crate::partner::PartnerId;
use crate::run::{ItemOutcome, Run, RunItem};
use crate::sync_error::SyncError;
use crate::synchroniser::{Loss, SyncContext};
use onefold_service::retry::Failure;

/// How many mappings are looked at together.
const PORTION: usize = 500;

/// What a look at all mappings found.
#[derive(Default)]
struct Found {
    in_use: u64,
    seen: u64,
    lost: Vec<(Mapping, Loss)>,
    /// Mappings whose record was never created, or not to the end.
    unfinished: Vec<Mapping>,
}

impl Runner {
    /// Does what is to be done about whatever was not seen; returns why the run is held, if a brake holds it.
    pub(super) async fn look_for_missing(
        &self,
        run: &mut Run,
        seen: &mut HashSet<PartnerId>,
        mut position: u64,
        stopping: Stopping<'_>,
    ) -> Result<Option<String>, SyncError> {
        let found = self.find(seen).await?;
        let missing = found.lost.len() as u64;
        let bulk = Bulk::Lost { lost: missing, in_use: found.in_use, seen: found.seen };
        let held = brake(run, &self.sync.settings, bulk);
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
            let context = SyncContext { run: Some(run.id), is_job: false };
            let done = match act {
                true => self.sync.sync_customer(mapping.customer, context).await.map(Done::Synced),
                false => self.sync.show_customer(mapping.customer).await.map(Done::SyncPreview),
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
                self.classify(placed, seen, &mut found).await?;
            }
        }
    }

    async fn classify(
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
            // Not created because a person has to say first who it is.
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
