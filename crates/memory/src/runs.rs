//! Runs and their items in memory.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{MemoryStore, MemoryTransaction};
use onefold_service::store::StoreError;
use onefold_sync::run::{Run, RunId, RunItem};
use onefold_sync::store::{RunReader, RunRepository};

#[async_trait]
impl RunReader for MemoryStore {
    async fn get(&self, id: RunId) -> Result<Option<Run>, StoreError> {
        Ok(self.read().await.runs.get(&id).cloned())
    }

    async fn list(&self, before: Option<RunId>, limit: usize) -> Result<Vec<Run>, StoreError> {
        let state = self.read().await;
        let older = state.runs.values().rev().filter(|run| before.is_none_or(|before| run.id < before));
        Ok(older.take(limit).cloned().collect())
    }

    async fn items(
        &self,
        id: RunId,
        from: u64,
        limit: usize,
        waiting: bool,
    ) -> Result<Vec<RunItem>, StoreError> {
        let state = self.read().await;
        let items = state.run_items.range((id, from)..=(id, u64::MAX)).map(|(_, item)| item);
        let wanted = items.filter(|item| !waiting || item.outcome.is_none());
        Ok(wanted.take(limit).cloned().collect())
    }
}

#[async_trait]
impl RunRepository for MemoryTransaction {
    async fn get(&mut self, id: RunId) -> Result<Option<Run>, StoreError> {
        Ok(self.state.runs.get(&id).cloned())
    }

    async fn insert(&mut self, run: &Run, subjects: &[String]) -> Result<(), StoreError> {
        self.state.runs.insert(run.id, run.clone());
        for (position, subject) in (0..).zip(subjects) {
            let item = RunItem { position, subject: subject.clone(), outcome: None };
            self.state.run_items.insert((run.id, position), item);
        }
        Ok(())
    }

    async fn update(&mut self, run: &Run) -> Result<(), StoreError> {
        let stored = self.state.runs.get_mut(&run.id).ok_or(StoreError::Conflict)?;
        *stored = run.clone();
        Ok(())
    }

    async fn put_items(&mut self, id: RunId, items: &[RunItem]) -> Result<(), StoreError> {
        for item in items {
            self.state.run_items.insert((id, item.position), item.clone());
        }
        Ok(())
    }

    async fn forget_before(&mut self, moment: DateTime<Utc>, limit: usize) -> Result<(), StoreError> {
        let ended = |run: &&Run| run.finished_at.is_some_and(|at| at < moment);
        let old: Vec<_> = self.state.runs.values().filter(ended).map(|run| run.id).take(limit).collect();
        for id in old {
            self.state.runs.remove(&id);
            let items: Vec<_> =
                self.state.run_items.range((id, 0)..=(id, u64::MAX)).map(|(key, _)| *key).collect();
            for key in items {
                self.state.run_items.remove(&key);
            }
        }
        Ok(())
    }
}
