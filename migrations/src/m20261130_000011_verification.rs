//! Verified values: whose word a contact is, how it became its user's, and its place among evidence once its values
//! were changed.
//!
//! What users had stated with their own tokens before is not told from the rest; it links as it did until somebody
//! verifies the value.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in [
            // Empty for the number of the contact itself.
            "ALTER TABLE contact ADD COLUMN evidence_order bigint",
            "ALTER TABLE contact ADD COLUMN self_stated boolean NOT NULL DEFAULT false",
            "ALTER TABLE contact ADD COLUMN claimed_by text",
            "CREATE INDEX contact_contested ON contact (id) WHERE verified_at IS NOT NULL AND withdrawn_at IS NULL
             AND (email_blocked_by = 'verified_elsewhere' OR phone_blocked_by = 'verified_elsewhere')",
        ] {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("who said what has no place in the older schema; restore a backup".to_owned()))
    }
}
