//! Where contacts and joins were made. A file that one Onefold exports and another one imports names each of
//! them by its origin, so that it is itself there, is found again when the file comes twice, and is known when
//! it comes back.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{ContactId, ContactSource, CustomerId, Environment, LinkId, RecordError, Statement, StoreError};

/// One database among others, named when it first exports something.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct HubId(pub Uuid);

/// The number that a contact, or a join, got where it was made. Contacts and joins are numbered by themselves.
///
/// The number alone is not enough: a copy of a database, and one that was restored from a backup, go on
/// counting under the name of the first. So two of one origin are the same only if they were made at the same
/// moment.
///
/// ```
/// use onefold_domain::{HubId, Origin};
/// # use uuid::Uuid;
///
/// let hub = HubId(Uuid::from_u128(1));
/// assert_ne!(Origin { hub, number: 7 }, Origin { hub: HubId(Uuid::from_u128(2)), number: 7 });
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Origin {
    pub hub: HubId,
    pub number: i64,
}

/// Something that is stored under an origin, whether it came from there or was made here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Originated<I> {
    pub origin: Origin,
    pub id: I,
    pub created_at: DateTime<Utc>,
    /// Whether it was withdrawn or revoked since. It is known all the same: what was taken back does not
    /// come again with the same file.
    pub gone: bool,
}

/// A join that holds a customer together and left no contact, as it is exported.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredJoin {
    pub id: LinkId,
    /// Where it was made, if that was elsewhere.
    pub origin: Option<Origin>,
    pub statement: Statement,
    /// As in [`crate::JoinRecord`].
    pub beside: Option<Statement>,
    /// Who said so; `None` for a request.
    pub source: Option<ContactSource>,
    /// Its place among contacts: behind this one, which may have been withdrawn.
    pub after: ContactId,
    pub at: DateTime<Utc>,
}

#[async_trait]
pub trait OriginReader: Send + Sync {
    /// The name of this database; `None` as long as it never needed one.
    async fn hub(&self) -> Result<Option<HubId>, StoreError>;

    /// The joins in force that left no contact, in the order of their places and then of their numbers, those
    /// behind `after`, at most `limit`; with a customer, the joins of this one and of those that lead to it.
    async fn joins(
        &self,
        customer: Option<CustomerId>,
        after: Option<(ContactId, LinkId)>,
        limit: usize,
    ) -> Result<Vec<StoredJoin>, StoreError>;
}

#[async_trait]
pub trait OriginRepository: Send {
    /// The name of this database, which is the proposed one if it had none.
    async fn hub(&mut self, proposed: HubId) -> Result<HubId, StoreError>;

    /// The contacts of these origins, withdrawn ones included: those that came from there, and for the name of
    /// this database those that were made here.
    async fn contacts(&mut self, origins: &[Origin]) -> Result<Vec<Originated<ContactId>>, StoreError>;

    /// The same for joins that left no contact.
    async fn joins(&mut self, origins: &[Origin]) -> Result<Vec<Originated<LinkId>>, StoreError>;
}

impl Environment {
    /// The name of this database, which gets one when it is first asked for.
    pub(crate) async fn hub(&self) -> Result<HubId, RecordError> {
        if let Some(hub) = self.store.origins().hub().await? {
            return Ok(hub);
        }
        let proposed = HubId(self.randomness.uuid(self.clock.now()));
        self.in_transaction(move |mut transaction| {
            Box::pin(async move { Ok((transaction.origins().hub(proposed).await?, transaction)) })
        })
        .await
    }
}
