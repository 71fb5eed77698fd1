//! Requests that are sent again: a caller names an operation by a key, and it is carried out once, however often
//! the request comes, to whichever server, and whenever one of them is killed.

mod key;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use key::{IdempotencyKey, IdempotencyScope, InvalidIdempotencyKey};

/// One attempt at an operation. A key that is taken over gets another one, so that whoever was slow and wakes up
/// finds that the operation is no longer its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct OperationId(pub Uuid);

/// What an operation made, such as a contact: by its kind and id.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct OperationSubject {
    pub kind: String,
    pub id: String,
}

/// By what two requests are known to be the same: SHA-256 over everything that makes a difference.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fingerprint(pub [u8; 32]);

/// An answer as it was given, sealed by the caller: it may hold what only the one who asked should read.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedAnswer(pub Vec<u8>);

impl std::fmt::Debug for SealedAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedAnswer({} bytes)", self.0.len())
    }
}

/// What is known of a key. It goes from leased to carried out to answered, and may skip the middle.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdempotencyRecord {
    pub scope: IdempotencyScope,
    pub key: IdempotencyKey,
    /// The attempt that holds it.
    pub operation: OperationId,
    pub fingerprint: Fingerprint,
    /// Until then the attempt counts as running.
    pub lease_until: DateTime<Utc>,
    /// Set by the transaction of the change itself.
    pub subject: Option<OperationSubject>,
    pub answer: Option<SealedAnswer>,
    pub created_at: DateTime<Utc>,
}
