//! Users: accounts that contacts may belong to, registered here or known from an identity provider.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use futures_core::future::BoxFuture;

use crate::actor::Acting;
use crate::environment::Environment;
use crate::error::RecordError;
use crate::page::Page;
use crate::store::Open;
use crate::store::{StoreError, Transaction};
use crate::trail::Change;
use crate::user::{ExternalId, User};
use onefold_domain::id::UserId;
use onefold_domain::origin::HubId;
use onefold_domain::profile::Profile;

/// A user to be added.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct NewUser {
    /// The id that the user is to have; `None` asks for a new one.
    pub id: Option<UserId>,
    pub external_id: Option<ExternalId>,
    pub profile: Option<Profile>,
}

/// Users, and the one that the next page follows.
pub type UserPage = Page<User, UserId>;

/// Keeps users on a store.
#[derive(Clone)]
pub struct Users {
    env: Environment,
}

impl Users {
    pub fn new(env: Environment) -> Self {
        Self { env }
    }

    /// Users that are kept on behalf of whoever acts, as the audit trail tells it.
    #[must_use]
    pub fn acting(&self, acting: &Acting) -> Self {
        Self { env: self.env.clone().acting(acting.clone()) }
    }

    /// # Errors
    /// [`RecordError::UserExists`] if the id or the external id is taken; a store that does not answer.
    pub async fn create_user(&self, new: &NewUser) -> Result<User, RecordError> {
        let env = &self.env;
        let at = env.clock.now();
        // Chosen once, so that a second try finds the work of the first.
        let id = new.id.unwrap_or_else(|| UserId(env.randomness.uuid(at)));
        let user = User {
            id,
            external_id: new.external_id.clone(),
            profile: new.profile.clone().filter(|profile| !profile.is_empty()),
            created_at: at,
            updated_at: at,
        };
        let inserting = |mut transaction: Open| -> BoxFuture<'_, _> {
            let user = user.clone();
            Box::pin(async move { Ok((insert(transaction.as_mut(), env, &user).await?, transaction)) })
        };
        env.in_transaction(inserting).await?;
        Ok(user)
    }

    /// # Errors
    /// [`RecordError::NoSuchUser`], a store that does not answer.
    pub async fn user(&self, id: UserId) -> Result<User, RecordError> {
        self.env.store.users().get(id).await?.ok_or(RecordError::NoSuchUser)
    }

    /// The user whom a caller names by the id, or by the one that another system gave. A system may name its
    /// users by UUIDs as well, so that what could be an id is one only if there is such a user, or nobody is
    /// called so. `None` for a name that nobody has and that is no UUID.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn named(&self, name: &str) -> Result<Option<UserId>, RecordError> {
        let users = self.env.store.users();
        let id = Uuid::try_parse(name).ok().map(UserId);
        if let Some(id) = id
            && users.get(id).await?.is_some()
        {
            return Ok(Some(id));
        }
        let called = match ExternalId::parse(name) {
            Ok(external) => users.by_external_id(&external).await?,
            Err(_) => None,
        };
        Ok(called.map(|user| user.id).or(id))
    }

    /// # Errors
    /// A store that does not answer.
    pub async fn by_external_id(&self, id: &ExternalId) -> Result<Option<User>, RecordError> {
        Ok(self.env.store.users().by_external_id(id).await?)
    }

    /// Users in ascending order of their ids, those behind `after`, at most `limit`.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn users(&self, after: Option<UserId>, limit: u16) -> Result<UserPage, RecordError> {
        let users = self.env.store.users();
        let page = Page::read(usize::from(limit), |wanted| users.list(after, wanted), |user: &User| user.id);
        Ok(page.await?)
    }

    /// The name of this database, by which others know what came from it.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn hub(&self) -> Result<HubId, RecordError> {
        self.env.hub().await
    }
}

/// Adds the user, or puts what is known of it now over what was known before.
pub(crate) async fn keep_user(
    transaction: &mut dyn Transaction,
    env: &Environment,
    id: UserId,
    profile: Option<&Profile>,
    at: DateTime<Utc>,
) -> Result<User, RecordError> {
    let profile = profile.cloned().filter(|profile| !profile.is_empty());
    let user = User { id, external_id: None, profile, created_at: at, updated_at: at };
    if transaction.users().insert(&user).await? {
        env.record(transaction, at, vec![Change::user_created(&user)]).await?;
        return Ok(user);
    }
    // Taken, but not to be seen: somebody else is adding it this moment.
    let known = transaction.users().get(id).await?.ok_or(StoreError::Conflict)?;
    let Some(newer) = user.profile else { return Ok(known) };
    let profile = known.profile.clone().unwrap_or_default().overlay(&newer);
    if known.profile.as_ref() == Some(&profile) {
        return Ok(known);
    }
    let user = User { profile: Some(profile), updated_at: at.max(known.updated_at), ..known.clone() };
    transaction.users().update(&user).await?;
    env.record(transaction, at, vec![Change::user_updated(&known, &user)]).await?;
    Ok(user)
}

async fn insert(
    transaction: &mut dyn Transaction,
    env: &Environment,
    user: &User,
) -> Result<(), RecordError> {
    if transaction.users().insert(user).await? {
        return Ok(env.record(transaction, user.created_at, vec![Change::user_created(user)]).await?);
    }
    if let Some(known) = transaction.users().get(user.id).await? {
        // An earlier try may have been carried out although its commit failed to say so.
        return if known == *user { Ok(()) } else { Err(RecordError::UserExists { id: user.id }) };
    }
    let taken = match &user.external_id {
        Some(external) => transaction.users().by_external_id(external).await?,
        None => None,
    };
    Err(RecordError::UserExists { id: taken.map_or(user.id, |user| user.id) })
}
