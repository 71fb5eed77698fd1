//! What was seen of the records of systems that cannot be asked by email or phone.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_pk_auto, text, timestamp_with_time_zone as moment,
    timestamp_with_time_zone_null as moment_null,
};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [index(), key(), scan()] {
            manager.create_table(table).await?;
        }
        let connection = manager.get_connection();
        for statement in INDEXES {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["partner_scan", "partner_key", "partner_index"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

fn index() -> TableCreateStatement {
    Table::create()
        .table("partner_index")
        // Ascends in the order in which records were first seen.
        .col(big_pk_auto("id"))
        .col(text("system"))
        .col(text("external_id"))
        // JSON arrays of the values as they came, and in their order.
        .col(text("emails"))
        .col(text("phones"))
        .col(moment_null("changed_at"))
        .col(moment("updated_at"))
        .to_owned()
}

/// A value that a record is found by; of a phone what it has in common with those that are the same. The primary key
/// is the index that a look-up walks, and has the answers in their order. The record's id there is repeated, so that
/// nothing else has to be read.
fn key() -> TableCreateStatement {
    let mut record = ForeignKey::create()
        .name("partner_key_partner_id")
        .from("partner_key", "partner_id")
        .to("partner_index", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned();
    Table::create()
        .table("partner_key")
        .col(text("system"))
        .col(text("kind"))
        .col(text("value"))
        .col(big_integer("partner_id"))
        .col(text("external_id"))
        .primary_key(Index::create().col("system").col("kind").col("value").col("partner_id"))
        .foreign_key(&mut record)
        .to_owned()
}

/// When all records of a system were last seen.
fn scan() -> TableCreateStatement {
    Table::create()
        .table("partner_scan")
        .col(text("system").primary_key())
        .col(moment("scanned_at"))
        .to_owned()
}

const INDEXES: &[&str] = &[
    "CREATE UNIQUE INDEX partner_index_record ON partner_index (system, external_id)",
    "CREATE INDEX partner_key_partner ON partner_key (partner_id)",
];
