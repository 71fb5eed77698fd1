//! Webhook calls that were handled.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::store::StoreError;

#[async_trait]
pub trait DeliveryRepository: Send {
    /// Remembers that this webhook call was handled; `false` if it was before.
    async fn remember(&mut self, source: &str, id: &str, at: DateTime<Utc>) -> Result<bool, StoreError>;

    /// Forgets calls of this source that were handled before this moment, at most `limit` of them.
    async fn forget_before(
        &mut self,
        source: &str,
        moment: DateTime<Utc>,
        limit: usize,
    ) -> Result<(), StoreError>;
}
