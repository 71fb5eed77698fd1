//! Whose turn it is. Callers who wait for an answer go before work in bulk, an import for instance, which comes as
//! thousands of transactions, one after the other. Bulk is not starved: it is passed over a few times and no more.

use tokio::sync::mpsc::{self, Receiver, Sender};

/// The most requests of each kind that wait for their turn; the next one waits to be let in.
const QUEUE: usize = 1_024;

/// How many groups of callers may be served while work in bulk waits.
const PASSED_OVER: u32 = 4;

/// Who waits for a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Urgency {
    /// A caller waits for an answer.
    Interactive,
    /// Nobody waits: imports, sealing, tidying up.
    Bulk,
}

/// The two queues from outside.
pub(super) struct Senders<T> {
    interactive: Sender<T>,
    bulk: Sender<T>,
}

/// The two queues as the writer sees them.
pub(super) struct Queue<T> {
    interactive: Receiver<T>,
    bulk: Receiver<T>,
    passed_over: u32,
}

/// A request that is to be served now.
pub(super) struct Turn<T> {
    pub(super) request: T,
    pub(super) urgency: Urgency,
}

pub(super) fn queue<T>() -> (Senders<T>, Queue<T>) {
    let (interactive, interactive_queue) = mpsc::channel(QUEUE);
    let (bulk, bulk_queue) = mpsc::channel(QUEUE);
    let queue = Queue { interactive: interactive_queue, bulk: bulk_queue, passed_over: 0 };
    (Senders { interactive, bulk }, queue)
}

impl<T> Clone for Senders<T> {
    fn clone(&self) -> Self {
        Self { interactive: self.interactive.clone(), bulk: self.bulk.clone() }
    }
}

impl<T> Senders<T> {
    pub(super) async fn send(&self, urgency: Urgency, request: T) -> Result<(), mpsc::error::SendError<T>> {
        match urgency {
            Urgency::Interactive => self.interactive.send(request).await,
            Urgency::Bulk => self.bulk.send(request).await,
        }
    }
}

impl<T> Queue<T> {
    /// Waits for the next request; `None` when nobody is left who could send one.
    pub(super) async fn next(&mut self) -> Option<Turn<T>> {
        if self.passed_over >= PASSED_OVER
            && let Ok(request) = self.bulk.try_recv()
        {
            return Some(self.bulk_turn(request));
        }
        tokio::select! {
            biased;
            Some(request) = self.interactive.recv() => {
                self.passed_over = if self.bulk.is_empty() { 0 } else { self.passed_over + 1 };
                Some(Turn { request, urgency: Urgency::Interactive })
            }
            Some(request) = self.bulk.recv() => Some(self.bulk_turn(request)),
            else => None,
        }
    }

    /// Another caller who waits already, to share the commit of the one who is being served.
    pub(super) fn company(&mut self) -> Option<T> {
        self.interactive.try_recv().ok()
    }

    fn bulk_turn(&mut self, request: T) -> Turn<T> {
        self.passed_over = 0;
        Turn { request, urgency: Urgency::Bulk }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn callers_go_first_and_bulk_is_not_starved() {
        let (senders, mut queue) = queue();
        for bulk in ["b1", "b2"] {
            senders.send(Urgency::Bulk, bulk).await.unwrap();
        }
        for _ in 0..10 {
            senders.send(Urgency::Interactive, "i").await.unwrap();
        }
        let mut served = Vec::new();
        for _ in 0..12 {
            served.push(queue.next().await.unwrap().request);
        }
        assert_eq!(served, ["i", "i", "i", "i", "b1", "i", "i", "i", "i", "b2", "i", "i"]);
        drop(senders);
        assert!(queue.next().await.is_none());
    }

    #[tokio::test]
    async fn bulk_gives_no_company() {
        let (senders, mut queue) = queue();
        senders.send(Urgency::Interactive, "first").await.unwrap();
        senders.send(Urgency::Bulk, "bulk").await.unwrap();
        senders.send(Urgency::Interactive, "second").await.unwrap();
        assert_eq!(queue.next().await.unwrap().urgency, Urgency::Interactive);
        assert_eq!(queue.company(), Some("second"));
        assert_eq!(queue.company(), None);
        assert_eq!(queue.next().await.unwrap().urgency, Urgency::Bulk);
    }
}
