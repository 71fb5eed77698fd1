//! Users and handled webhook calls in memory.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{MemoryStore, MemoryTransaction};
use crate::{DeliveryRepository, ExternalId, StoreError, User, UserId, UserReader, UserRepository};

#[async_trait]
impl UserReader for MemoryStore {
    async fn get(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.read().await.users.get(&id).cloned())
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
        let known = self.state.users.get_mut(&user.id).ok_or(StoreError::Conflict)?;
        known.profile = user.profile.clone();
        known.updated_at = known.updated_at.max(user.updated_at);
        Ok(())
    }

    async fn existing(&mut self, ids: &[UserId]) -> Result<Vec<UserId>, StoreError> {
        Ok(ids.iter().copied().filter(|id| self.state.users.contains_key(id)).collect())
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
