//! What goes wrong, with which calls, and how often.

use std::time::Duration;

use serde_json::Value;

use super::DoubleCall;

/// What goes wrong with a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// The work is done at once, and the answer comes so much later; a caller may have gone by then.
    Slow(Duration),
    /// A page for people with this status; nothing is done. With 200 it is what proxies send.
    Page(u16),
    /// Code 1; nothing is done.
    InternalError,
    /// Code 5 with its misspelt text.
    OverQuota,
    /// A bare status, with `Retry-After` in seconds.
    Status { status: u16, retry_after: Option<u32> },
    /// The work is done and the connection dropped before the answer.
    LoseAnswer,
    /// The connection is dropped before the work.
    Drop,
    /// The work is done and no answer ever comes.
    Silence,
    /// The work is done, and the answer stops in the middle.
    CutOff,
    /// The work is done, and the answer has no ids.
    ForgetIds,
    /// Off to another address, body and all (307).
    Redirect(String),
    /// A refusal with this code and text.
    Refuse { code: String, said: String },
    /// This answer and nothing done.
    Say(Value),
    /// An answer of 6 MiB.
    Flood,
}

/// How often trouble happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lasting {
    Times(u32),
    UntilTold,
}

/// Trouble that was ordered and has not happened, or not often enough.
#[derive(Debug, Default)]
pub(super) struct Orders(Vec<Order>);

#[derive(Debug)]
struct Order {
    /// `None` for every kind of call.
    call: Option<DoubleCall>,
    lasting: Lasting,
    trouble: Trouble,
}

impl Orders {
    /// Trouble without an end replaces what was ordered so for the same calls.
    pub(super) fn add(&mut self, call: Option<DoubleCall>, lasting: Lasting, trouble: Trouble) {
        if lasting == Lasting::UntilTold {
            self.0.retain(|order| order.lasting != Lasting::UntilTold || order.call != call);
        }
        self.0.push(Order { call, lasting, trouble });
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What is counted comes first, in the order of the orders; then the latest without an end.
    pub(super) fn take(&mut self, call: DoubleCall) -> Option<Trouble> {
        self.0.retain(|order| order.lasting != Lasting::Times(0));
        let concerns = |order: &Order| order.call.is_none_or(|ordered| ordered == call);
        for order in self.0.iter_mut().filter(|order| concerns(order)) {
            if let Lasting::Times(left) = &mut order.lasting {
                *left -= 1;
                return Some(order.trouble.clone());
            }
        }
        self.0.iter().rev().find(|order| concerns(order)).map(|order| order.trouble.clone())
    }
}
