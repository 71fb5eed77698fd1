//! Looking at jobs, and repeating or dropping what was given up.

use crate::environment::SyncEnvironment;
use crate::job::{Job, JobId, JobStatus};
use crate::store::Open;
use crate::sync_error::SyncError;
use onefold_service::retry::Failure;

/// What a person does about jobs.
#[derive(Clone)]
pub struct Jobs {
    env: SyncEnvironment,
}

impl Jobs {
    pub fn new(env: SyncEnvironment) -> Self {
        Self { env }
    }

    /// In ascending order of their ids, those behind `after`, at most `limit`.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn list(
        &self,
        status: Option<JobStatus>,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<Job>, Failure> {
        Ok(self.env.store.jobs().list(status, after, limit).await?)
    }

    /// # Errors
    /// A store that does not answer.
    pub async fn get(&self, id: JobId) -> Result<Option<Job>, Failure> {
        Ok(self.env.store.jobs().get(id).await?)
    }

    /// Lets a dead job be tried again from the first attempt on. `false` if there is no such job that is dead.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn replay(&self, id: JobId) -> Result<bool, SyncError> {
        let at = self.env.base.clock.now();
        self.env
            .transact(move |mut transaction: Open| {
                Box::pin(async move {
                    Ok::<_, SyncError>((transaction.jobs().replay(id, at).await?, transaction))
                })
            })
            .await
    }

    /// Removes a job that nobody is at. `false` if there is none.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn drop_job(&self, id: JobId) -> Result<bool, SyncError> {
        self.env
            .transact(move |mut transaction: Open| {
                Box::pin(
                    async move { Ok::<_, SyncError>((transaction.jobs().remove(id).await?, transaction)) },
                )
            })
            .await
    }
}
