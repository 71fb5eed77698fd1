//! Contact records: create, upsert, change, withdraw, look up. Every change is one transaction in which
//! the record is written and linked by the same rules as `identify`.

mod blocked;
mod change;
mod create;
mod export;
mod hull;
mod join;
mod link;
mod list;
mod open;
mod record;
mod settle;
mod upsert;
mod withdraw;

use chrono::{DateTime, Utc};
use futures_core::future::BoxFuture;

use crate::attempts::Attempted;
use crate::audit::Change;
use crate::{
    Acting, Channel, ClaimedBy, ContactId, ContactSource, Environment, Failure, InvalidMetadata,
    InvalidProfile, Metadata, Profile, Received, Statement, StoreError, Transaction, UserId,
};

pub use blocked::BlockedValues;
pub(crate) use change::apply;
pub use change::{ContactChange, NewValue};
pub(crate) use create::{create, draft};
pub use export::{ExportPage, ExportPlace, ExportRow, ExportedContact, ExportedJoin};
pub(crate) use join::join;
pub(crate) use link::{Row, carry_out, note_blocks, placed};
pub use list::{ContactFilter, ContactPage, PageRequest};
pub use record::{ContactDetails, ContactKind, ContactRecord, Expectation};
pub(crate) use settle::settle;
pub use upsert::Upserted;
pub(crate) use upsert::{claim_record, keep, matching, merge, upsert};

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

/// Why a record was not changed. Nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("there is no such contact")]
    NoSuchContact,
    #[error("there is no such customer")]
    NoSuchCustomer,
    #[error("there is no such user")]
    NoSuchUser,
    /// The record is not in the state that the caller expected.
    #[error("the record has changed since it was read")]
    Stale,
    /// The id or the external id belongs to a user already.
    #[error("there is such a user already")]
    UserExists { id: UserId },
    /// A value can be changed for one of the same kind only.
    #[error("the contact is of another kind")]
    OtherKind,
    /// The metadata that would result cannot be kept.
    #[error(transparent)]
    Metadata(#[from] InvalidMetadata),
    /// The profile that would result cannot be kept.
    #[error("the profile has faults")]
    Profile(Vec<InvalidProfile>),
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<StoreError> for RecordError {
    fn from(error: StoreError) -> Self {
        Self::Failure(Failure::Store(error))
    }
}

impl Attempted for RecordError {
    fn into_store(self) -> Result<StoreError, Self> {
        match self {
            Self::Failure(failure) => failure.into_store().map_err(Self::Failure),
            other => Err(other),
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

    /// The same, on behalf of somebody.
    #[must_use]
    pub fn acting(&self, acting: &Acting) -> Self {
        Self { env: self.env.clone().acting(acting.clone()) }
    }
}

impl Environment {
    /// Runs `work` in a transaction, which it hands back, and commits it; starts over as long as it is worth
    /// it. What `work` does must find out by itself whether an earlier try was carried out after all.
    pub(crate) async fn in_transaction<'a, T: Send>(
        &'a self,
        work: impl Fn(Open) -> BoxFuture<'a, Result<(T, Open), RecordError>> + Send + Sync,
    ) -> Result<T, RecordError> {
        self.transact(work).await
    }

    /// The same for use cases with errors of their own.
    pub(crate) async fn transact<'a, T: Send, E: Attempted + From<StoreError>>(
        &'a self,
        work: impl Fn(Open) -> BoxFuture<'a, Result<(T, Open), E>> + Send + Sync,
    ) -> Result<T, E> {
        let work = &work;
        self.patience
            .keep_trying(self.randomness.as_ref(), |_| async move {
                let transaction = self.begin().await?;
                let (done, transaction) = work(transaction).await?;
                transaction.commit().await?;
                Ok(done)
            })
            .await
    }
}

/// A transaction that is passed on.
pub(crate) type Open = Box<dyn Transaction>;

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
