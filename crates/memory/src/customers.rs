//! Customers, their keys and the record of merges in memory.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use imbl::Vector;

use crate::state::{Customer, Link};
use crate::{MemoryStore, MemoryTransaction};
use onefold_domain::customer::CustomerRecord;
use onefold_domain::id::{ContactId, CustomerId, LinkId};
use onefold_domain::link_key::LinkKey;
use onefold_domain::linking::{Candidates, CustomerSnapshot, DetailedContact, JoinRecord};
use onefold_service::search::SearchQuery;
use onefold_service::store::{
    CustomerBatch, CustomerReader, CustomerRepository, LinkDraft, LinkRepository, ListedCustomer, StoreError,
};

#[async_trait]
impl CustomerReader for MemoryStore {
    async fn get(&self, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError> {
        Ok(self.read().await.customer_record(id))
    }

    async fn list(&self, after: Option<ContactId>, limit: usize) -> Result<Vec<ListedCustomer>, StoreError> {
        let state = self.read().await;
        let oldest = state
            .records()
            .filter(|record| after.is_none_or(|after| record.id > after) && record.primary == record.id);
        let listed = oldest.map(|record| ListedCustomer {
            oldest: record.id,
            id: record.customer,
            version: record.customer_version,
        });
        Ok(listed.take(limit).collect())
    }

    async fn search(
        &self,
        query: &SearchQuery,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<(ContactId, CustomerId)>, StoreError> {
        let state = self.read().await;
        let found = state
            .records()
            .filter(|record| after.is_none_or(|after| record.id > after) && query.matches(record))
            .map(|record| (record.id, record.customer));
        Ok(found.take(limit).collect())
    }
}

#[async_trait]
impl CustomerRepository for MemoryTransaction {
    async fn lock_candidates(&mut self, keys: &[LinkKey]) -> Result<Candidates, StoreError> {
        Ok(self.state.candidates(keys))
    }

    async fn candidates_of_many(&mut self, keys: &[LinkKey]) -> Result<Candidates, StoreError> {
        Ok(self.state.candidates(keys))
    }

    async fn advance(&mut self, id: CustomerId, version: i64, at: DateTime<Utc>) -> Result<(), StoreError> {
        match self.state.customers.get_mut(&id) {
            Some(customer) if customer.version == version && customer.root == id => {
                customer.version += 1;
                customer.updated_at = customer.updated_at.max(at);
                Ok(())
            }
            _ => Err(StoreError::Conflict),
        }
    }

    async fn advance_many(
        &mut self,
        guards: &[(CustomerId, i64)],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        for (id, version) in guards {
            self.advance(*id, *version, at).await?;
        }
        Ok(())
    }

    async fn insert(&mut self, id: CustomerId, at: DateTime<Utc>) -> Result<(), StoreError> {
        if self.state.customers.contains_key(&id) {
            return Err(StoreError::Backend("the customer exists".into()));
        }
        let customer = Customer {
            root: id,
            version: 1,
            primary: None,
            contacts: Vector::new(),
            created_at: at,
            updated_at: at,
        };
        self.state.customers.insert(id, customer);
        self.state.members.insert(id, vec![id]);
        Ok(())
    }

    async fn set_primary(&mut self, id: CustomerId, primary: Option<ContactId>) -> Result<(), StoreError> {
        self.state.customers.get_mut(&id).ok_or(StoreError::Conflict)?.primary = primary;
        Ok(())
    }

    async fn absorb(
        &mut self,
        survivor: CustomerId,
        absorbed: CustomerId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let moved = self.state.members.remove(&absorbed).ok_or(StoreError::Conflict)?;
        for member in &moved {
            if let Some(customer) = self.state.customers.get_mut(member) {
                customer.root = survivor;
                customer.updated_at = customer.updated_at.max(at);
            }
        }
        self.state.members.entry(survivor).or_default().extend(moved);
        Ok(())
    }

    async fn restore(&mut self, id: CustomerId, at: DateTime<Utc>) -> Result<(), StoreError> {
        let customer = self.state.customers.get_mut(&id).ok_or(StoreError::Conflict)?;
        let root = std::mem::replace(&mut customer.root, id);
        customer.version += 1;
        customer.updated_at = customer.updated_at.max(at);
        if let Some(members) = self.state.members.get_mut(&root) {
            members.retain(|member| *member != id);
        }
        self.state.members.insert(id, vec![id]);
        Ok(())
    }

    async fn claim(&mut self, keys: &[LinkKey], id: CustomerId) -> Result<(), StoreError> {
        if !self.state.customers.contains_key(&id) {
            return Err(StoreError::Backend("there is no such customer".into()));
        }
        for key in keys {
            if self.state.keys.insert(key.clone(), id).is_some() {
                return Err(StoreError::Conflict);
            }
        }
        Ok(())
    }

    async fn key_owners(&mut self, keys: &[LinkKey]) -> Result<Vec<(LinkKey, CustomerId)>, StoreError> {
        let owner = |key: &LinkKey| self.state.keys.get(key).map(|owner| (key.clone(), *owner));
        Ok(keys.iter().filter_map(owner).collect())
    }

    async fn release(&mut self, keys: &[LinkKey]) -> Result<(), StoreError> {
        for key in keys {
            self.state.keys.remove(key);
        }
        Ok(())
    }

    async fn refile(&mut self, keys: &[LinkKey], id: CustomerId) -> Result<(), StoreError> {
        for key in keys {
            self.state.keys.insert(key.clone(), id);
        }
        Ok(())
    }

    async fn snapshot(&mut self, id: CustomerId) -> Result<CustomerSnapshot, StoreError> {
        let state = &self.state;
        let customer = state.customers.get(&id).ok_or(StoreError::Conflict)?;
        let members = state.members.get(&id).ok_or(StoreError::Conflict)?;
        let detailed = |id: ContactId| {
            state.contacts.get(&id).map(|contact| DetailedContact {
                id,
                order: contact.order,
                filed_under: contact.filed_under,
                statement: contact.statement.clone(),
                verified_at: contact.details.verified_at,
                claimed_by: contact.claimed_by,
                email_blocked_by: contact.email_blocked_by,
                phone_blocked_by: contact.phone_blocked_by,
            })
        };
        let joins = state.links.iter().zip(1..).filter(|(link, _)| {
            link.revoked_at.is_none() && link.draft.contact.is_none() && members.contains(&link.filed_under)
        });
        let joined = |(link, number): (&Link, i64)| JoinRecord {
            id: LinkId(number),
            after: link.draft.after,
            filed_under: link.filed_under,
            statement: link.draft.statement.clone(),
            beside: link.draft.beside.clone(),
        };
        Ok(CustomerSnapshot {
            id,
            version: customer.version,
            absorbed: members.iter().copied().filter(|member| *member != id).collect(),
            contacts: state.contacts_of(id).into_iter().filter_map(detailed).collect(),
            joins: joins.map(joined).collect(),
        })
    }

    async fn get(&mut self, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError> {
        Ok(self.state.customer_record(id))
    }

    async fn write_batch(&mut self, batch: &CustomerBatch, at: DateTime<Utc>) -> Result<(), StoreError> {
        for (id, primary) in &batch.new {
            CustomerRepository::insert(self, *id, at).await?;
            self.set_primary(*id, Some(*primary)).await?;
        }
        for (key, id) in &batch.claims {
            self.claim(std::slice::from_ref(key), *id).await?;
        }
        for (survivor, absorbed) in &batch.absorbed {
            self.absorb(*survivor, *absorbed, at).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl LinkRepository for MemoryTransaction {
    async fn insert(&mut self, link: &LinkDraft) -> Result<(), StoreError> {
        self.state.links.push_back(Link {
            draft: link.clone(),
            filed_under: link.survivor,
            revoked_at: None,
        });
        Ok(())
    }

    async fn revoke_of(&mut self, contact: ContactId, at: DateTime<Utc>) -> Result<(), StoreError> {
        for link in &mut self.state.links {
            if link.draft.contact == Some(contact) {
                link.revoked_at = link.revoked_at.or(Some(at));
            }
        }
        Ok(())
    }

    async fn revoke(&mut self, ids: &[LinkId], at: DateTime<Utc>) -> Result<(), StoreError> {
        for id in ids {
            let link = self.link(*id)?;
            link.revoked_at = link.revoked_at.or(Some(at));
        }
        Ok(())
    }

    async fn refile(&mut self, ids: &[LinkId], customer: CustomerId) -> Result<(), StoreError> {
        for id in ids {
            self.link(*id)?.filed_under = customer;
        }
        Ok(())
    }
}

impl MemoryTransaction {
    /// Links are numbered in the order in which they came, from 1.
    fn link(&mut self, id: LinkId) -> Result<&mut Link, StoreError> {
        let index = usize::try_from(id.0 - 1).map_err(|_| StoreError::Conflict)?;
        self.state.links.get_mut(index).ok_or(StoreError::Conflict)
    }
}
