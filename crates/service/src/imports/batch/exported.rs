//! Rows of an export in a batch: contacts that are their own, and joins.

use std::collections::HashSet;

use super::super::parse::{ImportRow, JoinRow};
use super::Batch;
use crate::error::RecordError;
use crate::store::LinkDraft;
use onefold_domain::contact::{ContactKind, ContactRecord, EvidenceOrder, Statement};
use onefold_domain::id::{ContactId, UserId};
use onefold_domain::link_key::{LinkKey, StatementKeys};
use onefold_domain::linking::{Keeping, Surroundings, judge, judge_join};

/// What a batch remembers of the export that its rows come from.
#[derive(Default)]
pub(super) struct ExportState {
    /// The users who have made their choice: among emails (`false`) and among phones (`true`).
    chosen: HashSet<(UserId, bool)>,
    /// The contact of the row before. A join stands behind it.
    before: Option<ContactId>,
    /// Joins that were written beside the one that a row asked for, since it joined three customers at once. The
    /// export has a row for each of them, which comes next.
    spare: Vec<usize>,
}

impl Batch<'_> {
    /// Says whose first choices are known. What a user chose here stays, whatever a file says.
    pub(in super::super) fn with_choices(&mut self, choices: &[(UserId, ContactKind)]) {
        for (user, kind) in choices {
            self.export.chosen.extend(shares(*kind).map(|phone| (*user, phone)));
        }
    }

    /// A row whose contact is here already.
    pub(in super::super) fn pass(&mut self, id: ContactId) {
        self.export.before = Some(id);
        self.counts.unchanged += 1;
    }

    /// Adds a contact that was made elsewhere. It is a contact of its own, so that nothing of it is lost.
    pub(super) fn add_kept(&mut self, row: &ImportRow) -> Result<(), RecordError> {
        let plan = judge(&row.request.statement, self, self.policy, Keeping::Always);
        self.create(&plan, row)
    }

    /// What only a row of an export says of a new contact.
    pub(super) fn keep_as_it_was(&mut self, record: &mut ContactRecord, row: &ImportRow) {
        self.export.before = Some(record.id);
        let Some(kept) = row.kept else { return };
        record.origin = Some(kept.origin);
        record.created_at = kept.created_at;
        record.updated_at = kept.updated_at;
        record.details.verified_at = kept.verified_at;
        record.claimed_by = kept.claimed_by;
        if let (true, Some(user)) = (record.details.is_primary, record.user()) {
            let wanted: Vec<_> = shares(record.kind()).map(|phone| (user, phone)).collect();
            record.details.is_primary = wanted.iter().all(|choice| !self.export.chosen.contains(choice));
            if record.details.is_primary {
                self.export.chosen.extend(wanted);
            }
        }
    }

    /// The contact of the row before.
    pub(in super::super) fn before(&self) -> Option<ContactId> {
        self.export.before
    }

    /// Lets a join link, and keeps it as evidence also if what it joins is one already. `false` if nobody is known
    /// by its values. It stands behind the contact `before`.
    pub(in super::super) fn join(&mut self, row: &JoinRow, before: Option<ContactId>) -> bool {
        let known = self.as_far_as_known(&row.statement);
        let plan = judge_join(&known, row.beside.as_ref(), self, self.policy);
        if plan.customer.is_none() {
            return false;
        }
        self.counts.created += 1;
        let links = &mut self.writes.links;
        let same = |link: &LinkDraft| link.statement == row.statement && row.beside.is_none();
        let spare = self.export.spare.iter().position(|index| same(&links[*index]));
        if let Some(place) = spare {
            let link = &mut links[self.export.spare.swap_remove(place)];
            (link.origin, link.at) = (Some(row.origin), row.at);
            return true;
        }
        let after = before.map(|id| EvidenceOrder(id.0)).or_else(|| self.youngest(&plan));
        let first = self.writes.links.len();
        let home = self.apply(&plan, None);
        self.customers[home].touched = true;
        let id = self.customers[home].customer.id;
        let Some(after) = after else { return true };
        // The two are one customer already. The join is evidence all the same, for when what made them one is withdrawn.
        if self.writes.links.len() == first {
            let (statement, at) = (row.statement.clone(), row.at);
            let (survivor, absorbed, contact, origin) = (id, id, None, None);
            let (beside, source) = (None, None);
            self.writes.links.push(LinkDraft {
                survivor,
                absorbed,
                statement,
                beside,
                source,
                contact,
                after,
                at,
                origin,
            });
        }
        for (index, link) in self.writes.links.iter_mut().enumerate().skip(first) {
            link.statement = row.statement.clone();
            link.beside.clone_from(&row.beside);
            link.source = row.source;
            link.after = after;
            if index == first {
                (link.origin, link.at) = (Some(row.origin), row.at);
            } else {
                self.export.spare.push(index);
            }
        }
        true
    }

    /// A join never makes a customer a user's: only a contact can tell that it is.
    fn as_far_as_known(&self, statement: &Statement) -> Statement {
        let key: Option<LinkKey> = StatementKeys::of(statement, self.policy).user;
        let known = key.is_some_and(|key| self.owner(&key).is_some());
        let guests = Statement::new(statement.email().cloned(), statement.phone().cloned());
        if known { statement.clone() } else { guests.unwrap_or_else(|| statement.clone()) }
    }
}

/// Whether it is among the emails, among the phones, or both.
fn shares(kind: ContactKind) -> impl Iterator<Item = bool> {
    let emails = (kind != ContactKind::Phone).then_some(false);
    let phones = (kind != ContactKind::Email).then_some(true);
    emails.into_iter().chain(phones)
}
