//! What goes wrong with a call.

use std::time::Duration;

use serde_json::Value;

/// What goes wrong with a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// The work is done at once, and the answer comes so much later; a caller may have gone by then.
    Slow(Duration),
    /// A page for people with this status; nothing is done. With 200 it is what proxies send.
    Page(u16),
    /// A status of the service in its own shape; nothing is done.
    Refuse(u16),
    /// Too many calls, and whichever headers say how long to wait; nothing is done.
    TooMany { retry_after: Option<u32>, rate_limit: Option<&'static str> },
    /// This answer, and nothing done.
    Say(u16, Value),
    /// The work is done and the connection dropped before the answer.
    LoseAnswer,
    /// The connection is dropped before the work.
    Drop,
    /// The work is done and no answer ever comes.
    Silence,
    /// The work is done, and the answer stops in the middle.
    CutOff,
    /// Off to another address, body and all (307).
    Redirect(String),
    /// An answer of 10 MiB.
    Flood,
}
