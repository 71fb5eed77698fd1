//! Which contact of a user is the first choice among those of its kind: the one of which a row said so last.

use super::{Batch, PROVISIONAL};
use onefold_domain::contact::{ContactKind, ContactRecord};
use onefold_domain::id::ContactId;

impl Batch<'_> {
    /// A contact has become the first choice. The others that the batch knows step back at once; what else is stored
    /// does when the batch is written.
    pub(super) fn prefer(&mut self, id: ContactId) {
        let Some(chosen) = self.records.get(&id).filter(|record| record.details.is_primary) else { return };
        let (Some(user), kind) = (chosen.user(), chosen.kind()) else { return };
        let gives_way = |other: &&ContactRecord| {
            other.id != id && other.user() == Some(user) && other.details.is_primary && shares(other, kind)
        };
        let others: Vec<ContactId> =
            self.records.values().filter(gives_way).map(|record| record.id).collect();
        for other in others {
            self.step_back(other);
        }
        if !self.writes.preferred.contains(&(user, kind)) {
            self.writes.preferred.push((user, kind));
        }
    }

    fn step_back(&mut self, id: ContactId) {
        let Some(record) = self.records.get_mut(&id) else { return };
        let before = record.clone();
        if id.0 >= PROVISIONAL {
            record.details.is_primary = false;
            return;
        }
        record.step_back(self.at);
        let home = self.by_id.get(&record.customer).copied();
        self.changed.entry(id).or_insert(before);
        if let Some(home) = home {
            let home = self.place(home);
            self.customers[home].touched = true;
        }
    }
}

/// Whether a contact is among those of this kind.
fn shares(record: &ContactRecord, kind: ContactKind) -> bool {
    match kind {
        ContactKind::Email => record.statement.email().is_some(),
        ContactKind::Phone => record.statement.phone().is_some(),
        ContactKind::Both => true,
    }
}
