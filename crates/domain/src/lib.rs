#![doc = include_str!("../README.md")]

mod actor;
mod attempts;
mod audit;
mod clock;
mod contact;
mod contacts;
mod country;
mod customer;
mod customers;
mod email;
mod environment;
mod exact_json;
mod idempotency;
mod identify;
mod identities;
mod import;
mod jobs;
mod link_key;
mod linking;
mod memory;
mod metadata;
mod origin;
mod phone;
mod policy;
mod profile;
mod registration;
mod store;
mod streak;
mod survivorship;
mod sync;
mod text;
mod tokens;
mod users;

pub use actor::{Acting, Actor};
pub use attempts::{Failure, Patience};
pub use audit::{
    Audit, AuditAction, AuditDraft, AuditEntry, AuditFacts, AuditFault, AuditFilter, AuditHead, AuditPage,
    AuditReader, AuditRepository, AuditSubject, InvalidHead, PendingEntry, SealedEntry, Snapshot,
};
pub use clock::{Clock, NoRandomness, Randomness, SystemClock, SystemRandomness};
pub use contact::{
    Channel, ClaimedBy, ContactDraft, ContactId, ContactSource, EvidenceOrder, ImportId, KnownContact,
    Received, Statement, UserId,
};
pub use contacts::{
    BlockedValues, ContactChange, ContactDetails, ContactFilter, ContactKind, ContactPage, ContactRecord,
    ContactRequest, Contacts, Expectation, ExportPage, ExportPlace, ExportRow, ExportedContact, ExportedJoin,
    NewValue, PageRequest, RecordError, Upserted,
};
pub use country::{CountryCode, InvalidCountry};
pub use customer::{CustomerId, CustomerSummary, KnownCustomer};
pub use customers::{
    CustomerPage, CustomerRecord, CustomerView, Customers, InvalidSearch, ListedCustomer, PointView,
    SearchQuery, search_text,
};
pub use email::{EmailAddress, InvalidEmail};
pub use environment::Environment;
pub use exact_json::{InexactJson, JsonFault, read_exactly, read_undoubled};
pub use idempotency::{
    Begun, Fingerprint, Idempotency, IdempotencyKey, IdempotencyRecord, IdempotencyRepository,
    IdempotencyScope, InvalidIdempotencyKey, OperationId, OperationSubject, SealedAnswer,
};
pub use identify::{Identified, Identify, IdentifyRequest};
pub use identities::{
    Applied, Identities, IdentityAddress, IdentityEvent, IdentityFault, IdentityFaultReason, IdentityNotice,
    IdentityReader, IdentityValue, InvalidNotice,
};
pub use import::{
    CsvHeader, CustomerBatch, Delimiter, FiledDraft, Import, ImportCounts, ImportFormat, ImportOptions,
    ImportReader, ImportRepository, ImportStatus, Imports, MatchBy, Position, RawRow, Receiving, RowContent,
    RowFailure, RowFault, RowReader, UnusableFile,
};
pub use jobs::{FailedAttempt, Job, JobId, JobKind, JobReader, JobRepository, JobStatus, Jobs};
pub use link_key::{KeyKind, LinkKey, StatementKeys};
pub use linking::{
    Block, CustomerPicture, DetailedContact, JoinRecord, LaidGroup, Layout, LinkPlan, Neighbourhood,
    NewContact, Outcome, Part, Resolution, decide, decide_record, lay, resolve,
};
pub use memory::MemoryStore;
pub use metadata::{InvalidMetadata, InvalidMetadataFilter, Metadata, MetadataFilter};
pub use origin::{HubId, Origin, OriginReader, OriginRepository, Originated, StoredJoin};
pub use phone::{InvalidPhone, PhoneNumber, Region};
pub use policy::{BlockRule, InvalidPolicy, LinkPolicy, SHIPPED_POLICY};
pub use profile::{
    Address, Attribution, InvalidProfile, Profile, ProfileFault, ProfileField, ProfileValue, Tags, split_name,
};
pub use registration::{
    NewRegistration, Pushed, RegisterError, Registered, RegistrationSettings, Registrations, ShowClaimed,
};
pub use store::{
    ContactReader, ContactRepository, CustomerReader, CustomerRepository, DeliveryRepository, LinkDraft,
    LinkId, LinkRepository, Source, StorageFault, Store, StoreError, TokenReader, TokenRepository,
    Transaction, UserReader, UserRepository,
};
pub use survivorship::{
    CustomerProfile, InvalidSurvivorship, ProfileEvidence, SHIPPED_SURVIVORSHIP, SurvivorshipRules,
};
pub use sync::{
    AgreedAt, Answer, CallId, CallPace, Conflict, ConflictDraft, ConflictFilter, ConflictId, ConflictReader,
    ConflictRepository, ConflictStatus, ConflictSubject, Conflicts, DetachReason, Errand, EventReceived,
    FieldPlan, FieldRule, IndexedPartner, InvalidEvent, InvalidRemoteId, InvalidSyncRule, InvalidTaxNumber,
    ItemOutcome, JobDone, Kept, KnownNames, LoggedAttempt, Mapping, MappingId, MappingReader,
    MappingRepository, MappingStatus, NameParts, OtherReading, PaceGrant, PaceLimits, PaceRepository,
    PaceRequest, PaceState, PartnerAbilities, PartnerAddressId, PartnerChange, PartnerContactId,
    PartnerDirectory, PartnerError, PartnerEvent, PartnerEventKind, PartnerEventReader, PartnerEvents,
    PartnerFault, PartnerFaultReason, PartnerField, PartnerFields, PartnerId, PartnerIndex,
    PartnerIndexReader, PartnerIndexRepository, PartnerKind, PartnerLookup, PartnerLookupKind, PartnerName,
    PartnerParts, PartnerPull, PartnerWritten, PlacedMapping, RemoteMessage, RemotePartner, ResolveError,
    Retry, Run, RunCounts, RunId, RunItem, RunKind, RunReader, RunRepository, RunStatus, Runs, SharedPace,
    Shown, Side, SyncAttempt, SyncDay, SyncError, SyncFault, SyncLog, SyncLogFilter, SyncLogReader,
    SyncLogRepository, SyncOutcome, SyncPlan, SyncRules, SyncRulesReader, SyncRulesRepository, SyncSettings,
    SyncSystem, SyncText, SyncTrigger, SyncView, SyncWorker, Synced, Synchroniser, TaxNumber, WorkerSettings,
    agreed_at_from_json, base_to_json, merge, view_from_json, view_to_json,
};
pub use tokens::{
    Abilities, Ability, AccessToken, InvalidExpiry, InvalidTokenName, NewToken, NotYours, PlainToken,
    PresentedToken, TokenAuthority, TokenError, TokenExpiry, TokenHash, TokenId, TokenName, TokenPage,
    Tokens,
};
pub use users::{ExternalId, InvalidExternalId, NewUser, User, UserPage, Users};
