//! From a row's text to a contact. Every fault of a row is reported with the column it stands in.

use super::columns::{EXPORTED, Target, is_posted};
use super::reading::Reading;
use super::{CsvHeader, MatchBy, RawRow, RowContent, RowFailure};
use crate::{ContactRequest, Region};

/// A row that can be imported.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct ImportRow {
    pub(super) line: u64,
    pub(super) request: ContactRequest,
    /// Whether the row itself names its source. If not, a record keeps the one it has.
    pub(super) names_source: bool,
}

/// A row, or everything that is wrong with it.
pub(super) type Parsed = Result<ImportRow, Vec<RowFailure>>;

/// Reads rows of one file.
pub(super) struct RowParser {
    /// Of a CSV file, in the order of its columns.
    columns: Vec<(String, Target)>,
    /// Whether it is one that we wrote.
    exported: bool,
    /// Whether its rows are in the form of the API.
    posted: bool,
    pub(super) match_by: MatchBy,
    pub(super) region: Option<Region>,
}

impl RowParser {
    /// # Errors
    /// A header without a column that says whom a row is about.
    pub(super) fn new(
        header: Option<&CsvHeader>,
        match_by: MatchBy,
        region: Option<Region>,
    ) -> Result<Self, &'static str> {
        let cells = || header.into_iter().flat_map(|header| &header.cells);
        let exported = cells().any(|name| name == EXPORTED);
        let posted = !exported && is_posted(cells().map(String::as_str));
        let target = if exported || posted { Target::of_export } else { Target::of };
        let columns: Vec<(String, Target)> = cells().map(|name| (name.clone(), target(name))).collect();
        let has = |wanted: Target| columns.iter().any(|(_, target)| *target == wanted);
        if header.is_some() && !posted && !has(Target::Email) && !has(Target::Phone) {
            return Err(
                "The file has no column `email` or `phone`; name at least one of them in the header.",
            );
        }
        if header.is_some() && match_by == MatchBy::UserId && !has(Target::UserId) {
            return Err("Rows are to be matched by user, and the file has no column `userId`.");
        }
        Ok(Self { columns, exported, posted, match_by, region })
    }

    pub(super) fn parse(&self, row: RawRow) -> Parsed {
        let mut reading = Reading::of(row.line);
        match row.content {
            Err(fault) => reading.fail("row", fault.to_string()),
            Ok(RowContent::Cells(cells)) => {
                (reading.exported, reading.posted) = (self.exported, self.posted);
                for ((name, target), cell) in self.columns.iter().zip(cells) {
                    reading.cell(name, target, cell);
                }
            }
            Ok(RowContent::Object(members)) => {
                reading.exported = members.iter().any(|(name, _)| name == EXPORTED);
                let names = members.iter().map(|(name, _)| name.as_str());
                reading.posted = !reading.exported && is_posted(names);
                for (name, value) in members {
                    reading.member(&name, &value);
                }
            }
        }
        reading.finish(self)
    }
}
