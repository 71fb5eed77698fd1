//! One writer for SQLite, with group commit.
//!
//! A durable commit waits for the disk, some hundred times longer than the statements before it. So
//! writers that wait for their turn are served one after the other inside one SQLite transaction, each
//! under a savepoint of its own, and are answered together after one commit. Nobody waits for company:
//! when the queue is empty, the group is committed at once.
//!
//! Work in bulk waits in a queue of its own and is committed alone (see `queue`).
//!
//! Savepoints are opened, released and undone only here, in a task that nobody cancels. A request that
//! is cancelled gives its lease back by being dropped.
//!
//! Nobody is told that something is stored before the commit that stores it has returned. Whatever fails at
//! the transaction's edges, a begin, a savepoint, a commit, a rollback, the connection is not trusted any
//! more (see `connection`).

mod checkpoints;
mod connection;
mod queue;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use onefold_service::store::StoreError;
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr, TransactionTrait};
use tokio::sync::oneshot;
use tokio::time::Instant;

use self::checkpoints::Checkpoints;
use self::connection::WritingConnection;
use self::queue::{Queue, Senders, Turn};
use crate::begun::Begun;
use crate::error::store_error;
use crate::watched::Watched;
use crate::write_health::WriteHealth;

pub(crate) use self::queue::Urgency;

/// The most requests that share a commit. More would gain little and delay the first of them.
const GROUP: usize = 64;

/// For how long after a caller work in bulk expects the next one.
const A_MOMENT: Duration = Duration::from_secs(1);

/// Hands out the right to write.
#[derive(Clone)]
pub(crate) struct SqliteWriter {
    requests: Senders<Request>,
    /// When somebody who waits for an answer last wanted to write.
    called: Arc<Mutex<Option<Instant>>>,
}

type Request = oneshot::Sender<Result<Lease, DbErr>>;
type Committed = oneshot::Sender<Result<(), NotStored>>;

/// The right to write until it is committed or dropped.
pub(crate) struct Lease {
    savepoint: Option<Watched>,
    ending: Option<oneshot::Sender<Ending>>,
}

enum Ending {
    Commit { savepoint: Begun, wrote: bool, committed: Committed },
    Abandon(Begun),
}

/// Why a commit did not come about.
#[derive(Clone)]
enum NotStored {
    /// Another transaction of the group failed and took this one along before anything was committed: reason to start over.
    WithOthers,
    Failed(DbErr),
}

impl SqliteWriter {
    /// Starts the task that owns the writing connection. It ends when the last handle is dropped.
    pub(crate) fn start(
        connection: DatabaseConnection,
        readers: DatabaseConnection,
        health: WriteHealth,
    ) -> Self {
        let (requests, queue) = queue::queue();
        let connection = WritingConnection::new(connection);
        let writer = Writer { connection, health, checkpoints: Checkpoints::start(readers) };
        tokio::spawn(writer.serve(queue));
        Self { requests, called: Arc::default() }
    }

    pub(crate) async fn lease(&self, urgency: Urgency) -> Result<Lease, StoreError> {
        if urgency == Urgency::Interactive {
            *self.called() = Some(Instant::now());
        }
        let (request, lease) = oneshot::channel();
        self.requests.send(urgency, request).await.map_err(|_| closed())?;
        lease.await.map_err(|_| closed())?.map_err(store_error)
    }
}

impl SqliteWriter {
    /// Whether somebody who waits for an answer wanted to write a moment ago.
    pub(crate) fn is_called(&self) -> bool {
        self.called().is_some_and(|at| at.elapsed() < A_MOMENT)
    }

    fn called(&self) -> MutexGuard<'_, Option<Instant>> {
        // Nothing can panic while it is held.
        self.called.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// `None` only after the lease has ended, which consumes it.
    pub(crate) fn savepoint(&self) -> Option<&Watched> {
        self.savepoint.as_ref()
    }

    /// Returns when the group is on disk.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        let (committed, answer) = oneshot::channel();
        if let (Some(savepoint), Some(ending)) = (self.savepoint.take(), self.ending.take()) {
            let (savepoint, state) = savepoint.end();
            match state {
                // If the writer is gone, so is the answer's sender, and the next line says so.
                Ok(wrote) => drop(ending.send(Ending::Commit { savepoint, wrote, committed })),
                Err(error) => {
                    drop(ending.send(Ending::Abandon(savepoint)));
                    return Err(store_error(error));
                }
            }
        }
        answer.await.map_err(|_| closed())?.map_err(StoreError::from)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let (Some(savepoint), Some(ending)) = (self.savepoint.take(), self.ending.take()) {
            let _ = ending.send(Ending::Abandon(savepoint.end().0));
        }
    }
}

impl From<NotStored> for StoreError {
    fn from(reason: NotStored) -> Self {
        match reason {
            NotStored::WithOthers => Self::Conflict,
            NotStored::Failed(error) => store_error(error),
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the SQLite writer has stopped".into())
}

/// What the task that owns the writing connection works with.
struct Writer {
    connection: WritingConnection,
    health: WriteHealth,
    checkpoints: Checkpoints,
}

/// The transactions of a group that are to be told of its commit.
#[derive(Default)]
struct Group {
    waiting: Vec<Committed>,
    wrote: bool,
}

impl Writer {
    async fn serve(mut self, mut queue: Queue<Request>) {
        while let Some(turn) = queue.next().await {
            match self.connection.begin().await {
                Ok(transaction) => self.serve_group(transaction, turn, &mut queue).await,
                Err(error) => {
                    self.health.failed(&error);
                    let _ = turn.request.send(Err(error));
                }
            }
        }
    }

    async fn serve_group(
        &mut self,
        transaction: DatabaseTransaction,
        first: Turn<Request>,
        queue: &mut Queue<Request>,
    ) {
        let mut group = Group::default();
        let alone = first.urgency == Urgency::Bulk;
        let mut next = Some(first.request);
        while let Some(request) = next {
            if let Err(error) = self.serve_one(&transaction, request, &mut group).await {
                // A savepoint that cannot be ended leaves the whole transaction in doubt.
                self.health.failed(&error);
                drop(transaction);
                self.connection.replace().await;
                return group.tell(&Err(NotStored::WithOthers));
            }
            let full = alone || group.waiting.len() >= GROUP;
            next = if full { None } else { queue.company() };
        }
        let result = match group.waiting.is_empty() {
            false => transaction.commit().await,
            true => transaction.rollback().await,
        };
        match &result {
            Ok(()) if group.wrote => {
                self.health.wrote();
                self.checkpoints.committed();
            }
            Ok(()) => {}
            Err(error) => {
                self.health.failed(error);
                self.connection.replace().await;
            }
        }
        group.tell(&result.map_err(NotStored::Failed));
    }

    /// Lends the transaction to one request.
    async fn serve_one(
        &self,
        transaction: &DatabaseTransaction,
        request: Request,
        group: &mut Group,
    ) -> Result<(), DbErr> {
        let savepoint = match transaction.begin().await {
            Ok(savepoint) => Watched::new(Begun::Own(savepoint), self.health.clone()),
            Err(error) => {
                let _ = request.send(Err(error.clone()));
                return Err(error);
            }
        };
        let (ending, ended) = oneshot::channel();
        // Nobody there any more: the returned lease is dropped on the spot, and abandons.
        drop(request.send(Ok(Lease { savepoint: Some(savepoint), ending: Some(ending) })));
        match ended.await {
            Ok(Ending::Commit { savepoint, wrote, committed }) => match savepoint.commit().await {
                Ok(()) => {
                    group.wrote |= wrote;
                    group.waiting.push(committed);
                    Ok(())
                }
                Err(error) => {
                    let _ = committed.send(Err(NotStored::Failed(error.clone())));
                    Err(error)
                }
            },
            Ok(Ending::Abandon(savepoint)) => savepoint.rollback().await,
            // Leases always say how they end. Without a word nobody knows what became of the savepoint.
            Err(_) => Err(DbErr::Custom("a writer left without a word".to_owned())),
        }
    }
}

impl Group {
    fn tell(self, result: &Result<(), NotStored>) {
        for committed in self.waiting {
            let _ = committed.send(result.clone());
        }
    }
}
