//! The log of sync as it is stored.

use crate::environment::SyncEnvironment;
use crate::log::{LoggedAttempt, SyncDay, SyncLogFilter};
use onefold_service::page::Page;
use onefold_service::retry::Failure;

/// Shows the log.
#[derive(Clone)]
pub struct SyncLog {
    env: SyncEnvironment,
}

impl SyncLog {
    pub fn new(env: SyncEnvironment) -> Self {
        Self { env }
    }

    /// From the newest on, those in front of number `before`, at most `limit`.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn list(
        &self,
        filter: &SyncLogFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page<LoggedAttempt, i64>, Failure> {
        let log = self.env.store.sync_log();
        Ok(Page::read(limit, |wanted| log.list(filter, before, wanted), |attempt| attempt.number).await?)
    }

    /// What came of sync on each of the last `days` days, today included.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn per_day(&self, days: u16) -> Result<Vec<SyncDay>, Failure> {
        let today = self.env.base.clock.now().date_naive();
        let since = today - chrono::TimeDelta::days(i64::from(days.max(1)) - 1);
        Ok(self.env.store.sync_log().per_day(since).await?)
    }
}
