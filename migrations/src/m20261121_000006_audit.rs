//! The audit trail: what waits to be sealed, and the sealed entries, which nobody changes or removes.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(audit_pending()).await?;
        manager.create_table(audit_entry()).await?;
        let guards = match manager.get_database_backend() {
            DbBackend::Sqlite => SQLITE,
            _ => POSTGRES,
        };
        let connection = manager.get_connection();
        for statement in INDEXES.iter().chain(guards) {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("a trail that can be removed by a command is none; restore a backup".to_owned()))
    }
}

fn audit_pending() -> TableCreateStatement {
    let id =
        ColumnDef::new(AuditEntry::Id).big_integer().not_null().auto_increment().primary_key().to_owned();
    with_facts(Table::create().table(AuditPending::Table).col(id))
}

fn audit_entry() -> TableCreateStatement {
    let mut table = Table::create();
    table
        .table(AuditEntry::Table)
        .col(ColumnDef::new(AuditEntry::Number).big_integer().not_null().primary_key())
        .col(ColumnDef::new(AuditEntry::PreviousHash).text().not_null())
        .col(ColumnDef::new(AuditEntry::Hash).text().not_null())
        // What stands before the first entry would be looked at by nobody who goes along the chain.
        .check(Expr::col(AuditEntry::Number).gt(0));
    with_facts(&mut table)
}

/// The columns that both have. JSON is text: it is kept letter by letter as it was hashed.
fn with_facts(table: &mut TableCreateStatement) -> TableCreateStatement {
    table
        .col(ColumnDef::new(AuditEntry::HappenedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(AuditEntry::Actor).text().not_null())
        .col(ColumnDef::new(AuditEntry::TokenId).big_integer())
        .col(ColumnDef::new(AuditEntry::UserId).uuid())
        .col(ColumnDef::new(AuditEntry::RequestId).text())
        .col(ColumnDef::new(AuditEntry::OperationId).uuid())
        .col(ColumnDef::new(AuditEntry::Action).text().not_null())
        .col(ColumnDef::new(AuditEntry::SubjectKind).text().not_null())
        .col(ColumnDef::new(AuditEntry::SubjectId).text().not_null())
        .col(ColumnDef::new(AuditEntry::CustomerId).uuid())
        .col(ColumnDef::new(AuditEntry::StateBefore).text())
        .col(ColumnDef::new(AuditEntry::StateAfter).text())
        .to_owned()
}

const INDEXES: &[&str] = &[
    "CREATE INDEX audit_entry_subject ON audit_entry (subject_kind, subject_id, number)",
    "CREATE INDEX audit_entry_customer ON audit_entry (customer_id, number) WHERE customer_id IS NOT NULL",
    "CREATE INDEX audit_entry_token ON audit_entry (token_id, number) WHERE token_id IS NOT NULL",
    "CREATE INDEX audit_entry_user ON audit_entry (user_id, number) WHERE user_id IS NOT NULL",
    "CREATE INDEX audit_entry_action ON audit_entry (action, number)",
    "CREATE INDEX audit_entry_time ON audit_entry (happened_at)",
];

/// They keep honest programs honest. Whoever may drop them can rewrite the table; that the chain shows.
const POSTGRES: &[&str] = &[
    "CREATE FUNCTION audit_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN RAISE EXCEPTION 'audit_entry is append-only'; END $$",
    "CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
     FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_refuse()",
];

const SQLITE: &[&str] = &[
    "CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry
     BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END",
    "CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry
     BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END",
    // REPLACE deletes without a word to the trigger above.
    "CREATE TRIGGER audit_entry_no_replace BEFORE INSERT ON audit_entry
     WHEN EXISTS (SELECT 1 FROM audit_entry WHERE number = new.number)
     BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END",
];

#[derive(DeriveIden)]
enum AuditPending {
    Table,
}

#[derive(DeriveIden)]
enum AuditEntry {
    Table,
    Id,
    Number,
    PreviousHash,
    Hash,
    HappenedAt,
    Actor,
    TokenId,
    UserId,
    RequestId,
    OperationId,
    Action,
    SubjectKind,
    SubjectId,
    CustomerId,
    StateBefore,
    StateAfter,
}
