//! Users and handled webhook calls in memory.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{MemoryStore, MemoryTransaction};
use onefold_domain::id::UserId;
use onefold_service::store::{DeliveryRepository, StoreError, UserReader, UserRepository};
use onefold_service::user::{ExternalId, User};

#[async_trait]
impl UserReader for MemoryStore {
    async fn get(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.read().await.users.get(&id).cloned())
    }

    async fn by_external_id(&self, id: &ExternalId) -> Result<Option<User>, StoreError> {
        let state = self.read().await;
        Ok(state.users.values().find(|user| user.external_id.as_ref() == Some(id)).cloned())
    }

    async fn get_many(&self, ids: &[UserId]) -> Result<Vec<User>, StoreError> {
        let state = self.read().await;
        Ok(ids.iter().filter_map(|id| state.users.get(id).cloned()).collect())
    }

    async fn list(&self, after: Option<UserId>, limit: usize) -> Result<Vec<User>, StoreError> {
        let state = self.read().await;
        let mut users: Vec<User> =
            state.users.values().filter(|user| after.is_none_or(|after| user.id > after)).cloned().collect();
        users.sort_by_key(|user| user.id);
        users.truncate(limit);
        Ok(users)
    }
}

#[async_trait]
impl UserRepository for MemoryTransaction {
    async fn get(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.state.users.get(&id).cloned())
    }

    async fn by_external_id(&mut self, id: &ExternalId) -> Result<Option<User>, StoreError> {
        Ok(self.state.users.values().find(|user| user.external_id.as_ref() == Some(id)).cloned())
    }

    async fn insert(&mut self, user: &User) -> Result<bool, StoreError> {
        let taken = match &user.external_id {
            Some(external) => self.by_external_id(external).await?.is_some(),
            None => false,
        };
        if taken || self.state.users.contains_key(&user.id) {
            return Ok(false);
        }
        self.state.users.insert(user.id, user.clone());
        Ok(true)
    }

    async fn update(&mut self, user: &User) -> Result<(), StoreError> {
        if let Some(external) = &user.external_id {
            let holder = self.by_external_id(external).await?;
            if holder.is_some_and(|holder| holder.id != user.id) {
                return Err(StoreError::Conflict);
            }
        }
        let known = self.state.users.get_mut(&user.id).ok_or(StoreError::Conflict)?;
        // No record changes before it was made.
        *known = User { updated_at: user.updated_at.max(user.created_at), ..user.clone() };
        Ok(())
    }

    async fn existing(&mut self, ids: &[UserId]) -> Result<Vec<UserId>, StoreError> {
        Ok(ids.iter().copied().filter(|id| self.state.users.contains_key(id)).collect())
    }

    async fn by_external_ids(&mut self, ids: &[ExternalId]) -> Result<Vec<(ExternalId, UserId)>, StoreError> {
        let named = |user: &User| {
            let external = user.external_id.clone().filter(|external| ids.contains(external))?;
            Some((external, user.id))
        };
        Ok(self.state.users.values().filter_map(named).collect())
    }
}

#[async_trait]
impl DeliveryRepository for MemoryTransaction {
    async fn remember(&mut self, source: &str, id: &str, at: DateTime<Utc>) -> Result<bool, StoreError> {
        Ok(self.state.deliveries.insert((source.to_owned(), id.to_owned()), at).is_none())
    }

    async fn forget_before(
        &mut self,
        source: &str,
        moment: DateTime<Utc>,
        limit: usize,
    ) -> Result<(), StoreError> {
        let old = self.state.deliveries.iter().filter(|((of, _), at)| of == source && **at < moment);
        for key in old.map(|(key, _)| key.clone()).take(limit).collect::<Vec<_>>() {
            self.state.deliveries.remove(&key);
        }
        Ok(())
    }
}
