//! Imports: what was asked for and how far it is, the file in pieces, and the rows that failed. The file is
//! kept in the database so that any process can go on where another one was killed.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(import()).await?;
        manager.create_table(import_chunk()).await?;
        manager.create_table(import_failure()).await?;
        let waiting = "CREATE INDEX import_open ON import_run (created_at)
                       WHERE status IN ('receiving', 'queued', 'running')";
        let connection = manager.get_connection();
        connection.execute_unprepared(waiting).await?;
        connection.execute_unprepared("CREATE INDEX import_file ON import_run (sha256)").await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(ImportFailure::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(ImportChunk::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(ImportRun::Table).to_owned()).await
    }
}

fn import() -> TableCreateStatement {
    let count = |column| ColumnDef::new(column).big_integer().not_null().to_owned();
    Table::create()
        .table(ImportRun::Table)
        .col(ColumnDef::new(ImportRun::Id).uuid().not_null().primary_key())
        .col(ColumnDef::new(ImportRun::Status).text().not_null())
        .col(ColumnDef::new(ImportRun::Format).text().not_null())
        .col(ColumnDef::new(ImportRun::MatchBy).text().not_null())
        .col(ColumnDef::new(ImportRun::DryRun).boolean().not_null())
        .col(ColumnDef::new(ImportRun::StopOnError).boolean().not_null())
        // In hexadecimal digits.
        .col(ColumnDef::new(ImportRun::Sha256).text().not_null())
        .col(count(ImportRun::Bytes))
        .col(count(ImportRun::PositionOffset))
        .col(count(ImportRun::PositionLine))
        .col(count(ImportRun::PositionRow))
        .col(ColumnDef::new(ImportRun::Header).text())
        .col(count(ImportRun::RowsRead))
        .col(count(ImportRun::RowsCreated))
        .col(count(ImportRun::RowsUpdated))
        .col(count(ImportRun::RowsUnchanged))
        .col(count(ImportRun::RowsFailed))
        .col(ColumnDef::new(ImportRun::Message).text())
        .col(ColumnDef::new(ImportRun::LeaseOwner).uuid())
        .col(ColumnDef::new(ImportRun::LeaseUntil).timestamp_with_time_zone())
        .col(ColumnDef::new(ImportRun::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(ImportRun::StartedAt).timestamp_with_time_zone())
        .col(ColumnDef::new(ImportRun::UpdatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(ImportRun::FinishedAt).timestamp_with_time_zone())
        .to_owned()
}

fn import_chunk() -> TableCreateStatement {
    Table::create()
        .table(ImportChunk::Table)
        .col(ColumnDef::new(ImportChunk::ImportId).uuid().not_null())
        .col(ColumnDef::new(ImportChunk::Number).integer().not_null())
        .col(ColumnDef::new(ImportChunk::Bytes).binary().not_null())
        .primary_key(Index::create().col(ImportChunk::ImportId).col(ImportChunk::Number))
        .foreign_key(
            ForeignKey::create()
                .name("import_chunk_import")
                .from(ImportChunk::Table, ImportChunk::ImportId)
                .to(ImportRun::Table, ImportRun::Id),
        )
        .to_owned()
}

fn import_failure() -> TableCreateStatement {
    Table::create()
        .table(ImportFailure::Table)
        .col(ColumnDef::new(ImportFailure::Id).big_integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new(ImportFailure::ImportId).uuid().not_null())
        .col(ColumnDef::new(ImportFailure::Number).big_integer().not_null())
        .col(ColumnDef::new(ImportFailure::Line).big_integer().not_null())
        .col(ColumnDef::new(ImportFailure::Field).text().not_null())
        .col(ColumnDef::new(ImportFailure::Message).text().not_null())
        .foreign_key(
            ForeignKey::create()
                .name("import_failure_import")
                .from(ImportFailure::Table, ImportFailure::ImportId)
                .to(ImportRun::Table, ImportRun::Id),
        )
        .index(
            Index::create()
                .name("import_failure_number")
                .unique()
                .col(ImportFailure::ImportId)
                .col(ImportFailure::Number),
        )
        .to_owned()
}

#[derive(DeriveIden)]
enum ImportRun {
    Table,
    Id,
    Status,
    Format,
    MatchBy,
    DryRun,
    StopOnError,
    #[sea_orm(iden = "sha256")]
    Sha256,
    Bytes,
    PositionOffset,
    PositionLine,
    PositionRow,
    Header,
    RowsRead,
    RowsCreated,
    RowsUpdated,
    RowsUnchanged,
    RowsFailed,
    Message,
    LeaseOwner,
    LeaseUntil,
    CreatedAt,
    StartedAt,
    UpdatedAt,
    FinishedAt,
}

#[derive(DeriveIden)]
enum ImportChunk {
    Table,
    ImportId,
    Number,
    Bytes,
}

#[derive(DeriveIden)]
enum ImportFailure {
    Table,
    Id,
    ImportId,
    Number,
    Line,
    Field,
    Message,
}
