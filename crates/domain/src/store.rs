//! What the use cases ask of a store. An open transaction is the object that gives access to the
//! repositories, so nobody passes connections about and nothing is stored before `commit`.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::audit::{AuditReader, AuditRepository};
use crate::idempotency::IdempotencyRepository;
use crate::import::{CustomerBatch, FiledDraft, ImportReader, ImportRepository};
use crate::jobs::{JobReader, JobRepository};
use crate::sync::{
    ConflictReader, ConflictRepository, MappingReader, MappingRepository, PaceRepository, PartnerIndexReader,
    PartnerIndexRepository, RunReader, RunRepository, SyncLogReader, SyncLogRepository, SyncRulesReader,
    SyncRulesRepository,
};
use crate::{
    AccessToken, BlockedValues, ContactDraft, ContactFilter, ContactId, ContactKind, ContactRecord,
    ContactSource, CustomerId, CustomerPicture, CustomerRecord, EvidenceOrder, ExternalId, LinkKey,
    ListedCustomer, Neighbourhood, NewToken, Origin, OriginReader, OriginRepository, SearchQuery, Statement,
    TokenHash, TokenId, User, UserId,
};

/// A failure of a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else was faster, or the database asks to start over. Nothing was stored: read again,
    /// decide again.
    #[error("the data changed in between")]
    Conflict,
    /// The database cannot be reached or gives no answer in time. It may do so later.
    #[error("the database is not available")]
    Unavailable(#[source] Source),
    /// The database is there, and what it keeps its data on fails it. Trying again at once is of no use:
    /// somebody has to see to it. Nothing counts as stored.
    #[error("{fault}")]
    Storage { fault: StorageFault, source: Source },
    /// Everything else: a defect, or a database that is not what it should be.
    #[error("the database failed")]
    Backend(#[source] Source),
}

/// What is wrong with the place where a database keeps its data.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum StorageFault {
    /// No space is left.
    #[error("the database's disk is full")]
    Full,
    /// It can be read and not written.
    #[error("the database is read-only")]
    ReadOnly,
    /// Reading or writing fails, or what is there is damaged.
    #[error("the database's storage fails or is damaged")]
    Broken,
}

/// The error beneath, for the log.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// A place where contacts are kept.
#[async_trait]
pub trait Store: Send + Sync {
    /// What is known about these keys, as of one moment, with all that is committed.
    async fn neighbourhood(&self, keys: &[LinkKey]) -> Result<Neighbourhood, StoreError>;

    /// Opens a transaction for writing. Dropping it undoes what was not committed.
    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError>;

    /// The same for work of which much is to come and for which nobody waits: imports, sealing, tidying up. A
    /// store that has one writer lets the others go first, within bounds. Not for much at a time: see
    /// [`bulk_limit`](Self::bulk_limit).
    async fn begin_bulk(&self) -> Result<Box<dyn Transaction>, StoreError> {
        self.begin().await
    }

    /// How long such a transaction should last at most; `None` if nobody is kept waiting by it. It is asked again and
    /// again, and may be less while somebody calls.
    fn bulk_limit(&self) -> Option<TimeDelta> {
        None
    }

    /// Opens a transaction that may only read, and is undone in any case. No writer waits for it.
    async fn begin_reading(&self) -> Result<Box<dyn Transaction>, StoreError> {
        self.begin().await
    }

    /// Asks the database for a sign of life. A store whose last write failed with [`StoreError::Storage`] says
    /// so until one succeeds, and tries by itself, now and then, whether it does.
    async fn ping(&self) -> Result<(), StoreError>;

    fn contacts(&self) -> &dyn ContactReader;

    fn customers(&self) -> &dyn CustomerReader;

    fn users(&self) -> &dyn UserReader;

    fn imports(&self) -> &dyn ImportReader;

    fn tokens(&self) -> &dyn TokenReader;
    fn audit(&self) -> &dyn AuditReader;
    fn jobs(&self) -> &dyn JobReader;
    fn mappings(&self) -> &dyn MappingReader;
    fn conflicts(&self) -> &dyn ConflictReader;
    fn runs(&self) -> &dyn RunReader;
    fn sync_log(&self) -> &dyn SyncLogReader;
    fn sync_rules(&self) -> &dyn SyncRulesReader;
    fn partner_index(&self) -> &dyn PartnerIndexReader;
    fn origins(&self) -> &dyn OriginReader;
}

/// Contacts as they are committed. Those that were withdrawn are not seen here.
#[async_trait]
pub trait ContactReader: Send + Sync {
    async fn get(&self, id: ContactId) -> Result<Option<ContactRecord>, StoreError>;

    /// In ascending order of their ids, those behind `after`, at most `limit`.
    async fn list(
        &self,
        filter: &ContactFilter,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactRecord>, StoreError>;

    /// How many contacts their users have verified whose value another user has verified since.
    async fn contested_verifications(&self) -> Result<u64, StoreError>;
}

#[async_trait]
pub trait CustomerReader: Send + Sync {
    /// The customer of this id, or the one that absorbed it; `None` also without a contact that is left.
    async fn get(&self, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError>;

    /// Customers with a contact, in the order of their oldest ones: those behind `after`, at most `limit`.
    async fn list(&self, after: Option<ContactId>, limit: usize) -> Result<Vec<ListedCustomer>, StoreError>;

    /// The contacts that match, in ascending order of their ids, with their customers.
    async fn search(
        &self,
        query: &SearchQuery,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<(ContactId, CustomerId)>, StoreError>;
}

#[async_trait]
pub trait UserReader: Send + Sync {
    async fn get(&self, id: UserId) -> Result<Option<User>, StoreError>;

    async fn by_external_id(&self, id: &ExternalId) -> Result<Option<User>, StoreError>;

    /// Those of these users that exist, in no order.
    async fn get_many(&self, ids: &[UserId]) -> Result<Vec<User>, StoreError>;

    /// In ascending order of their ids, those behind `after`, at most `limit`.
    async fn list(&self, after: Option<UserId>, limit: usize) -> Result<Vec<User>, StoreError>;
}

/// Access tokens that were not revoked.
#[async_trait]
pub trait TokenReader: Send + Sync {
    async fn get(&self, id: TokenId) -> Result<Option<(AccessToken, TokenHash)>, StoreError>;

    async fn by_hash(&self, hash: &TokenHash) -> Result<Option<(AccessToken, TokenHash)>, StoreError>;

    /// In ascending order of their ids, those behind `after`, at most `limit`.
    async fn list(&self, after: Option<TokenId>, limit: usize) -> Result<Vec<AccessToken>, StoreError>;
}

/// An open transaction.
///
/// Writers keep one order, so that no two of them wait for each other: first the customers that a
/// plan rests on, ascending (`lock_neighbourhood` or `advance`), then link keys, ascending (`claim`),
/// then everything else. A use case that has to lock more in between may meet another one head-on; the
/// database then ends one of the two with `Conflict`.
#[async_trait]
pub trait Transaction: Send {
    fn customers(&mut self) -> &mut dyn CustomerRepository;

    fn contacts(&mut self) -> &mut dyn ContactRepository;

    fn links(&mut self) -> &mut dyn LinkRepository;

    fn users(&mut self) -> &mut dyn UserRepository;

    fn imports(&mut self) -> &mut dyn ImportRepository;

    fn deliveries(&mut self) -> &mut dyn DeliveryRepository;

    fn tokens(&mut self) -> &mut dyn TokenRepository;
    fn idempotency(&mut self) -> &mut dyn IdempotencyRepository;
    fn audit(&mut self) -> &mut dyn AuditRepository;
    fn jobs(&mut self) -> &mut dyn JobRepository;
    fn mappings(&mut self) -> &mut dyn MappingRepository;
    fn conflicts(&mut self) -> &mut dyn ConflictRepository;
    fn runs(&mut self) -> &mut dyn RunRepository;
    fn sync_log(&mut self) -> &mut dyn SyncLogRepository;
    fn sync_rules(&mut self) -> &mut dyn SyncRulesRepository;
    fn partner_index(&mut self) -> &mut dyn PartnerIndexRepository;
    fn pace(&mut self) -> &mut dyn PaceRepository;
    fn origins(&mut self) -> &mut dyn OriginRepository;

    /// Makes everything permanent. When this returns, the data survives a crash of the machine.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

#[async_trait]
pub trait CustomerRepository: Send {
    /// What is known about these keys, with the customers they lead to locked until the end of the
    /// transaction. `Conflict` if they changed while waiting for the lock.
    async fn lock_neighbourhood(&mut self, keys: &[LinkKey]) -> Result<Neighbourhood, StoreError>;

    /// What is known about any number of keys, nothing locked: whoever rests on it must `advance`.
    async fn neighbourhood_of_many(&mut self, keys: &[LinkKey]) -> Result<Neighbourhood, StoreError>;

    /// Moves a customer to its next version, and so locks it. `Conflict` unless it still has this
    /// version and was not absorbed.
    async fn advance(&mut self, id: CustomerId, version: i64, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Adds a customer. Its primary is set when its first contact has an id.
    async fn insert(&mut self, id: CustomerId, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// `None` for a customer whose last contact was withdrawn.
    async fn set_primary(&mut self, id: CustomerId, primary: Option<ContactId>) -> Result<(), StoreError>;

    /// Lets `absorbed`, and all that it absorbed before, lead to `survivor`.
    async fn absorb(
        &mut self,
        survivor: CustomerId,
        absorbed: CustomerId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Makes an absorbed customer one of its own again. What it had absorbed stays where it is.
    async fn restore(&mut self, id: CustomerId, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Lets these keys, which are in ascending order, lead to this customer. `Conflict` if one of them
    /// is taken.
    async fn claim(&mut self, keys: &[LinkKey], id: CustomerId) -> Result<(), StoreError>;

    /// The customers that these keys are filed under, absorbed or not. Keys that nobody claimed are left out.
    async fn key_owners(&mut self, keys: &[LinkKey]) -> Result<Vec<(LinkKey, CustomerId)>, StoreError>;

    /// Gives keys up.
    async fn release(&mut self, keys: &[LinkKey]) -> Result<(), StoreError>;

    /// Files claimed keys under another customer.
    async fn refile(&mut self, keys: &[LinkKey], id: CustomerId) -> Result<(), StoreError>;

    /// All that links a customer, which is locked and is no absorbed one.
    async fn picture(&mut self, id: CustomerId) -> Result<CustomerPicture, StoreError>;

    /// As [`CustomerReader::get`].
    async fn get(&mut self, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError>;

    /// `advance` for many, in one go.
    async fn advance_many(
        &mut self,
        guards: &[(CustomerId, i64)],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// `insert`, `claim` and `absorb` for many.
    async fn write_batch(&mut self, batch: &CustomerBatch, at: DateTime<Utc>) -> Result<(), StoreError>;
}

#[async_trait]
pub trait ContactRepository: Send {
    /// Adds a contact to a customer. Its id is larger than that of every contact of this customer.
    async fn insert(
        &mut self,
        contact: &ContactDraft,
        customer: CustomerId,
        at: DateTime<Utc>,
    ) -> Result<ContactId, StoreError>;

    /// Reserves as many ids, ascending, larger than that of every contact that is stored.
    async fn reserve_ids(&mut self, count: usize) -> Result<Vec<ContactId>, StoreError>;

    /// Adds contacts under reserved ids.
    async fn insert_batch(&mut self, contacts: &[FiledDraft], at: DateTime<Utc>) -> Result<(), StoreError>;

    /// `None` also for a contact that was withdrawn.
    async fn get(&mut self, id: ContactId) -> Result<Option<ContactRecord>, StoreError>;

    /// These contacts, in ascending order of their ids; those that were withdrawn are left out.
    async fn get_many(&mut self, ids: &[ContactId]) -> Result<Vec<ContactRecord>, StoreError>;

    /// Stores all that a change may touch. Its customer must be locked. What belongs to the customer (its
    /// id, version and primary) is not looked at.
    async fn update(&mut self, record: &ContactRecord) -> Result<(), StoreError>;

    /// Takes the mark of a primary from this user's contacts of this kind, one excepted; tells which had it.
    async fn clear_primary(
        &mut self,
        user: UserId,
        kind: ContactKind,
        except: Option<ContactId>,
        at: DateTime<Utc>,
    ) -> Result<Vec<ContactId>, StoreError>;

    /// Marks a contact as withdrawn. It stays stored and is seen no more.
    async fn withdraw(&mut self, id: ContactId, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Files contacts under another customer.
    async fn refile(&mut self, ids: &[ContactId], customer: CustomerId) -> Result<(), StoreError>;

    /// The contacts that show one of these values although they do not link by it, because of somebody else or
    /// because nobody verified it. Those whose value the policy lists are left out.
    async fn blocked(&mut self, values: &BlockedValues) -> Result<Vec<ContactRecord>, StoreError>;

    /// The place of the youngest evidence that is stored, or was.
    async fn last_order(&mut self) -> Result<EvidenceOrder, StoreError>;

    /// A place in the order of evidence behind all that is stored.
    async fn next_order(&mut self) -> Result<EvidenceOrder, StoreError>;

    /// The contacts of these users that are their first choice among emails or phones.
    async fn primaries_of(&mut self, users: &[UserId]) -> Result<Vec<(UserId, ContactKind)>, StoreError>;

    /// The contacts of this user, ascending, at most `limit`.
    async fn of_user(&mut self, user: UserId, limit: usize) -> Result<Vec<ContactRecord>, StoreError>;
}

#[async_trait]
pub trait UserRepository: Send {
    async fn get(&mut self, id: UserId) -> Result<Option<User>, StoreError>;

    async fn by_external_id(&mut self, id: &ExternalId) -> Result<Option<User>, StoreError>;

    /// `false`, and nothing stored, if the id or the external id is taken.
    async fn insert(&mut self, user: &User) -> Result<bool, StoreError>;

    /// Stores all but the id of a user that exists. `Conflict` if the external id is another one's.
    async fn update(&mut self, user: &User) -> Result<(), StoreError>;

    /// The users of this list that exist.
    async fn existing(&mut self, ids: &[UserId]) -> Result<Vec<UserId>, StoreError>;

    /// The users with these external ids.
    async fn by_external_ids(&mut self, ids: &[ExternalId]) -> Result<Vec<(ExternalId, UserId)>, StoreError>;
}

#[async_trait]
pub trait TokenRepository: Send {
    async fn insert(
        &mut self,
        new: &NewToken,
        hash: &TokenHash,
        at: DateTime<Utc>,
    ) -> Result<AccessToken, StoreError>;

    /// Also one that was revoked.
    async fn by_hash(&mut self, hash: &TokenHash) -> Result<Option<AccessToken>, StoreError>;

    /// Whether there is any that was not revoked.
    async fn exist(&mut self) -> Result<bool, StoreError>;

    /// The token as it was; `None` if there is no such token, or none any more.
    async fn revoke(&mut self, id: TokenId, at: DateTime<Utc>) -> Result<Option<AccessToken>, StoreError>;

    async fn touch(&mut self, id: TokenId, at: DateTime<Utc>) -> Result<(), StoreError>;
}

#[async_trait]
pub trait DeliveryRepository: Send {
    /// Remembers that this webhook call was handled; `false` if it was before.
    async fn remember(&mut self, source: &str, id: &str, at: DateTime<Utc>) -> Result<bool, StoreError>;

    /// Forgets calls of this source that were handled before this moment, at most `limit` of them.
    async fn forget_before(
        &mut self,
        source: &str,
        moment: DateTime<Utc>,
        limit: usize,
    ) -> Result<(), StoreError>;
}

#[async_trait]
pub trait LinkRepository: Send {
    /// Adds the record of a merge, filed under its survivor.
    async fn insert(&mut self, link: &LinkDraft) -> Result<(), StoreError>;

    /// The merges that this contact caused are evidence no more.
    async fn revoke_of(&mut self, contact: ContactId, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// These merges are evidence no more.
    async fn revoke(&mut self, ids: &[LinkId], at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Files merges under another customer: the one whose contacts they hold together now. Who survived
    /// stays on record.
    async fn refile(&mut self, ids: &[LinkId], customer: CustomerId) -> Result<(), StoreError>;
}

/// The number of a record of a merge.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct LinkId(pub i64);

/// Two customers became one: who, when, and because of what. Records are only added. A join that came from
/// elsewhere and found one customer is kept as evidence, with this customer on both sides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkDraft {
    pub survivor: CustomerId,
    pub absorbed: CustomerId,
    /// The statement that joined them.
    pub statement: Statement,
    /// As in [`crate::JoinRecord`].
    pub beside: Option<Statement>,
    /// Who said so; `None` for a request.
    pub source: Option<ContactSource>,
    /// The contact that holds the statement, if it brought anything else that was new.
    pub contact: Option<ContactId>,
    /// The youngest evidence at the time: links take their place behind it when evidence is laid anew.
    pub after: EvidenceOrder,
    pub at: DateTime<Utc>,
    /// Where the join was made, if that was elsewhere.
    pub origin: Option<Origin>,
}
