//! Jobs, and how many workers share them.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use onefold_service::store::StoreError;
use onefold_sync::fault::SyncFault;
use onefold_sync::job::{FailedAttempt, Job, JobId, JobKind, JobStatus};
use onefold_sync::store::{JobReader, JobRepository};
use sea_orm::sea_query::{Expr, LockType, OnConflict};
use sea_orm::{
    ActiveValue::NotSet, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr,
    EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::due_jobs;
use crate::entities::job::{ActiveModel, Column, Entity, Model};
use crate::error::{store_error, unless_taken};
use crate::records::known;
use crate::store::{SeaOrmStore, SeaOrmTransaction};
use crate::sync_rows::{fault, unsigned};

/// Few enough at a time for the parameters that a statement may have.
const PIECE: usize = 1_000;

#[async_trait]
impl JobReader for SeaOrmStore {
    async fn get(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        let found = Entity::find_by_id(id.0).one(self.reader()).await.map_err(store_error)?;
        found.map(job).transpose().map_err(store_error)
    }

    async fn list(
        &self,
        status: Option<JobStatus>,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError> {
        let mut list = Entity::find()
            .filter(Column::Id.gt(after.map_or(0, |id| id.0)))
            .order_by_asc(Column::Id)
            .limit(limit as u64);
        if let Some(status) = status {
            list = list.filter(Column::Status.eq(status.as_str()));
        }
        let found = list.all(self.reader()).await.map_err(store_error)?;
        found.into_iter().map(job).collect::<Result<_, _>>().map_err(store_error)
    }

    async fn counts(&self) -> Result<Vec<(JobStatus, u64)>, StoreError> {
        let found: Vec<(String, i64)> = Entity::find()
            .select_only()
            .column(Column::Status)
            .column_as(Column::Id.count(), "jobs")
            .group_by(Column::Status)
            .into_tuple()
            .all(self.reader())
            .await
            .map_err(store_error)?;
        let count =
            |(status, jobs): (String, i64)| Ok((known(JobStatus::parse(&status), "status")?, unsigned(jobs)));
        found.into_iter().map(count).collect::<Result<_, DbErr>>().map_err(store_error)
    }
}

#[async_trait]
impl JobRepository for SeaOrmTransaction {
    async fn enqueue(
        &mut self,
        kinds: &[JobKind],
        not_before: DateTime<Utc>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        // In one order for everybody, so that no two wait for each other.
        let mut keys: Vec<_> = kinds.iter().map(JobKind::key).collect();
        keys.sort_unstable();
        keys.dedup();
        let rows: Vec<_> = keys.into_iter().map(|key| waiting_row(key, not_before, at)).collect();
        self.let_wait(&rows).await
    }

    async fn lease(
        &mut self,
        only: Option<&JobKind>,
        owner: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Job>, StoreError> {
        let connection = self.connection()?;
        let due = due_jobs::oldest(connection.get_database_backend(), only, now);
        let found = Entity::find().from_raw_sql(due).one(connection).await.map_err(store_error)?;
        let Some(found) = found else { return Ok(None) };
        let mut taken = job(found).map_err(store_error)?;
        taken.status = JobStatus::Running;
        taken.attempts += 1;
        taken.lease = Some((owner, until));
        taken.updated_at = now.max(taken.updated_at);
        Entity::update_many()
            .col_expr(Column::Status, Expr::value(taken.status.as_str()))
            .col_expr(Column::Attempts, Expr::value(i64::from(taken.attempts)))
            .col_expr(Column::LeaseOwner, Expr::value(owner))
            .col_expr(Column::LeaseUntil, Expr::value(until))
            .col_expr(Column::UpdatedAt, Expr::value(taken.updated_at))
            .filter(Column::Id.eq(taken.id.0))
            .exec(connection)
            .await
            .map_err(unless_taken)?;
        Ok(Some(taken))
    }

    async fn renew(&mut self, id: JobId, owner: Uuid, until: DateTime<Utc>) -> Result<(), StoreError> {
        let extended = Entity::update_many()
            .col_expr(Column::LeaseUntil, Expr::value(until))
            .filter(Column::Id.eq(id.0))
            .filter(Column::LeaseOwner.eq(owner))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        if extended.rows_affected == 1 { Ok(()) } else { Err(StoreError::Conflict) }
    }

    async fn finish(&mut self, id: JobId, owner: Uuid) -> Result<(), StoreError> {
        self.delete(id, Condition::all().add(Column::LeaseOwner.eq(owner))).await.map(drop)
    }

    async fn put_back(
        &mut self,
        id: JobId,
        owner: Uuid,
        failed: &FailedAttempt,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut held = Entity::find_by_id(id.0).filter(Column::LeaseOwner.eq(owner));
        if self.is_shared() {
            // Nobody takes it over between here and the next statement.
            held = held.lock(LockType::Update);
        }
        let held = held.one(self.connection()?).await.map_err(store_error)?;
        let Some(mut model) = held else { return Ok(()) };
        match &failed.error {
            Some(SyncFault { code, message }) => {
                model.error_code = Some(code.clone());
                model.error_message = Some(message.clone());
            }
            // It waited for its turn, which is no attempt.
            None => model.attempts = (model.attempts - 1).max(0),
        }
        model.updated_at = at.max(model.updated_at);
        match failed.not_before {
            Some(not_before) => self.replace(Model { not_before, ..model }).await,
            None => self.bury(model).await,
        }
    }

    async fn take_back(&mut self, kind: &JobKind, not_before: DateTime<Utc>) -> Result<(), StoreError> {
        Entity::delete_many()
            .filter(Column::JobKey.eq(kind.key()))
            .filter(Column::Status.eq(JobStatus::Waiting.as_str()))
            // As it was promised: one that somebody else came to share is due at another moment.
            .filter(Column::Attempts.eq(0))
            .filter(Column::NotBefore.eq(not_before))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }

    async fn clear_dead(&mut self, kinds: &[JobKind]) -> Result<(), StoreError> {
        Entity::delete_many()
            .filter(Column::JobKey.is_in(kinds.iter().map(JobKind::key)))
            .filter(Column::Status.eq(JobStatus::Dead.as_str()))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }

    async fn replay(&mut self, id: JobId, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let mut dead = Entity::find_by_id(id.0).filter(Column::Status.eq(JobStatus::Dead.as_str()));
        if self.is_shared() {
            dead = dead.lock(LockType::Update);
        }
        let dead = dead.one(self.connection()?).await.map_err(store_error)?;
        let Some(model) = dead else { return Ok(false) };
        let updated_at = at.max(model.updated_at);
        self.replace(Model { attempts: 0, not_before: at, updated_at, ..model }).await?;
        Ok(true)
    }

    async fn remove(&mut self, id: JobId) -> Result<bool, StoreError> {
        let idle = Condition::all().add(Column::Status.ne(JobStatus::Running.as_str()));
        self.delete(id, idle).await
    }
}

impl SeaOrmTransaction {
    /// Adds jobs that wait, each unless one of its kind does already; that one is brought forward instead. With
    /// `DO NOTHING` it would not be locked: a worker could take it now, not see what this transaction is about to
    /// commit, and finish it, and nobody would come back for the change. Locked, it is taken after the commit.
    async fn let_wait(&self, jobs: &[ActiveModel]) -> Result<(), StoreError> {
        let connection = self.connection()?;
        let earlier = match connection.get_database_backend() {
            DbBackend::Sqlite => "min(job.not_before, excluded.not_before)",
            _ => "LEAST(job.not_before, excluded.not_before)",
        };
        let instead = OnConflict::column(Column::JobKey)
            .target_and_where(Expr::cust("status = 'waiting'"))
            .value(Column::NotBefore, Expr::cust(earlier))
            .to_owned();
        for jobs in jobs.chunks(PIECE) {
            Entity::insert_many(jobs.iter().cloned())
                .on_conflict(instead.clone())
                .exec_without_returning(connection)
                .await
                .map_err(store_error)?;
        }
        Ok(())
    }

    /// Lets a job wait that is locked. It is taken out and put in again: an update that meets one that was enqueued
    /// meanwhile would fail, and could not be tried again in this transaction.
    async fn replace(&self, job: Model) -> Result<(), StoreError> {
        self.delete(JobId(job.id), Condition::all()).await?;
        let row = ActiveModel {
            id: Set(job.id),
            attempts: Set(job.attempts),
            error_code: Set(job.error_code),
            error_message: Set(job.error_message),
            updated_at: Set(job.updated_at),
            ..waiting_row(job.job_key, job.not_before, job.created_at)
        };
        self.let_wait(&[row]).await
    }

    /// Keeps a job, which is locked, for a person.
    async fn bury(&self, job: Model) -> Result<(), StoreError> {
        let dead = ActiveModel {
            status: Set(JobStatus::Dead.as_str().to_owned()),
            attempts: Set(job.attempts),
            lease_owner: Set(None),
            lease_until: Set(None),
            error_code: Set(job.error_code),
            error_message: Set(job.error_message),
            updated_at: Set(job.updated_at),
            ..ActiveModel::default()
        };
        Entity::update_many()
            .set(dead)
            .filter(Column::Id.eq(job.id))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }

    /// Whether there was one of which this holds.
    async fn delete(&self, id: JobId, which: Condition) -> Result<bool, StoreError> {
        let deleted = Entity::delete_many()
            .filter(Column::Id.eq(id.0))
            .filter(which)
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(deleted.rows_affected > 0)
    }
}

fn waiting_row(key: String, not_before: DateTime<Utc>, at: DateTime<Utc>) -> ActiveModel {
    ActiveModel {
        id: NotSet,
        job_key: Set(key),
        status: Set(JobStatus::Waiting.as_str().to_owned()),
        attempts: Set(0),
        not_before: Set(not_before),
        lease_owner: Set(None),
        lease_until: Set(None),
        error_code: Set(None),
        error_message: Set(None),
        created_at: Set(at),
        updated_at: Set(at),
    }
}

fn job(model: Model) -> Result<Job, DbErr> {
    Ok(Job {
        id: JobId(model.id),
        kind: known(JobKind::parse(&model.job_key), "kind of job")?,
        status: known(JobStatus::parse(&model.status), "status")?,
        attempts: u32::try_from(model.attempts).unwrap_or(u32::MAX),
        not_before: model.not_before,
        lease: model.lease_owner.zip(model.lease_until),
        error: fault(model.error_code, model.error_message),
        created_at: model.created_at,
        updated_at: model.updated_at,
    })
}
