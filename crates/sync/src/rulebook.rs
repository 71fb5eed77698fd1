//! The rules by which both sides of a sync are merged, as they are stored for each system.

use crate::environment::SyncEnvironment;
use crate::rules::SyncRules;
use crate::store::Open;
use crate::sync_error::SyncError;
use onefold_service::actor::Acting;
use onefold_service::retry::Failure;
use onefold_service::system::SyncSystem;

/// Shows and changes rules.
#[derive(Clone)]
pub struct Rulebook {
    env: SyncEnvironment,
}

impl Rulebook {
    pub fn new(env: SyncEnvironment) -> Self {
        Self { env }
    }

    /// On behalf of somebody else.
    #[must_use]
    pub fn acting(&self, acting: &Acting) -> Self {
        Self { env: self.env.clone().acting(acting.clone()) }
    }

    /// The rules that hold: those that were put, or those that ship.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn rules(&self, system: SyncSystem) -> Result<SyncRules, Failure> {
        Ok(self.env.store.sync_rules().get(system).await?.unwrap_or_else(SyncRules::shipped))
    }

    /// Puts these rules in place of those that hold, for every comparison from now on.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn put(&self, system: SyncSystem, rules: &SyncRules) -> Result<(), SyncError> {
        self.env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    let before = transaction.sync_rules().get(system).await?;
                    if before.as_ref() != Some(rules) {
                        let changed = crate::audit::sync_rules_changed(system, before.as_ref(), rules);
                        transaction.sync_rules().put(system, rules).await?;
                        let at = self.env.base.clock.now();
                        self.env.base.record(transaction.as_mut(), at, vec![changed]).await?;
                    }
                    Ok::<_, SyncError>(((), transaction))
                })
            })
            .await
    }
}
