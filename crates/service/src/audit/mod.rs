//! The audit trail: who changed what, when, before and after. A change appends to it in its own transaction;
//! a little later what was appended is sealed: numbered, and chained by hashes that show tampering.

mod chain;
mod entry;
mod filter;
mod readers;

pub use chain::{AuditFault, AuditHead, ChainCheck, InvalidHead, seal};
pub use entry::{AuditAction, AuditDraft, AuditEntry, AuditFacts, AuditSubject, Snapshot};
pub use filter::{AuditFilter, PendingEntry, SealedEntry};
