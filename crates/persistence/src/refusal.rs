//! Why a database cannot be used, in one line that says what to do. The libraries' own words name neither the place
//! nor the remedy, and some of them repeat the address.

use std::io::ErrorKind;
use std::time::Duration;

use sea_orm::sqlx::Error as SqlxError;
use sea_orm::sqlx::error::DatabaseError;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::{DbErr, RuntimeErr};

use crate::config::Config;
use crate::database_url::Backend;
use crate::error::ConnectError;

/// SQLSTATE of a server that comes up or goes away.
const COMING_UP: &str = "57P03";
/// SQLSTATE of one that has no connection left.
const FULL: &str = "53300";

/// Of whoever is there instead.
const STRANGER: &str =
    "does not answer as PostgreSQL does: look whether host and port of `database.url` are right";

/// Where a PostgreSQL server is thought to be.
pub(crate) struct PostgresPlace {
    pub(crate) options: PgConnectOptions,
    /// The address says more than is known here.
    pub(crate) ignored: bool,
}

impl PostgresPlace {
    pub(crate) fn of(config: &Config) -> Result<Self, ConnectError> {
        let (options, ignored) = config.url.postgres().map_err(ConnectError::Address)?;
        Ok(Self { options, ignored })
    }

    /// `error` is what was heard last, if anything was within `patience`.
    pub(crate) fn refusal(&self, error: Option<&SqlxError>, patience: Duration) -> ConnectError {
        let reason = match error {
            None => format!(
                "gave no answer within {} ms: look whether host and port of `database.url` are right, and whether a \
                 firewall is in between",
                patience.as_millis()
            ),
            Some(SqlxError::Io(error)) => self.unreached(error),
            Some(SqlxError::Tls(_)) => "cannot be reached as `sslmode` demands: this program speaks to PostgreSQL without \
                                        TLS, so let both be on one trusted network, or put a proxy that speaks TLS in \
                                        between, and leave `sslmode` out"
                .to_owned(),
            Some(SqlxError::Database(error)) if is_pooler(error.as_ref()) => return ConnectError::Pooler,
            Some(SqlxError::Database(error)) => self.refused(error.as_ref()),
            Some(SqlxError::Protocol(_)) => STRANGER.to_owned(),
            Some(error) => format!("cannot be used: {}", one_line(error)),
        };
        ConnectError::Refused { database: self.to_string(), reason }
    }

    fn unreached(&self, error: &std::io::Error) -> String {
        let what = match error.kind() {
            ErrorKind::ConnectionRefused => "takes no connections (connection refused): start it",
            ErrorKind::NotFound => "is not running (there is no such socket): start it",
            ErrorKind::PermissionDenied => "may not be reached by this user (permission denied): change that",
            // What it sent was no message of PostgreSQL's, or ended in the middle of one.
            ErrorKind::UnexpectedEof | ErrorKind::InvalidData => return STRANGER.to_owned(),
            // Names have no error numbers of their own.
            _ if error.raw_os_error().is_none() && self.options.get_socket().is_none() => {
                return format!(
                    "cannot be found: no such host is known ({}); correct the host in `database.url`",
                    one_line(error)
                );
            }
            _ => return format!("cannot be reached ({}): look at network and firewall", one_line(error)),
        };
        format!("{what}, or correct `database.url`")
    }

    fn refused(&self, error: &dyn DatabaseError) -> String {
        let user = self.options.get_username();
        let database = self.options.get_database().unwrap_or(user);
        let said = one_line(error.message());
        match error.code().as_deref() {
            Some("28P01") => format!("refuses the password of user `{user}`: correct it in `database.url`"),
            // It says `no encryption` of everybody who comes without, whether that is the reason or not.
            Some("28000") if said.contains("pg_hba.conf") => format!(
                "does not let user `{user}` in ({said}): permit it there, with `host` and not `hostssl`, since this program \
                 speaks to PostgreSQL without TLS"
            ),
            Some("28000") => {
                format!("does not let user `{user}` in ({said}): make the role, or correct `database.url`")
            }
            Some("3D000") => format!(
                "has no database `{database}`: make it with `createdb {database}`, or correct `database.url`"
            ),
            Some(FULL) => format!(
                "has no connection left ({said}): lower `database.max_connections` here, or raise `max_connections` there"
            ),
            Some(COMING_UP) => format!("is not ready ({said}): start this program again when it is"),
            _ => format!("refuses the connection: {said}"),
        }
    }
}

impl std::fmt::Display for PostgresPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let port = self.options.get_port();
        match self.options.get_socket() {
            Some(folder) => write!(f, "PostgreSQL at {}/.s.PGSQL.{port}", folder.display()),
            None => write!(f, "PostgreSQL at {}:{port}", self.options.get_host()),
        }
    }
}

/// Whether a server that says so may be there a moment later.
pub(crate) fn passes(error: &SqlxError) -> bool {
    match error {
        SqlxError::Io(error) => matches!(
            error.kind(),
            ErrorKind::ConnectionRefused
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::NotFound
        ),
        SqlxError::Database(error) => matches!(error.code().as_deref(), Some(COMING_UP | FULL)),
        _ => false,
    }
}

/// What a pooler says that was sent what only a session can keep. PostgreSQL has no such message.
fn is_pooler(error: &dyn DatabaseError) -> bool {
    error.message().contains("unsupported startup parameter")
}

/// Why an SQLite file cannot be opened.
pub(crate) fn of_file(config: &Config, source: DbErr) -> ConnectError {
    sqlite(config, &source).unwrap_or_else(|| ConnectError::Open { database: config.url.to_string(), source })
}

/// Why a database that was opened cannot be looked into or brought up to date.
pub(crate) fn of_schema(config: &Config, source: DbErr) -> ConnectError {
    let known = match config.url.backend() {
        Backend::Sqlite => sqlite(config, &source),
        Backend::Postgres => postgres(config, &source),
    };
    known.unwrap_or(ConnectError::Migrate(source))
}

fn postgres(config: &Config, error: &DbErr) -> Option<ConnectError> {
    let place = PostgresPlace::of(config).ok()?;
    let error = match sqlx_error(error)? {
        SqlxError::Database(error) => error,
        error @ (SqlxError::Io(_) | SqlxError::PoolTimedOut) => {
            let patience = Duration::from_millis(config.acquire_timeout_ms);
            return Some(
                place.refusal(Some(error).filter(|error| matches!(error, SqlxError::Io(_))), patience),
            );
        }
        _ => return None,
    };
    let user = place.options.get_username();
    let said = one_line(error.message());
    let reason = match error.code()?.as_ref() {
        // Of a name that is taken or unknown.
        "42P05" | "26000" => return Some(ConnectError::Pooler),
        "42501" => format!(
            "does not let user `{user}` make tables ({said}): make it the owner of the database, or `GRANT CREATE ON SCHEMA \
             public TO {user}` and `CREATE EXTENSION pg_trgm`"
        ),
        "25006" => format!("cannot be written ({said}): let `database.url` lead to the primary server"),
        _ => return None,
    };
    Some(ConnectError::Refused { database: place.to_string(), reason })
}

fn sqlite(config: &Config, error: &DbErr) -> Option<ConnectError> {
    let reason = match primary_code(error)? {
        5 | 6 => "is held by another program: stop it, or wait until it is done",
        8 => "may not be written: give this user the right to write the file and its folder",
        10 => "cannot be read or written (input or output error): look at the disk",
        11 => "is damaged: restore a backup, or save what can be saved with `sqlite3 FILE .recover`",
        13 => "cannot grow: the disk is full",
        14 => "cannot be opened: let this user read and write the file and its folder",
        26 => "is no SQLite database: name another file in `database.url`",
        _ => return None,
    };
    Some(ConnectError::Refused { database: config.url.to_string(), reason: reason.to_owned() })
}

/// SQLite's primary result code. The pool says nothing but that it waited in vain, which is for the lock.
fn primary_code(error: &DbErr) -> Option<u32> {
    match sqlx_error(error)? {
        SqlxError::PoolTimedOut => Some(5),
        SqlxError::Database(error) => error.code()?.parse::<u32>().ok().map(|code| code & 0xff),
        _ => None,
    }
}

fn sqlx_error(error: &DbErr) -> Option<&SqlxError> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

fn one_line(text: &(impl ToString + ?Sized)) -> String {
    text.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
