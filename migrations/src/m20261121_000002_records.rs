//! Contact records: users, what a source tells beside the values, withdrawal, search, and handled webhook
//! calls.
//!
//! SQLite cannot add a foreign key to a table that exists, so there the contacts move to a new table.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(user_account()).await?;
        manager.create_table(webhook_delivery()).await?;
        let connection = manager.get_connection();
        let own = match manager.get_database_backend() {
            DbBackend::Sqlite => SQLITE,
            _ => POSTGRES,
        };
        for statement in own.iter().chain(BOTH) {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration(
            "what records hold has no place in the older schema; restore a backup".to_owned(),
        ))
    }
}

fn user_account() -> TableCreateStatement {
    Table::create()
        .table(UserAccount::Table)
        .col(ColumnDef::new(UserAccount::Id).uuid().not_null().primary_key())
        .col(ColumnDef::new(UserAccount::ExternalId).text().unique_key())
        .col(ColumnDef::new(UserAccount::Profile).text())
        .col(ColumnDef::new(UserAccount::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(UserAccount::UpdatedAt).timestamp_with_time_zone().not_null())
        .to_owned()
}

fn webhook_delivery() -> TableCreateStatement {
    Table::create()
        .table(WebhookDelivery::Table)
        .col(ColumnDef::new(WebhookDelivery::Source).text().not_null())
        .col(ColumnDef::new(WebhookDelivery::Id).text().not_null())
        .col(ColumnDef::new(WebhookDelivery::CreatedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().col(WebhookDelivery::Source).col(WebhookDelivery::Id))
        .to_owned()
}

/// Contacts of users that were never registered could be stored before; they get the user they name.
const POSTGRES: &[&str] = &[
    "INSERT INTO user_account (id, created_at, updated_at)
     SELECT user_id, MIN(created_at), MIN(created_at) FROM contact WHERE user_id IS NOT NULL GROUP BY user_id",
    "ALTER TABLE contact
     ADD COLUMN channel text,
     ADD COLUMN is_primary boolean NOT NULL DEFAULT false,
     ADD COLUMN verified_at timestamptz,
     ADD COLUMN metadata text,
     ADD COLUMN profile text,
     ADD COLUMN search text,
     ADD COLUMN import_id uuid,
     ADD COLUMN updated_at timestamptz,
     ADD COLUMN withdrawn_at timestamptz,
     ADD COLUMN version bigint NOT NULL DEFAULT 1,
     ADD CONSTRAINT contact_user FOREIGN KEY (user_id) REFERENCES user_account (id)",
    "UPDATE contact SET updated_at = created_at, search = lower(concat_ws(' ', email, phone))",
    "ALTER TABLE contact ALTER COLUMN updated_at SET NOT NULL",
    "ALTER TABLE link ADD COLUMN revoked_at timestamptz",
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    // New entries wait in a list until there are enough of them: one by one they cost several times as much.
    "CREATE INDEX contact_search ON contact USING gin (search gin_trgm_ops)
     WITH (fastupdate = on, gin_pending_list_limit = 16384)",
];

const SQLITE: &[&str] = &[
    "INSERT INTO user_account (id, created_at, updated_at)
     SELECT user_id, MIN(created_at), MIN(created_at) FROM contact WHERE user_id IS NOT NULL GROUP BY user_id",
    "CREATE TABLE contact_new (
         id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
         customer_id uuid_text NOT NULL REFERENCES customer (id),
         email text, phone text, email_blocked_by text, phone_blocked_by text,
         user_id uuid_text REFERENCES user_account (id),
         source text NOT NULL, received_email text, received_phone text,
         created_at timestamp_with_timezone_text NOT NULL,
         channel text,
         is_primary boolean NOT NULL DEFAULT false,
         verified_at timestamp_with_timezone_text,
         metadata text, profile text, search text,
         import_id uuid_text,
         updated_at timestamp_with_timezone_text NOT NULL,
         withdrawn_at timestamp_with_timezone_text,
         version bigint NOT NULL DEFAULT 1,
         CHECK (email IS NOT NULL OR phone IS NOT NULL))",
    "INSERT INTO contact_new (id, customer_id, email, phone, email_blocked_by, phone_blocked_by, user_id, source,
         received_email, received_phone, created_at, updated_at, search)
     SELECT id, customer_id, email, phone, email_blocked_by, phone_blocked_by, user_id, source,
         received_email, received_phone, created_at, created_at,
         lower(trim(coalesce(email, '') || ' ' || coalesce(phone, ''))) FROM contact",
    "DROP TABLE contact",
    "ALTER TABLE contact_new RENAME TO contact",
    "CREATE INDEX contact_customer ON contact (customer_id, id)",
    "ALTER TABLE link ADD COLUMN revoked_at timestamp_with_timezone_text",
    // Only which pieces of three letters a line has, not where: the line itself is at hand to check a match.
    "CREATE VIRTUAL TABLE contact_search USING fts5
     (search, content = 'contact', content_rowid = 'id', tokenize = 'trigram', detail = none, columnsize = 0)",
    "INSERT INTO contact_search (rowid, search) SELECT id, search FROM contact",
    "CREATE TRIGGER contact_search_insert AFTER INSERT ON contact WHEN new.search IS NOT NULL BEGIN
         INSERT INTO contact_search (rowid, search) VALUES (new.id, new.search);
     END",
    "CREATE TRIGGER contact_search_update AFTER UPDATE OF search ON contact WHEN new.search IS NOT old.search BEGIN
         INSERT INTO contact_search (contact_search, rowid, search)
             SELECT 'delete', old.id, old.search WHERE old.search IS NOT NULL;
         INSERT INTO contact_search (rowid, search) SELECT new.id, new.search WHERE new.search IS NOT NULL;
     END",
];

const BOTH: &[&str] = &[
    "CREATE INDEX contact_email ON contact (email, id) WHERE email IS NOT NULL",
    "CREATE INDEX contact_phone ON contact (phone, id) WHERE phone IS NOT NULL",
    "CREATE INDEX contact_user ON contact (user_id, id) WHERE user_id IS NOT NULL",
    "CREATE INDEX contact_source ON contact (source, id)",
    // A user has one primary of each kind. The use cases see to it; this makes sure.
    "CREATE UNIQUE INDEX contact_primary_email ON contact (user_id)
     WHERE is_primary AND email IS NOT NULL AND user_id IS NOT NULL AND withdrawn_at IS NULL",
    "CREATE UNIQUE INDEX contact_primary_phone ON contact (user_id)
     WHERE is_primary AND phone IS NOT NULL AND user_id IS NOT NULL AND withdrawn_at IS NULL",
    "CREATE INDEX link_survivor ON link (survivor_id)",
    "CREATE INDEX link_contact ON link (contact_id) WHERE contact_id IS NOT NULL",
];

#[derive(DeriveIden)]
enum UserAccount {
    Table,
    Id,
    ExternalId,
    Profile,
    CreatedAt,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum WebhookDelivery {
    Table,
    Source,
    Id,
    CreatedAt,
}
