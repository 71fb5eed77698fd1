//! Where the database is. The address may hold a password, so neither it nor any part of it that could be one
//! prints, however broken it is.

use std::fmt;
use std::str::FromStr;

use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

/// `sqlite://PATH?mode=rwc` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. Does not print what may be secret.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct DatabaseUrl(SecretString);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// An address that is none of the two databases. No variant repeats a piece of it: of an address that is broken
/// nobody knows which piece is the password.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidDatabaseUrl {
    #[error("must begin with `sqlite://` or `postgres://`, for example `sqlite://data/onefold.db?mode=rwc`")]
    Scheme,
    #[error("an in-memory SQLite database cannot be shared by several connections: name a file")]
    InMemory,
    #[error("has parameters that SQLite does not take: after the path, `?mode=rwc` is enough")]
    SqliteParameters,
    #[error(
        "cannot be read ({0}): write `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with `@ : / ? # %` in user and \
         password as `%40 %3A %2F %3F %23 %25`"
    )]
    Unreadable(&'static str),
}

/// What PostgreSQL's address may say after `?`. Whatever else is there counts for nothing.
const PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

impl DatabaseUrl {
    /// Whether it is one file that one process at a time should write to.
    pub fn is_sqlite(&self) -> bool {
        self.backend() == Backend::Sqlite
    }

    /// # Errors
    /// Another scheme than the two, SQLite without a file, or an address in which host, port or password cannot be
    /// told apart.
    pub fn parse(url: &str) -> Result<Self, InvalidDatabaseUrl> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.trim_start_matches("//");
            if path.is_empty() || path.starts_with(":memory:") || path.contains("mode=memory") {
                return Err(InvalidDatabaseUrl::InMemory);
            }
            SqliteConnectOptions::from_str(url).map_err(|_| InvalidDatabaseUrl::SqliteParameters)?;
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            postgres(url)?;
        } else {
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

    /// Whether an SQLite file that is not there is made.
    pub(crate) fn creates(&self) -> bool {
        self.expose().contains("mode=rwc")
    }

    /// How PostgreSQL is reached, and whether the address says more than that.
    ///
    /// # Errors
    /// None for an address that was parsed, unless it is SQLite's.
    pub(crate) fn postgres(&self) -> Result<(PgConnectOptions, bool), InvalidDatabaseUrl> {
        postgres(self.expose())
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// sqlx would log parameters that it does not know, values included, so they are left out here. What they are called
/// is not told either: behind a `?` that belongs to a password, that name is a piece of it.
fn postgres(text: &str) -> Result<(PgConnectOptions, bool), InvalidDatabaseUrl> {
    let unreadable = InvalidDatabaseUrl::Unreadable;
    let mut url = Url::parse(text).map_err(|error| unreadable(reason(error)))?;
    // Each of these is a password with a sign in it that ends the part in which passwords stand.
    if url.fragment().is_some() {
        return Err(unreadable("it has a `#`"));
    }
    if url.path().contains('@') || url.query_pairs().any(|(name, _)| name.contains('@')) {
        return Err(unreadable("it has an `@` behind the host"));
    }
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let known = |name: &str| PARAMETERS.contains(&name) || name.starts_with("options[");
    let (kept, ignored): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(name, _)| known(name));
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(&kept);
    }
    let options = PgConnectOptions::from_str(url.as_str())
        .map_err(|_| unreadable("a parameter behind `?` has a value that it does not take"))?;
    Ok((options, !ignored.is_empty()))
}

/// The parser's reasons, which name no piece of the text; but it may learn new ones.
fn reason(error: url::ParseError) -> &'static str {
    match error {
        url::ParseError::EmptyHost => "it has no host",
        url::ParseError::InvalidPort => "the port is no number from 1 to 65535",
        url::ParseError::IdnaError
        | url::ParseError::InvalidIpv4Address
        | url::ParseError::InvalidIpv6Address
        | url::ParseError::InvalidDomainCharacter => "the host is no name and no address",
        _ => "it is no address",
    }
}

/// A file beside where the program was started.
impl Default for DatabaseUrl {
    fn default() -> Self {
        Self(SecretString::from("sqlite://data/onefold.db?mode=rwc"))
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
        for refused in
            ["mysql://x", "", "sqlite::memory:", "sqlite://", "sqlite://x?mode=memory", "sqlite://x?mode=x"]
        {
            assert!(DatabaseUrl::parse(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn what_is_secret_does_not_print() {
        for secret in [
            "postgres://onefold:hunter2@db.example/onefold",
            "postgresql://db.example/onefold?user=onefold&password=hunter2",
            "postgres://onefold:%68unter2@db.example/hunter2",
        ] {
            let url = DatabaseUrl::parse(secret).unwrap();
            assert!(!format!("{url} {url:?}").contains("unter2"), "{secret}");
        }
    }

    /// A password with a sign in it ends up in host, port, path or parameters, and would be told from there.
    #[test]
    fn a_password_that_was_not_encoded_is_refused_without_repeating_it() {
        for (text, told) in [
            ("postgres://u:hunter2#x@db.example/onefold", "port"),
            ("postgres://u:hunter2/x@db.example/onefold", "port"),
            ("postgres://u:hunter2?x@db.example/onefold", "port"),
            ("postgres://u:2#hunter2@db.example/onefold", "`#`"),
            ("postgres://u:2/hunter2@db.example/onefold", "`@`"),
            ("postgres://u:2?hunter2@db.example/onefold", "`@`"),
            ("postgres://u:hunter2@db.example:hunter2/onefold", "port"),
            ("postgres://u:hunter2@/onefold", "host"),
            ("postgres://u:hunter2@db.example/onefold?port=hunter2", "parameter"),
            ("postgres://u:hunter2@db.example/onefold?sslmode=hunter2", "parameter"),
            ("postgres://u:hunter2@[db.example/onefold", "host"),
        ] {
            let error = DatabaseUrl::parse(text).unwrap_err();
            let message = format!("{error} {error:?}");
            assert!(message.contains(told) && !message.contains("unter2"), "{text}: {message}");
        }
    }

    #[test]
    fn parameters_that_nobody_knows_are_left_out() {
        let url = "postgres://u:p@db.example:6000/onefold?pasword=hunter2&application_name=x&options[a.b]=c";
        let (options, ignored) = DatabaseUrl::parse(url).unwrap().postgres().unwrap();
        assert!(ignored);
        assert_eq!((options.get_host(), options.get_port()), ("db.example", 6000));
        assert_eq!((options.get_database(), options.get_application_name()), (Some("onefold"), Some("x")));
        assert_eq!(options.get_options(), Some("-c a.b=c"));
        assert!(
            !DatabaseUrl::parse("postgres:///onefold?host=/run/postgresql").unwrap().postgres().unwrap().1
        );
    }
}
