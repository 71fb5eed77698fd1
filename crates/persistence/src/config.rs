//! Which database, and how many connections to it.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use validator::Validate;

/// The database part of a program's configuration.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the database is.
    pub url: DatabaseUrl,
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
            url: DatabaseUrl(SecretString::from("sqlite://data/onefold.db?mode=rwc")),
            max_connections: 16,
            acquire_timeout_ms: 3_000,
            statement_timeout_ms: 5_000,
        }
    }
}

/// `sqlite://PATH?mode=rwc` or `postgres://…`. May hold a password, so it does not print.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct DatabaseUrl(SecretString);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// An address that is none of the two databases.
#[derive(Debug, thiserror::Error)]
pub enum InvalidDatabaseUrl {
    #[error("must begin with `sqlite://` or `postgres://`, for example `sqlite://data/onefold.db?mode=rwc`")]
    Scheme,
    #[error("an in-memory SQLite database cannot be shared by several connections: name a file")]
    InMemory,
}

impl DatabaseUrl {
    /// Whether it is one file that one process at a time should write to.
    pub fn is_sqlite(&self) -> bool {
        self.backend() == Backend::Sqlite
    }

    /// # Errors
    /// Another scheme than the two, or SQLite without a file.
    pub fn parse(url: &str) -> Result<Self, InvalidDatabaseUrl> {
        let sqlite = url.strip_prefix("sqlite:");
        if let Some(path) = sqlite {
            let path = path.trim_start_matches("//");
            if path.is_empty() || path.starts_with(":memory:") || path.contains("mode=memory") {
                return Err(InvalidDatabaseUrl::InMemory);
            }
        } else if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(InvalidDatabaseUrl::Scheme);
        }
        Ok(Self(SecretString::from(url)))
    }

    pub(crate) fn backend(&self) -> Backend {
        if self.expose().starts_with("sqlite:") { Backend::Sqlite } else { Backend::Postgres }
    }

    /// The file of an SQLite database.
    pub(crate) fn file(&self) -> Option<&str> {
        let path = self.expose().strip_prefix("sqlite:")?.trim_start_matches("//");
        Some(path.split_once('?').map_or(path, |(path, _)| path))
    }

    /// Whether a file that is missing is to be made.
    pub(crate) fn creates_file(&self) -> bool {
        let query = self.expose().split_once('?').map_or("", |(_, query)| query);
        query.split('&').any(|parameter| parameter == "mode=rwc")
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl TryFrom<String> for DatabaseUrl {
    type Error = InvalidDatabaseUrl;

    fn try_from(url: String) -> Result<Self, Self::Error> {
        Self::parse(&url)
    }
}

/// What may be shown to a person: the file, or the kind of server.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.file() {
            Some(file) => write!(f, "SQLite in {file}"),
            None => write!(f, "PostgreSQL"),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_two_databases_are_accepted() {
        let file = DatabaseUrl::parse("sqlite:///var/lib/onefold.db?mode=rwc").unwrap();
        assert_eq!(file.file(), Some("/var/lib/onefold.db"));
        assert_eq!(DatabaseUrl::parse("sqlite://data/x.db").unwrap().file(), Some("data/x.db"));
        assert!(DatabaseUrl::parse("postgres://u:p@localhost/db").is_ok());
        for refused in ["mysql://x", "", "sqlite::memory:", "sqlite://", "sqlite://x?mode=memory"] {
            assert!(DatabaseUrl::parse(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_password_does_not_print() {
        let url = DatabaseUrl::parse("postgres://onefold:hunter2@db.example/onefold").unwrap();
        assert!(
            !format!("{url} {url:?} {:?}", Config { url: url.clone(), ..Config::default() })
                .contains("hunter2")
        );
    }
}
