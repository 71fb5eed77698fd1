//! One writer for SQLite, with group commit.
//!
//! A durable commit waits for the disk, some hundred times longer than the statements before it. So
//! writers that wait for their turn are served one after the other inside one SQLite transaction, each
//! under a savepoint of its own, and are answered together after one commit. Nobody waits for company:
//! when the queue is empty, the group is committed at once.
//!
//! Savepoints are opened, released and undone only here, in a task that nobody cancels. A request that
//! is cancelled gives its lease back by being dropped.

use onefold_domain::StoreError;
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr, TransactionTrait};
use tokio::sync::{mpsc, oneshot};

use crate::connect::to_write;
use crate::error::store_error;

/// The most requests that share a commit. More would gain little and delay the first of them.
const GROUP: usize = 64;

/// The most requests that wait for their turn; the next one waits to be let in.
const QUEUE: usize = 1_024;

/// Hands out the right to write.
#[derive(Clone)]
pub(crate) struct SqliteWriter {
    requests: mpsc::Sender<Request>,
}

type Request = oneshot::Sender<Result<Lease, DbErr>>;
type Committed = oneshot::Sender<Result<(), DbErr>>;

/// The right to write until it is committed or dropped.
pub(crate) struct Lease {
    savepoint: Option<DatabaseTransaction>,
    ending: Option<oneshot::Sender<Ending>>,
}

enum Ending {
    Commit(DatabaseTransaction, Committed),
    Abandon(DatabaseTransaction),
}

impl SqliteWriter {
    /// Starts the task that owns the writing connection. It ends when the last handle is dropped.
    pub(crate) fn start(connection: DatabaseConnection) -> Self {
        let (requests, queue) = mpsc::channel(QUEUE);
        tokio::spawn(serve(connection, queue));
        Self { requests }
    }

    pub(crate) async fn lease(&self) -> Result<Lease, StoreError> {
        let (request, lease) = oneshot::channel();
        self.requests.send(request).await.map_err(|_| closed())?;
        lease.await.map_err(|_| closed())?.map_err(store_error)
    }
}

impl Lease {
    /// `None` only after the lease has ended, which consumes it.
    pub(crate) fn savepoint(&self) -> Option<&DatabaseTransaction> {
        self.savepoint.as_ref()
    }

    /// Returns when the group is on disk.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        let (committed, answer) = oneshot::channel();
        if let (Some(savepoint), Some(ending)) = (self.savepoint.take(), self.ending.take()) {
            // If the writer is gone, so is the answer's sender, and the next line says so.
            let _ = ending.send(Ending::Commit(savepoint, committed));
        }
        answer.await.map_err(|_| closed())?.map_err(store_error)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let (Some(savepoint), Some(ending)) = (self.savepoint.take(), self.ending.take()) {
            let _ = ending.send(Ending::Abandon(savepoint));
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the SQLite writer has stopped".into())
}

async fn serve(connection: DatabaseConnection, mut queue: mpsc::Receiver<Request>) {
    while let Some(first) = queue.recv().await {
        match connection.begin_with_options(to_write()).await {
            Ok(transaction) => serve_group(transaction, first, &mut queue).await,
            Err(error) => {
                let _ = first.send(Err(error));
            }
        }
    }
}

async fn serve_group(transaction: DatabaseTransaction, first: Request, queue: &mut mpsc::Receiver<Request>) {
    let mut waiting = Vec::new();
    let mut next = Some(first);
    let mut failed = None;
    while let Some(request) = next {
        match serve_one(&transaction, request).await {
            Ok(committed) => waiting.extend(committed),
            Err(error) => {
                // A savepoint that cannot be ended leaves the whole transaction in doubt.
                failed = Some(error);
                break;
            }
        }
        next = if waiting.len() < GROUP { queue.try_recv().ok() } else { None };
    }
    let result = match (failed, waiting.is_empty()) {
        (None, false) => transaction.commit().await,
        (None, true) => transaction.rollback().await,
        (Some(error), _) => transaction.rollback().await.and(Err(error)),
    };
    for committed in waiting {
        let _ = committed.send(result.clone());
    }
}

/// Lends the transaction to one request; returns whom to tell about the commit.
async fn serve_one(transaction: &DatabaseTransaction, request: Request) -> Result<Option<Committed>, DbErr> {
    let savepoint = match transaction.begin().await {
        Ok(savepoint) => savepoint,
        Err(error) => {
            let _ = request.send(Err(error.clone()));
            return Err(error);
        }
    };
    let (ending, ended) = oneshot::channel();
    // Nobody there any more: the returned lease is dropped on the spot, and abandons.
    drop(request.send(Ok(Lease { savepoint: Some(savepoint), ending: Some(ending) })));
    match ended.await {
        Ok(Ending::Commit(savepoint, committed)) => match savepoint.commit().await {
            Ok(()) => Ok(Some(committed)),
            Err(error) => {
                let _ = committed.send(Err(error.clone()));
                Err(error)
            }
        },
        Ok(Ending::Abandon(savepoint)) => savepoint.rollback().await.map(|()| None),
        // Leases always say how they end; without a word the savepoint is gone with its owner.
        Err(_) => Ok(None),
    }
}
