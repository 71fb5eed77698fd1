//! Beginning an operation, ending it, and forgetting it after a day.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::sleep;

use crate::environment::Environment;
use crate::error::RecordError;
use crate::operation::{
    Fingerprint, IdempotencyKey, IdempotencyRecord, IdempotencyScope, OperationId, OperationSubject,
    SealedAnswer,
};
use crate::store::{StoreError, Transaction};

/// Carries operations out once.
#[derive(Clone)]
pub struct Idempotency {
    env: Environment,
    /// For the removal of old keys, for which nobody waits.
    tidying: Environment,
}

/// What is to be done about a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Begun {
    /// Carry it out, then `finish` or `release` it.
    New(OperationId),
    /// Answer as before. What the operation made is known too, if it said so.
    Replay { answer: SealedAnswer, subject: Option<OperationSubject> },
    /// It was done, but nobody lived to store the answer: tell how the subject is now.
    CarriedOut(OperationSubject),
    /// The key names another request.
    OtherRequest,
    /// An earlier attempt is still carrying it out.
    Running { retry_after: Duration },
}

/// How long an attempt may be silent before the next one may take its key over. Longer than a request may take;
/// what takes longer renews it.
const LEASE: TimeDelta = TimeDelta::seconds(60);

/// How long a key is kept.
const KEPT: TimeDelta = TimeDelta::hours(24);

/// When to ask again. Far shorter than the lease, since most operations take milliseconds.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How often old keys are looked for.
const LOOK: Duration = Duration::from_secs(60 * 60);

/// How many old keys go at once: a transaction should not keep others waiting.
const AT_ONCE: usize = 250;

impl Idempotency {
    /// How often whoever takes long should [`Self::renew`].
    pub const PROLONG_EVERY: Duration = Duration::from_secs(20);

    pub fn new(env: Environment) -> Self {
        let tidying = env.clone().in_bulk();
        Self { env, tidying }
    }

    /// Says what is to be done about a request with this key. Of many at once, one gets [`Begun::New`].
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn begin(
        &self,
        scope: &IdempotencyScope,
        key: &IdempotencyKey,
        fingerprint: Fingerprint,
    ) -> Result<Begun, RecordError> {
        let env = &self.env;
        let now = env.clock.now();
        let new = &IdempotencyRecord {
            scope: scope.clone(),
            key: key.clone(),
            operation: OperationId(env.randomness.uuid(now)),
            fingerprint,
            lease_until: now + LEASE,
            subject: None,
            answer: None,
            created_at: now,
        };
        env.in_transaction(move |mut transaction| {
            let new = new.clone();
            Box::pin(async move { Ok((begin(transaction.as_mut(), &new).await?, transaction)) })
        })
        .await
    }

    /// Says that the operation goes on; `false` if somebody else has it now.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn renew(&self, operation: OperationId) -> Result<bool, RecordError> {
        let env = &self.env;
        env.in_transaction(move |mut transaction| {
            Box::pin(async move {
                let until = env.clock.now() + LEASE;
                Ok((transaction.idempotency().renew(operation, until).await?, transaction))
            })
        })
        .await
    }

    /// Stores the answer. Nothing happens if somebody else has the operation now.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn finish(&self, operation: OperationId, answer: &SealedAnswer) -> Result<(), RecordError> {
        self.env
            .in_transaction(move |mut transaction| {
                let answer = answer.clone();
                Box::pin(async move {
                    transaction.idempotency().answer(operation, &answer).await?;
                    Ok(((), transaction))
                })
            })
            .await
    }

    /// Gives the key back, so that the request can be tried again. A key under which something was carried out is
    /// kept.
    ///
    /// # Errors
    /// A store that does not answer; the key is then free when its lease has run out.
    pub async fn release(&self, operation: OperationId) -> Result<(), RecordError> {
        self.env
            .in_transaction(move |mut transaction| {
                Box::pin(async move {
                    transaction.idempotency().release(operation).await?;
                    Ok(((), transaction))
                })
            })
            .await
    }

    /// Forgets at most `limit` keys that are a day old; says how many there were.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn forget_expired(&self, limit: usize) -> Result<usize, RecordError> {
        let env = &self.tidying;
        env.in_transaction(move |mut transaction| {
            Box::pin(async move {
                let now = env.clock.now();
                let removed = transaction.idempotency().remove_older(now - KEPT, now, limit).await?;
                Ok((removed, transaction))
            })
        })
        .await
    }

    /// Forgets old keys every hour, for ever. To be stopped by dropping it.
    pub async fn work(&self) {
        loop {
            match self.forget_expired(AT_ONCE).await {
                Ok(AT_ONCE..) => {}
                Ok(_) => sleep(LOOK).await,
                Err(error) => {
                    tracing::warn!(error = %error, "old idempotency keys were not removed");
                    sleep(LOOK).await;
                }
            }
        }
    }
}

async fn begin(transaction: &mut dyn Transaction, new: &IdempotencyRecord) -> Result<Begun, RecordError> {
    let keys = transaction.idempotency();
    if keys.insert(new).await? {
        return Ok(Begun::New(new.operation));
    }
    // Gone again since: start over.
    let known = keys.get(&new.scope, &new.key).await?.ok_or(StoreError::Conflict)?;
    let now = new.created_at;
    if known.operation == new.operation {
        // An earlier try was carried out although its commit failed to say so.
        return Ok(Begun::New(new.operation));
    }
    let lapsed = known.lease_until <= now;
    // Too old to be kept, and not removed yet: the key is free for anybody.
    if lapsed && known.created_at + KEPT <= now {
        keys.remove(known.operation).await?;
        return if keys.insert(new).await? {
            Ok(Begun::New(new.operation))
        } else {
            Err(StoreError::Conflict.into())
        };
    }
    if known.fingerprint != new.fingerprint {
        return Ok(Begun::OtherRequest);
    }
    match (known.answer.clone(), known.subject.clone()) {
        (Some(answer), subject) => Ok(Begun::Replay { answer, subject }),
        _ if !lapsed => Ok(Begun::Running { retry_after: RETRY_AFTER }),
        (None, Some(subject)) => Ok(Begun::CarriedOut(subject)),
        (None, None) => {
            keys.take_over(&known, new.operation, new.lease_until).await?;
            Ok(Begun::New(new.operation))
        }
    }
}
