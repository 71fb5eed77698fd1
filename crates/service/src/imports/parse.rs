//! From a row's text to a contact. Every fault of a row is reported with the column it stands in.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::columns::{Target, is_of_export, is_posted};
use super::exported::Kept;
use super::reading::Reading;
use crate::contacts::ContactRequest;
use crate::file::{CsvHeader, RawRow, RowContent};
use crate::import::{MatchBy, RowFailure};
use crate::user::ExternalId;
use onefold_domain::contact::Statement;
use onefold_domain::id::UserId;
use onefold_domain::origin::Origin;
use onefold_domain::phone::Region;
use onefold_domain::profile::Profile;
use onefold_domain::source::ContactSource;

/// A row that can be imported.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum FileRow {
    Contact(ImportRow),
    /// A join; only exports have them.
    Join(JoinRow),
    User(UserRow),
}

/// A contact.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct ImportRow {
    pub(super) line: u64,
    /// Its statement has the user already if the row names it by its id.
    pub(super) request: ContactRequest,
    /// Whether the row itself names its source. If not, a record keeps the one it has.
    pub(super) names_source: bool,
    pub(super) user: Option<RowUser>,
    /// Of a contact that was exported with its origin. It is a contact of its own, whatever else is known.
    pub(super) kept: Option<Kept>,
}

/// Two values that belong together by what somebody said of them, without a contact that says so.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct JoinRow {
    pub(super) line: u64,
    pub(super) statement: Statement,
    pub(super) beside: Option<Statement>,
    pub(super) source: Option<ContactSource>,
    pub(super) user: Option<RowUser>,
    pub(super) origin: Origin,
    pub(super) at: DateTime<Utc>,
}

/// An account.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct UserRow {
    pub(super) line: u64,
    pub(super) id: UserId,
    pub(super) external_id: Option<ExternalId>,
    pub(super) profile: Option<Profile>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
}

/// The user that a row names, by its id or by its external id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct RowUser {
    pub(super) column: String,
    pub(super) text: ExternalId,
    /// What the row says beside it: an export names a user both ways.
    pub(super) external_id: Option<ExternalId>,
}

impl RowUser {
    /// The id, if it can be one. A system may name its users by UUIDs as well.
    pub(super) fn id(&self) -> Option<UserId> {
        Uuid::try_parse(self.text.as_str()).ok().map(UserId)
    }
}

/// A row, or everything that is wrong with it.
pub(super) type Parsed = Result<FileRow, Vec<RowFailure>>;

/// Reads rows of one file.
pub(super) struct RowParser {
    /// Of a CSV file, in the order of its columns.
    columns: Vec<(String, Target)>,
    /// Whether the file is an export of Onefold's own.
    exported: bool,
    /// Whether its rows are in the form of the API.
    posted: bool,
    pub(super) match_by: MatchBy,
    pub(super) region: Option<Region>,
    /// The latest moment that a row of an export may name.
    pub(super) latest: DateTime<Utc>,
}

/// Why rows of an export are not matched by user.
pub(super) const BY_ORIGIN: &str =
    "The rows of an export are found by where they come from; leave out that they are to be matched by user.";

impl RowParser {
    /// # Errors
    /// A header without a column that says whom a row is about, or rows that cannot be matched as is asked for.
    pub(super) fn new(
        header: Option<&CsvHeader>,
        match_by: MatchBy,
        region: Option<Region>,
        latest: DateTime<Utc>,
    ) -> Result<Self, &'static str> {
        let cells = || header.into_iter().flat_map(|header| &header.cells);
        let exported = cells().any(|name| is_of_export(name));
        let posted = !exported && is_posted(cells().map(String::as_str));
        let target = if exported || posted { Target::of_export } else { Target::of };
        let columns: Vec<(String, Target)> = cells().map(|name| (name.clone(), target(name))).collect();
        let has = |wanted: Target| columns.iter().any(|(_, target)| *target == wanted);
        let names_somebody = has(Target::Email) || has(Target::Phone) || has(Target::ExternalId);
        if header.is_some() && !posted && !names_somebody {
            return Err(
                "The file has no column `email` or `phone`; name at least one of them in the header.",
            );
        }
        if match_by == MatchBy::UserId && has(Target::OriginHub) {
            return Err(BY_ORIGIN);
        }
        if header.is_some() && match_by == MatchBy::UserId && !has(Target::UserId) {
            return Err("Rows are to be matched by user, and the file has no column `userId`.");
        }
        Ok(Self { columns, exported, posted, match_by, region, latest })
    }

    pub(super) fn parse(&self, row: RawRow) -> Parsed {
        let mut reading = Reading::of(row.line);
        match row.content {
            Err(fault) => reading.fail("row", fault.to_string()),
            Ok(RowContent::Cells(cells)) => {
                reading.begin(self.exported, self.posted);
                for ((name, target), cell) in self.columns.iter().zip(cells) {
                    reading.cell(name, target, cell);
                }
            }
            Ok(RowContent::Object(members)) => {
                let exported = members.iter().any(|(name, _)| is_of_export(name));
                let names = members.iter().map(|(name, _)| name.as_str());
                reading.begin(exported, !exported && is_posted(names));
                for (name, value) in members {
                    reading.member(&name, &value);
                }
            }
        }
        reading.finish(self)
    }
}
