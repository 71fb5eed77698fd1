//! A customer and a record that exist both: compares them, writes there what changed here, then here what changed
//! there. Between the two the base learns what was written, so that it never looks like somebody's change.

use chrono::{DateTime, Utc};

use super::{Errand, Opened, Synced, Synchroniser};
use crate::contacts::Open;
use crate::sync::plan::{Comparison, compare, kept_otherwise};
use crate::sync::transform::view_of;
use crate::sync::{
    ConflictDraft, ConflictId, ConflictStatus, ConflictSubject, FieldPlan, Mapping, MappingStatus,
    PartnerError, PartnerField, PartnerFields, RemotePartner, Side, SyncError, SyncOutcome, SyncRules,
    SyncText, SyncView,
};
use crate::{CustomerRecord, StoreError, Transaction};

/// How often a customer may change under our hands before it is left to the next attempt.
const ROUNDS: usize = 5;

/// What concluding came to.
enum Concluded {
    Done(Box<Synced>, Vec<ConflictId>),
    /// The customer has changed since it was compared; what was written there is noted.
    Moved(Box<Opened>),
}

/// What was written on both sides so far.
#[derive(Clone, Default)]
pub(super) struct Progress {
    /// Whether something was written there that could not be read back.
    pub(super) in_doubt: bool,
    pub(super) pushed: Vec<PartnerField>,
    pub(super) pulled: Vec<PartnerField>,
}

impl Synchroniser {
    pub(super) async fn reconcile(
        &self,
        mut opened: Opened,
        mut partner: Option<RemotePartner>,
        outcome: SyncOutcome,
        errand: Errand,
    ) -> Result<Synced, SyncError> {
        let rules = self.rules().await?;
        let mut progress = Progress::default();
        for _ in 0..ROUNDS {
            let read = match partner.take() {
                Some(partner) => partner,
                None => self.read(&opened).await?,
            };
            let compared = self.compare(&opened, &read, &rules);
            let pushed = compared.to(Side::Remote);
            let mut known = read;
            if !pushed.is_empty() {
                (opened, known, progress.in_doubt) =
                    self.push(opened, known, &compared, &rules, &pushed).await?;
                progress.pushed.extend(pushed);
            }
            match self.conclude(opened, &compared, &rules, known, outcome, &progress, errand).await? {
                Concluded::Done(synced, open) if open.is_empty() => return Ok(*synced),
                Concluded::Done(_, conflicts) => return Err(SyncError::OpenConflict { conflicts }),
                Concluded::Moved(moved) => opened = *moved,
            }
        }
        Err(SyncError::Busy)
    }

    async fn read(&self, opened: &Opened) -> Result<RemotePartner, SyncError> {
        let Some(id) = &opened.mapping.external else { return Err(PartnerError::NotFound.into()) };
        match self.directory.get(id).await {
            Err(PartnerError::NotFound) => Err(SyncError::Missing),
            read => Ok(read?),
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
        let fields = outgoing(compared, pushed);
        let abilities = self.directory.abilities();
        if sent != opened.mapping.sent {
            // Told before, if they are the same: an attempt was cut off then.
            self.keep_lost(&opened, compared, rules, Side::Local).await?;
        }
        let intended = Mapping { base: compared.base.clone(), sent: sent.clone(), ..opened.mapping.clone() };
        let opened = self.store(opened, intended).await?;
        let written = self.directory.update(&partner.id, &fields, &partner.parts).await?;
        let mut mapping = Mapping { parts: written.parts.clone(), ..opened.mapping.clone() };
        let Some(read) = written.partner else {
            // Nobody knows how it looks there now; `sent` recognises it next time.
            return Ok((self.store(opened, mapping).await?, partner, true));
        };
        mapping.base.extend(sent);
        mapping.kept.retain(|field, _| !pushed.contains(field));
        mapping.kept.extend(kept_otherwise(&written.differing, &read, &abilities));
        mapping.sent = SyncView::new();
        Ok((self.store(opened, mapping).await?, read, false))
    }

    /// Keeps what loses by a rule, before it is overwritten.
    async fn keep_lost(
        &self,
        opened: &Opened,
        compared: &Comparison,
        rules: &SyncRules,
        winner: Side,
    ) -> Result<(), SyncError> {
        let drafts = &self.lost(&opened.mapping, compared, rules, winner);
        if drafts.is_empty() {
            return Ok(());
        }
        self.env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    for draft in drafts {
                        transaction.conflicts().put(draft).await?;
                    }
                    Ok::<_, SyncError>(((), transaction))
                })
            })
            .await
    }

    fn lost(
        &self,
        mapping: &Mapping,
        compared: &Comparison,
        rules: &SyncRules,
        winner: Side,
    ) -> Vec<ConflictDraft> {
        let at = self.env.clock.now();
        let draft = |(field, plan): (&PartnerField, &FieldPlan)| {
            let FieldPlan::Take { from, value, lost: Some(lost) } = plan else { return None };
            let (local, remote) = match from {
                _ if *from != winner => return None,
                Side::Local => (value.clone(), Some(lost.clone())),
                Side::Remote => (Some(lost.clone()), value.clone()),
            };
            let base = compared.base.get(field).cloned().flatten();
            let rule = Some(rules.rule(*field));
            let values = Values { base, local, remote };
            Some(self.field_conflict(mapping, *field, values, ConflictStatus::Settled, at).ruled(rule))
        };
        compared.plan.fields.iter().filter_map(draft).collect()
    }

    fn field_conflict(
        &self,
        mapping: &Mapping,
        field: PartnerField,
        values: Values,
        status: ConflictStatus,
        at: DateTime<Utc>,
    ) -> ConflictDraft {
        ConflictDraft {
            mapping: mapping.id,
            system: self.system,
            customer: mapping.customer,
            subject: ConflictSubject::Field(field),
            base: values.base,
            local: values.local,
            remote: values.remote,
            status,
            rule: None,
            at,
        }
    }

    /// Writes here what changed there, in one transaction with all that the mapping learns.
    #[expect(
        clippy::too_many_arguments,
        reason = "they are the state of one attempt, and nobody else needs them"
    )]
    async fn conclude(
        &self,
        opened: Opened,
        compared: &Comparison,
        rules: &SyncRules,
        partner: RemotePartner,
        outcome: SyncOutcome,
        progress: &Progress,
        errand: Errand,
    ) -> Result<Concluded, SyncError> {
        let (opened, partner) = (&opened, &partner);
        self.env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    let open = transaction.as_mut();
                    let at = self.env.clock.now();
                    let until = self.lease_until(at);
                    let held = open.mappings().take(opened.mapping.id, opened.owner, at, until).await?;
                    let held = held.ok_or(SyncError::Busy)?;
                    let now = open.customers().get(opened.customer.id).await?;
                    let now = now.ok_or(SyncError::NoSuchCustomer)?;
                    if now.id != opened.customer.id || now.version != opened.customer.version {
                        let moved = self.moved(open, held, now, opened, at).await?;
                        return Ok((Concluded::Moved(Box::new(moved)), transaction));
                    }
                    for draft in self.lost(&held, compared, rules, Side::Remote) {
                        open.conflicts().put(&draft).await?;
                    }
                    let written = self.write_here(open, &now, compared).await?;
                    let done =
                        Written { partner, compared, pulled: written.pulled, refused: written.refused };
                    let concluded = self.note(open, held, done, outcome, progress, errand, opened).await?;
                    Ok::<_, SyncError>((concluded, transaction))
                })
            })
            .await
    }

    /// The customer changed meanwhile: everything is compared anew with what it is now.
    async fn moved(
        &self,
        transaction: &mut dyn Transaction,
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
        Ok(Opened { mapping: same, customer: now, owner: opened.owner, since: opened.since })
    }
}

/// What a field is on both sides and was before.
pub(super) struct Values {
    pub(super) base: Option<SyncText>,
    pub(super) local: Option<SyncText>,
    pub(super) remote: Option<SyncText>,
}

/// What was done here.
pub(super) struct Written<'a> {
    pub(super) partner: &'a RemotePartner,
    pub(super) compared: &'a Comparison,
    pub(super) pulled: Vec<PartnerField>,
    /// Fields whose value there cannot be taken over here; they are asked about.
    pub(super) refused: Vec<PartnerField>,
}

/// Whatever is written there is sent with the name and the company, since one tells what the other means: as they
/// are there, unless they are to change.
fn outgoing(compared: &Comparison, pushed: &[PartnerField]) -> PartnerFields {
    let mut fields = compared.ours.only(pushed);
    if !pushed.contains(&PartnerField::Name) {
        fields.name.clone_from(&compared.theirs.name);
    }
    if !pushed.contains(&PartnerField::CompanyName) {
        fields.company_name.clone_from(&compared.theirs.company_name);
    }
    fields
}

impl ConflictDraft {
    fn ruled(self, rule: Option<crate::sync::FieldRule>) -> Self {
        Self { rule, ..self }
    }
}

impl Synchroniser {
    #[expect(
        clippy::too_many_arguments,
        reason = "they are the state of one attempt, and nobody else needs them"
    )]
    async fn note(
        &self,
        transaction: &mut dyn Transaction,
        held: Mapping,
        done: Written<'_>,
        outcome: SyncOutcome,
        progress: &Progress,
        errand: Errand,
        opened: &Opened,
    ) -> Result<Concluded, SyncError> {
        let at = self.env.clock.now();
        let now = transaction.customers().get(opened.customer.id).await?;
        let now = now.ok_or(SyncError::NoSuchCustomer)?;
        let open = self.note_questions(transaction, &held, &done, at).await?;
        let status = if open.is_empty() { MappingStatus::Synced } else { MappingStatus::Conflict };
        let mut base = done.compared.plan.new_base(&done.compared.base);
        for field in &done.refused {
            restore(&mut base, &done.compared.base, *field);
        }
        let mut sent = SyncView::new();
        if progress.in_doubt {
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
            base,
            kept: still_kept(&held.kept, &view_of(&done.partner.fields, &self.directory.abilities())),
            customer_version: Some(now.version).filter(|_| sent.is_empty()),
            sent,
            missing_since: None,
            error: None,
            ..held.clone()
        };
        let returned = held.missing_since.is_some();
        let progress = Progress { pulled: done.pulled, ..progress.clone() };
        let quiet = progress.pushed.is_empty() && progress.pulled.is_empty();
        let outcome = match outcome {
            SyncOutcome::Unchanged if !open.is_empty() => SyncOutcome::Conflict,
            SyncOutcome::Unchanged if returned => SyncOutcome::Returned,
            SyncOutcome::Unchanged if !quiet => SyncOutcome::Updated,
            outcome => outcome,
        };
        let mapping = Mapping { last_synced_at: Some(at), ..self.touched(changed, at) };
        transaction.mappings().update(&mapping).await?;
        transaction.mappings().release(mapping.id, opened.owner).await?;
        self.log_attempt(transaction, &mapping, outcome, &progress, errand, opened.since).await?;
        let mapping = Mapping { version: mapping.version + 1, lease: None, ..mapping };
        let synced = Synced { mapping, outcome, pushed: progress.pushed, pulled: progress.pulled };
        Ok(Concluded::Done(Box::new(synced), open))
    }

    /// Opens what is in question now and closes what is not any more; returns what is open.
    pub(super) async fn note_questions(
        &self,
        transaction: &mut dyn Transaction,
        mapping: &Mapping,
        done: &Written<'_>,
        at: DateTime<Utc>,
    ) -> Result<Vec<ConflictId>, StoreError> {
        let mut open = Vec::new();
        let mut asked = Vec::new();
        for (field, plan) in &done.compared.plan.fields {
            let Some(values) = in_question(plan, &done.compared.base, *field, done.refused.contains(field))
            else {
                continue;
            };
            let draft = self.field_conflict(mapping, *field, values, ConflictStatus::Open, at);
            open.push(transaction.conflicts().put(&draft).await?);
            asked.push(ConflictSubject::Field(*field));
        }
        for conflict in transaction.conflicts().open_of(mapping.id).await? {
            match conflict.subject {
                subject if asked.contains(&subject) => {}
                ConflictSubject::Field(_) | ConflictSubject::SamePartner => {
                    transaction.conflicts().resolve(conflict.id, "agreed", &self.by(), at).await?;
                }
                ConflictSubject::SameCustomer => open.push(conflict.id),
            }
        }
        Ok(open)
    }
}

/// The values of a field that a person has to decide about.
fn in_question(plan: &FieldPlan, base: &SyncView, field: PartnerField, refused: bool) -> Option<Values> {
    let before = || base.get(&field).cloned().flatten();
    match plan {
        FieldPlan::Ask { base, local, remote } => {
            Some(Values { base: base.clone(), local: local.clone(), remote: remote.clone() })
        }
        FieldPlan::KeepBoth { local, remote } if refused => {
            Some(Values { base: before(), local: Some(local.clone()), remote: Some(remote.clone()) })
        }
        FieldPlan::Take { value, lost, .. } if refused => {
            let local = lost.clone().or_else(before);
            Some(Values { base: before(), local, remote: value.clone() })
        }
        _ => None,
    }
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
