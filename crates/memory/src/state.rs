//! What the store in memory knows, and the questions that readers and transactions have in common.

use chrono::{DateTime, Utc};
use imbl::{HashMap, OrdMap, Vector};

use onefold_domain::block::BlockRule;
use onefold_domain::contact::{
    ClaimedBy, ContactDetails, ContactRecord, EvidenceOrder, KnownContact, Received, Statement,
};
use onefold_domain::customer::{CustomerRecord, KnownCustomer};
use onefold_domain::id::{ContactId, CustomerId, ImportId, UserId};
use onefold_domain::link_key::LinkKey;
use onefold_domain::linking::Candidates;
use onefold_domain::origin::{HubId, Origin};
use onefold_domain::source::ContactSource;
use onefold_service::audit::{AuditEntry, AuditFacts};
use onefold_service::import::{Import, RowFailure};
use onefold_service::operation::{IdempotencyKey, IdempotencyRecord, IdempotencyScope};
use onefold_service::store::LinkDraft;
use onefold_service::system::SyncSystem;
use onefold_service::token::{AccessToken, TokenHash, TokenId};
use onefold_service::user::User;
use onefold_sync::conflict::{Conflict, ConflictId};
use onefold_sync::job::{Job, JobId};
use onefold_sync::log::SyncAttempt;
use onefold_sync::mapping::{Mapping, MappingId};
use onefold_sync::pace::PaceState;
use onefold_sync::partner::{IndexedPartner, PartnerId};
use onefold_sync::rules::SyncRules;
use onefold_sync::run::{Run, RunId, RunItem};

#[derive(Clone, Default)]
pub(super) struct State {
    /// The name of this store, once it needed one.
    pub(super) hub: Option<HubId>,
    pub(super) customers: HashMap<CustomerId, Customer>,
    /// The customers that lead to a root, itself included.
    pub(super) members: HashMap<CustomerId, Vec<CustomerId>>,
    pub(super) keys: HashMap<LinkKey, CustomerId>,
    pub(super) contacts: OrdMap<ContactId, Contact>,
    pub(super) links: Vector<Link>,
    pub(super) users: HashMap<UserId, User>,
    pub(super) imports: OrdMap<ImportId, Import>,
    pub(super) chunks: HashMap<(ImportId, u32), Vec<u8>>,
    pub(super) failures: HashMap<ImportId, Vector<RowFailure>>,
    pub(super) deliveries: HashMap<(String, String), DateTime<Utc>>,
    pub(super) tokens: OrdMap<TokenId, Token>,
    pub(super) idempotency: HashMap<(IdempotencyScope, IdempotencyKey), IdempotencyRecord>,
    pub(super) last_contact: i64,
    /// What waits to be sealed.
    pub(super) pending: OrdMap<i64, AuditFacts>,
    pub(super) last_pending: i64,
    pub(super) audit: Vector<AuditEntry>,
    pub(super) mappings: OrdMap<MappingId, Mapping>,
    pub(super) conflicts: OrdMap<ConflictId, Conflict>,
    pub(super) runs: OrdMap<RunId, Run>,
    pub(super) run_items: OrdMap<(RunId, u64), RunItem>,
    pub(super) jobs: OrdMap<JobId, Job>,
    pub(super) last_job: i64,
    pub(super) sync_log: OrdMap<i64, SyncAttempt>,
    pub(super) last_sync_log: i64,
    pub(super) sync_rules: HashMap<SyncSystem, SyncRules>,
    /// With the order in which they were first seen.
    pub(super) partner_index: HashMap<(SyncSystem, PartnerId), (u64, IndexedPartner)>,
    pub(super) last_indexed: u64,
    pub(super) partner_scans: HashMap<SyncSystem, DateTime<Utc>>,
    pub(super) paces: HashMap<SyncSystem, PaceState>,
}

#[derive(Clone)]
pub(super) struct Token {
    pub(super) token: AccessToken,
    pub(super) hash: TokenHash,
    pub(super) revoked: bool,
}

#[derive(Clone)]
pub(super) struct Customer {
    pub(super) root: CustomerId,
    pub(super) version: i64,
    pub(super) primary: Option<ContactId>,
    /// The contacts that are filed here, ascending. Withdrawn ones are not.
    pub(super) contacts: Vector<ContactId>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
}

#[derive(Clone)]
pub(super) struct Contact {
    pub(super) filed_under: CustomerId,
    pub(super) order: EvidenceOrder,
    pub(super) statement: Statement,
    pub(super) claimed_by: Option<ClaimedBy>,
    pub(super) email_blocked_by: Option<BlockRule>,
    pub(super) phone_blocked_by: Option<BlockRule>,
    pub(super) source: ContactSource,
    pub(super) details: ContactDetails,
    pub(super) received: Received,
    pub(super) import: Option<ImportId>,
    pub(super) origin: Option<Origin>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) withdrawn_at: Option<DateTime<Utc>>,
    pub(super) version: i64,
}

#[derive(Clone)]
pub(super) struct Link {
    pub(super) draft: LinkDraft,
    pub(super) filed_under: CustomerId,
    pub(super) revoked_at: Option<DateTime<Utc>>,
}

impl State {
    /// The customer and all that are one with it; itself alone if it is not known.
    pub(super) fn family(&self, id: CustomerId) -> Vec<CustomerId> {
        let root = self.customers.get(&id).map(|customer| customer.root);
        root.and_then(|root| self.members.get(&root).cloned()).unwrap_or_else(|| vec![id])
    }

    pub(super) fn candidates(&self, keys: &[LinkKey]) -> Candidates {
        let mut candidates = Candidates::default();
        let mut seen = std::collections::HashSet::new();
        for key in keys {
            let Some(root) = self.keys.get(key).and_then(|filed| self.root(*filed)) else { continue };
            candidates.found.push((key.clone(), root));
            if seen.insert(root) {
                candidates.customers.extend(self.known(root));
            }
        }
        candidates
    }

    pub(super) fn root(&self, id: CustomerId) -> Option<CustomerId> {
        self.customers.get(&id).map(|customer| customer.root)
    }

    /// The contacts of a root, ascending.
    pub(super) fn contacts_of(&self, root: CustomerId) -> Vec<ContactId> {
        let members = self.members.get(&root).into_iter().flatten();
        let mut ids: Vec<ContactId> = members
            .filter_map(|member| self.customers.get(member))
            .flat_map(|member| member.contacts.iter().copied())
            .collect();
        ids.sort_unstable();
        ids
    }

    pub(super) fn record(&self, id: ContactId) -> Option<ContactRecord> {
        let contact = self.contacts.get(&id).filter(|contact| contact.withdrawn_at.is_none())?;
        let root = self.root(contact.filed_under)?;
        let customer = self.customers.get(&root)?;
        Some(ContactRecord {
            id,
            customer: root,
            customer_version: customer.version,
            primary: customer.primary?,
            order: contact.order,
            statement: contact.statement.clone(),
            claimed_by: contact.claimed_by,
            email_blocked_by: contact.email_blocked_by,
            phone_blocked_by: contact.phone_blocked_by,
            source: contact.source,
            details: contact.details.clone(),
            received: contact.received.clone(),
            import: contact.import,
            origin: contact.origin,
            created_at: contact.created_at,
            updated_at: contact.updated_at,
            version: contact.version,
        })
    }

    /// Every contact that was not withdrawn, ascending.
    pub(super) fn records(&self) -> impl Iterator<Item = ContactRecord> {
        self.contacts.keys().filter_map(|id| self.record(*id))
    }

    pub(super) fn customer_record(&self, id: CustomerId) -> Option<CustomerRecord> {
        let root = self.root(id)?;
        let customer = self.customers.get(&root)?;
        let contacts: Vec<_> = self.contacts_of(root).iter().filter_map(|id| self.record(*id)).collect();
        (!contacts.is_empty()).then_some(CustomerRecord {
            id: root,
            version: customer.version,
            created_at: customer.created_at,
            updated_at: customer.updated_at,
            contacts,
        })
    }

    fn known(&self, root: CustomerId) -> Option<KnownCustomer> {
        let version = self.customers.get(&root)?.version;
        let contacts = self
            .contacts_of(root)
            .into_iter()
            .filter_map(|id| self.contacts.get(&id).map(|contact| (id, contact)))
            .map(|(id, contact)| KnownContact {
                id,
                order: contact.order,
                email: contact.statement.email().cloned(),
                phone: contact.statement.phone().cloned(),
                user: contact.statement.user(),
                is_verified: contact.statement.user().is_some() && contact.details.verified_at.is_some(),
            })
            .collect();
        Some(KnownCustomer { id: root, version, contacts })
    }
}
