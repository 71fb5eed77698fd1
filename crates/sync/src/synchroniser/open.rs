//! The mapping manager: finds the mapping that a customer has in use, or gives it one, and takes it. Merges and
//! splits of customers need nothing of their own: a mapping hangs on a contact, and goes where that one goes.

use chrono::{DateTime, Utc};

use super::reconcile::Progress;
use super::{Opened, SyncContext, Synchroniser};
use crate::conflict::{ConflictDraft, ConflictStatus, ConflictSubject};
use crate::job::JobKind;
use crate::log::SyncOutcome;
use crate::mapping::{DetachReason, Mapping, MappingId, MappingStatus};
use crate::partner::PartnerParts;
use crate::store::{Open, SyncTransaction};
use crate::sync_error::SyncError;
use crate::view::{SyncText, SyncView};
use onefold_domain::customer::CustomerRecord;
use onefold_domain::id::{ContactId, CustomerId};
use onefold_service::store::StoreError;

impl Synchroniser {
    /// Takes the mapping of a customer, which gets one if it has none.
    pub(super) async fn open(&self, customer: CustomerId, context: SyncContext) -> Result<Opened, SyncError> {
        let since = self.env.base.clock.now();
        let owner = self.env.base.randomness.uuid(since);
        let id = MappingId(self.env.base.randomness.uuid(since));
        self.env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    let found = transaction.customers().get(customer).await?;
                    let record = found.ok_or(SyncError::NoSuchCustomer)?;
                    let leader = self.settle(transaction.as_mut(), &record, since).await?;
                    let mapping = match leader {
                        Some(leader) => leader,
                        None => {
                            self.is_made_anew(transaction.as_mut(), record.id, since).await?;
                            self.add(transaction.as_mut(), self.new_mapping(id, &record, since)).await?
                        }
                    };
                    let until = self.lease_until(since);
                    let taken = transaction.mappings().lease(mapping.id, owner, since, until).await?;
                    let mapping = taken.ok_or(SyncError::Busy)?;
                    // Nobody takes a request up again. If this process dies, a job goes on as soon as the lease has run out.
                    let promised = context.is_interactive().then_some(until);
                    if promised.is_some() {
                        let job = JobKind::SyncCustomer(self.system, record.id);
                        transaction.jobs().enqueue(&[job], until, since).await?;
                    }
                    Ok((Opened { mapping, customer: record, owner, since, promised }, transaction))
                })
            })
            .await
    }

    async fn add(
        &self,
        transaction: &mut dyn SyncTransaction,
        mapping: Mapping,
    ) -> Result<Mapping, SyncError> {
        // Somebody may have added one since `settle` looked; the next look finds it.
        if transaction.mappings().insert(&mapping).await? {
            Ok(mapping)
        } else {
            Err(StoreError::Conflict.into())
        }
    }

    pub(crate) fn new_mapping(&self, id: MappingId, record: &CustomerRecord, at: DateTime<Utc>) -> Mapping {
        Mapping {
            id,
            system: self.system,
            customer: record.id,
            contact: record.contacts.first().map_or(ContactId(0), |contact| contact.id),
            external: None,
            parts: PartnerParts::default(),
            status: MappingStatus::Pending,
            detached: None,
            base: SyncView::new(),
            agreed_at: crate::view::AgreedAt::new(),
            sent: SyncView::new(),
            kept: SyncView::new(),
            customer_version: None,
            missing_since: None,
            last_synced_at: None,
            error: None,
            lease: None,
            created_by: self.by(),
            updated_by: self.by(),
            created_at: at,
            updated_at: at,
            version: 0,
        }
    }

    /// Of the mappings that hang on this customer one is in use, the oldest if several were; others are out of use
    /// as long as the customer is one. Those whose contact has gone elsewhere are handed over.
    pub(super) async fn settle(
        &self,
        transaction: &mut dyn SyncTransaction,
        record: &CustomerRecord,
        at: DateTime<Utc>,
    ) -> Result<Option<Mapping>, StoreError> {
        self.hand_over(transaction, record, at).await?;
        let hanging = transaction.mappings().hanging_on(self.system, record.id).await?;
        let usable = |mapping: &Mapping| mapping.detached.is_none_or(|reason| reason == DetachReason::Merged);
        let mut usable: Vec<_> = hanging.into_iter().filter(usable).collect();
        // The one in use stays, whoever is older.
        usable.sort_by_key(|mapping| mapping.detached.is_some());
        let mut usable = usable.into_iter();
        let Some(leader) = usable.next() else { return Ok(None) };
        // First, since a customer has at most one in use.
        for other in usable {
            if other.detached.is_none() {
                self.step_aside(transaction, &leader, other, at).await?;
            }
        }
        self.lead(transaction, leader, record, at).await.map(Some)
    }

    /// Mappings that are filed here while their contact belongs to another customer by now.
    async fn hand_over(
        &self,
        transaction: &mut dyn SyncTransaction,
        record: &CustomerRecord,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        for mapping in transaction.mappings().of_customer(self.system, record.id).await? {
            let Some(contact) = transaction.contacts().get(mapping.contact).await? else { continue };
            if contact.customer == record.id {
                continue;
            }
            let others = transaction.mappings().of_customer(self.system, contact.customer).await?;
            let taken = others.iter().any(|other| other.detached.is_none());
            let (status, detached) = match mapping.detached {
                None if taken => (MappingStatus::Detached, Some(DetachReason::Merged)),
                reason => (mapping.status, reason),
            };
            let moved = Mapping {
                customer: contact.customer,
                customer_version: None,
                status,
                detached,
                ..self.touched(mapping, at)
            };
            transaction.mappings().update(&moved).await?;
            // The customer that has it now was never compared with this record.
            let job = JobKind::SyncCustomer(self.system, contact.customer);
            transaction.jobs().enqueue(&[job], at, at).await?;
        }
        Ok(())
    }

    /// Two records for one customer: one goes on being kept the same, and a person learns of the other.
    async fn step_aside(
        &self,
        transaction: &mut dyn SyncTransaction,
        leader: &Mapping,
        other: Mapping,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let aside = self.touched(other, at).out_of_use(DetachReason::Merged);
        transaction.mappings().update(&aside).await?;
        self.log_mapping(transaction, &aside, SyncOutcome::Detached, at).await?;
        self.tell_of_two_records(transaction, leader, &aside, at).await
    }

    /// Opens the question of a customer's second record, if both exist there.
    pub(super) async fn tell_of_two_records(
        &self,
        transaction: &mut dyn SyncTransaction,
        leader: &Mapping,
        other: &Mapping,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let text = |mapping: &Mapping| mapping.external.as_ref().and_then(|id| SyncText::new(id.as_str()));
        let (Some(local), Some(remote)) = (text(leader), text(other)) else { return Ok(()) };
        let draft = ConflictDraft {
            mapping: leader.id,
            system: self.system,
            customer: leader.customer,
            subject: ConflictSubject::SameCustomer,
            base: None,
            local: Some(local),
            remote: Some(remote),
            status: ConflictStatus::Open,
            rule: None,
            at,
        };
        transaction.conflicts().put(&draft).await?;
        Ok(())
    }

    async fn lead(
        &self,
        transaction: &mut dyn SyncTransaction,
        leader: Mapping,
        record: &CustomerRecord,
        at: DateTime<Utc>,
    ) -> Result<Mapping, StoreError> {
        let here = record.contacts.iter().any(|contact| contact.id == leader.contact);
        let contact = if here { leader.contact } else { self.new_mapping(leader.id, record, at).contact };
        let returns = leader.detached.is_some();
        let follows = Mapping {
            customer: record.id,
            contact,
            customer_version: leader.customer_version.filter(|_| leader.customer == record.id),
            status: if returns { MappingStatus::Pending } else { leader.status },
            detached: None,
            ..leader.clone()
        };
        if follows == leader {
            return Ok(leader);
        }
        let follows = self.touched(follows, at);
        transaction.mappings().update(&follows).await?;
        if returns {
            self.log_mapping(transaction, &follows, SyncOutcome::Attached, at).await?;
        }
        Ok(Mapping { version: follows.version + 1, ..follows })
    }

    pub(crate) fn touched(&self, mapping: Mapping, at: DateTime<Utc>) -> Mapping {
        Mapping { updated_at: at.max(mapping.updated_at), updated_by: self.by(), ..mapping }
    }

    pub(crate) async fn log_mapping(
        &self,
        transaction: &mut dyn SyncTransaction,
        mapping: &Mapping,
        outcome: SyncOutcome,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let attempt = self.attempt(mapping, outcome, &Progress::default(), SyncContext::default(), at);
        transaction.sync_log().append(&[attempt]).await
    }
}
