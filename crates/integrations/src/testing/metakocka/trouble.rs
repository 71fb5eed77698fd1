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
