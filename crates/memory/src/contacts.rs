//! Contacts in memory.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::state::Contact;
use crate::{MemoryStore, MemoryTransaction};
use onefold_domain::block::BlockRule;
use onefold_domain::contact::{ContactDraft, ContactKind, ContactRecord, EvidenceOrder};
use onefold_domain::id::{ContactId, CustomerId, UserId};
use onefold_service::store::{
    BlockedValues, ContactFilter, ContactReader, ContactRepository, FiledDraft, StoreError,
};

#[async_trait]
impl ContactReader for MemoryStore {
    async fn get(&self, id: ContactId) -> Result<Option<ContactRecord>, StoreError> {
        Ok(self.read().await.record(id))
    }

    async fn list(
        &self,
        filter: &ContactFilter,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactRecord>, StoreError> {
        let state = self.read().await;
        let customer = filter.customer.and_then(|id| state.root(id));
        let wanted = |record: &ContactRecord| {
            after.is_none_or(|after| record.id > after)
                && filter.kind.is_none_or(|kind| record.kind() == kind)
                && filter.email.as_ref().is_none_or(|email| record.statement.email() == Some(email))
                && filter.phone.as_ref().is_none_or(|phone| record.statement.phone() == Some(phone))
                && filter.user.is_none_or(|user| record.user() == Some(user))
                && (filter.customer.is_none() || customer == Some(record.customer))
                && filter.source.is_none_or(|source| record.source == source)
                && !(filter.is_proven && record.is_unproven())
                && filter.metadata.iter().all(|member| member.matches(&record.details.metadata))
        };
        Ok(state.records().filter(wanted).take(limit).collect())
    }

    async fn contested_verifications(&self) -> Result<u64, StoreError> {
        let elsewhere = Some(BlockRule::VerifiedElsewhere);
        let contested = |record: &ContactRecord| {
            record.details.verified_at.is_some()
                && [record.email_blocked_by, record.phone_blocked_by].contains(&elsewhere)
        };
        Ok(self.read().await.records().filter(contested).count() as u64)
    }
}

impl MemoryTransaction {
    fn add(
        &mut self,
        id: ContactId,
        draft: &ContactDraft,
        customer: CustomerId,
        (created_at, updated_at): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<(), StoreError> {
        let user = draft.statement.user();
        if user.is_some_and(|user| !self.state.users.contains_key(&user)) {
            return Err(StoreError::Backend("there is no such user".into()));
        }
        let contact = Contact {
            filed_under: customer,
            order: EvidenceOrder(id.0),
            statement: draft.statement.clone(),
            claimed_by: draft.claimed_by,
            email_blocked_by: draft.email_blocked_by,
            phone_blocked_by: draft.phone_blocked_by,
            source: draft.source,
            details: draft.details.clone(),
            received: draft.received.clone(),
            import: draft.import,
            origin: draft.origin,
            created_at,
            updated_at,
            withdrawn_at: None,
            version: 1,
        };
        let filed = self.state.customers.get_mut(&customer).ok_or(StoreError::Conflict)?;
        filed.contacts.push_back(id);
        self.state.contacts.insert(id, contact);
        self.state.last_contact = self.state.last_contact.max(id.0);
        Ok(())
    }
}

/// Whether the rule may cease to keep the value from linking: any may but the one that asks the policy.
fn may_end(rule: Option<BlockRule>) -> bool {
    rule.is_some_and(|rule| rule != BlockRule::NeverLinks)
}

#[async_trait]
impl ContactRepository for MemoryTransaction {
    async fn insert(
        &mut self,
        contact: &ContactDraft,
        customer: CustomerId,
        at: DateTime<Utc>,
    ) -> Result<ContactId, StoreError> {
        let id = ContactId(self.state.last_contact + 1);
        self.add(id, contact, customer, (at, at))?;
        Ok(id)
    }

    async fn reserve_ids(&mut self, count: usize) -> Result<Vec<ContactId>, StoreError> {
        let first = self.state.last_contact + 1;
        let ids: Vec<_> = (first..).take(count).map(ContactId).collect();
        self.state.last_contact = ids.last().map_or(self.state.last_contact, |id| id.0);
        Ok(ids)
    }

    async fn insert_batch(&mut self, contacts: &[FiledDraft], at: DateTime<Utc>) -> Result<(), StoreError> {
        for filed in contacts {
            self.add(filed.id, &filed.draft, filed.customer, filed.times.unwrap_or((at, at)))?;
        }
        Ok(())
    }

    async fn get(&mut self, id: ContactId) -> Result<Option<ContactRecord>, StoreError> {
        Ok(self.state.record(id))
    }

    async fn get_many(&mut self, ids: &[ContactId]) -> Result<Vec<ContactRecord>, StoreError> {
        let mut records: Vec<_> = ids.iter().filter_map(|id| self.state.record(*id)).collect();
        records.sort_by_key(|record| record.id);
        Ok(records)
    }

    async fn update(&mut self, record: &ContactRecord) -> Result<(), StoreError> {
        let contact = self.state.contacts.get_mut(&record.id).ok_or(StoreError::Conflict)?;
        contact.order = record.order;
        contact.statement = record.statement.clone();
        contact.claimed_by = record.claimed_by;
        contact.email_blocked_by = record.email_blocked_by;
        contact.phone_blocked_by = record.phone_blocked_by;
        contact.source = record.source;
        contact.details = record.details.clone();
        contact.received = record.received.clone();
        contact.import = record.import;
        contact.updated_at = contact.updated_at.max(record.updated_at);
        contact.version = record.version;
        Ok(())
    }

    async fn clear_primary(
        &mut self,
        user: UserId,
        kind: ContactKind,
        except: Option<ContactId>,
        at: DateTime<Utc>,
    ) -> Result<Vec<ContactId>, StoreError> {
        let shares = |record: &ContactRecord| match kind {
            ContactKind::Email => record.statement.email().is_some(),
            ContactKind::Phone => record.statement.phone().is_some(),
            ContactKind::Both => true,
        };
        let others: Vec<ContactRecord> = self
            .state
            .records()
            .filter(|record| record.user() == Some(user) && record.details.is_primary && shares(record))
            .filter(|record| Some(record.id) != except)
            .collect();
        let ids = others.iter().map(|record| record.id).collect();
        for mut record in others {
            record.step_back(at);
            self.update(&record).await?;
        }
        Ok(ids)
    }

    async fn withdraw(&mut self, id: ContactId, at: DateTime<Utc>) -> Result<(), StoreError> {
        let contact = self.state.contacts.get_mut(&id).ok_or(StoreError::Conflict)?;
        contact.withdrawn_at = Some(at);
        contact.details.is_primary = false;
        contact.version += 1;
        contact.updated_at = contact.updated_at.max(at);
        let filed = contact.filed_under;
        if let Some(customer) = self.state.customers.get_mut(&filed) {
            customer.contacts.retain(|contact| *contact != id);
        }
        Ok(())
    }

    async fn refile(&mut self, ids: &[ContactId], customer: CustomerId) -> Result<(), StoreError> {
        for id in ids {
            let contact = self.state.contacts.get_mut(id).ok_or(StoreError::Conflict)?;
            let before = std::mem::replace(&mut contact.filed_under, customer);
            if let Some(before) = self.state.customers.get_mut(&before) {
                before.contacts.retain(|contact| contact != id);
            }
            let filed = self.state.customers.get_mut(&customer).ok_or(StoreError::Conflict)?;
            filed.contacts.push_back(*id);
        }
        Ok(())
    }

    async fn blocked(&mut self, values: &BlockedValues) -> Result<Vec<ContactRecord>, StoreError> {
        let email = |record: &ContactRecord| {
            may_end(record.email_blocked_by)
                && record.statement.email().is_some_and(|email| values.has_email(email))
        };
        let phone = |record: &ContactRecord| {
            may_end(record.phone_blocked_by)
                && record.statement.phone().is_some_and(|phone| values.phones.contains(phone))
        };
        Ok(self.state.records().filter(|record| email(record) || phone(record)).collect())
    }

    async fn last_order(&mut self) -> Result<EvidenceOrder, StoreError> {
        Ok(EvidenceOrder(self.state.last_contact))
    }

    async fn next_order(&mut self) -> Result<EvidenceOrder, StoreError> {
        self.state.last_contact += 1;
        Ok(EvidenceOrder(self.state.last_contact))
    }

    async fn primaries_of(&mut self, users: &[UserId]) -> Result<Vec<(UserId, ContactKind)>, StoreError> {
        let primary = |record: ContactRecord| {
            let user = record.user().filter(|user| record.details.is_primary && users.contains(user))?;
            Some((user, record.kind()))
        };
        Ok(self.state.records().filter_map(primary).collect())
    }

    async fn of_user(&mut self, user: UserId, limit: usize) -> Result<Vec<ContactRecord>, StoreError> {
        Ok(self.state.records().filter(|record| record.user() == Some(user)).take(limit).collect())
    }
}
