//! Users in a store.

use async_trait::async_trait;

use crate::store::StoreError;
use crate::user::{ExternalId, User};
use onefold_domain::id::UserId;

#[async_trait]
pub trait UserReader: Send + Sync {
    async fn get(&self, id: UserId) -> Result<Option<User>, StoreError>;

    async fn by_external_id(&self, id: &ExternalId) -> Result<Option<User>, StoreError>;

    /// These users, in no order; one that does not exist is left out.
    async fn get_many(&self, ids: &[UserId]) -> Result<Vec<User>, StoreError>;

    /// In ascending order of their ids, those behind `after`, at most `limit`.
    async fn list(&self, after: Option<UserId>, limit: usize) -> Result<Vec<User>, StoreError>;
}

#[async_trait]
pub trait UserRepository: Send {
    async fn get(&mut self, id: UserId) -> Result<Option<User>, StoreError>;

    async fn by_external_id(&mut self, id: &ExternalId) -> Result<Option<User>, StoreError>;

    /// `false`, and nothing stored, if the id or the external id is taken.
    async fn insert(&mut self, user: &User) -> Result<bool, StoreError>;

    /// Stores all but the id of a user that exists. `Conflict` if the external id is another one's.
    async fn update(&mut self, user: &User) -> Result<(), StoreError>;

    /// The users of this list that exist.
    async fn existing(&mut self, ids: &[UserId]) -> Result<Vec<UserId>, StoreError>;

    /// The users with these external ids.
    async fn by_external_ids(&mut self, ids: &[ExternalId]) -> Result<Vec<(ExternalId, UserId)>, StoreError>;
}
