//! Rows of an export whose contacts and joins are here already: they came with an earlier file, or the file
//! comes from here. A contact that was changed since at its origin is brought up to date.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use super::parse::{FileRow, ImportRow, JoinRow, Parsed};
use crate::contacts::{ContactChange, NewValue, apply, claim_record, draft, reread, settle, step_back};
use crate::environment::Environment;
use crate::error::RecordError;
use crate::store::{Originated, StoreError, Transaction};
use crate::trail::Change;
use onefold_domain::contact::{ContactRecord, Statement};
use onefold_domain::id::{ContactId, ImportId, LinkId};
use onefold_domain::origin::Origin;

/// Of one origin are those that were made at one moment.
type Identity = (Origin, DateTime<Utc>);

/// What of a batch is here already.
#[derive(Default)]
pub(super) struct KnownHere {
    contacts: HashMap<Identity, Originated<ContactId>>,
    joins: HashMap<Identity, Originated<LinkId>>,
    /// The records of contacts that are here and were not withdrawn.
    records: HashMap<ContactId, ContactRecord>,
    /// What came before in the batch: a line that stands twice is one contact.
    seen: HashSet<Identity>,
    seen_joins: HashSet<Identity>,
}

/// What is to be done about a contact of an export.
pub(super) enum Found {
    New,
    /// It is here, as it is in the file or newer, or was withdrawn here.
    Same(Option<ContactId>),
    /// It is here, and the file has news of it.
    Older(ContactId),
}

impl KnownHere {
    pub(super) async fn read(transaction: &mut dyn Transaction, rows: &[Parsed]) -> Result<Self, StoreError> {
        let mut known = Self::default();
        let (mut contacts, mut joins) = (Vec::new(), Vec::new());
        for row in rows.iter().flatten() {
            match row {
                FileRow::Contact(row) => contacts.extend(row.kept.map(|kept| kept.origin)),
                FileRow::Join(row) => joins.push(row.origin),
                FileRow::User(_) => {}
            }
        }
        if !contacts.is_empty() {
            let found = transaction.origins().contacts(&contacts).await?;
            let living: Vec<ContactId> = found.iter().filter(|one| !one.gone).map(|one| one.id).collect();
            let records = transaction.contacts().get_many(&living).await?;
            known.records = records.into_iter().map(|record| (record.id, record)).collect();
            known.contacts = found.into_iter().map(|one| ((one.origin, one.created_at), one)).collect();
        }
        if !joins.is_empty() {
            let found = transaction.origins().joins(&joins).await?;
            known.joins = found.into_iter().map(|one| ((one.origin, one.created_at), one)).collect();
        }
        Ok(known)
    }

    pub(super) fn contact(&mut self, row: &ImportRow) -> Found {
        let Some(kept) = row.kept else { return Found::New };
        let identity = (kept.origin, kept.created_at);
        let repeated = !self.seen.insert(identity);
        let Some(one) = self.contacts.get(&identity) else {
            return if repeated { Found::Same(None) } else { Found::New };
        };
        let older = self.records.get(&one.id).is_some_and(|record| record.updated_at < kept.updated_at);
        if older && !repeated { Found::Older(one.id) } else { Found::Same(Some(one.id)) }
    }

    pub(super) fn has_join(&mut self, row: &JoinRow) -> bool {
        let identity = (row.origin, row.at);
        !self.seen_joins.insert(identity) || self.joins.contains_key(&identity)
    }
}

/// What bringing a contact up to date came to.
pub(super) enum Renewed {
    Done,
    /// It belongs to somebody else here, or a rule keeps its user away.
    OtherUser,
}

/// Brings a contact up to date with its row.
pub(super) async fn renew(
    transaction: &mut dyn Transaction,
    env: &Environment,
    import: ImportId,
    id: ContactId,
    row: &ImportRow,
) -> Result<Renewed, RecordError> {
    let Some(kept) = row.kept else { return Ok(Renewed::Done) };
    let before = reread(transaction, id).await?;
    let at = env.clock.now();
    let wanted = &row.request.statement;
    let mut record = before.clone();
    transaction.customers().advance(record.customer, record.customer_version, at).await?;
    if !has_values(&record, wanted) {
        let guests = Statement::new(wanted.email().cloned(), wanted.phone().cloned());
        let value = guests.map(|statement| {
            let received = row.request.received.clone();
            NewValue::Instead { statement, received }
        });
        let change = ContactChange { value, made_at: Some(kept.updated_at), ..ContactChange::default() };
        apply(transaction, env, &mut record, &change).await?;
        record = reread(transaction, id).await?;
    }
    match (record.user(), wanted.user()) {
        (known, wanted) if known == wanted => {}
        (None, Some(_)) => {
            if !claim_record(transaction, env, &row.request, &mut record, at).await? {
                return Ok(Renewed::OtherUser);
            }
            transaction.contacts().update(&record).await?;
            record = reread(transaction, id).await?;
        }
        // What was claimed here stays so.
        (Some(_), None) => {}
        _ => return Ok(Renewed::OtherUser),
    }
    let told = draft(&row.request, at)?;
    record.source = told.source;
    record.received = told.received;
    record.details = told.details;
    record.details.verified_at = kept.verified_at;
    record.claimed_by = record.claimed_by.and(kept.claimed_by);
    record.import = Some(import);
    record.version += 1;
    // As it was changed at its origin: the file with this state is no news when it comes again.
    record.updated_at = kept.updated_at;
    if let (true, Some(user)) = (record.details.is_primary, record.user()) {
        step_back(transaction, env, (user, record.kind()), Some(id), at).await?;
    }
    transaction.contacts().update(&record).await?;
    if record.verifier() != before.verifier() {
        let said = [before.statement.clone(), record.statement.clone()];
        settle(transaction, env, id, record.customer, &said, at).await?;
    }
    let changed = Change::contact_updated(&before, &reread(transaction, id).await?);
    env.record(transaction, at, Vec::from_iter(changed)).await?;
    Ok(Renewed::Done)
}

fn has_values(record: &ContactRecord, wanted: &Statement) -> bool {
    record.statement.email() == wanted.email() && record.statement.phone() == wanted.phone()
}
