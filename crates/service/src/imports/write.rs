//! Storing a batch: the contacts and how far the import is, together or not at all.

use chrono::TimeDelta;
use uuid::Uuid;

use super::batch::Batch;
use super::by_user;
use super::known::{Renewed, renew};
use super::lookup::{keys_of, possible};
use super::outcome::Outcome;
use super::pace::Pace;
use super::parse::ImportRow;
use super::rows::Rows;
use super::step::Step;
use crate::contacts::{reread, settle, step_back};
use crate::environment::Environment;
use crate::error::RecordError;
use crate::import::{Import, ImportCounts, ImportOptions, MatchBy, RowFailure};
use crate::store::Transaction;
use crate::trail::Change;
use onefold_domain::id::{ContactId, ImportId, UserId};

/// One try. Returns the import as it then is.
pub(super) async fn write(
    env: &Environment,
    before: &Import,
    owner: Uuid,
    batch: &Rows,
    (twins, lease, pace): (&[ImportId], TimeDelta, &Pace),
) -> Result<Import, RecordError> {
    // A dry run by value reads and judges. One by user is carried out and given up, which takes a transaction that writes.
    let mut transaction = match before.options {
        ImportOptions { dry_run: true, match_by: MatchBy::Value, .. } => env.store.begin_reading().await?,
        _ => env.begin().await?,
    };
    // From here on others wait.
    let begun = env.clock.now();
    let stored = transaction.imports().get(before.id).await?.unwrap_or_else(|| before.clone());
    if stored.position.row > before.position.row {
        // An earlier try was carried out although its commit failed to say so.
        return Ok(stored);
    }
    let mut work = Work {
        env,
        import: before,
        twins,
        failures: Vec::new(),
        counts: ImportCounts::default(),
        older: Vec::new(),
    };
    let rows = work.sift(transaction.as_mut(), &batch.rows).await?;
    match before.options.match_by {
        MatchBy::Value => work.by_value(transaction.as_mut(), rows).await?,
        MatchBy::UserId => work.by_user(transaction.as_mut(), rows).await?,
    }
    if before.options.dry_run {
        // Everything that was tried is given up; only what it would have come to is kept.
        drop(transaction);
        transaction = env.begin().await?;
    }
    let at = env.clock.now();
    let mut import = before.clone();
    import.position = batch.position;
    import.header = import.header.or_else(|| batch.header.clone());
    import.counts = work.total(batch.rows.len());
    import.lease = Some((owner, at + lease));
    import.touch(at);
    if !work.failures.is_empty() {
        transaction.imports().add_failures(import.id, &work.failures).await?;
    }
    if import.piece() > before.piece() {
        // Nobody reads them again, and all of them at the end would keep others waiting.
        transaction.imports().drop_chunks(import.id, Some(import.piece())).await?;
    }
    // The last word, and the guard: whoever was taken over finds that the import is no longer his.
    transaction.imports().update(&import, Some(owner)).await?;
    pace.took(batch.rows.len(), env.clock.now() - begun, env.store.bulk_limit());
    transaction.commit().await?;
    Ok(import)
}

/// For the audit trail: what was there before and is different now. New contacts name the import themselves.
fn changes(import: ImportId, outcome: &Outcome) -> Vec<Change> {
    let merged = outcome.merged.iter();
    let merged = merged.map(|(survivor, absorbed, contacts)| Change::merged(*survivor, *absorbed, contacts));
    merged.chain(Change::import_updated(import, &outcome.updated)).collect()
}

/// The users of whose contacts one is to be the first choice.
fn choosing(rows: &[Step<'_>]) -> Vec<UserId> {
    let mut users: Vec<UserId> = rows
        .iter()
        .filter_map(|row| match row {
            Step::Contact(row) if row.request.is_primary == Some(true) => row.request.statement.user(),
            _ => None,
        })
        .collect();
    users.sort_unstable();
    users.dedup();
    users
}

/// How often joins are tried that wait for each other. Each round serves at least one, or is the last.
const ROUNDS: usize = 16;

const NOBODY: &str =
    "Nobody is known by these values yet; import the file once more when all its contacts are there.";

const OTHER_USER: &str =
    "The contact belongs to another user here, or a rule keeps its user from the contact's customer.";

pub(super) struct Work<'a> {
    pub(super) env: &'a Environment,
    import: &'a Import,
    twins: &'a [ImportId],
    pub(super) failures: Vec<RowFailure>,
    pub(super) counts: ImportCounts,
    /// Contacts of an export that are here in an older state.
    pub(super) older: Vec<(ContactId, ImportRow)>,
}

impl Work<'_> {
    async fn by_value(
        &mut self,
        transaction: &mut dyn Transaction,
        rows: Vec<Step<'_>>,
    ) -> Result<(), RecordError> {
        let Environment { policy, randomness, clock, .. } = self.env;
        let at = clock.now();
        let keys = keys_of(&rows, policy);
        let candidates = transaction.customers().candidates_of_many(&keys).await?;
        let records = transaction.contacts().get_many(&possible(&rows, &candidates)).await?;
        let source = (self.import.id, self.twins);
        let mut batch = Batch::new(policy, randomness.as_ref(), source, candidates, records, at);
        batch.with_choices(&transaction.contacts().primaries_of(&choosing(&rows)).await?);
        let mut waiting = Vec::new();
        for row in &rows {
            match row {
                Step::Contact(row) => match batch.add(row) {
                    Ok(()) => {}
                    Err(RecordError::Metadata(error)) => self.fail(row.line, "metadata", error.to_string()),
                    Err(error) => return Err(error),
                },
                Step::Join(row) => {
                    let before = batch.before();
                    if !batch.join(row, before) {
                        waiting.push((row, before));
                    }
                }
                Step::Passed(id) => batch.pass(*id),
            }
        }
        // Those who stood before a join may have been withdrawn, and whom it is about come later.
        for _ in 0..ROUNDS {
            let left = waiting.len();
            waiting.retain(|(row, before)| !batch.join(row, *before));
            if waiting.is_empty() || waiting.len() == left {
                break;
            }
        }
        for (row, _) in waiting {
            self.fail(row.line, "email, phone", NOBODY.to_owned());
        }
        self.add(batch.counts);
        if self.import.options.dry_run {
            self.counts.updated += self.older.len() as u64;
            return Ok(());
        }
        let mut outcome = batch.finish();
        transaction.customers().advance_many(&outcome.guards, at).await?;
        let ids = transaction.contacts().reserve_ids(outcome.new_contacts).await?;
        let (customers, contacts, links) = outcome.numbered(&ids);
        transaction.customers().write_batch(&customers, at).await?;
        for preferred in &outcome.preferred {
            // Before the new ones are there: at no moment may a user have two.
            step_back(transaction, self.env, *preferred, None, at).await?;
        }
        transaction.contacts().insert_batch(&contacts, at).await?;
        for link in &links {
            transaction.links().insert(link).await?;
        }
        for (_, record) in &outcome.updated {
            transaction.contacts().update(record).await?;
        }
        if !self.env.triggers.is_empty() {
            // The trail names the import, not each customer; sync has to know them.
            let updated = outcome.updated.iter().map(|(_, record)| record.customer);
            let absorbed = outcome.merged.iter().map(|(_, absorbed, _)| *absorbed);
            let added = contacts.iter().map(|contact| contact.customer);
            let changed = updated.chain(absorbed).chain(added).collect();
            self.env.promise_sync(transaction, at, changed).await?;
        }
        self.env.record(transaction, at, changes(self.import.id, &outcome)).await?;
        for id in outcome.unsettled {
            let record = reread(transaction, id).await?;
            settle(transaction, self.env, id, record.customer, &[record.statement], at).await?;
        }
        self.bring_up_to_date(transaction).await
    }

    /// After the batch, which rests on what was read before.
    async fn bring_up_to_date(&mut self, transaction: &mut dyn Transaction) -> Result<(), RecordError> {
        for (id, row) in std::mem::take(&mut self.older) {
            match renew(transaction, self.env, self.import.id, id, &row).await {
                Ok(Renewed::Done) => self.counts.updated += 1,
                Ok(Renewed::OtherUser) => self.fail(row.line, "userId", OTHER_USER.to_owned()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn by_user(
        &mut self,
        transaction: &mut dyn Transaction,
        rows: Vec<Step<'_>>,
    ) -> Result<(), RecordError> {
        for row in rows {
            // There is no other: rows of an export are not matched by user.
            let Step::Contact(row) = row else { continue };
            let line = row.line;
            match by_user::store(transaction, self.env, (self.import.id, self.twins), row.into_owned()).await
            {
                Ok(by_user::Stored::Created) => self.counts.created += 1,
                Ok(by_user::Stored::Updated) => self.counts.updated += 1,
                Ok(by_user::Stored::Unchanged) => self.counts.unchanged += 1,
                Err(RecordError::Metadata(error)) => self.fail(line, "metadata", error.to_string()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub(super) fn fail(&mut self, line: u64, field: &str, message: String) {
        self.counts.failed += 1;
        self.failures.push(RowFailure { line, field: field.to_owned(), message });
    }

    fn add(&mut self, counts: ImportCounts) {
        self.counts.created += counts.created;
        self.counts.updated += counts.updated;
        self.counts.unchanged += counts.unchanged;
    }

    fn total(&self, read: usize) -> ImportCounts {
        let before = self.import.counts;
        ImportCounts {
            read: before.read + read as u64,
            created: before.created + self.counts.created,
            updated: before.updated + self.counts.updated,
            unchanged: before.unchanged + self.counts.unchanged,
            failed: before.failed + self.counts.failed,
        }
    }
}
