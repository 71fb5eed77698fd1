//! From a database's error to what a caller can decide on. One table for both databases.

use onefold_domain::StoreError;
use sea_orm::sqlx::Error as SqlxError;
use sea_orm::{DbErr, RuntimeErr, SqlErr};

use crate::database_url::InvalidDatabaseUrl;

/// Why a program cannot start with its database. What a person can do something about says so, in one line.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("cannot create the folder {folder} for the database")]
    Folder { folder: String, source: std::io::Error },
    #[error("configuration: `database.url` {0}")]
    Address(InvalidDatabaseUrl),
    /// `reason` goes on where the name of the database ends, and says what to do.
    #[error("{database} {reason}")]
    Refused { database: String, reason: String },
    #[error(
        "a pooler stands before PostgreSQL and does not keep the settings of a session (as PgBouncer in transaction mode): \
         set `database.pooler = \"transaction\"`, or let `database.url` lead to PostgreSQL itself"
    )]
    Pooler,
    #[error(
        "the database ({database}) was brought up to date by a later version of Onefold (migration `{migration}`): start \
         that version, or restore a backup of before"
    )]
    Newer { database: String, migration: String },
    #[error(
        "the database ({database}) is another application's, by its {sign}: let `database.url` lead to one of Onefold's \
         own, or to an empty one"
    )]
    Foreign { database: String, sign: String },
    #[error("cannot open the database ({database})")]
    Open { database: String, source: DbErr },
    #[error("cannot bring the database's schema up to date")]
    Migrate(#[source] DbErr),
}

/// SQLSTATEs after which a transaction is worth starting over: serialization failure, deadlock, lock
/// not available. Distributed databases that speak PostgreSQL's protocol use the first freely.
const START_OVER: [&str; 3] = ["40001", "40P01", "55P03"];

/// SQLSTATEs of a server that is going away, coming up, full or too slow. Class 08 is the connection's.
const AWAY: [&str; 6] = ["57P01", "57P02", "57P03", "57014", "53300", "25P03"];

/// SQLite's primary result codes, the low byte of what it reports.
const SQLITE_BUSY: u32 = 5;
const SQLITE_LOCKED: u32 = 6;
/// Input or output error, file missing, disk full.
const SQLITE_AWAY: [u32; 3] = [10, 14, 13];

pub(crate) fn store_error(error: DbErr) -> StoreError {
    match verdict(&error) {
        Verdict::StartOver => StoreError::Conflict,
        Verdict::Away => StoreError::Unavailable(Box::new(error)),
        Verdict::Defect => StoreError::Backend(Box::new(error)),
    }
}

/// The same for a statement that may meet a row of somebody who was faster. PostgreSQL has spoilt the transaction
/// by then, so it is only for those who start over.
pub(crate) fn unless_taken(error: DbErr) -> StoreError {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => StoreError::Conflict,
        _ => store_error(error),
    }
}

/// Whether it was only that somebody else held the database.
pub(crate) fn is_busy(error: &DbErr) -> bool {
    matches!(verdict(error), Verdict::StartOver)
}

enum Verdict {
    StartOver,
    Away,
    Defect,
}

fn verdict(error: &DbErr) -> Verdict {
    match error {
        DbErr::ConnectionAcquire(_) => Verdict::Away,
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => sqlx_verdict(error),
        DbErr::Conn(_) => Verdict::Away,
        _ => Verdict::Defect,
    }
}

fn sqlx_verdict(error: &SqlxError) -> Verdict {
    match error {
        SqlxError::Database(error) => {
            let code = error.code().unwrap_or_default();
            code_verdict(&code)
        }
        SqlxError::Io(_)
        | SqlxError::Tls(_)
        | SqlxError::Protocol(_)
        | SqlxError::PoolTimedOut
        | SqlxError::PoolClosed
        | SqlxError::WorkerCrashed => Verdict::Away,
        _ => Verdict::Defect,
    }
}

fn code_verdict(code: &str) -> Verdict {
    // SQLite's codes are plain numbers of up to four digits, SQLSTATEs always have five characters.
    if let (true, Ok(number)) = (code.len() < 5, code.parse::<u32>()) {
        return match number & 0xff {
            SQLITE_BUSY | SQLITE_LOCKED => Verdict::StartOver,
            primary if SQLITE_AWAY.contains(&primary) => Verdict::Away,
            _ => Verdict::Defect,
        };
    }
    if START_OVER.contains(&code) {
        Verdict::StartOver
    } else if AWAY.contains(&code) || code.starts_with("08") {
        Verdict::Away
    } else {
        Verdict::Defect
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(verdict: &Verdict) -> &'static str {
        match verdict {
            Verdict::StartOver => "start over",
            Verdict::Away => "away",
            Verdict::Defect => "defect",
        }
    }

    #[test]
    fn codes_of_both_databases_are_told_apart() {
        for (code, expected) in [
            ("40001", "start over"),
            ("40P01", "start over"),
            ("5", "start over"),
            ("517", "start over"),
            ("57P01", "away"),
            ("08006", "away"),
            ("13", "away"),
            ("23505", "defect"),
            ("1", "defect"),
        ] {
            assert_eq!(name(&code_verdict(code)), expected, "{code}");
        }
    }
}
