//! Which database, and how many connections to it.

use serde::Deserialize;
use validator::Validate;

use crate::database_url::DatabaseUrl;

/// The database part of a program's configuration.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the database is.
    pub url: DatabaseUrl,
    /// What stands between here and PostgreSQL.
    pub pooler: Pooler,
    /// The most connections at a time: to PostgreSQL; of SQLite the readers, beside its one writer.
    #[validate(range(min = 1, max = 500, message = "must be between 1 and 500"))]
    pub max_connections: u32,
    /// How long a request may wait for a free connection, in milliseconds.
    #[validate(range(min = 10, max = 60_000, message = "must be between 10 and 60000"))]
    pub acquire_timeout_ms: u64,
    /// How long PostgreSQL may work on one statement, in milliseconds.
    #[validate(range(min = 100, max = 600_000, message = "must be between 100 and 600000"))]
    pub statement_timeout_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: DatabaseUrl::default(),
            pooler: Pooler::None,
            max_connections: 16,
            acquire_timeout_ms: 3_000,
            statement_timeout_ms: 5_000,
        }
    }
}

/// Who else decides which connection of PostgreSQL a statement reaches.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooler {
    /// Nobody: each connection is one of PostgreSQL's own for as long as it lasts. A pooler that lends connections
    /// for whole sessions is nobody as well.
    #[default]
    None,
    /// A pooler such as PgBouncer in transaction mode, which may give each transaction another connection. Nothing
    /// outlives a transaction then: no setting, no prepared statement.
    Transaction,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_does_not_print() {
        let url = DatabaseUrl::parse("postgres://onefold:hunter2@db.example/onefold").unwrap();
        assert!(!format!("{:?}", Config { url, ..Config::default() }).contains("hunter2"));
    }
}
