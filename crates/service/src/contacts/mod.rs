//! Contact records: create, upsert, change, withdraw, look up. Every change is one transaction in which
//! the record is written and linked by the same rules as `identify`.

mod change;
mod claim;
mod create;
mod expectation;
mod export;
mod hull;
mod join;
mod link;
mod list;
mod open;
mod settle;
mod upsert;
mod withdraw;

use chrono::{DateTime, Utc};

use crate::actor::Acting;
use crate::environment::Environment;
use crate::error::RecordError;
use crate::store::{StoreError, Transaction};
use crate::trail::Change;
use onefold_domain::contact::{Channel, ClaimedBy, ContactKind, ContactRecord, Received, Statement};
use onefold_domain::id::{ContactId, UserId};
use onefold_domain::metadata::Metadata;
use onefold_domain::profile::Profile;
use onefold_domain::source::ContactSource;

pub(crate) use change::apply;
pub use change::{ContactChange, NewValue};
pub(crate) use claim::claimed;
pub use create::create;
pub(crate) use create::draft;
pub use expectation::Expectation;
pub use export::{ExportPage, ExportPlace, ExportRow, ExportedContact, ExportedJoin};
pub use join::join;
pub use link::note_blocks;
pub(crate) use link::{Row, carry_out, placed};
pub use list::{ContactPage, PageRequest};
pub(crate) use settle::settle;
pub use upsert::{Upserted, upsert};
pub(crate) use upsert::{claim_record, keep, matching, merge};

/// A contact as a source tells it.
#[derive(Clone, PartialEq, Debug)]
pub struct ContactRequest {
    /// The values and the user, if it is a user's contact.
    pub statement: Statement,
    pub received: Received,
    pub source: ContactSource,
    /// How a phone is reached; without a phone it means nothing.
    pub channel: Option<Channel>,
    /// `None` says nothing: false for a new contact, unchanged for a known one.
    pub is_primary: Option<bool>,
    /// An upsert never takes a verification back.
    pub is_verified: Option<bool>,
    /// A merge patch for a contact that is known: null removes a key.
    pub metadata: Metadata,
    /// Fields that it states replace what the contact said of them before.
    pub profile: Option<Profile>,
    /// On whose word a guest's contact becomes the user's, if there is one.
    pub claims_by: ClaimedBy,
}

impl ContactRequest {
    /// A request that says nothing beside values and source.
    pub fn new(statement: Statement, received: Received, source: ContactSource) -> Self {
        Self {
            statement,
            received,
            source,
            channel: None,
            is_primary: None,
            is_verified: None,
            metadata: Metadata::default(),
            profile: None,
            claims_by: ClaimedBy::Caller,
        }
    }
}

/// Keeps contact records on a store.
#[derive(Clone)]
pub struct Contacts {
    pub(crate) env: Environment,
}

impl Contacts {
    pub fn new(env: Environment) -> Self {
        Self { env }
    }

    /// Contacts that are kept on behalf of whoever acts, as the audit trail tells it.
    #[must_use]
    pub fn acting(&self, acting: &Acting) -> Self {
        Self { env: self.env.clone().acting(acting.clone()) }
    }
}

/// A `userId` must lead to a user; it is checked in the transaction that stores it.
pub(crate) async fn require_user(
    transaction: &mut dyn Transaction,
    statement: &Statement,
) -> Result<(), RecordError> {
    require_known_user(transaction, statement.user()).await
}

pub(crate) async fn require_known_user(
    transaction: &mut dyn Transaction,
    user: Option<UserId>,
) -> Result<(), RecordError> {
    match user {
        Some(user) if transaction.users().get(user).await?.is_none() => Err(RecordError::NoSuchUser),
        _ => Ok(()),
    }
}

/// A user's other contacts of this kind are not the first choice any more.
pub(crate) async fn step_back(
    transaction: &mut dyn Transaction,
    env: &Environment,
    (user, kind): (UserId, ContactKind),
    except: Option<ContactId>,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let others = transaction.contacts().clear_primary(user, kind, except, at).await?;
    if others.is_empty() {
        return Ok(());
    }
    let records = transaction.contacts().get_many(&others).await?;
    let change = |record: &ContactRecord| {
        let mut before = record.clone();
        before.details.is_primary = true;
        Change::contact_updated(&before, record)
    };
    env.record(transaction, at, records.iter().filter_map(change).collect()).await
}

/// The record as it stands at the end of a change.
pub(crate) async fn reread(
    transaction: &mut dyn Transaction,
    id: ContactId,
) -> Result<ContactRecord, RecordError> {
    transaction.contacts().get(id).await?.ok_or(RecordError::NoSuchContact)
}
