//! Conflicts as they are stored, of whichever system they are.

use chrono::{DateTime, Utc};

use crate::conflict::{Conflict, ConflictFilter, ConflictId, ConflictStatus, ConflictSubject};
use crate::environment::SyncEnvironment;
use onefold_service::retry::Failure;

/// Shows conflicts.
#[derive(Clone)]
pub struct Conflicts {
    env: SyncEnvironment,
}

impl Conflicts {
    pub fn new(env: SyncEnvironment) -> Self {
        Self { env }
    }

    /// In ascending order of their ids, those behind `after`, at most `limit`.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn list(
        &self,
        filter: &ConflictFilter,
        after: Option<ConflictId>,
        limit: usize,
    ) -> Result<Vec<Conflict>, Failure> {
        Ok(self.env.store.conflicts().list(filter, after, limit).await?)
    }

    /// # Errors
    /// A store that does not answer.
    pub async fn get(&self, id: ConflictId) -> Result<Option<Conflict>, Failure> {
        Ok(self.env.store.conflicts().get(id).await?)
    }

    /// Since when both sides agreed on what an open conflict about a field has as its base; `None` if nobody noted it.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn agreed_at(&self, conflict: &Conflict) -> Result<Option<DateTime<Utc>>, Failure> {
        let ConflictSubject::Field(field) = conflict.subject else { return Ok(None) };
        let mapping = self.env.store.mappings().get(conflict.mapping).await?;
        let mapping = mapping.filter(|_| conflict.status == ConflictStatus::Open);
        Ok(mapping.and_then(|mapping| mapping.agreed_at.get(&field).copied()))
    }
}
