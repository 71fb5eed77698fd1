//! The database schema, one file per migration. A migration that has been released is never edited;
//! a change is a new file, added at the end of the list. Every statement must run on SQLite and on
//! PostgreSQL.

use sea_orm_migration::prelude::*;

mod m20261121_000001_identity;
mod m20261121_000002_records;
mod m20261121_000003_imports;
mod m20261121_000004_filed_links;
mod m20261121_000005_tokens;
mod m20261121_000006_audit;
mod m20261121_000007_idempotency;
mod m20261121_000008_sync;
mod m20261121_000009_partner_index;
mod m20261130_000010_origin;
mod m20261130_000011_verification;
mod m20261130_000012_metadata;
mod m20261130_000020_write_probe;
mod m20261201_000021_join_values;
mod m20261201_000023_call_pace;
mod m20261201_000025_skipped;

/// All migrations in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_identity::Migration),
            Box::new(m20261121_000002_records::Migration),
            Box::new(m20261121_000003_imports::Migration),
            Box::new(m20261121_000004_filed_links::Migration),
            Box::new(m20261121_000005_tokens::Migration),
            Box::new(m20261121_000006_audit::Migration),
            Box::new(m20261121_000007_idempotency::Migration),
            Box::new(m20261121_000008_sync::Migration),
            Box::new(m20261121_000009_partner_index::Migration),
            Box::new(m20261130_000010_origin::Migration),
            Box::new(m20261130_000011_verification::Migration),
            Box::new(m20261130_000012_metadata::Migration),
            Box::new(m20261130_000020_write_probe::Migration),
            Box::new(m20261201_000021_join_values::Migration),
            Box::new(m20261201_000025_skipped::Migration),
            Box::new(m20261201_000023_call_pace::Migration),
        ]
    }
}
