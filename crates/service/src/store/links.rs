//! Records of joins in a store.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::store::StoreError;
use onefold_domain::contact::{EvidenceOrder, Statement};
use onefold_domain::id::{ContactId, CustomerId, LinkId};
use onefold_domain::origin::Origin;
use onefold_domain::source::ContactSource;

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

/// Two customers became one: who, when, and because of what. Records are only added. A join that came from
/// elsewhere and found one customer is kept as evidence, with this customer on both sides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkDraft {
    pub survivor: CustomerId,
    pub absorbed: CustomerId,
    /// The statement that joined them.
    pub statement: Statement,
    /// As in [`onefold_domain::linking::JoinRecord`].
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
