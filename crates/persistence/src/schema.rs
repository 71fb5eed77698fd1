//! Whether a database is ours, and one that this version can bring up to date. Told before anything is written to it.

use onefold_migrations::Migrator;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use sea_orm_migration::MigratorTrait;

/// Where it is kept which migrations were carried out.
const APPLIED: &str = "seaql_migrations";

/// The tables that migrations make. With one of these in a database that was never migrated, the first migration
/// would fail halfway, or worse, not fail.
const OURS: [&str; 27] = [
    "access_token",
    "audit_entry",
    "audit_pending",
    "call_pace",
    "contact",
    "contact_metadata",
    "contact_point",
    "customer",
    "hub",
    "idempotency",
    "import_chunk",
    "import_failure",
    "import_run",
    "job",
    "link",
    "partner_index",
    "partner_key",
    "partner_scan",
    "sync_conflict",
    "sync_log",
    "sync_mapping",
    "sync_rule",
    "sync_run",
    "sync_run_item",
    "user_account",
    "webhook_delivery",
    "write_probe",
];

/// What somebody else did to a database.
#[derive(Debug)]
pub(crate) enum Misfit {
    /// A later version of ours brought it up to date, by this migration.
    Newer(String),
    /// It is another application's, by this table or migration.
    Foreign(String),
}

/// `None` for a database that is empty or ours. Others may keep their tables beside ours in PostgreSQL; a file of
/// SQLite with tables in it is somebody's.
pub(crate) async fn misfit(connection: &impl ConnectionTrait) -> Result<Option<Misfit>, DbErr> {
    let tables = tables(connection).await?;
    if tables.iter().any(|table| table == APPLIED) {
        let known: Vec<_> =
            Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
        let applied = texts(connection, "SELECT version FROM seaql_migrations ORDER BY version").await?;
        let any_known = applied.iter().any(|name| known.contains(name));
        let unknown = applied.into_iter().rfind(|name| !known.contains(name));
        match unknown {
            Some(name) if any_known => return Ok(Some(Misfit::Newer(name))),
            Some(name) => return Ok(Some(Misfit::Foreign(format!("migration `{name}`")))),
            None if any_known => return Ok(None),
            None => {}
        }
    }
    let shared = connection.get_database_backend() != DbBackend::Sqlite;
    let theirs = |table: &String| if shared { OURS.contains(&table.as_str()) } else { table != APPLIED };
    Ok(tables.into_iter().find(theirs).map(|table| Misfit::Foreign(format!("table `{table}`"))))
}

async fn tables(connection: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let sql = match connection.get_database_backend() {
        DbBackend::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        }
        _ => "SELECT CAST(tablename AS text) FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1",
    };
    texts(connection, sql).await
}

async fn texts(connection: &impl ConnectionTrait, sql: &str) -> Result<Vec<String>, DbErr> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection.query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::testing::TestDatabase;

    #[tokio::test]
    async fn every_table_of_ours_is_known() {
        let database = TestDatabase::postgres().await;
        let store = database.store().await;
        let mut made = tables(store.reader()).await.expect("the tables");
        made.retain(|table| table != APPLIED);
        assert_eq!(made, OURS);
        assert!(misfit(store.reader()).await.expect("a look").is_none());
    }
}
