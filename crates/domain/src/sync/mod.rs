//! Sync with other companies' systems: what a partner is for us, and the port through which a directory of
//! partners is read and written. What to write, and when, is not decided here.

mod error;
mod field;
mod merge;
mod partner;
mod port;
mod rules;
mod tax_number;

pub use error::{PartnerError, PartnerFault, PartnerFaultReason, RemoteMessage};
pub use field::{PartnerField, PartnerFields};
pub use merge::{FieldPlan, Side, SyncPlan, SyncText, SyncView, merge};
pub use partner::{
    InvalidRemoteId, PartnerAddressId, PartnerContactId, PartnerId, PartnerParts, RemotePartner,
};
pub use port::{
    PartnerAbilities, PartnerDirectory, PartnerLookup, PartnerLookupKind, PartnerName, PartnerPull,
    PartnerWritten,
};
pub use rules::{FieldRule, InvalidSyncRule, SyncRules};
pub use tax_number::{InvalidTaxNumber, TaxNumber};
