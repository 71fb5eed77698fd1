//! What cannot come in is counted apart from failures, and told once: the log says of which records it was told.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for statement in [
            "ALTER TABLE sync_run ADD COLUMN items_skipped BIGINT NOT NULL DEFAULT 0",
            // Of those that were skipped only, which are few: every record of a register is asked about by its id.
            "CREATE INDEX sync_log_skipped ON sync_log (external_id, system)
             WHERE outcome = 'skipped' AND external_id IS NOT NULL",
        ] {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection.execute_unprepared("DROP INDEX sync_log_skipped").await?;
        connection.execute_unprepared("ALTER TABLE sync_run DROP COLUMN items_skipped").await?;
        Ok(())
    }
}
