//! The log and the rules of sync in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};

use crate::{MemoryStore, MemoryTransaction};
use onefold_service::store::StoreError;
use onefold_service::system::SyncSystem;
use onefold_sync::log::{LoggedAttempt, SyncAttempt, SyncDay, SyncLogFilter, SyncOutcome};
use onefold_sync::partner::PartnerId;
use onefold_sync::rules::SyncRules;
use onefold_sync::store::{SyncLogReader, SyncLogRepository, SyncRulesReader, SyncRulesRepository};

#[async_trait]
impl SyncLogReader for MemoryStore {
    async fn per_day(&self, since: NaiveDate) -> Result<Vec<SyncDay>, StoreError> {
        let state = self.read().await;
        let mut days: BTreeMap<_, SyncDay> = BTreeMap::new();
        for attempt in state.sync_log.values() {
            let (date, system, outcome) = (attempt.at.date_naive(), attempt.system, attempt.outcome);
            if date < since {
                continue;
            }
            let nothing = SyncDay { date, system, outcome, attempts: 0, pushed: 0, pulled: 0 };
            let day = days.entry((date, system, outcome)).or_insert(nothing);
            day.attempts += 1;
            day.pushed += u64::from(!attempt.pushed.is_empty());
            day.pulled += u64::from(!attempt.pulled.is_empty());
        }
        Ok(days.into_values().collect())
    }

    async fn list(
        &self,
        filter: &SyncLogFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<LoggedAttempt>, StoreError> {
        let state = self.read().await;
        let family = filter.customer.map(|customer| state.family(customer));
        let meant = |(number, attempt): &(&i64, &SyncAttempt)| {
            before.is_none_or(|before| **number < before)
                && filter.system.is_none_or(|system| attempt.system == system)
                && family
                    .as_ref()
                    .is_none_or(|family| attempt.customer.is_some_and(|id| family.contains(&id)))
                && (filter.mapping.is_none() || attempt.mapping == filter.mapping)
                && filter.outcome.is_none_or(|outcome| attempt.outcome == outcome)
        };
        let newest = state.sync_log.iter().rev().filter(meant).take(limit);
        Ok(newest
            .map(|(number, attempt)| LoggedAttempt { number: *number, attempt: attempt.clone() })
            .collect())
    }

    async fn skipped(
        &self,
        system: SyncSystem,
        externals: &[PartnerId],
    ) -> Result<Vec<PartnerId>, StoreError> {
        let state = self.read().await;
        let said = |id: &&PartnerId| {
            let is = |attempt: &SyncAttempt| {
                attempt.outcome == SyncOutcome::Skipped
                    && attempt.system == system
                    && attempt.external.as_ref() == Some(*id)
            };
            state.sync_log.values().any(is)
        };
        Ok(externals.iter().filter(said).cloned().collect())
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
