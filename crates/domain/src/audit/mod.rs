//! The audit trail: who changed what, when, before and after. A change appends to it in its own transaction;
//! a little later what was appended is sealed: numbered, and chained by hashes that show tampering.

mod chain;
mod change;
mod entry;
mod ports;
mod readers;
mod service;
mod snapshot;

pub use chain::{AuditFault, AuditHead, InvalidHead};
pub(crate) use change::Change;
pub use entry::{AuditAction, AuditDraft, AuditEntry, AuditFacts, AuditSubject, Snapshot};
pub use ports::{AuditFilter, AuditReader, AuditRepository, PendingEntry, SealedEntry};
pub use service::{Audit, AuditPage};
