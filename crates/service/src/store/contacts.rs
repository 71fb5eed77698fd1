//! Contacts in a store.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::store::StoreError;
use onefold_domain::contact::{ContactDraft, ContactKind, ContactRecord, EvidenceOrder};
use onefold_domain::email::EmailAddress;
use onefold_domain::id::{ContactId, CustomerId, UserId};
use onefold_domain::link_key::{KeyKind, LinkKey};
use onefold_domain::metadata::MetadataFilter;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::policy::LinkPolicy;
use onefold_domain::source::ContactSource;

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

/// A contact that goes to a customer under an id that was reserved for it.
#[derive(Clone, PartialEq, Debug)]
pub struct FiledDraft {
    pub id: ContactId,
    pub customer: CustomerId,
    pub draft: ContactDraft,
    /// When it was created and last changed, if it was made elsewhere; else both are the moment of storing.
    pub times: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

/// Which contacts are meant. Everything that is given must hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ContactFilter {
    pub kind: Option<ContactKind>,
    pub email: Option<EmailAddress>,
    pub phone: Option<PhoneNumber>,
    pub user: Option<UserId>,
    pub customer: Option<CustomerId>,
    pub source: Option<ContactSource>,
    /// Leaves out what a registration claimed from a guest as long as its user has verified none of the values.
    pub is_proven: bool,
    /// Members that the metadata is to have, at most [`MetadataFilter::MOST`].
    pub metadata: Vec<MetadataFilter>,
}

/// Values in every spelling that a store may have.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct BlockedValues {
    pub emails: Vec<EmailAddress>,
    /// Domains of providers that deliver several spellings to one mail box: any address there may be meant.
    pub email_domains: Vec<String>,
    pub phones: Vec<PhoneNumber>,
}

impl BlockedValues {
    /// The values that these keys stand for; other keys stand for none.
    pub(crate) fn of(keys: &[LinkKey], policy: &LinkPolicy) -> Self {
        let mut values = Self::default();
        for key in keys {
            match key.kind {
                KeyKind::Email => {
                    let email = EmailAddress::from_canonical(key.value.clone());
                    values.email_domains.extend(policy.domains_like(email.domain()).map(str::to_owned));
                    values.emails.push(email);
                }
                KeyKind::Phone => values.phones.extend(PhoneNumber::spellings_of(&key.value)),
                KeyKind::User | KeyKind::Exact | KeyKind::Contact => {}
            }
        }
        values.email_domains.sort_unstable();
        values.email_domains.dedup();
        values
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.emails.is_empty() && self.phones.is_empty()
    }

    /// Whether an address is one of those that are looked for, or may be.
    pub fn has_email(&self, email: &EmailAddress) -> bool {
        self.emails.contains(email) || self.email_domains.iter().any(|domain| domain == email.domain())
    }
}
