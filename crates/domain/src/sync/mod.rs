//! Sync with other companies' systems. The port to a directory of partners and what a partner is; what is stored
//! of both sides (mappings, conflicts, runs, the log); and the rules by which the two are kept the same.

mod answer;
mod compare;
mod conflict;
mod conflicts;
mod directory;
mod error;
mod events;
mod fault;
mod field;
mod gone;
mod index;
mod intake;
mod log;
mod mapping;
mod merge;
mod missing;
mod outcome;
mod pace;
mod partner;
mod plan;
mod renewal;
mod rules;
mod run;
mod run_items;
mod runs;
mod schedule;
mod shared_pace;
mod sync_all;
mod sync_error;
mod synchroniser;
mod system;
mod tax_number;
mod transform;
mod trigger;
mod view;
mod worker;

pub use answer::{Answer, ResolveError};
pub use conflict::{
    Conflict, ConflictDraft, ConflictFilter, ConflictId, ConflictReader, ConflictRepository, ConflictStatus,
    ConflictSubject,
};
pub use conflicts::Conflicts;
pub use directory::{
    KnownNames, PartnerAbilities, PartnerChange, PartnerDirectory, PartnerLookup, PartnerLookupKind,
    PartnerName, PartnerPull, PartnerWritten,
};
pub use error::{PartnerError, PartnerFault, PartnerFaultReason, RemoteMessage};
pub use events::{
    EventReceived, InvalidEvent, PartnerEvent, PartnerEventKind, PartnerEventReader, PartnerEvents,
};
pub use fault::SyncFault;
pub use field::{NameParts, PartnerField, PartnerFields, PartnerKind};
pub use index::{IndexedPartner, PartnerIndex, PartnerIndexReader, PartnerIndexRepository};
pub use log::{
    LoggedAttempt, SyncAttempt, SyncDay, SyncLog, SyncLogFilter, SyncLogReader, SyncLogRepository,
    SyncOutcome,
};
pub use mapping::{
    AgreedAt, DetachReason, Mapping, MappingId, MappingReader, MappingRepository, MappingStatus,
    PlacedMapping,
};
pub use merge::{FieldPlan, Side, SyncPlan, merge};
pub use pace::{CallId, CallPace, Kept, PaceGrant, PaceLimits, PaceRepository, PaceRequest, PaceState};
pub use partner::{
    InvalidRemoteId, OtherReading, PartnerAddressId, PartnerContactId, PartnerId, PartnerParts, RemotePartner,
};
pub use rules::{FieldRule, InvalidSyncRule, SyncRules, SyncRulesReader, SyncRulesRepository};
pub use run::{ItemOutcome, Run, RunCounts, RunId, RunItem, RunKind, RunReader, RunRepository, RunStatus};
pub use runs::Runs;
pub use shared_pace::SharedPace;
pub use sync_error::{Retry, SyncError};
pub use synchroniser::{Errand, Shown, SyncSettings, Synced, Synchroniser};
pub use system::SyncSystem;
pub use tax_number::{InvalidTaxNumber, TaxNumber};
pub use trigger::SyncTrigger;
pub use view::{SyncText, SyncView, agreed_at_from_json, base_to_json, view_from_json, view_to_json};
pub use worker::{JobDone, SyncWorker, WorkerSettings};
