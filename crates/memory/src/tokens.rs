//! Access tokens in memory.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::state::{State, Token};
use crate::{MemoryStore, MemoryTransaction};
use onefold_service::store::{StoreError, TokenReader, TokenRepository};
use onefold_service::token::{AccessToken, NewToken, TokenExpiry, TokenHash, TokenId};

#[async_trait]
impl TokenReader for MemoryStore {
    async fn get(&self, id: TokenId) -> Result<Option<(AccessToken, TokenHash)>, StoreError> {
        let state = self.read().await;
        Ok(good(&state).find(|known| known.token.id == id).map(|known| (known.token.clone(), known.hash)))
    }

    async fn by_hash(&self, hash: &TokenHash) -> Result<Option<(AccessToken, TokenHash)>, StoreError> {
        let state = self.read().await;
        Ok(good(&state).find(|known| known.hash == *hash).map(|known| (known.token.clone(), known.hash)))
    }

    async fn list(&self, after: Option<TokenId>, limit: usize) -> Result<Vec<AccessToken>, StoreError> {
        let state = self.read().await;
        let behind = good(&state).filter(|known| after.is_none_or(|after| known.token.id > after));
        Ok(behind.take(limit).map(|known| known.token.clone()).collect())
    }
}

/// The tokens that were not revoked, ascending.
fn good(state: &State) -> impl Iterator<Item = &Token> {
    state.tokens.values().filter(|known| !known.revoked)
}

#[async_trait]
impl TokenRepository for MemoryTransaction {
    async fn insert(
        &mut self,
        new: &NewToken,
        hash: &TokenHash,
        at: DateTime<Utc>,
    ) -> Result<AccessToken, StoreError> {
        let last = self.state.tokens.get_max().map_or(0, |(id, _)| id.0);
        let token = AccessToken {
            id: TokenId(last + 1),
            name: new.name.clone(),
            abilities: new.abilities.clone(),
            user: new.user,
            expires_at: new.expires_at.map(TokenExpiry::moment),
            last_used_at: None,
            created_at: at,
        };
        self.state.tokens.insert(token.id, Token { token: token.clone(), hash: *hash, revoked: false });
        Ok(token)
    }

    async fn by_hash(&mut self, hash: &TokenHash) -> Result<Option<AccessToken>, StoreError> {
        let known = self.state.tokens.values().find(|known| known.hash == *hash);
        Ok(known.map(|known| known.token.clone()))
    }

    async fn exist(&mut self) -> Result<bool, StoreError> {
        Ok(good(&self.state).next().is_some())
    }

    async fn revoke(&mut self, id: TokenId, _at: DateTime<Utc>) -> Result<Option<AccessToken>, StoreError> {
        let Some(known) = self.state.tokens.get_mut(&id) else { return Ok(None) };
        let was_revoked = std::mem::replace(&mut known.revoked, true);
        Ok((!was_revoked).then(|| known.token.clone()))
    }

    async fn touch(&mut self, id: TokenId, at: DateTime<Utc>) -> Result<(), StoreError> {
        if let Some(known) = self.state.tokens.get_mut(&id) {
            known.token.last_used_at = Some(at);
        }
        Ok(())
    }
}
