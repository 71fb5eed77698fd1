//! Access tokens in a store.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::store::StoreError;
use crate::token::{AccessToken, NewToken, TokenHash, TokenId};

/// Access tokens that were not revoked.
#[async_trait]
pub trait TokenReader: Send + Sync {
    async fn get(&self, id: TokenId) -> Result<Option<(AccessToken, TokenHash)>, StoreError>;

    async fn by_hash(&self, hash: &TokenHash) -> Result<Option<(AccessToken, TokenHash)>, StoreError>;

    /// In ascending order of their ids, those behind `after`, at most `limit`.
    async fn list(&self, after: Option<TokenId>, limit: usize) -> Result<Vec<AccessToken>, StoreError>;
}

#[async_trait]
pub trait TokenRepository: Send {
    async fn insert(
        &mut self,
        new: &NewToken,
        hash: &TokenHash,
        at: DateTime<Utc>,
    ) -> Result<AccessToken, StoreError>;

    /// The token of this hash, also one that was revoked.
    async fn by_hash(&mut self, hash: &TokenHash) -> Result<Option<AccessToken>, StoreError>;

    /// Whether there is any that was not revoked.
    async fn exist(&mut self) -> Result<bool, StoreError>;

    /// The token as it was; `None` if there is no such token, or none any more.
    async fn revoke(&mut self, id: TokenId, at: DateTime<Utc>) -> Result<Option<AccessToken>, StoreError>;

    async fn touch(&mut self, id: TokenId, at: DateTime<Utc>) -> Result<(), StoreError>;
}
