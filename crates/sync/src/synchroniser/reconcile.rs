//! A customer and a record that exist both: compares them, writes there what changed here, then here what changed
//! there. Between the two the base learns what was written, so that it never looks like somebody's change.

use chrono::{DateTime, Utc};

use super::{Opened, SyncContext, Synced, Synchroniser};
use crate::conflict::ConflictId;
use crate::log::SyncOutcome;
use crate::mapping::{Mapping, MappingStatus};
use crate::merge::{Comparison, Side, compare, kept_otherwise, kind_of, view_of};
use crate::partner::{
    KnownNames, PartnerChange, PartnerError, PartnerField, PartnerKind, PartnerName, RemotePartner,
};
use crate::rules::SyncRules;
use crate::store::{Open, SyncTransaction};
use crate::sync_error::SyncError;
use crate::view::{SyncText, SyncView};
use onefold_domain::customer::CustomerRecord;

/// How often a customer may change under our hands before it is left to the next attempt.
const ROUNDS: usize = 5;

/// What the transaction that ends an attempt came to.
enum Concluded {
    Done(Box<Synced>, Vec<ConflictId>),
    /// The customer has changed since it was compared, so that it has to be compared again. What was written there is stored.
    Moved(Box<Opened>),
}

/// One comparison and what is known around it.
struct Attempt<'a> {
    compared: &'a Comparison,
    /// The record as it was read last.
    partner: &'a RemotePartner,
    rules: &'a SyncRules,
    /// What the attempt is called in the log if nothing has to be written.
    outcome: SyncOutcome,
    progress: &'a Progress,
    context: SyncContext,
}

/// What was written on both sides so far.
#[derive(Clone, Default)]
pub(super) struct Progress {
    /// Whether something was written there that could not be read back.
    pub(super) in_doubt: bool,
    pub(super) pushed: Vec<PartnerField>,
    pub(super) pulled: Vec<PartnerField>,
}

impl Progress {
    fn add_pushed(&mut self, fields: Vec<PartnerField>) {
        let news: Vec<_> = fields.into_iter().filter(|field| !self.pushed.contains(field)).collect();
        self.pushed.extend(news);
    }
}

impl Synchroniser {
    /// `progress` is what was written in the same attempt before.
    pub(super) async fn reconcile(
        &self,
        mut opened: Opened,
        mut partner: Option<RemotePartner>,
        outcome: SyncOutcome,
        mut progress: Progress,
        context: SyncContext,
    ) -> Result<Synced, SyncError> {
        let rules = self.rules().await?;
        for _ in 0..ROUNDS {
            // Only for the first round: later ones read what we have written ourselves.
            let read = match partner.take() {
                Some(partner) => partner,
                None => self.read(&opened).await?,
            };
            let read = read.known_as(kind_of(&opened.mapping));
            let compared = self.compare(&opened, &read, &rules);
            let pushed = compared.to(Side::Remote);
            let mut known = read;
            if !pushed.is_empty() {
                (opened, known, progress.in_doubt) =
                    self.push(opened, known, &compared, &rules, &pushed).await?;
                progress.add_pushed(pushed);
            }
            let (compared, partner) = (&compared, &known);
            let attempt = Attempt { compared, partner, rules: &rules, outcome, progress: &progress, context };
            match self.conclude(opened, &attempt).await? {
                Concluded::Done(synced, conflicts) => {
                    self.tell(&synced, context);
                    let is_open = !conflicts.is_empty();
                    return if is_open { Err(SyncError::OpenConflict { conflicts }) } else { Ok(*synced) };
                }
                Concluded::Moved(moved) => opened = *moved,
            }
        }
        Err(SyncError::Busy)
    }

    async fn read(&self, opened: &Opened) -> Result<RemotePartner, SyncError> {
        let Some(id) = &opened.mapping.external else { return Err(PartnerError::NotFound.into()) };
        match self.holding(opened, self.directory.get(id)).await {
            Err(SyncError::Partner(PartnerError::NotFound)) => Err(SyncError::Missing),
            read => read,
        }
    }

    fn compare(&self, opened: &Opened, partner: &RemotePartner, rules: &SyncRules) -> Comparison {
        let (view, abilities) = (self.view(&opened.customer), self.directory.abilities());
        compare(&view, partner, &opened.mapping, rules, &abilities, |fields| self.directory.as_kept(fields))
    }

    /// Says what will be written, writes it, and says that it was.
    async fn push(
        &self,
        opened: Opened,
        partner: RemotePartner,
        compared: &Comparison,
        rules: &SyncRules,
        pushed: &[PartnerField],
    ) -> Result<(Opened, RemotePartner, bool), SyncError> {
        let sent = compared.plan.writes_to(Side::Remote);
        let change = outgoing(compared, &partner, pushed);
        let abilities = self.directory.abilities();
        if sent != opened.mapping.sent {
            // An attempt that was cut off has stored what is to be sent, and kept what that overwrites: if it is the same,
            // there is nothing to keep.
            self.keep_lost(&opened, compared, rules, Side::Local).await?;
        }
        let mut kept = opened.mapping.kept.clone();
        if change.known.contact_is_another && pushed.contains(&PartnerField::Kind) {
            // What becomes a company is read with the name of its contact person, which nobody gave the customer. Noted before
            // the call, that is known also if the answer does not arrive.
            kept.insert(PartnerField::Name, partner.contact_name.as_deref().and_then(SyncText::new));
        }
        let base = compared.base.clone();
        let intended = Mapping { base, sent: sent.clone(), kept, ..opened.mapping.clone() };
        let opened = self.store(opened, intended).await?;
        let update = self.directory.update(&partner.id, &change, &partner.parts);
        let written = self.holding(&opened, update).await?;
        let mut mapping = Mapping { parts: written.parts.clone(), ..opened.mapping.clone() };
        let kind = change.fields.kind.or(change.known.kind);
        let Some(read) = written.partner.map(|partner| partner.known_as(kind)) else {
            // It was written and could not be read back. What was sent stays in the mapping: found there next time, it is
            // ours and nobody's change.
            return Ok((self.store(opened, mapping).await?, partner, true));
        };
        let mut base = mapping.base.clone();
        base.extend(sent);
        mapping = mapping.agreeing(base, self.env.base.clock.now());
        mapping.kept.retain(|field, _| !pushed.contains(field));
        mapping.kept.extend(kept_otherwise(&written.differing, &read, &abilities));
        mapping.sent = SyncView::new();
        Ok((self.store(opened, mapping).await?, read, false))
    }

    /// Writes here what changed there, in one transaction with all that the mapping learns.
    async fn conclude(&self, opened: Opened, attempt: &Attempt<'_>) -> Result<Concluded, SyncError> {
        let opened = &opened;
        self.env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    let open = transaction.as_mut();
                    let at = self.env.base.clock.now();
                    let until = self.lease_until(at);
                    let held = open.mappings().lease(opened.mapping.id, opened.owner, at, until).await?;
                    let held = held.ok_or(SyncError::Busy)?;
                    let now = open.customers().get(opened.customer.id).await?;
                    let now = now.ok_or(SyncError::NoSuchCustomer)?;
                    if now.id != opened.customer.id || now.version != opened.customer.version {
                        let moved = self.moved(open, held, now, opened, at).await?;
                        return Ok((Concluded::Moved(Box::new(moved)), transaction));
                    }
                    for draft in self.lost(&held, attempt.compared, attempt.rules, Side::Remote) {
                        open.conflicts().put(&draft).await?;
                    }
                    let written = self.write_here(open, &now, attempt.compared).await?;
                    let (partner, compared) = (attempt.partner, attempt.compared);
                    let done =
                        Written { partner, compared, pulled: written.pulled, refused: written.refused };
                    let concluded = self.note(open, held, done, attempt, opened).await?;
                    Ok::<_, SyncError>((concluded, transaction))
                })
            })
            .await
    }

    /// The customer changed meanwhile: everything is compared anew with what it is now.
    async fn moved(
        &self,
        transaction: &mut dyn SyncTransaction,
        held: Mapping,
        now: CustomerRecord,
        opened: &Opened,
        at: DateTime<Utc>,
    ) -> Result<Opened, SyncError> {
        if now.id != opened.customer.id {
            // Merged: which mapping is in use is another question now.
            transaction.mappings().release(held.id, opened.owner).await?;
            return Err(SyncError::Busy);
        }
        let mapping = self.settle(transaction, &now, at).await?;
        let same = mapping.filter(|mapping| mapping.id == held.id).ok_or(SyncError::Busy)?;
        let (owner, since, promised) = (opened.owner, opened.since, opened.promised);
        Ok(Opened { mapping: same, customer: now, owner, since, promised })
    }

    async fn note(
        &self,
        transaction: &mut dyn SyncTransaction,
        held: Mapping,
        done: Written<'_>,
        attempt: &Attempt<'_>,
        opened: &Opened,
    ) -> Result<Concluded, SyncError> {
        let at = self.env.base.clock.now();
        let now = transaction.customers().get(opened.customer.id).await?;
        let now = now.ok_or(SyncError::NoSuchCustomer)?;
        let open = self.note_questions(transaction, &held, &done, at).await?;
        let status = if open.is_empty() { MappingStatus::Synced } else { MappingStatus::Conflict };
        let mut base = done.compared.plan.new_base(&done.compared.base);
        for field in &done.refused {
            restore(&mut base, &done.compared.base, *field);
        }
        let mut sent = SyncView::new();
        if attempt.progress.in_doubt {
            // What was sent stays on record until it is seen there.
            for field in held.sent.keys() {
                restore(&mut base, &done.compared.base, *field);
            }
            sent.clone_from(&held.sent);
        }
        let changed = Mapping {
            customer: now.id,
            parts: if sent.is_empty() { done.partner.parts.clone() } else { held.parts.clone() },
            status,
            kept: still_kept(&held.kept, &view_of(&done.partner.fields, &self.directory.abilities())),
            // Without a version the next comparison looks at every field, those in doubt among them.
            customer_version: Some(now.version).filter(|_| sent.is_empty()),
            sent,
            missing_since: None,
            error: None,
            ..held.clone().agreeing(base, at)
        };
        let returned = held.missing_since.is_some();
        let progress = Progress { pulled: done.pulled, ..attempt.progress.clone() };
        let quiet = progress.pushed.is_empty() && progress.pulled.is_empty();
        let outcome = match attempt.outcome {
            SyncOutcome::Unchanged if !open.is_empty() => SyncOutcome::Conflict,
            SyncOutcome::Unchanged if returned => SyncOutcome::Returned,
            SyncOutcome::Unchanged if !quiet => SyncOutcome::Updated,
            outcome => outcome,
        };
        let sent_is_seen = changed.sent.is_empty();
        let mapping = Mapping { last_synced_at: Some(at), ..self.touched(changed, at) };
        transaction.mappings().update(&mapping).await?;
        transaction.mappings().release(mapping.id, opened.owner).await?;
        if sent_is_seen {
            self.clear_promises(transaction, &mapping, opened.promised).await?;
        }
        self.log_attempt(transaction, &mapping, outcome, &progress, attempt.context, opened.since).await?;
        let mapping = Mapping { version: mapping.version + 1, lease: None, ..mapping };
        let synced = Synced { mapping, outcome, pushed: progress.pushed, pulled: progress.pulled };
        Ok(Concluded::Done(Box::new(synced), open))
    }
}

/// What was written here, and what could not be.
pub(super) struct Written<'a> {
    pub(super) partner: &'a RemotePartner,
    pub(super) compared: &'a Comparison,
    pub(super) pulled: Vec<PartnerField>,
    /// Fields whose value there cannot be taken over here; they are asked about.
    pub(super) refused: Vec<PartnerField>,
}

/// What is to change, beside what stays.
fn outgoing(compared: &Comparison, partner: &RemotePartner, pushed: &[PartnerField]) -> PartnerChange {
    let mut fields = compared.ours.only(pushed);
    if pushed.contains(&PartnerField::Kind) && fields.name.is_none() {
        // What becomes a company has its person's name in another place.
        fields.name.clone_from(&compared.theirs.name);
    }
    let is_gone = |field: &&PartnerField| fields.text(**field).is_none();
    let cleared = pushed.iter().filter(is_gone).copied().collect();
    let known = KnownNames {
        name: compared.theirs.name.clone(),
        company_name: compared.theirs.company_name.clone(),
        kind: compared.theirs.kind,
        contact_is_another: is_another(compared, partner),
    };
    PartnerChange { fields, cleared, known }
}

/// Whether a person's row is called by a name that the person neither has nor had when both sides last agreed. A name that is
/// yet to be taken over here needs the row: what becomes a company has no other place for it.
fn is_another(compared: &Comparison, partner: &RemotePartner) -> bool {
    let Some(contact) = partner.contact_name.as_deref().map(PartnerName::new) else { return false };
    let agreed = compared.base.get(&PartnerField::Name).and_then(Option::as_ref).map(SyncText::as_str);
    let names = [compared.theirs.name.as_deref(), compared.ours.name.as_deref(), agreed];
    compared.theirs.kind == Some(PartnerKind::Person)
        && !compared.to(Side::Local).contains(&PartnerField::Name)
        && !names.into_iter().flatten().any(|name| PartnerName::new(name) == contact)
}

/// A form in which a value was kept there means nothing any more once somebody wrote over it.
fn still_kept(kept: &SyncView, seen: &SyncView) -> SyncView {
    let mut kept = kept.clone();
    kept.retain(|field, value| seen.get(field) == Some(value));
    kept
}

fn restore(base: &mut SyncView, before: &SyncView, field: PartnerField) {
    match before.get(&field) {
        Some(value) => base.insert(field, value.clone()),
        None => base.remove(&field),
    };
}
