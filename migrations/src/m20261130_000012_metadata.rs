//! The index by which contacts are found by the members of their metadata, for those that are stored already as well,
//! whose line of search gets the same values. The line is folded here as it was when this was written: whatever folds
//! otherwise later on has to write it anew.
//!
//! Times that a clock which went back had put in the wrong order are put right.

use std::fmt::Write as _;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DbBackend, Statement};
use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// How many contacts are read at a time.
const PAGE: i64 = 1_000;

/// The most characters of a name and a value in the index, and of all values in the line of search.
const LONGEST: usize = 255;
const MOST_SEARCHED: usize = 1_000;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let table = match manager.get_database_backend() {
            DbBackend::Sqlite => SQLITE,
            _ => POSTGRES,
        };
        for statement in [table].iter().chain(TIMES) {
            connection.execute_unprepared(statement).await?;
        }
        let mut after = 0;
        while let Some(last) = fill_in(connection, after).await? {
            after = last;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The lines of search keep what they got: it leads to the right contacts.
        manager.drop_table(Table::drop().table(ContactMetadata::Table).to_owned()).await
    }
}

/// Clustered by name and value, which holds the contacts of one value together. Without a foreign key: it would be
/// looked up for every row that an import writes, and a contact is never removed.
const SQLITE: &str = "CREATE TABLE contact_metadata (
    name text NOT NULL, value text NOT NULL, contact_id bigint NOT NULL,
    PRIMARY KEY (name, value, contact_id)) WITHOUT ROWID";

/// Compared by bytes: nobody sorts by them, and the rules of a language cost several times as much.
const POSTGRES: &str = "CREATE TABLE contact_metadata (
    name text COLLATE \"C\" NOT NULL, value text COLLATE \"C\" NOT NULL, contact_id bigint NOT NULL,
    PRIMARY KEY (name, value, contact_id))";

const TIMES: &[&str] = &[
    "UPDATE contact SET updated_at = created_at WHERE updated_at < created_at",
    "UPDATE customer SET updated_at = created_at WHERE updated_at < created_at",
    "UPDATE user_account SET updated_at = created_at WHERE updated_at < created_at",
];

/// Covers the next contacts; tells the last of them, or nothing at the end.
async fn fill_in(connection: &SchemaManagerConnection<'_>, after: i64) -> Result<Option<i64>, DbErr> {
    let backend = connection.get_database_backend();
    let sql =
        "SELECT id, metadata FROM contact WHERE id > $1 AND metadata IS NOT NULL AND withdrawn_at IS NULL
               ORDER BY id LIMIT $2";
    let page = Statement::from_sql_and_values(backend, sql, [after.into(), PAGE.into()]);
    let mut last = None;
    let (mut members, mut lines) = (Vec::new(), Vec::new());
    for row in connection.query_all_raw(page).await? {
        let id: i64 = row.try_get_by_index(0)?;
        last = Some(id);
        let text: String = row.try_get_by_index(1)?;
        let metadata: Map<String, Value> = serde_json::from_str(&text)
            .map_err(|_| DbErr::Migration(format!("the metadata of contact {id} is no JSON object")))?;
        let found: Vec<_> = metadata.iter().filter_map(|(name, value)| member(name, value)).collect();
        members.extend(found.iter().map(|(name, value, _)| ((*name).to_owned(), value.clone(), id)));
        let line = line(&found);
        if !line.is_empty() {
            lines.push((id, line));
        }
    }
    let (insert, update) = match backend {
        DbBackend::Sqlite => (INSERT_SQLITE, UPDATE_SQLITE),
        _ => (INSERT_POSTGRES, UPDATE_POSTGRES),
    };
    for (sql, rows) in [(insert, serde_json::to_string(&members)), (update, serde_json::to_string(&lines))] {
        let rows = rows.map_err(|error| DbErr::Migration(error.to_string()))?;
        connection.execute_raw(Statement::from_sql_and_values(backend, sql, [rows.into()])).await?;
    }
    Ok(last)
}

const INSERT_SQLITE: &str = "INSERT INTO contact_metadata (name, value, contact_id)
    SELECT t.value ->> 0, t.value ->> 1, t.value ->> 2 FROM json_each($1) AS t";
const INSERT_POSTGRES: &str = "INSERT INTO contact_metadata (name, value, contact_id)
    SELECT t.value ->> 0, t.value ->> 1, CAST(t.value ->> 2 AS bigint)
    FROM jsonb_array_elements(CAST($1 AS jsonb)) AS t(value)";
const UPDATE_SQLITE: &str = "UPDATE contact SET search = contact.search || (t.value ->> 1)
    FROM json_each($1) AS t WHERE contact.id = t.value ->> 0";
const UPDATE_POSTGRES: &str = "UPDATE contact SET search = contact.search || (t.value ->> 1)
    FROM jsonb_array_elements(CAST($1 AS jsonb)) AS t(value) WHERE contact.id = CAST(t.value ->> 0 AS bigint)";

/// A member by which its contact is found, and whether the line of search has it.
fn member<'a>(name: &'a str, value: &Value) -> Option<(&'a str, String, bool)> {
    let (text, searched) = match value {
        Value::String(text) => (text.clone(), true),
        Value::Number(number) => (number.to_string(), true),
        Value::Bool(flag) => (flag.to_string(), false),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    let fits = |text: &str| text.chars().count() <= LONGEST && !text.contains('\0');
    (!text.is_empty() && fits(name) && fits(&text)).then_some((name, text, searched))
}

/// What is added to the line, with a blank before each value.
fn line(members: &[(&str, String, bool)]) -> String {
    let mut line = String::new();
    let mut room = MOST_SEARCHED;
    for (_, text, _) in members.iter().filter(|(.., searched)| *searched) {
        let Some(rest) = room.checked_sub(text.chars().count()) else { continue };
        room = rest;
        // Writing to a string does not fail.
        let _ = write!(line, " {text}");
    }
    line.nfkd().filter(|letter| !is_combining_mark(*letter)).flat_map(char::to_lowercase).collect()
}

#[derive(DeriveIden)]
enum ContactMetadata {
    Table,
}
