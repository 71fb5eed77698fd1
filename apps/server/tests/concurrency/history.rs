//! What clients saw: every attempt with its place in time. Time is a counter, so that "received before
//! the other was sent" is exact.

use std::cell::{Cell, RefCell};

use serde::Deserialize;
use tokio::sync::watch;

use crate::request::Request;

/// One request as it was sent once. A client that got no answer sends it again: another attempt.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) client: usize,
    pub(crate) request: Request,
    pub(crate) sent: usize,
    pub(crate) end: End,
}

#[derive(Clone, Debug)]
pub(crate) enum End {
    /// Status 200.
    Answered { received: usize, view: View },
    /// No answer, or 503: carried out or not, then or later.
    Lost,
}

/// The customer as an answer showed it. The contract knows these fields and no other.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct View {
    pub(crate) primary_contatct_id: i64,
    pub(crate) emails: Vec<String>,
    pub(crate) phone_numbers: Vec<String>,
    pub(crate) secondary_contact_ids: Vec<i64>,
}

impl View {
    /// All contacts, the primary first.
    pub(crate) fn contacts(&self) -> Vec<i64> {
        std::iter::once(self.primary_contatct_id).chain(self.secondary_contact_ids.clone()).collect()
    }
}

/// Collects attempts while they are made.
pub(crate) struct History {
    attempts: RefCell<Vec<Attempt>>,
    clock: Cell<usize>,
    answered: watch::Sender<usize>,
    lost: watch::Sender<usize>,
}

impl History {
    pub(crate) fn new() -> Self {
        Self {
            attempts: RefCell::default(),
            clock: Cell::new(0),
            answered: watch::Sender::new(0),
            lost: watch::Sender::new(0),
        }
    }

    /// The present, different from every other.
    pub(crate) fn tick(&self) -> usize {
        self.clock.replace(self.clock.get() + 1)
    }

    pub(crate) fn record(&self, attempt: Attempt) {
        let count = match attempt.end {
            End::Answered { .. } => &self.answered,
            End::Lost => &self.lost,
        };
        self.attempts.borrow_mut().push(attempt);
        count.send_modify(|count| *count += 1);
    }

    pub(crate) fn attempts(&self) -> Vec<Attempt> {
        self.attempts.borrow().clone()
    }

    pub(crate) fn count_lost(&self) -> usize {
        *self.lost.borrow()
    }

    /// Returns when this many more attempts have been answered.
    pub(crate) async fn more_answered(&self, count: usize) {
        more(&self.answered, count).await;
    }

    /// Returns when this many more attempts have got no answer or 503.
    pub(crate) async fn more_lost(&self, count: usize) {
        more(&self.lost, count).await;
    }
}

async fn more(counter: &watch::Sender<usize>, count: usize) {
    let reached = *counter.borrow() + count;
    counter.subscribe().wait_for(|count| *count >= reached).await.unwrap();
}
