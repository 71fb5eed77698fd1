//! The pace of one system, kept in the store.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::environment::SyncEnvironment;
use crate::pace::{CallId, CallPace, PaceGrant, PaceRequest, PaceState};
use crate::store::Open;
use onefold_service::retry::Failure;
use onefold_service::system::SyncSystem;

#[derive(Clone)]
pub struct SharedPace {
    env: SyncEnvironment,
    system: SyncSystem,
}

impl SharedPace {
    pub fn new(env: SyncEnvironment, system: SyncSystem) -> Self {
        Self { env, system }
    }

    /// Decides on what is stored. The time is taken when nobody else decides any more.
    async fn decide<T: Send>(
        &self,
        decide: impl Fn(PaceState, DateTime<Utc>) -> (PaceState, T) + Send + Sync,
    ) -> Result<T, Failure> {
        let decide = &decide;
        self.env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    let known = transaction.pace().lock(self.system).await?;
                    let (decided, told) = decide(known.clone(), self.env.base.clock.now());
                    if decided != known {
                        transaction.pace().put(self.system, &decided).await?;
                    }
                    Ok::<_, Failure>((told, transaction))
                })
            })
            .await
    }
}

#[async_trait]
impl CallPace for SharedPace {
    fn name_call(&self) -> CallId {
        CallId(self.env.base.randomness.uuid(self.env.base.clock.now()))
    }

    async fn take(&self, ask: &PaceRequest) -> Result<PaceGrant, Failure> {
        self.decide(|state, now| state.take(ask, now)).await
    }

    async fn give_back(&self, call: CallId, hold_off: Option<Duration>) -> Result<(), Failure> {
        self.decide(|state, now| (state.give_back(call, hold_off.map(|wait| now + wait)), ())).await
    }
}
