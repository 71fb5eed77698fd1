//! The audit trail at work: what changes tell it, how it is sealed, shown, and verified.

mod change;
mod record;
mod snapshot;

use std::time::Duration;

use tokio::time::sleep;

use crate::audit::{AuditEntry, AuditFault, AuditFilter, AuditHead, ChainCheck, SealedEntry, seal};
use crate::environment::Environment;
use crate::page::Page;
use crate::retry::Failure;
use crate::streak::Streak;

pub use change::Change;

/// The most entries that are sealed in one transaction: what SQLite's writer does within `Store::bulk_limit`.
const BATCH: usize = 200;

/// How many batches are sealed before the trail is shown; a larger backlog is worked off in the background.
const ROUNDS: usize = 50;

/// How long a change may stay unsealed while a server runs.
const PACE: Duration = Duration::from_secs(1);

/// How many entries are verified at a time.
const STRETCH: usize = 1_000;

/// Keeps the audit trail.
#[derive(Clone)]
pub struct Audit {
    env: Environment,
}

/// Part of the trail, newest first, and the number in front of which the next part begins.
pub type AuditPage = Page<AuditEntry, u64>;

impl Audit {
    pub fn new(env: Environment) -> Self {
        // Those who list the trail wait for it, but behind those who change something.
        Self { env: env.in_bulk() }
    }

    /// Entries in front of number `before`, newest first. All that was committed before the call is among them,
    /// unless more than 10,000 changes wait to be sealed.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn list(
        &self,
        filter: &AuditFilter,
        before: Option<u64>,
        limit: u16,
    ) -> Result<AuditPage, Failure> {
        self.seal().await?;
        let audit = self.env.store.audit();
        let page = Page::read(
            usize::from(limit),
            |wanted| audit.list(filter, before, wanted),
            |entry: &AuditEntry| entry.number,
        );
        Ok(page.await?)
    }

    /// Goes along the whole chain, looks whether it tells of all that is there, and returns its head if all is well. By the
    /// second an empty trail is found, a cut-off tail that told of something new, and a chain that was made anew; with
    /// `expected`, a head that the chain had once, every one.
    ///
    /// # Errors
    /// A store that does not answer. The fault that was found is no error: it is the answer.
    pub async fn verify(
        &self,
        expected: Option<AuditHead>,
    ) -> Result<Result<Option<AuditHead>, AuditFault>, Failure> {
        self.seal().await?;
        let mut check = ChainCheck::new(expected);
        loop {
            let after = check.last().map_or(0, |last| last.number);
            let entries = self.env.store.audit().entries_after(after, STRETCH).await?;
            for entry in &entries {
                if let Err(fault) = check.next(entry) {
                    return Ok(Err(fault));
                }
            }
            if entries.len() < STRETCH {
                break;
            }
        }
        let head = match check.finish() {
            Ok(head) => head,
            Err(fault) => return Ok(Err(fault)),
        };
        let untold = self.env.store.audit().first_untold().await?;
        Ok(untold.map_or(Ok(head), |subject| Err(AuditFault::Untold { subject })))
    }

    /// Seals what waits, for ever. To be stopped by dropping it.
    pub async fn work(&self) {
        let streak = Streak::default();
        loop {
            match self.seal().await {
                Ok(_) if streak.succeeded() => tracing::info!("the audit trail is sealed again"),
                Err(error) if streak.failed() => {
                    tracing::warn!(error = %error, "the audit trail is not sealed; this is tried every second");
                }
                _ => {}
            }
            sleep(PACE).await;
        }
    }

    /// Seals what waits, at most 10,000 entries; returns how many there were.
    ///
    /// # Errors
    /// A store that does not answer. What was not sealed waits on.
    pub async fn seal(&self) -> Result<usize, Failure> {
        let env = &self.env;
        let mut sealed = 0;
        for _ in 0..ROUNDS {
            let batch = env.patience.keep_trying(env.randomness.as_ref(), |_| self.seal_batch()).await?;
            sealed += batch;
            if batch < BATCH {
                break;
            }
        }
        Ok(sealed)
    }

    async fn seal_batch(&self) -> Result<usize, Failure> {
        let mut transaction = self.env.begin().await?;
        let head = transaction.audit().head().await?;
        let pending = transaction.audit().pending(BATCH).await?;
        if pending.is_empty() {
            return Ok(0);
        }
        let (ids, facts): (Vec<_>, Vec<_>) = pending.into_iter().map(|entry| (entry.id, entry.facts)).unzip();
        let entries = seal(head.as_ref(), facts).into_iter().zip(ids);
        let entries: Vec<_> = entries.map(|(entry, pending)| SealedEntry { pending, entry }).collect();
        transaction.audit().seal(&entries).await?;
        transaction.commit().await?;
        Ok(entries.len())
    }
}
