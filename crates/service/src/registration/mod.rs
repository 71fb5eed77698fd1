//! Registration: a person becomes a user. One transaction makes the user, its contacts, what was known of a guest of the
//! same values, a token, and the promise to tell another system; only then that system is called, and whatever it
//! answers, the person is registered.

mod push;
mod rules;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Semaphore;

pub use push::{PushFault, Pushed, RegistrationPush};
use rules::{Case, refuse_registered, requests};

use crate::actor::Acting;
use crate::contacts::upsert;
use crate::environment::Environment;
use crate::error::RecordError;
use crate::identities::is_detached;
use crate::retry::{Attempted, Failure};
use crate::store::Open;
use crate::store::{StoreError, SyncPromise, Transaction};
use crate::token::{Abilities, AccessToken, NewToken, PlainToken, Secret, TokenExpiry, TokenName};
use crate::trail::Change;
use crate::user::User;
use crate::users::keep_user;
use onefold_domain::contact::{ClaimedBy, Received};
use onefold_domain::email::EmailAddress;
use onefold_domain::id::{CustomerId, UserId};
use onefold_domain::linking::Candidates;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::profile::Profile;
use onefold_domain::source::ContactSource;

/// Nobody has as many contacts; those beyond are not looked at.
const MOST_CONTACTS: usize = 1_000;

/// How long after the deadline of the push its job begins: push and job at once would wait for each other's lease.
const MARGIN: Duration = Duration::from_secs(1);

/// When a user who registered sees what a guest of the same values left. It is linked in any case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum ShowClaimed {
    /// Once the user has verified one of the values: a registration proves nothing.
    #[default]
    Verified,
    /// At once, for those who let nobody register before the address is verified.
    AtOnce,
}

impl ShowClaimed {
    pub const ALL: [Self; 2] = [Self::Verified, Self::AtOnce];

    /// The name under which the configuration knows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::AtOnce => "at_once",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|when| when.as_str() == name)
    }
}

/// How registration behaves where the configuration has a say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegistrationSettings {
    /// How long the person waits for the other system.
    pub push_deadline: Duration,
    /// What the new user's token permits; it is limited to the user's own data besides.
    pub abilities: Abilities,
    /// How long that token is worth something.
    pub token_lifetime: Duration,
    /// When what a guest left is shown to whoever comes with that token.
    pub show_claimed: ShowClaimed,
}

impl Default for RegistrationSettings {
    /// 2 s; reading and writing of contacts, for 30 days.
    fn default() -> Self {
        use crate::token::{Ability::ContactsRead, Ability::ContactsWrite};
        Self {
            push_deadline: Duration::from_secs(2),
            abilities: [ContactsRead, ContactsWrite].into_iter().collect(),
            token_lifetime: Duration::from_secs(30 * 24 * 60 * 60),
            show_claimed: ShowClaimed::default(),
        }
    }
}

/// Who wants to be registered.
#[derive(Clone, PartialEq, Debug)]
pub struct NewRegistration {
    pub email: EmailAddress,
    pub phone: Option<PhoneNumber>,
    pub received: Received,
    /// Names, company, and whatever else the form asked for.
    pub profile: Profile,
    /// The account that the person has elsewhere; `None` for a new one.
    pub user: Option<UserId>,
}

/// A person who is registered.
#[derive(Debug)]
pub struct Registered {
    pub user: User,
    pub customer: CustomerId,
    pub token: AccessToken,
    pub secret: PlainToken,
    pub pushed: Pushed,
}

/// How many calls a push takes at most, as a rule: looking, creating, reading back.
const CALLS_OF_A_PUSH: f64 = 3.0;

/// How many pushes may be under way: at least one, however slow the other system is.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "limited to what a semaphore holds"
)]
fn places(in_time: f64) -> usize {
    in_time.clamp(1.0, 10_000.0) as usize
}

/// Why nobody was registered. Nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// This user, or another one with this email.
    #[error("this person is registered already")]
    AlreadyRegistered { customer: CustomerId },
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl From<StoreError> for RegisterError {
    fn from(error: StoreError) -> Self {
        Self::Record(error.into())
    }
}

impl From<Failure> for RegisterError {
    fn from(failure: Failure) -> Self {
        Self::Record(failure.into())
    }
}

impl Attempted for RegisterError {
    fn into_store(self) -> Result<StoreError, Self> {
        match self {
            Self::Record(error) => error.into_store().map_err(Self::Record),
            other => Err(other),
        }
    }
}

/// Registers people.
#[derive(Clone)]
pub struct Registrations {
    env: Environment,
    push: Option<Arc<dyn RegistrationPush>>,
    settings: RegistrationSettings,
    /// As many places as the other system's pace lets pushes through before their deadline. Whoever registers when all are
    /// taken is told at once that it will be done later.
    in_time: Arc<Semaphore>,
}

impl Registrations {
    /// `push` leads to the system that people who register are to be in, if there is one.
    pub fn new(
        env: Environment,
        push: Option<Arc<dyn RegistrationPush>>,
        settings: RegistrationSettings,
    ) -> Self {
        let pace = push.as_ref().map_or(0, |push| push.calls_per_second());
        let in_time = f64::from(pace) * settings.push_deadline.as_secs_f64() / CALLS_OF_A_PUSH;
        Self { env, push, settings, in_time: Arc::new(Semaphore::new(places(in_time))) }
    }

    /// Registers on behalf of whoever acts, as the audit trail tells it.
    #[must_use]
    pub fn acting(&self, acting: &Acting) -> Self {
        Self { env: self.env.clone().acting(acting.clone()), ..self.clone() }
    }

    /// Makes a user with a contact for the email and one for the phone, claims what a guest of these values left, and
    /// gives out a token. A user that is known from elsewhere, and has not registered yet, is completed.
    ///
    /// # Errors
    /// [`RegisterError::AlreadyRegistered`]; a store that does not answer.
    pub async fn register(&self, new: &NewRegistration) -> Result<Registered, RegisterError> {
        let (env, at) = (&self.env, self.env.clock.now());
        // Chosen once, so that a second try finds the work of the first.
        let id = new.user.unwrap_or_else(|| UserId(env.randomness.uuid(at)));
        let secret = Secret::generate(env.randomness.as_ref());
        let secret = secret.map_err(|error| StoreError::Backend(error.into()))?;
        let claims_by = match self.settings.show_claimed {
            ShowClaimed::Verified => ClaimedBy::Registration,
            ShowClaimed::AtOnce => ClaimedBy::Caller,
        };
        let case = &Case { new, id, hash: secret.hash(), claims_by, at };
        let done = env.transact(move |mut transaction: Open| {
            Box::pin(async move {
                Ok::<_, RegisterError>((self.enter(transaction.as_mut(), case).await?, transaction))
            })
        });
        let (user, customer, token) = done.await?;
        let pushed = self.push(customer, &new.email).await;
        Ok(Registered { user, customer, secret: secret.of_token(token.id), token, pushed })
    }

    async fn enter(
        &self,
        transaction: &mut dyn Transaction,
        case: &Case<'_>,
    ) -> Result<(User, CustomerId, AccessToken), RegisterError> {
        if let Some(token) = transaction.tokens().by_hash(&case.hash).await? {
            return Ok(carried_out(transaction, case, token).await?);
        }
        // First: two registrations of one user wait here for each other.
        let user = keep_user(transaction, &self.env, case.id, Some(&case.new.profile), case.at).await?;
        let keys = case.keys(&self.env.policy);
        let candidates = transaction.customers().lock_candidates(&keys).await?;
        let own = transaction.contacts().of_user(case.id, MOST_CONTACTS).await?;
        refuse_registered(&own)?;
        refuse_known(transaction, case, &candidates).await?;
        let mut customer = None;
        for request in requests(case, &own, &candidates) {
            customer = Some(upsert(transaction, &self.env, &request).await?.0.customer);
        }
        // Somebody may have come in between as long as nobody had the email's key; now one of the two has it.
        let candidates = transaction.customers().lock_candidates(&keys).await?;
        refuse_known(transaction, case, &candidates).await?;
        let customer = customer.ok_or(RecordError::NoSuchCustomer)?;
        let token = self.give_token(transaction, case).await?;
        self.promise(transaction, customer, case.at).await?;
        Ok((user, customer, token))
    }

    async fn give_token(
        &self,
        transaction: &mut dyn Transaction,
        case: &Case<'_>,
    ) -> Result<AccessToken, RecordError> {
        let new = NewToken {
            name: TokenName::from_stored("registration".to_owned()),
            abilities: self.settings.abilities.clone(),
            user: Some(case.id),
            expires_at: Some(TokenExpiry::after(case.at, self.settings.token_lifetime)),
        };
        let token = transaction.tokens().insert(&new, &case.hash, case.at).await?;
        self.env.record(transaction, case.at, vec![Change::token_created(&token)]).await?;
        Ok(token)
    }

    /// Promises a sync of the customer for when the push has ended. If the process is killed before or during the push, that
    /// does it.
    async fn promise(
        &self,
        transaction: &mut dyn Transaction,
        customer: CustomerId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let Some(push) = self.push.as_ref().filter(|push| push.is_configured()) else { return Ok(()) };
        let pause = TimeDelta::from_std(self.settings.push_deadline + MARGIN).unwrap_or(TimeDelta::MAX);
        let promise = SyncPromise {
            system: push.system(),
            customers: vec![customer],
            new_customers: true,
            not_before: at + pause,
            at,
        };
        transaction.outbox().promise(&promise).await
    }
}

/// What an earlier try did, whose commit failed to say so.
async fn carried_out(
    transaction: &mut dyn Transaction,
    case: &Case<'_>,
    token: AccessToken,
) -> Result<(User, CustomerId, AccessToken), RecordError> {
    let user = transaction.users().get(case.id).await?.ok_or(RecordError::NoSuchUser)?;
    let own = transaction.contacts().of_user(case.id, 1).await?;
    let customer = own.first().map(|contact| contact.customer).ok_or(RecordError::NoSuchCustomer)?;
    Ok((user, customer, token))
}

/// An account is known by its email: one that registered with it, or that an identity provider knows under it, is the
/// same person. What others merely noted of somebody is no account.
async fn refuse_known(
    transaction: &mut dyn Transaction,
    case: &Case<'_>,
    candidates: &Candidates,
) -> Result<(), RegisterError> {
    for id in case.of_others(candidates) {
        let Some(record) = transaction.contacts().get(id).await? else { continue };
        let is_account = matches!(record.source, ContactSource::SignupForm | ContactSource::Auth);
        if is_account && !is_detached(&record) {
            return Err(RegisterError::AlreadyRegistered { customer: record.customer });
        }
    }
    Ok(())
}
