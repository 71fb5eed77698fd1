//! Where contacts and joins were made, in a store.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::store::StoreError;
use onefold_domain::contact::Statement;
use onefold_domain::id::{ContactId, CustomerId, LinkId};
use onefold_domain::origin::{HubId, Origin};
use onefold_domain::source::ContactSource;

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

    /// The joins of these origins that left no contact, revoked ones included.
    async fn joins(&mut self, origins: &[Origin]) -> Result<Vec<Originated<LinkId>>, StoreError>;
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
    /// As in [`onefold_domain::linking::JoinRecord`].
    pub beside: Option<Statement>,
    /// Who said so; `None` for a request.
    pub source: Option<ContactSource>,
    /// Its place among contacts: behind this one, which may have been withdrawn.
    pub after: ContactId,
    pub at: DateTime<Utc>,
}
