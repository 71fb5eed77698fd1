//! The record of a merge gets the customer whose contacts it holds together. That is the survivor, until the
//! customer falls apart and the contacts get another one.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = match manager.get_database_backend() {
            DbBackend::Sqlite => "ALTER TABLE link ADD COLUMN customer_id uuid_text",
            _ => "ALTER TABLE link ADD COLUMN customer_id uuid",
        };
        let connection = manager.get_connection();
        for statement in [column].iter().chain(BOTH) {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for statement in BACK {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

const BOTH: &[&str] = &[
    "UPDATE link SET customer_id = survivor_id",
    "DROP INDEX link_survivor",
    // Those that are read when a customer is computed anew.
    "CREATE INDEX link_customer ON link (customer_id) WHERE contact_id IS NULL AND revoked_at IS NULL",
];

const BACK: &[&str] = &[
    "DROP INDEX link_customer",
    "CREATE INDEX link_survivor ON link (survivor_id)",
    "ALTER TABLE link DROP COLUMN customer_id",
];
