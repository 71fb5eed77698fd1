//! The name of this database.

use crate::environment::Environment;
use crate::error::RecordError;
use onefold_domain::origin::HubId;

impl Environment {
    /// The name of this database, which gets one when it is first asked for.
    pub(crate) async fn hub(&self) -> Result<HubId, RecordError> {
        if let Some(hub) = self.store.origins().hub().await? {
            return Ok(hub);
        }
        let proposed = HubId(self.randomness.uuid(self.clock.now()));
        self.in_transaction(move |mut transaction| {
            Box::pin(async move { Ok((transaction.origins().hub(proposed).await?, transaction)) })
        })
        .await
    }
}
