//! Idempotency keys: who holds one, what the operation made, and how it was answered.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(idempotency()).await?;
        let connection = manager.get_connection();
        for statement in [
            "CREATE UNIQUE INDEX idempotency_operation ON idempotency (operation_id)",
            // For forgetting.
            "CREATE INDEX idempotency_created ON idempotency (created_at)",
        ] {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Idempotency::Table).to_owned()).await
    }
}

fn idempotency() -> TableCreateStatement {
    Table::create()
        .table(Idempotency::Table)
        .col(ColumnDef::new(Idempotency::Scope).text().not_null())
        .col(ColumnDef::new(Idempotency::Key).text().not_null())
        // Of the attempt that holds the key; another one replaces it.
        .col(ColumnDef::new(Idempotency::OperationId).uuid().not_null())
        .col(ColumnDef::new(Idempotency::Fingerprint).binary().not_null())
        .col(ColumnDef::new(Idempotency::LeaseUntil).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Idempotency::SubjectKind).text())
        .col(ColumnDef::new(Idempotency::SubjectId).text())
        // Sealed.
        .col(ColumnDef::new(Idempotency::Answer).binary())
        .col(ColumnDef::new(Idempotency::CreatedAt).timestamp_with_time_zone().not_null())
        // The lock: of many who insert a key at once, one does.
        .primary_key(Index::create().col(Idempotency::Scope).col(Idempotency::Key))
        .to_owned()
}

#[derive(DeriveIden)]
enum Idempotency {
    Table,
    Scope,
    #[sea_orm(iden = "idempotency_key")]
    Key,
    OperationId,
    Fingerprint,
    LeaseUntil,
    SubjectKind,
    SubjectId,
    Answer,
    CreatedAt,
}
