//! From a database's error to what a caller can decide on. One table for both databases.

use onefold_service::store::{StorageFault, StoreError};
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

/// SQLSTATEs of a server that is going away, coming up or too slow.
const AWAY: [&str; 5] = ["57P01", "57P02", "57P03", "57014", "25P03"];

/// Classes of SQLSTATEs of the same kind: the connection, and a server short of something other than disk.
const AWAY_CLASSES: [&str; 2] = ["08", "53"];

/// SQLSTATEs of a server whose storage is at fault: the disk is full; the server is a standby, or made
/// read-only; input or output failed, a file is missing, data or an index is damaged.
const STORAGE: [(&str, StorageFault); 6] = [
    ("53100", StorageFault::Full),
    ("25006", StorageFault::ReadOnly),
    ("58030", StorageFault::Broken),
    ("58P01", StorageFault::Broken),
    ("XX001", StorageFault::Broken),
    ("XX002", StorageFault::Broken),
];

/// SQLite's primary result codes, the low byte of what it reports. Held by somebody else: the database, a
/// table, and the log in a race that SQLite gave up.
const SQLITE_HELD: [u32; 3] = [5, 6, 15];
/// The index of the log cannot grow: there is no room for it on the same disk. Among the codes of failed input and output.
const SQLITE_SHM_SIZE: u32 = 4874;
/// Out of memory.
const SQLITE_NOMEM: u32 = 7;
/// Disk full; read-only; input or output failed, damaged, no file to open, no rights to it, not a database.
const SQLITE_STORAGE: [(u32, StorageFault); 7] = [
    (13, StorageFault::Full),
    (8, StorageFault::ReadOnly),
    (10, StorageFault::Broken),
    (11, StorageFault::Broken),
    (14, StorageFault::Broken),
    (3, StorageFault::Broken),
    (26, StorageFault::Broken),
];

pub(crate) fn store_error(error: DbErr) -> StoreError {
    match verdict(&error) {
        Verdict::StartOver => StoreError::Conflict,
        Verdict::Away => StoreError::Unavailable(Box::new(error)),
        Verdict::Storage(fault) => StoreError::Storage { fault, source: Box::new(error) },
        Verdict::Defect => StoreError::Backend(Box::new(error)),
    }
}

/// What a failure means of a statement that may meet a row of somebody who was faster: that is a conflict. PostgreSQL has
/// spoilt the transaction by then, so it is only for those who start over.
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

/// What is wrong with the database's storage, if it is that.
pub(crate) fn storage_fault(error: &DbErr) -> Option<StorageFault> {
    match verdict(error) {
        Verdict::Storage(fault) => Some(fault),
        _ => None,
    }
}

enum Verdict {
    StartOver,
    Away,
    Storage(StorageFault),
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
        if number == SQLITE_SHM_SIZE {
            return Verdict::Storage(StorageFault::Full);
        }
        return match number & 0xff {
            primary if SQLITE_HELD.contains(&primary) => Verdict::StartOver,
            SQLITE_NOMEM => Verdict::Away,
            primary => found(&SQLITE_STORAGE, &primary),
        };
    }
    if START_OVER.contains(&code) {
        return Verdict::StartOver;
    }
    match found(&STORAGE, &code) {
        Verdict::Defect if AWAY.contains(&code) => Verdict::Away,
        Verdict::Defect if AWAY_CLASSES.iter().any(|class| code.starts_with(class)) => Verdict::Away,
        verdict => verdict,
    }
}

fn found<C: PartialEq>(table: &[(C, StorageFault)], code: &C) -> Verdict {
    let entry = table.iter().find(|(known, _)| known == code);
    entry.map_or(Verdict::Defect, |(_, fault)| Verdict::Storage(*fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(verdict: &Verdict) -> &'static str {
        match verdict {
            Verdict::StartOver => "start over",
            Verdict::Away => "away",
            Verdict::Storage(StorageFault::Full) => "full",
            Verdict::Storage(StorageFault::ReadOnly) => "read-only",
            Verdict::Storage(StorageFault::Broken) => "broken",
            Verdict::Defect => "defect",
        }
    }

    #[test]
    fn codes_of_both_databases_are_told_apart() {
        for (code, expected) in [
            ("40001", "start over"),
            ("40P01", "start over"),
            ("55P03", "start over"),
            ("5", "start over"),
            ("517", "start over"),
            ("6", "start over"),
            ("15", "start over"),
            ("57P01", "away"),
            ("08006", "away"),
            ("53000", "away"),
            ("53200", "away"),
            ("53300", "away"),
            ("53400", "away"),
            ("7", "away"),
            ("53100", "full"),
            ("13", "full"),
            ("4874", "full"),
            ("25006", "read-only"),
            ("8", "read-only"),
            ("1032", "read-only"),
            ("58030", "broken"),
            ("58P01", "broken"),
            ("XX001", "broken"),
            ("XX002", "broken"),
            ("10", "broken"),
            ("778", "broken"),
            ("11", "broken"),
            ("14", "broken"),
            ("26", "broken"),
            ("23505", "defect"),
            ("XX000", "defect"),
            ("1", "defect"),
            ("2067", "defect"),
            ("", "defect"),
        ] {
            assert_eq!(name(&code_verdict(code)), expected, "{code}");
        }
    }
}
