//! Running imports: takes one that waits, stores its rows batch by batch, and leaves it in a state from
//! which any process can go on. A batch and how far the import is are one transaction.

mod batch;
mod by_user;
mod columns;
mod exported;
mod known;
mod lookup;
mod outcome;
mod pace;
mod parse;
mod reading;
mod receive;
mod rows;
mod sift;
mod step;
mod undefused;
mod users;
mod write;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::Notify;
use tokio::time::timeout;
use uuid::Uuid;

use crate::actor::Acting;
use crate::environment::Environment;
use crate::error::RecordError;
use crate::import::{Import, ImportStatus, MatchBy, RowFailure};
use crate::retry::Failure;
use crate::store::StoreError;
use crate::streak::Streak;
use onefold_domain::id::ImportId;
use onefold_domain::phone::Region;
use pace::Pace;
use rows::{Broken, Rows, read};
use write::write;

pub use receive::Receiving;

/// Takes files in and imports them.
#[derive(Clone)]
pub struct Imports {
    pub(super) env: Environment,
    region: Option<Region>,
    /// Wakes the one who works in this process when a file has come in.
    wake: Arc<Notify>,
}

/// The most rows that are stored together; more gain nothing. Where others would wait, `Pace` takes fewer.
const BATCH: usize = 4_000;

/// Rows that are matched by user are judged one by one in the store.
const BATCH_BY_USER: usize = 400;

/// A dry run writes nothing, so a batch does not know the ones before it: the larger, the fewer rows are
/// counted as new that repeat an earlier one.
const BATCH_DRY: usize = 20_000;

/// How long a process may be silent before another one takes its import over.
const LEASE: TimeDelta = TimeDelta::seconds(20);

/// How often a process looks for imports that others left behind.
const LOOK: Duration = Duration::from_secs(5);

/// How long a file may stop coming in before it is given up.
const ABANDON: TimeDelta = TimeDelta::hours(1);

impl Imports {
    pub fn new(env: Environment, region: Option<Region>) -> Self {
        Self { env: env.in_bulk(), region, wake: Arc::new(Notify::new()) }
    }

    /// Imports on behalf of whoever acts, as the audit trail tells it.
    #[must_use]
    pub fn acting(&self, acting: &Acting) -> Self {
        Self { env: self.env.clone().acting(acting.clone()), ..self.clone() }
    }

    /// # Errors
    /// A store that does not answer.
    pub async fn import(&self, id: ImportId) -> Result<Option<Import>, RecordError> {
        Ok(self.env.store.imports().get(id).await?)
    }

    /// The rows that failed, in the order of the file, behind the first `skip`.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn failures(
        &self,
        id: ImportId,
        skip: u64,
        limit: usize,
    ) -> Result<Vec<RowFailure>, RecordError> {
        Ok(self.env.store.imports().failures(id, skip, limit).await?)
    }

    /// Has a file that came in looked at now rather than in a while.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Works on whatever waits, for ever. To be stopped by dropping it: what was not stored is done again by
    /// whoever takes the import over.
    pub async fn work(&self) {
        let streak = Streak::default();
        loop {
            let next = self.next().await;
            match &next {
                Ok(_) if streak.succeeded() => tracing::info!("imports go on"),
                Err(error) if streak.failed() => {
                    tracing::warn!(error = %error, "imports are interrupted; they are taken up again by themselves");
                }
                _ => {}
            }
            if !matches!(next, Ok(true)) {
                // Woken, or time to look again: either is a reason to go on.
                let _ = timeout(LOOK, self.wake.notified()).await;
            }
        }
    }

    /// Works on the oldest import that waits; `false` if there is none.
    ///
    /// # Errors
    /// A store that does not answer. The import stays where it is.
    pub async fn next(&self) -> Result<bool, RecordError> {
        self.abandon().await?;
        let owner = self.owner();
        let Some(import) = self.take(None, owner).await? else { return Ok(false) };
        self.run_taken(import, owner, &|_| {}).await?;
        Ok(true)
    }

    /// Works on this import and tells how far it is after each batch. `None` if somebody else is at it, or
    /// it is done.
    ///
    /// # Errors
    /// A store that does not answer. The import stays where it is.
    pub async fn run(
        &self,
        id: ImportId,
        progress: &(dyn Fn(&Import) + Send + Sync),
    ) -> Result<Option<Import>, RecordError> {
        let owner = self.owner();
        match self.take(Some(id), owner).await? {
            Some(import) => self.run_taken(import, owner, progress).await.map(Some),
            None => Ok(None),
        }
    }

    fn owner(&self) -> Uuid {
        self.env.randomness.uuid(self.env.clock.now())
    }

    async fn take(&self, only: Option<ImportId>, owner: Uuid) -> Result<Option<Import>, RecordError> {
        let env = &self.env;
        env.in_transaction(move |mut transaction| {
            Box::pin(async move {
                let now = env.clock.now();
                let taken = transaction.imports().lease(only, owner, now, now + LEASE).await?;
                Ok((taken, transaction))
            })
        })
        .await
    }

    async fn abandon(&self) -> Result<(), RecordError> {
        let env = &self.env;
        env.in_transaction(move |mut transaction| {
            Box::pin(async move {
                let now = env.clock.now();
                transaction.imports().abandon_received_before(now - ABANDON, now).await?;
                Ok(((), transaction))
            })
        })
        .await
    }

    async fn run_taken(
        &self,
        mut import: Import,
        owner: Uuid,
        progress: &(dyn Fn(&Import) + Send + Sync),
    ) -> Result<Import, RecordError> {
        let twins = self.env.store.imports().completed_twins(&import).await?;
        let size = match (import.options.dry_run, import.options.match_by) {
            (_, MatchBy::UserId) => BATCH_BY_USER,
            (true, MatchBy::Value) => BATCH_DRY,
            (false, MatchBy::Value) => BATCH,
        };
        // A dry run of values only reads, and nobody waits for that.
        let is_limited = self.env.store.bulk_limit().is_some() && size != BATCH_DRY;
        let pace = Pace::new(size, is_limited);
        let mut batches = read(self.env.clone(), &import, self.region, pace.clone());
        progress(&import);
        loop {
            let next = batches.recv().await.unwrap_or_else(|| {
                // The reader says when it is done; without a word it has broken down.
                Err(Broken::Store(StoreError::Unavailable("the file is read no more".into())))
            });
            let rows = match next {
                Ok(rows) => rows,
                Err(Broken::Store(error)) => return Err(Failure::Store(error).into()),
                Err(Broken::File(message)) => {
                    import.message = Some(message);
                    return self.end(import, owner, ImportStatus::Failed).await;
                }
            };
            let last = rows.last;
            let stop = self.store(&mut import, owner, rows, &twins, &pace).await?;
            progress(&import);
            if stop {
                import.message = Some("Stopped at the first row that failed, as was asked for.".to_owned());
                return self.end(import, owner, ImportStatus::Stopped).await;
            }
            if last {
                return self.end(import, owner, ImportStatus::Completed).await;
            }
        }
    }

    /// Stores a batch; says whether the import is to stop at a row that failed.
    async fn store(
        &self,
        import: &mut Import,
        owner: Uuid,
        mut rows: Rows,
        twins: &[ImportId],
        pace: &Pace,
    ) -> Result<bool, RecordError> {
        let failing = rows.rows.iter().position(Result::is_err);
        let stop = import.options.stop_on_error && failing.is_some();
        if let (true, Some(index)) = (stop, failing) {
            rows.rows.truncate(index + 1);
        }
        let request_id = Some(format!("import:{}", import.id.0).into());
        let env = &self.env.clone().acting(Acting { request_id, ..self.env.acting.clone() });
        let (before, rows) = (&*import, &rows);
        *import = env
            .patience
            .keep_trying(env.randomness.as_ref(), |_| write(env, before, owner, rows, (twins, LEASE, pace)))
            .await?;
        Ok(stop || (import.options.stop_on_error && import.counts.failed > 0))
    }

    /// Says what became of the import, and lets the file go.
    async fn end(
        &self,
        mut import: Import,
        owner: Uuid,
        status: ImportStatus,
    ) -> Result<Import, RecordError> {
        let at = self.env.clock.now();
        import.status = status;
        import.lease = None;
        import.touch(at);
        import.finished_at = Some(import.updated_at);
        let ended = &import;
        self.env
            .in_transaction(move |mut transaction| {
                let ended = ended.clone();
                Box::pin(async move {
                    let stored = transaction.imports().get(ended.id).await?;
                    // An earlier try may have been carried out.
                    if stored.is_some_and(|stored| !stored.status.is_final()) {
                        transaction.imports().update(&ended, Some(owner)).await?;
                        transaction.imports().drop_chunks(ended.id, None).await?;
                    }
                    Ok(((), transaction))
                })
            })
            .await?;
        Ok(import)
    }
}
