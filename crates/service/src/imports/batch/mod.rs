//! Deciding about many rows at once. The rows are judged one after the other by the same rule as a single
//! request, on a copy of what the store knows that grows with each of them; what has to be written is
//! collected and goes to the store together.

mod exported;
mod grouping;
mod primaries;

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use self::exported::ExportState;
use super::outcome::{Outcome, PROVISIONAL};
use super::parse::ImportRow;
use crate::clock::Randomness;
use crate::contacts::{claimed, draft, matching, merge};
use crate::error::RecordError;
use crate::import::ImportCounts;
use crate::store::{CustomerBatch, LinkDraft};
use onefold_domain::block::Part;
use onefold_domain::contact::{ContactDraft, ContactKind, ContactRecord, EvidenceOrder, KnownContact};
use onefold_domain::customer::KnownCustomer;
use onefold_domain::id::{ContactId, CustomerId, ImportId, UserId};
use onefold_domain::link_key::{LinkKey, StatementKeys};
use onefold_domain::linking::{Candidates, Keeping, LinkPlan, Surroundings, judge};
use onefold_domain::policy::LinkPolicy;

/// A batch while its rows are judged.
pub(super) struct Batch<'a> {
    policy: &'a LinkPolicy,
    randomness: &'a dyn Randomness,
    import: ImportId,
    /// Earlier imports of the same file: what they wrote last is as this one would leave it.
    twins: &'a [ImportId],
    at: DateTime<Utc>,
    customers: Vec<Known>,
    /// The customer in whose place another one stands since it absorbed it.
    stands_for: Vec<usize>,
    by_id: HashMap<CustomerId, usize>,
    owners: HashMap<LinkKey, usize>,
    /// Stored records that rows may mean, and the new ones.
    records: HashMap<ContactId, ContactRecord>,
    /// The stored records that rows have changed, as they were before.
    changed: HashMap<ContactId, ContactRecord>,
    created: Vec<ContactId>,
    writes: Writes,
    export: ExportState,
    pub(super) counts: ImportCounts,
}

struct Known {
    customer: KnownCustomer,
    stored: bool,
    touched: bool,
}

/// What is to be written, under provisional ids.
#[derive(Default)]
struct Writes {
    customers: CustomerBatch,
    new: Vec<CustomerId>,
    links: Vec<LinkDraft>,
    merged: Vec<(CustomerId, CustomerId, Vec<ContactId>)>,
    preferred: Vec<(UserId, ContactKind)>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(
        policy: &'a LinkPolicy,
        randomness: &'a dyn Randomness,
        (import, twins): (ImportId, &'a [ImportId]),
        candidates: Candidates,
        records: Vec<ContactRecord>,
        at: DateTime<Utc>,
    ) -> Self {
        let by_id: HashMap<CustomerId, usize> =
            candidates.customers.iter().enumerate().map(|(index, customer)| (customer.id, index)).collect();
        let owners = candidates
            .found
            .into_iter()
            .filter_map(|(key, owner)| by_id.get(&owner).map(|index| (key, *index)))
            .collect();
        let known = |customer| Known { customer, stored: true, touched: false };
        Self {
            policy,
            randomness,
            import,
            twins,
            at,
            stands_for: (0..candidates.customers.len()).collect(),
            customers: candidates.customers.into_iter().map(known).collect(),
            by_id,
            owners,
            records: records.into_iter().map(|record| (record.id, record)).collect(),
            changed: HashMap::new(),
            created: Vec::new(),
            writes: Writes::default(),
            export: ExportState::default(),
            counts: ImportCounts::default(),
        }
    }

    /// Judges one row.
    ///
    /// # Errors
    /// Metadata that would grow too large.
    pub(super) fn add(&mut self, row: &ImportRow) -> Result<(), RecordError> {
        if row.kept.is_some() {
            return self.add_kept(row);
        }
        let (own, claimable) = self.matches(row);
        if let Some(id) = own {
            return self.update(id, row);
        }
        if let Some((id, home)) = claimable {
            let plan = judge(&row.request.statement, self, self.policy, Keeping::Never);
            let homes = plan.customer.into_iter().chain(plan.absorbed.iter().copied());
            // A rule may keep the guest's customer and the user apart.
            if homes.into_iter().any(|customer| self.by_id.get(&customer) == Some(&home)) {
                self.apply(&plan, Some(id));
                self.claim(id, home, row, &plan);
                return self.update(id, row);
            }
        }
        if self.was_claimed(row) {
            self.counts.unchanged += 1;
            return Ok(());
        }
        let plan = judge(&row.request.statement, self, self.policy, Keeping::Always);
        self.create(&plan, row)
    }

    /// Whether a guest's row was stored by an earlier import of this file and then claimed by a later row of it.
    fn was_claimed(&self, row: &ImportRow) -> bool {
        let statement = &row.request.statement;
        if statement.user().is_some() || self.twins.is_empty() {
            return false;
        }
        let keys = StatementKeys::of(statement, self.policy);
        let homes = keys.iter().filter_map(|key| self.owner(key));
        homes.flat_map(|home| &self.customer(home).contacts).any(|contact| {
            contact.email.as_ref() == statement.email()
                && contact.phone.as_ref() == statement.phone()
                && self
                    .records
                    .get(&contact.id)
                    .and_then(|record| record.import)
                    .is_some_and(|import| self.twins.contains(&import))
        })
    }

    /// Everything that has to be written.
    pub(super) fn finish(self) -> Outcome {
        let mut guards: Vec<_> = self
            .customers
            .iter()
            .filter(|known| known.stored && known.touched)
            .map(|known| (known.customer.id, known.customer.version))
            .collect();
        guards.sort_unstable();
        // A customer is founded with a contact, so each has one, also if it was absorbed later on.
        let first = self.first_contacts();
        let new =
            self.writes.new.iter().filter_map(|id| first.get(id).map(|contact| (*id, *contact))).collect();
        // Where what was changed is at home now, for those who read of it.
        let homes: HashMap<_, _> = self.by_id.iter().map(|(id, index)| (*id, self.home(*index))).collect();
        let mut records = self.records;
        let created: Vec<_> = self.created.iter().filter_map(|id| records.remove(id)).collect();
        let mut updated: Vec<_> = self
            .changed
            .into_iter()
            .filter_map(|(id, before)| records.remove(&id).map(|record| (before, record)))
            .map(|(before, record)| {
                let customer = homes.get(&record.customer).copied().unwrap_or(record.customer);
                (before, ContactRecord { customer, ..record })
            })
            .collect();
        updated.sort_by_key(|(_, record)| record.id);
        let verifies = |before: Option<UserId>, record: &ContactRecord| {
            (record.verifier() != before).then_some(record.id)
        };
        // A claim makes an old statement a user's, as an upsert settles it.
        let claimed = |record: &ContactRecord| record.claimed_by.map(|_| record.id);
        let added = created.iter().filter_map(|record| verifies(None, record).or(claimed(record)));
        let changed = updated.iter().filter_map(|(before, record)| {
            let restated = (before.statement != record.statement).then_some(record.id);
            verifies(before.verifier(), record).or(restated)
        });
        let unsettled = added.chain(changed).collect();
        let mut customers = self.writes.customers;
        customers.claims.sort_unstable();
        let new_contacts = created.len();
        Outcome {
            guards,
            new_contacts,
            customers,
            new,
            created,
            updated,
            links: self.writes.links,
            merged: self.writes.merged,
            unsettled,
            preferred: self.writes.preferred,
        }
    }

    /// The first contact that was filed under each new customer.
    fn first_contacts(&self) -> HashMap<CustomerId, ContactId> {
        let mut first = HashMap::new();
        for id in &self.created {
            first.entry(self.records[id].customer).or_insert(*id);
        }
        first
    }

    /// The record that the row updates, or one that its user may claim, with the customer it belongs to.
    fn matches(&self, row: &ImportRow) -> (Option<ContactId>, Option<(ContactId, usize)>) {
        let keys = StatementKeys::of(&row.request.statement, self.policy);
        let mut homes: Vec<usize> = keys.iter().filter_map(|key| self.owner(key)).collect();
        homes.sort_unstable();
        homes.dedup();
        let open =
            |id: &ContactId| self.records.get(id).is_some_and(|record| record.is_open_to(row.request.source));
        let mut own: Option<ContactId> = None;
        let mut claimable: Option<(ContactId, usize)> = None;
        for home in homes {
            let matched = matching(&row.request.statement, self.customer(home).contacts.iter());
            own = own.into_iter().chain(matched.own.into_iter().find(open)).min();
            let claim = matched.claimable.into_iter().find(open).map(|id| (id, home));
            claimable = claimable.into_iter().chain(claim).min();
        }
        (own, claimable)
    }

    fn update(&mut self, id: ContactId, row: &ImportRow) -> Result<(), RecordError> {
        let Some(record) = self.records.get_mut(&id) else { return Ok(()) };
        if record.import.is_some_and(|import| self.twins.contains(&import)) {
            self.counts.unchanged += 1;
            return Ok(());
        }
        let before = record.clone();
        merge(record, &row.request, self.at)?;
        if !row.names_source {
            record.source = before.source;
        }
        let same = ContactRecord {
            import: before.import,
            version: before.version,
            updated_at: before.updated_at,
            ..record.clone()
        } == before;
        if same && !self.changed.contains_key(&id) {
            *record = before;
            self.counts.unchanged += 1;
            return Ok(());
        }
        record.import = Some(self.import);
        let preferred = record.details.is_primary && !before.details.is_primary;
        self.counts.updated += 1;
        if id.0 < PROVISIONAL {
            self.changed.entry(id).or_insert(before);
            let home = self.by_id.get(&record.customer).copied();
            if let Some(home) = home {
                let home = self.place(home);
                self.customers[home].touched = true;
            }
        }
        if preferred {
            self.prefer(id);
        }
        Ok(())
    }

    /// A guest's record becomes the user's.
    fn claim(&mut self, id: ContactId, home: usize, row: &ImportRow, plan: &LinkPlan) {
        let home = self.place(home);
        let contacts = &mut self.customers[home].customer.contacts;
        if let Some(contact) = contacts.iter_mut().find(|contact| contact.id == id) {
            contact.user = row.request.statement.user();
        }
        if let Some(record) = self.records.get_mut(&id) {
            self.changed.entry(id).or_insert_with(|| record.clone());
            claimed(record, &row.request.statement, Some(row.request.claims_by), plan);
        }
    }

    fn create(&mut self, plan: &LinkPlan, row: &ImportRow) -> Result<(), RecordError> {
        let id = ContactId(PROVISIONAL + self.created.len() as i64);
        let ContactDraft { statement, source, details, received, .. } = draft(&row.request, self.at)?;
        let home = self.apply(plan, Some(id));
        let customer = &mut self.customers[home].customer;
        customer.contacts.push(KnownContact {
            id,
            order: EvidenceOrder(id.0),
            is_verified: statement.user().is_some() && details.verified_at.is_some(),
            email: statement.email().cloned(),
            phone: statement.phone().cloned(),
            user: statement.user(),
        });
        let rule = |part| plan.blocked.iter().find(|block| block.part == part).map(|block| block.rule);
        let mut record = ContactRecord {
            id,
            customer: customer.id,
            customer_version: customer.version,
            primary: id,
            order: EvidenceOrder(id.0),
            claimed_by: None,
            email_blocked_by: rule(Part::Email),
            phone_blocked_by: rule(Part::Phone),
            statement,
            source,
            details,
            received,
            import: Some(self.import),
            origin: None,
            created_at: self.at,
            updated_at: self.at,
            version: 1,
        };
        self.keep_as_it_was(&mut record, row);
        self.records.insert(id, record);
        self.prefer(id);
        self.created.push(id);
        self.counts.created += 1;
        Ok(())
    }
}
