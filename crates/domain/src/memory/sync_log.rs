//! The log and the rules of sync in memory.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{MemoryStore, MemoryTransaction};
use crate::{
    LoggedAttempt, StoreError, SyncAttempt, SyncLogFilter, SyncLogReader, SyncLogRepository, SyncRules,
    SyncRulesReader, SyncRulesRepository, SyncSystem,
};

#[async_trait]
impl SyncLogReader for MemoryStore {
    async fn list(
        &self,
        filter: &SyncLogFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<LoggedAttempt>, StoreError> {
        let state = self.read().await;
        let meant = |(number, attempt): &(&i64, &SyncAttempt)| {
            before.is_none_or(|before| **number < before)
                && filter.system.is_none_or(|system| attempt.system == system)
                && (filter.customer.is_none() || attempt.customer == filter.customer)
                && (filter.mapping.is_none() || attempt.mapping == filter.mapping)
                && filter.outcome.is_none_or(|outcome| attempt.outcome == outcome)
        };
        let newest = state.sync_log.iter().rev().filter(meant).take(limit);
        Ok(newest
            .map(|(number, attempt)| LoggedAttempt { number: *number, attempt: attempt.clone() })
            .collect())
    }
}

#[async_trait]
impl SyncLogRepository for MemoryTransaction {
    async fn append(&mut self, attempts: &[SyncAttempt]) -> Result<(), StoreError> {
        for attempt in attempts {
            self.state.last_sync_log += 1;
            self.state.sync_log.insert(self.state.last_sync_log, attempt.clone());
        }
        Ok(())
    }

    async fn forget_before(&mut self, moment: DateTime<Utc>, limit: usize) -> Result<(), StoreError> {
        let old = self.state.sync_log.iter().filter(|(_, attempt)| attempt.at < moment);
        for number in old.map(|(number, _)| *number).take(limit).collect::<Vec<_>>() {
            self.state.sync_log.remove(&number);
        }
        Ok(())
    }
}

#[async_trait]
impl SyncRulesReader for MemoryStore {
    async fn get(&self, system: SyncSystem) -> Result<Option<SyncRules>, StoreError> {
        Ok(self.read().await.sync_rules.get(&system).cloned())
    }
}

#[async_trait]
impl SyncRulesRepository for MemoryTransaction {
    async fn get(&mut self, system: SyncSystem) -> Result<Option<SyncRules>, StoreError> {
        Ok(self.state.sync_rules.get(&system).cloned())
    }

    async fn put(&mut self, system: SyncSystem, rules: &SyncRules) -> Result<(), StoreError> {
        self.state.sync_rules.insert(system, rules.clone());
        Ok(())
    }
}
