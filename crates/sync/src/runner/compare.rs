//! The comparison of both sides as wholes: what is new there, what changed on either side, and what is missing. A run that
//! takes in the whole register goes the same way and does not look for what is missing.

use std::collections::{HashMap, HashSet};

use tokio::task::JoinSet;

use super::brake::{Bulk, brake};
use super::outcome::{Done, SKIPPED, UNCHANGED, count, outcome};
use super::{Runner, Stopping, stop_if};
use crate::conflict::{ConflictFilter, ConflictStatus, ConflictSubject};
use crate::mapping::{DetachReason, Mapping, MappingStatus, PlacedMapping};
use crate::merge::{FieldPlan, compare, is_unchanged};
use crate::partner::{PartnerId, RemotePartner};
use crate::rules::SyncRules;
use crate::run::{ItemOutcome, Run, RunItem, RunKind};
use crate::sync_error::SyncError;
use crate::synchroniser::SyncContext;
use onefold_domain::link_key::StatementKeys;
use onefold_service::retry::Failure;
use onefold_service::store::StoreError;

/// How many records are looked up at a time.
const PORTION: usize = 200;

/// How many records are worked on at a time. The other system is rarely asked meanwhile, and the store has its own
/// queue.
const AT_ONCE: usize = 8;

/// The most items that a comparison keeps; the counts go on.
const MOST_ITEMS: u64 = 100_000;

/// A comparison on its way.
struct Pass {
    rules: SyncRules,
    seen: HashSet<PartnerId>,
    position: u64,
    /// Records that made two customers one.
    merged: u64,
}

/// What a record came to.
struct Looked {
    id: PartnerId,
    outcome: ItemOutcome,
    merges: bool,
}

impl Runner {
    /// Compares both sides, or takes in the whole register; returns why the run is held, if a brake holds it.
    pub(super) async fn compare(
        &self,
        run: &mut Run,
        stopping: Stopping<'_>,
    ) -> Result<Option<String>, SyncError> {
        // After a crash a comparison begins anew. What was done before is found unchanged now, and its items stay.
        let mut pass = Pass { rules: self.sync.rules().await?, seen: HashSet::new(), position: 0, merged: 0 };
        pass.position = self.kept_items(run).await?;
        run.counts = crate::run::RunCounts::default();
        let mut pull = self.sync.directory.list();
        let mut ahead = self.read_ahead(run, pull.as_mut(), stopping).await?.into_iter();
        while let Some(partners) = match ahead.next() {
            Some(partners) => Some(partners),
            None => pull.next().await?.inspect(|partners| run.counts.total += partners.len() as u64),
        } {
            for portion in portions(partners) {
                stop_if(stopping)?;
                if let Some(held) = self.look_at(run, &mut pass, portion).await? {
                    return Ok(Some(held));
                }
            }
        }
        if run.kind == RunKind::ImportAll {
            return Ok(None);
        }
        // Nothing at all is a matter for the brakes.
        if !pull.is_complete() && !pass.seen.is_empty() {
            run.message = Some("Not every record could be read, so none is taken for missing.".to_owned());
            return Ok(None);
        }
        self.look_for_missing(run, &mut pass.seen, pass.position, stopping).await
    }

    async fn kept_items(&self, run: &Run) -> Result<u64, SyncError> {
        if run.counts.total == 0 {
            return Ok(0);
        }
        self.end_of_items(run.id, 0).await
    }

    async fn look_at(
        &self,
        run: &mut Run,
        pass: &mut Pass,
        partners: Vec<RemotePartner>,
    ) -> Result<Option<String>, SyncError> {
        let ids: Vec<_> = partners.iter().map(|partner| partner.id.clone()).collect();
        let mappings = self.sync.env.store.mappings().of_partners(self.sync.system, &ids).await;
        let mut mappings: HashMap<PartnerId, PlacedMapping> = mappings
            .map_err(Failure::from)?
            .into_iter()
            .filter_map(|placed| Some((placed.mapping.external.clone()?, placed)))
            .collect();
        let mut working = JoinSet::new();
        let mut looked = Vec::new();
        for partner in partners {
            pass.seen.insert(partner.id.clone());
            let placed = mappings.remove(&partner.id);
            if working.len() >= AT_ONCE {
                looked.extend(joined(working.join_next().await)?);
            }
            let (runs, run, rules) = (self.clone(), run.clone(), pass.rules.clone());
            working.spawn(async move { runs.look(&run, &rules, partner, placed).await });
        }
        while !working.is_empty() {
            looked.extend(joined(working.join_next().await)?);
        }
        self.note(run, pass, looked).await
    }

    /// Stores what became of a portion.
    async fn note(
        &self,
        run: &mut Run,
        pass: &mut Pass,
        looked: Vec<Looked>,
    ) -> Result<Option<String>, SyncError> {
        let mut items = Vec::new();
        let outcomes: Vec<_> = looked.iter().map(|looked| (looked.id.clone(), &looked.outcome)).collect();
        let known = self.known_as_skipped(&outcomes).await?;
        let mut noted = Vec::new();
        for Looked { id, mut outcome, merges } in looked {
            if outcome.action == SKIPPED {
                match known.contains(&id) {
                    true => outcome = ItemOutcome { action: UNCHANGED.to_owned(), ..ItemOutcome::default() },
                    false => noted.push(self.skipped(run, &id, &outcome)),
                }
            }
            count(&mut run.counts, &outcome);
            pass.merged += u64::from(merges);
            if outcome.action != UNCHANGED && pass.position < MOST_ITEMS {
                let subject = id.as_str().to_owned();
                items.push(RunItem { position: pass.position, subject, outcome: Some(outcome) });
                pass.position += 1;
            }
        }
        run.updated_at = self.sync.env.base.clock.now().max(run.updated_at);
        // A plan notes nothing, so the run after it tells the same.
        let noted = if run.dry_run { Vec::new() } else { noted };
        self.put_noting(run, &items, &noted).await?;
        Ok(brake(run, &self.sync.settings, Bulk::Merged(pass.merged)))
    }

    async fn look(
        &self,
        run: &Run,
        rules: &SyncRules,
        partner: RemotePartner,
        placed: Option<PlacedMapping>,
    ) -> Looked {
        let id = partner.id.clone();
        let customer = placed.as_ref().map(|placed| placed.mapping.customer);
        let mut merges = false;
        let result = match placed {
            None => self.look_at_new(run, rules, &partner, &mut merges).await,
            Some(placed) => self.look_at_known(run, rules, partner, placed).await,
        };
        let outcome = match result {
            // Somebody else works on this customer; the next comparison sees what came of it.
            Ok(None) | Err(SyncError::Busy) => {
                ItemOutcome { action: UNCHANGED.to_owned(), ..ItemOutcome::default() }
            }
            Ok(Some(done)) => outcome(Ok(done)),
            Err(error) => ItemOutcome { customer, external: Some(id.clone()), ..outcome(Err(error)) },
        };
        Looked { id, outcome, merges }
    }

    async fn look_at_new(
        &self,
        run: &Run,
        rules: &SyncRules,
        partner: &RemotePartner,
        merges: &mut bool,
    ) -> Result<Option<Done>, SyncError> {
        if run.kind != RunKind::ImportAll && !self.sync.settings.import_new {
            return Ok(None);
        }
        if run.dry_run {
            return Ok(Some(Done::SyncPreview(self.sync.show_new_partner(partner).await?)));
        }
        *merges = self.would_merge(partner).await?;
        let context = SyncContext { run: Some(run.id), is_job: false };
        Ok(Some(Done::Synced(self.sync.take_in(partner, rules, context).await?)))
    }

    /// Whether the record's email and phone belong to two customers.
    async fn would_merge(&self, partner: &RemotePartner) -> Result<bool, SyncError> {
        let fields = &partner.fields;
        let Some(statement) =
            onefold_domain::contact::Statement::new(fields.email.clone(), fields.phone.clone())
        else {
            return Ok(false);
        };
        let keys = StatementKeys::of(&statement, &self.sync.env.base.policy).to_vec();
        let candidates = self.sync.env.store.candidates(&keys).await.map_err(Failure::from)?;
        Ok(candidates.customers.len() > 1)
    }

    async fn look_at_known(
        &self,
        run: &Run,
        rules: &SyncRules,
        partner: RemotePartner,
        placed: PlacedMapping,
    ) -> Result<Option<Done>, SyncError> {
        let mapping = &placed.mapping;
        let abilities = self.sync.directory.abilities();
        match (mapping.detached, placed.now) {
            (Some(DetachReason::Gone), Some(_)) => return self.come_back(run, mapping, partner).await,
            (Some(_), _) | (_, None) => return Ok(None),
            (None, Some((customer, version))) => {
                let full = run.kind == RunKind::CompareFull;
                let here = customer == mapping.customer;
                if here && !full && is_unchanged(mapping, version, &partner, &abilities) {
                    return Ok(None);
                }
            }
        }
        let record = self.sync.env.store.customers().get(mapping.customer).await.map_err(Failure::from)?;
        let record = record.ok_or(SyncError::NoSuchCustomer)?;
        if run.dry_run {
            let shown = self.sync.show_pair(&record, &partner, mapping, "update").await?;
            return Ok((shown.action != "unchanged").then_some(Done::SyncPreview(shown)));
        }
        let view = onefold_domain::customer::CustomerView::of(record.clone(), &self.sync.survivorship);
        let as_kept = |fields: &_| self.sync.directory.as_kept(fields);
        let compared = compare(&view, &partner, mapping, rules, &abilities, as_kept);
        let current = mapping.customer == record.id && mapping.customer_version == Some(record.version);
        let idle = current && mapping.missing_since.is_none() && compared.is_idle(mapping);
        // A full comparison of a whole register must not write a line for each record that is in step.
        if idle && self.is_noted(mapping, &compared.plan.fields).await? {
            return Ok(None);
        }
        let context = SyncContext { run: Some(run.id), is_job: false };
        Ok(Some(Done::Synced(self.sync.sync_with(mapping, partner, context).await?)))
    }

    /// Whether every field that a person has to decide about is open as a conflict already, with the values of now.
    async fn is_noted(
        &self,
        mapping: &Mapping,
        fields: &std::collections::BTreeMap<crate::partner::PartnerField, FieldPlan>,
    ) -> Result<bool, SyncError> {
        if mapping.status == MappingStatus::Synced {
            return Ok(true);
        }
        let filter = ConflictFilter {
            mapping: Some(mapping.id),
            status: Some(ConflictStatus::Open),
            ..ConflictFilter::default()
        };
        let open = self.sync.env.store.conflicts().list(&filter, None, 100).await.map_err(Failure::from)?;
        let noted = |(field, plan): (&crate::partner::PartnerField, &FieldPlan)| match plan {
            FieldPlan::Ask { local, remote, .. } => open.iter().any(|conflict| {
                conflict.subject == ConflictSubject::Field(*field)
                    && (&conflict.local, &conflict.remote) == (local, remote)
            }),
            _ => true,
        };
        Ok(fields.iter().all(noted))
    }

    /// A record that was given up is there again.
    async fn come_back(
        &self,
        run: &Run,
        mapping: &Mapping,
        partner: RemotePartner,
    ) -> Result<Option<Done>, SyncError> {
        if run.dry_run {
            return Ok(None);
        }
        if !self.sync.attach(mapping.id).await? {
            // The customer has another record by now.
            return Ok(None);
        }
        let context = SyncContext { run: Some(run.id), is_job: false };
        Ok(Some(Done::Synced(self.sync.sync_with(mapping, partner, context).await?)))
    }
}

impl crate::merge::Comparison {
    /// Whether carrying it out would change nothing.
    fn is_idle(&self, mapping: &Mapping) -> bool {
        let asks = self.plan.questions().next().is_some();
        let expected = if asks { MappingStatus::Conflict } else { MappingStatus::Synced };
        let quiet = |plan: &FieldPlan| matches!(plan, FieldPlan::Agreed { .. } | FieldPlan::Ask { .. });
        mapping.status == expected
            && mapping.sent.is_empty()
            && self.plan.fields.values().all(quiet)
            && self.plan.new_base(&self.base) == mapping.base
    }
}

fn joined(result: Option<Result<Looked, tokio::task::JoinError>>) -> Result<Option<Looked>, SyncError> {
    result.transpose().map_err(|error| Failure::Store(StoreError::Backend(error.into())).into())
}

/// Cuts what one answer brought into pieces that are stored together.
fn portions(partners: Vec<RemotePartner>) -> impl Iterator<Item = Vec<RemotePartner>> {
    let mut partners = partners.into_iter().peekable();
    std::iter::from_fn(move || {
        partners.peek()?;
        Some(partners.by_ref().take(PORTION).collect())
    })
}
