//! Where contacts and joins were made, so that an export comes back as what it was; and the name of this
//! database, by which others know what came from it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{small_integer, uuid};
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(hub()).await?;
        let columns = match manager.get_database_backend() {
            DbBackend::Sqlite => SQLITE,
            _ => POSTGRES,
        };
        let connection = manager.get_connection();
        for statement in columns.iter().chain(INDEXES) {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for statement in BACK {
            connection.execute_unprepared(statement).await?;
        }
        manager.drop_table(Table::drop().table("hub").to_owned()).await
    }
}

/// One row at most, which the primary key sees to. It is not written here: databases are made as copies of
/// others that have nothing in them yet, and each of these gets a name of its own when it first needs one.
fn hub() -> TableCreateStatement {
    Table::create().table("hub").col(small_integer("place").primary_key()).col(uuid("id")).to_owned()
}

const SQLITE: &[&str] = &[
    "ALTER TABLE contact ADD COLUMN origin_hub uuid_text",
    "ALTER TABLE contact ADD COLUMN origin_number bigint",
    "ALTER TABLE link ADD COLUMN origin_hub uuid_text",
    "ALTER TABLE link ADD COLUMN origin_number bigint",
];

const POSTGRES: &[&str] = &[
    "ALTER TABLE contact ADD COLUMN origin_hub uuid, ADD COLUMN origin_number bigint",
    "ALTER TABLE link ADD COLUMN origin_hub uuid, ADD COLUMN origin_number bigint",
];

const INDEXES: &[&str] = &[
    // With the moment: a database that was copied, or restored from a backup, counts on under the same name.
    "CREATE UNIQUE INDEX contact_origin ON contact (origin_hub, origin_number, created_at)
     WHERE origin_hub IS NOT NULL",
    "CREATE UNIQUE INDEX link_origin ON link (origin_hub, origin_number, created_at)
     WHERE origin_hub IS NOT NULL",
    // The order in which joins are exported.
    "CREATE INDEX link_place ON link (after_contact_id, id) WHERE contact_id IS NULL AND revoked_at IS NULL",
];

const BACK: &[&str] = &[
    "DROP INDEX link_place",
    "DROP INDEX link_origin",
    "DROP INDEX contact_origin",
    "ALTER TABLE link DROP COLUMN origin_hub",
    "ALTER TABLE link DROP COLUMN origin_number",
    "ALTER TABLE contact DROP COLUMN origin_hub",
    "ALTER TABLE contact DROP COLUMN origin_number",
];
