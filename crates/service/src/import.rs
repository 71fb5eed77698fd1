//! An import as it is stored: what was asked for, how far it is, and what went wrong row by row. The file
//! itself is kept in pieces beside it until all its rows are done, so that any process can go on with it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::file::{CsvHeader, ImportFormat, Position};
use onefold_domain::id::ImportId;

/// How far an import is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ImportStatus {
    /// The file is still coming in.
    Receiving,
    /// The file is there and waits for its turn.
    Queued,
    Running,
    /// Every row was read.
    Completed,
    /// A row failed and the caller wanted to stop then.
    Stopped,
    /// The file as a whole cannot be used, or never came in completely.
    Failed,
}

impl ImportStatus {
    pub const ALL: [Self; 6] =
        [Self::Receiving, Self::Queued, Self::Running, Self::Completed, Self::Stopped, Self::Failed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Receiving => "receiving",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether nothing more will happen.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Stopped | Self::Failed)
    }
}

/// How a row finds the record that it updates.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum MatchBy {
    /// The record of the same values and user.
    #[default]
    Value,
    /// The user's record of the same kind, whose value the row may change.
    UserId,
}

impl MatchBy {
    pub const ALL: [Self; 2] = [Self::Value, Self::UserId];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::UserId => "userId",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.as_str() == text)
    }
}

/// What the caller asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct ImportOptions {
    pub match_by: MatchBy,
    /// Check and count, and change nothing.
    pub dry_run: bool,
    /// Leave the rest alone when a row fails. What came before stays.
    pub stop_on_error: bool,
}

/// What has become of the rows.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct ImportCounts {
    pub read: u64,
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub failed: u64,
}

/// An import.
#[derive(Clone, PartialEq, Debug)]
pub struct Import {
    pub id: ImportId,
    pub status: ImportStatus,
    pub format: ImportFormat,
    pub options: ImportOptions,
    /// Of the whole file; empty while it comes in.
    pub sha256: Vec<u8>,
    pub bytes: u64,
    /// Behind the last row whose effect is stored.
    pub position: Position,
    pub header: Option<CsvHeader>,
    pub counts: ImportCounts,
    /// Why it failed or stopped.
    pub message: Option<String>,
    /// The process that works on it, and until when it is left alone with it.
    pub lease: Option<(Uuid, DateTime<Utc>)>,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub updated_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}

impl Import {
    /// Notes a change; it is not before the one that was noted last, should the clock have gone back.
    pub fn touch(&mut self, at: DateTime<Utc>) {
        self.updated_at = at.max(self.updated_at);
    }
}

/// What is wrong with a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowFailure {
    /// The physical line on which the row begins; the header is line 1.
    pub line: u64,
    /// The column, `row` when it is the row as a whole.
    pub field: String,
    pub message: String,
}
