//! Imports, their files and the rows that failed.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use onefold_domain::id::ImportId;
use onefold_service::file::{CsvHeader, ImportFormat, Position};
use onefold_service::import::{Import, ImportCounts, ImportOptions, ImportStatus, MatchBy, RowFailure};
use onefold_service::store::{ImportReader, ImportRepository, StoreError};
use sea_orm::sea_query::{Expr, LockBehavior, LockType, OnConflict};
use sea_orm::{
    ActiveValue::NotSet, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::entities::import_run::{self, Column};
use crate::entities::{import_chunk, import_failure};
use crate::error::store_error;
use crate::records::known;
use crate::store::{SeaOrmStore, SeaOrmTransaction};

/// Why a file that stopped coming in was given up.
const INCOMPLETE: &str = "The file did not come in completely; send it again.";

#[async_trait]
impl ImportReader for SeaOrmStore {
    async fn get(&self, id: ImportId) -> Result<Option<Import>, StoreError> {
        get(self.reader(), id).await
    }

    async fn chunk(&self, id: ImportId, number: u32) -> Result<Option<Vec<u8>>, StoreError> {
        let key = (id.0, i32::try_from(number).unwrap_or(i32::MAX));
        let found = import_chunk::Entity::find_by_id(key).one(self.reader()).await.map_err(store_error)?;
        Ok(found.map(|chunk| chunk.bytes))
    }

    async fn failures(&self, id: ImportId, skip: u64, limit: usize) -> Result<Vec<RowFailure>, StoreError> {
        let found = import_failure::Entity::find()
            .filter(import_failure::Column::ImportId.eq(id.0))
            .filter(import_failure::Column::Number.gt(signed(skip)))
            .order_by_asc(import_failure::Column::Number)
            .limit(limit as u64)
            .all(self.reader())
            .await
            .map_err(store_error)?;
        let failure = |row: import_failure::Model| RowFailure {
            line: unsigned(row.line),
            field: row.field,
            message: row.message,
        };
        Ok(found.into_iter().map(failure).collect())
    }

    async fn completed_twins(&self, import: &Import) -> Result<Vec<ImportId>, StoreError> {
        let found: Vec<Uuid> = import_run::Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Sha256.eq(hex(&import.sha256)))
            .filter(Column::Status.eq(ImportStatus::Completed.as_str()))
            .filter(Column::MatchBy.eq(import.options.match_by.as_str()))
            .filter(Column::DryRun.eq(false))
            .filter(Column::Id.ne(import.id.0))
            // More of them than anybody sends the same file.
            .limit(1_000)
            .into_tuple()
            .all(self.reader())
            .await
            .map_err(store_error)?;
        Ok(found.into_iter().map(ImportId).collect())
    }
}

#[async_trait]
impl ImportRepository for SeaOrmTransaction {
    async fn get(&mut self, id: ImportId) -> Result<Option<Import>, StoreError> {
        get(self.connection()?, id).await
    }

    async fn insert(&mut self, import: &Import) -> Result<(), StoreError> {
        import_run::Entity::insert(row(import)?)
            .exec_without_returning(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }

    async fn put_chunk(&mut self, id: ImportId, number: u32, bytes: &[u8]) -> Result<(), StoreError> {
        let chunk = import_chunk::ActiveModel {
            import_id: Set(id.0),
            number: Set(i32::try_from(number).unwrap_or(i32::MAX)),
            bytes: Set(bytes.to_vec()),
        };
        let same = [import_chunk::Column::ImportId, import_chunk::Column::Number];
        let instead = OnConflict::columns(same).update_column(import_chunk::Column::Bytes).to_owned();
        import_chunk::Entity::insert(chunk)
            .on_conflict(instead)
            .exec_without_returning(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }

    async fn update(&mut self, import: &Import, owner: Option<Uuid>) -> Result<(), StoreError> {
        let held = match owner {
            Some(owner) => Column::LeaseOwner.eq(owner),
            None => Column::LeaseOwner.is_null(),
        };
        let updated = import_run::Entity::update_many()
            .set(import_run::ActiveModel { id: NotSet, ..row(import)? })
            .filter(Column::Id.eq(import.id.0))
            .filter(held)
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        if updated.rows_affected == 1 { Ok(()) } else { Err(StoreError::Conflict) }
    }

    async fn add_failures(&mut self, id: ImportId, failures: &[RowFailure]) -> Result<(), StoreError> {
        let stored = import_failure::Entity::find()
            .filter(import_failure::Column::ImportId.eq(id.0))
            .count(self.connection()?)
            .await
            .map_err(store_error)?;
        // Few enough at a time for the parameters that a statement may have.
        for (piece, failures) in failures.chunks(1_000).enumerate() {
            let before = signed(stored) + signed(piece as u64 * 1_000);
            let rows =
                failures.iter().zip(before + 1..).map(|(failure, number)| import_failure::ActiveModel {
                    id: NotSet,
                    import_id: Set(id.0),
                    number: Set(number),
                    line: Set(signed(failure.line)),
                    field: Set(failure.field.clone()),
                    message: Set(failure.message.clone()),
                });
            import_failure::Entity::insert_many(rows)
                .exec_without_returning(self.connection()?)
                .await
                .map_err(store_error)?;
        }
        Ok(())
    }

    async fn lease(
        &mut self,
        only: Option<ImportId>,
        owner: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Import>, StoreError> {
        let lapsed = Condition::any().add(Column::LeaseUntil.is_null()).add(Column::LeaseUntil.lte(now));
        let waits = Condition::any()
            .add(Column::Status.eq(ImportStatus::Queued.as_str()))
            .add(Condition::all().add(Column::Status.eq(ImportStatus::Running.as_str())).add(lapsed));
        let mut oldest = import_run::Entity::find().filter(waits).order_by_asc(Column::CreatedAt).limit(1);
        if let Some(only) = only {
            oldest = oldest.filter(Column::Id.eq(only.0));
        }
        if self.is_shared() {
            // Whoever is at it will have it; the next one is looked for at once.
            oldest = oldest.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
        }
        let Some(model) = oldest.one(self.connection()?).await.map_err(store_error)? else { return Ok(None) };
        let mut taken = import(model).map_err(store_error)?;
        let before = taken.lease.map(|(owner, _)| owner);
        taken.status = ImportStatus::Running;
        taken.lease = Some((owner, until));
        taken.started_at = taken.started_at.or(Some(now));
        taken.updated_at = now.max(taken.updated_at);
        self.update(&taken, before).await?;
        Ok(Some(taken))
    }

    async fn drop_chunks(&mut self, id: ImportId, before: Option<u32>) -> Result<(), StoreError> {
        use import_chunk::Column::{ImportId as Owner, Number};
        let before = before.map(|before| Number.lt(i32::try_from(before).unwrap_or(i32::MAX)));
        import_chunk::Entity::delete_many()
            .filter(Owner.eq(id.0))
            .filter(Condition::all().add_option(before))
            .exec(self.connection()?)
            .await
            .map_err(store_error)?;
        Ok(())
    }

    async fn abandon_received_before(
        &mut self,
        moment: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let stale = import_run::Entity::find()
            .filter(Column::Status.eq(ImportStatus::Receiving.as_str()))
            .filter(Column::UpdatedAt.lt(moment))
            .limit(100)
            .all(self.connection()?)
            .await
            .map_err(store_error)?;
        for import in stale {
            self.drop_chunks(ImportId(import.id), None).await?;
            import_run::Entity::update_many()
                .col_expr(Column::Status, Expr::value(ImportStatus::Failed.as_str()))
                .col_expr(Column::Message, Expr::value(INCOMPLETE))
                .col_expr(Column::FinishedAt, Expr::value(now.max(import.created_at)))
                .filter(Column::Id.eq(import.id))
                .exec(self.connection()?)
                .await
                .map_err(store_error)?;
        }
        Ok(())
    }
}

async fn get(connection: &impl ConnectionTrait, id: ImportId) -> Result<Option<Import>, StoreError> {
    let found = import_run::Entity::find_by_id(id.0).one(connection).await.map_err(store_error)?;
    found.map(import).transpose().map_err(store_error)
}

fn import(model: import_run::Model) -> Result<Import, DbErr> {
    let header = model.header.as_deref().map(serde_json::from_str::<CsvHeader>).transpose();
    Ok(Import {
        id: ImportId(model.id),
        status: known(ImportStatus::parse(&model.status), "status")?,
        format: known(ImportFormat::parse(&model.format), "format")?,
        options: ImportOptions {
            match_by: known(MatchBy::parse(&model.match_by), "way to match")?,
            dry_run: model.dry_run,
            stop_on_error: model.stop_on_error,
        },
        sha256: unhex(&model.sha256),
        bytes: unsigned(model.bytes),
        position: Position {
            offset: unsigned(model.position_offset),
            line: unsigned(model.position_line),
            row: unsigned(model.position_row),
        },
        header: header.map_err(|_| DbErr::Type("a stored header is none".to_owned()))?,
        counts: ImportCounts {
            read: unsigned(model.rows_read),
            created: unsigned(model.rows_created),
            updated: unsigned(model.rows_updated),
            unchanged: unsigned(model.rows_unchanged),
            failed: unsigned(model.rows_failed),
        },
        message: model.message,
        lease: model.lease_owner.zip(model.lease_until),
        created_at: model.created_at,
        started_at: model.started_at,
        updated_at: model.updated_at,
        finished_at: model.finished_at,
    })
}

fn row(import: &Import) -> Result<import_run::ActiveModel, StoreError> {
    let header = import.header.as_ref().map(serde_json::to_string).transpose();
    Ok(import_run::ActiveModel {
        id: Set(import.id.0),
        status: Set(import.status.as_str().to_owned()),
        format: Set(import.format.as_str().to_owned()),
        match_by: Set(import.options.match_by.as_str().to_owned()),
        dry_run: Set(import.options.dry_run),
        stop_on_error: Set(import.options.stop_on_error),
        sha256: Set(hex(&import.sha256)),
        bytes: Set(signed(import.bytes)),
        position_offset: Set(signed(import.position.offset)),
        position_line: Set(signed(import.position.line)),
        position_row: Set(signed(import.position.row)),
        header: Set(header.map_err(|error| StoreError::Backend(error.into()))?),
        rows_read: Set(signed(import.counts.read)),
        rows_created: Set(signed(import.counts.created)),
        rows_updated: Set(signed(import.counts.updated)),
        rows_unchanged: Set(signed(import.counts.unchanged)),
        rows_failed: Set(signed(import.counts.failed)),
        message: Set(import.message.clone()),
        lease_owner: Set(import.lease.map(|(owner, _)| owner)),
        lease_until: Set(import.lease.map(|(_, until)| until)),
        created_at: Set(import.created_at),
        started_at: Set(import.started_at),
        updated_at: Set(import.updated_at),
        finished_at: Set(import.finished_at),
    })
}

/// Databases have no unsigned numbers; no file reaches the border.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits =
        |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    text.as_bytes().chunks(2).filter_map(digits).collect()
}
