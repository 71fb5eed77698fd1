//! Access tokens: who may do what. A token is a random secret that its holder shows with each request;
//! here only a hash of it is kept.

use futures_core::future::BoxFuture;

use crate::actor::Acting;
use crate::contacts::require_known_user;
use crate::environment::Environment;
use crate::error::RecordError;
use crate::page::Page;
use crate::retry::Failure;
use crate::store::Open;
use crate::store::StoreError;
use crate::token::{
    AccessToken, NewToken, NotYours, PlainToken, PresentedToken, Secret, TokenAuthority, TokenId,
};
use crate::trail::Change;

/// Why no token was made.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error(transparent)]
    NotYours(#[from] NotYours),
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// Some tokens, ascending, and the one that the next page follows. A page may be short of its limit and go on.
pub type TokenPage = Page<AccessToken, TokenId>;

/// How many tokens are read at once to find those that somebody may see.
const STRETCH: usize = 500;

/// How often for one page. Where many users have registered, most tokens may be others'.
const STRETCHES: usize = 10;

/// Makes tokens, takes them back, and says whose a secret is.
#[derive(Clone)]
pub struct Tokens {
    env: Environment,
    authority: TokenAuthority,
}

impl Tokens {
    /// On the word of an operator.
    pub fn new(env: Environment) -> Self {
        Self { env, authority: TokenAuthority::Operator }
    }

    /// Tokens that are made and taken back on behalf of whoever acts, as the audit trail tells it.
    #[must_use]
    pub fn acting(&self, acting: &Acting) -> Self {
        Self { env: self.env.clone().acting(acting.clone()), ..self.clone() }
    }

    /// Tokens as the holder of this one may manage them: none that permits more than it, and none that outlives it.
    #[must_use]
    pub fn held_by(&self, token: &AccessToken) -> Self {
        Self { authority: TokenAuthority::of(token), ..self.clone() }
    }

    /// The secret is in the answer and nowhere else.
    ///
    /// # Errors
    /// [`NotYours`], [`RecordError::NoSuchUser`], a store that does not answer.
    pub async fn create(&self, new: &NewToken) -> Result<(AccessToken, PlainToken), TokenError> {
        self.authority.may_make(new)?;
        Ok(self.make(new).await?)
    }

    async fn make(&self, new: &NewToken) -> Result<(AccessToken, PlainToken), RecordError> {
        let secret = self.secret()?;
        let (env, hash, at) = (&self.env, secret.hash(), self.env.clock.now());
        let inserting = |mut transaction: Open| -> BoxFuture<'_, _> {
            Box::pin(async move {
                let tokens = transaction.tokens();
                // An earlier try that was carried out after all.
                if let Some(token) = tokens.by_hash(&hash).await? {
                    return Ok((token, transaction));
                }
                require_known_user(transaction.as_mut(), new.user).await?;
                let token = transaction.tokens().insert(new, &hash, at).await?;
                env.record(transaction.as_mut(), at, vec![Change::token_created(&token)]).await?;
                Ok((token, transaction))
            })
        };
        let token = env.in_transaction(inserting).await?;
        let plain = secret.of_token(token.id);
        Ok((token, plain))
    }

    /// The token that lets somebody in at all: made once in the life of a database, however many
    /// processes start on it, and only while there is no other. `None` if that was before.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn create_first(&self, new: &NewToken) -> Result<Option<PlainToken>, RecordError> {
        let secret = self.secret()?;
        let (env, hash, at) = (&self.env, secret.hash(), self.env.clock.now());
        let inserting = |mut transaction: Open| -> BoxFuture<'_, _> {
            Box::pin(async move {
                if let Some(token) = transaction.tokens().by_hash(&hash).await? {
                    return Ok((Some(token), transaction));
                }
                let is_first = transaction.deliveries().remember("onefold", "first-token", at).await?;
                if !is_first || transaction.tokens().exist().await? {
                    return Ok((None, transaction));
                }
                let token = transaction.tokens().insert(new, &hash, at).await?;
                env.record(transaction.as_mut(), at, vec![Change::token_created(&token)]).await?;
                Ok((Some(token), transaction))
            })
        };
        let token = env.in_transaction(inserting).await?;
        Ok(token.map(|token| secret.of_token(token.id)))
    }

    /// Whether there is any that was not revoked. One that expired counts: somebody meant to let callers in.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn exist(&self) -> Result<bool, StoreError> {
        Ok(!self.env.store.tokens().list(None, 1).await?.is_empty())
    }

    /// Tokens that were not revoked and permit no more than the one who asks may, those behind `after`, at most `limit`.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn list(&self, after: Option<TokenId>, limit: usize) -> Result<TokenPage, StoreError> {
        let mut page = Page { entries: Vec::new(), next: after };
        for _ in 0..STRETCHES {
            let read = self.env.store.tokens().list(page.next, STRETCH).await?;
            let ended = read.len() < STRETCH;
            for token in read {
                let is_theirs = self.authority.covers(&token.abilities);
                // One more than asked for tells whether there is another page.
                if is_theirs && page.entries.len() == limit {
                    return Ok(page);
                }
                page.next = Some(token.id);
                page.entries.extend(is_theirs.then_some(token));
            }
            if ended {
                return Ok(Page { next: None, ..page });
            }
        }
        Ok(page)
    }

    /// The token, unless it permits more than the one who asks may: then it is as if there were none.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn token(&self, id: TokenId) -> Result<Option<AccessToken>, StoreError> {
        let found = self.env.store.tokens().get(id).await?.map(|(token, _)| token);
        Ok(found.filter(|token| self.authority.covers(&token.abilities)))
    }

    /// From now on the token is worth nothing, in every process. `false` if there is no such token that the one who asks
    /// may see.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn revoke(&self, id: TokenId) -> Result<bool, RecordError> {
        // What a token permits never changes, so that it can be asked before the transaction.
        if self.token(id).await?.is_none() {
            return Ok(false);
        }
        let (env, at) = (&self.env, self.env.clock.now());
        let revoking = |mut transaction: Open| -> BoxFuture<'_, _> {
            Box::pin(async move {
                let revoked = transaction.tokens().revoke(id, at).await?;
                let changes = revoked.as_ref().map(Change::token_revoked);
                env.record(transaction.as_mut(), at, Vec::from_iter(changes)).await?;
                Ok((revoked.is_some(), transaction))
            })
        };
        env.in_transaction(revoking).await
    }

    /// The token of this secret, if it is good now. Nobody is told why it is not.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn authenticate(&self, presented: &PresentedToken) -> Result<Option<AccessToken>, StoreError> {
        let tokens = self.env.store.tokens();
        let found = match presented.id {
            // By its number and then compared: a search by hash would take a time that depends on the secret.
            Some(id) => tokens.get(id).await?,
            None => tokens.by_hash(&presented.hash).await?,
        };
        let now = self.env.clock.now();
        let good = found.filter(|(token, hash)| *hash == presented.hash && !token.has_expired(now));
        Ok(good.map(|(token, _)| token))
    }

    /// Notes that a token is in use, at most once a minute.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn note_use(&self, token: &AccessToken) -> Result<(), RecordError> {
        let (env, id, now) = (&self.env, token.id, self.env.clock.now());
        if token.was_used_lately(now) {
            return Ok(());
        }
        let touching = |mut transaction: Open| -> BoxFuture<'_, _> {
            Box::pin(async move { Ok((transaction.tokens().touch(id, now).await?, transaction)) })
        };
        env.in_transaction(touching).await
    }

    fn secret(&self) -> Result<Secret, RecordError> {
        Secret::generate(self.env.randomness.as_ref())
            .map_err(|error| Failure::Store(StoreError::Backend(error.into())).into())
    }
}
