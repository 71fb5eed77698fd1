//! Access tokens: who may do what. A token is a random secret that its holder shows with each request;
//! here only a hash of it is kept.

mod ability;
mod secret;

use chrono::{DateTime, TimeDelta, Utc};
use futures_core::future::BoxFuture;

use crate::audit::Change;
use crate::contacts::{Open, require_known_user};
use crate::{Acting, Environment, Failure, RecordError, StoreError, UserId};

pub use ability::{Abilities, Ability};
pub(crate) use secret::Secret;
pub use secret::{PlainToken, PresentedToken, TokenHash};

/// The number of a token, which its holder sends before the secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TokenId(pub i64);

/// A token as far as it can be told again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessToken {
    pub id: TokenId,
    pub name: TokenName,
    pub abilities: Abilities,
    /// The holder sees and changes this user's data only.
    pub user: Option<UserId>,
    /// From this moment on it is worth nothing.
    pub expires_at: Option<DateTime<Utc>>,
    /// To the minute: writing it down each time would make every read a write.
    pub last_used_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

impl AccessToken {
    pub fn has_expired(&self, at: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|end| end <= at)
    }

    fn was_used_lately(&self, at: DateTime<Utc>) -> bool {
        self.last_used_at.is_some_and(|last| at - last < TimeDelta::minutes(1))
    }
}

/// What a token is for, to be told from others: 1 to 255 characters, none of them a control character.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenName(Box<str>);

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("A token's name has 1 to 255 characters, none of them a control character.")]
pub struct InvalidTokenName;

impl TokenName {
    pub const MAX_LENGTH: usize = 255;

    /// # Errors
    /// A text that is empty, too long, or holds a control character.
    pub fn parse(text: &str) -> Result<Self, InvalidTokenName> {
        let text = text.trim();
        let length = text.chars().count();
        if length == 0 || length > Self::MAX_LENGTH || text.chars().any(char::is_control) {
            return Err(InvalidTokenName);
        }
        Ok(Self(text.into()))
    }

    /// A name that `parse` made before, read back from where it was stored.
    #[must_use]
    pub fn from_stored(name: String) -> Self {
        Self(name.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A token to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewToken {
    pub name: TokenName,
    pub abilities: Abilities,
    pub user: Option<UserId>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// Makes tokens, takes them back, and says whose a secret is.
#[derive(Clone)]
pub struct Tokens {
    env: Environment,
}

impl Tokens {
    pub fn new(env: Environment) -> Self {
        Self { env }
    }

    /// The same, on behalf of somebody.
    #[must_use]
    pub fn acting(&self, acting: &Acting) -> Self {
        Self { env: self.env.clone().acting(acting.clone()) }
    }

    /// The secret is in the answer and nowhere else.
    ///
    /// # Errors
    /// [`RecordError::NoSuchUser`], a store that does not answer.
    pub async fn create(&self, new: &NewToken) -> Result<(AccessToken, PlainToken), RecordError> {
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
        Ok(!self.list(None, 1).await?.is_empty())
    }

    /// Tokens that were not revoked, ascending, those behind `after`, at most `limit`.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn list(&self, after: Option<TokenId>, limit: usize) -> Result<Vec<AccessToken>, StoreError> {
        self.env.store.tokens().list(after, limit).await
    }

    /// # Errors
    /// A store that does not answer.
    pub async fn token(&self, id: TokenId) -> Result<Option<AccessToken>, StoreError> {
        Ok(self.env.store.tokens().get(id).await?.map(|(token, _)| token))
    }

    /// From now on the token is worth nothing, in every process. `false` if there is no such token.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn revoke(&self, id: TokenId) -> Result<bool, RecordError> {
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
