//! What a reader hands out: one row of a file, or what is wrong with it. Whether the cells make sense
//! is judged by who asked for them.

use std::fmt;

use serde_json::value::RawValue;

/// One row of the file, blank lines and the header excepted.
#[derive(Debug)]
pub struct RawRow {
    /// The physical line where the row begins, from 1; the header of a CSV file is on line 1.
    pub line: u64,
    /// The number of the row, from 1; rows with a fault count, the header does not.
    pub row: u64,
    /// The offset of the first byte after the row and its line end.
    pub end: u64,
    /// The physical line that begins there.
    pub next_line: u64,
    pub content: Result<RowContent, RowFault>,
}

/// The text of a row.
#[derive(Clone)]
pub enum RowContent {
    /// As many cells as the header has, in its order.
    Cells(Vec<String>),
    /// The members of a JSON object, in the order of the file, no name twice. The values are kept as
    /// they were written, so that numbers keep all their digits. They are JSON by syntax: whether a
    /// string escapes half of a surrogate pair shows when it is read.
    Object(Vec<(String, Box<RawValue>)>),
}

/// Why a row cannot be used. The rows around it are not affected, and no message repeats a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RowFault {
    #[error("The row has {}, the header has {expected}; {}.", count(*found), cell_advice(*expected, *found))]
    CellCount { expected: usize, found: usize },
    #[error("The row has more than 1 MiB; check for a quote without its partner, or shorten the row.")]
    TooLong,
    #[error("The row is not valid UTF-8; save the file with that encoding.")]
    Utf8,
    #[error("The row opens a quote that the file never closes; add the closing quote.")]
    UnterminatedQuote,
    #[error("The row is not valid JSON, see column {column}; write one complete JSON object on each line.")]
    MalformedJson { column: usize },
    #[error("The row is JSON but not an object; write one JSON object on each line.")]
    NotAnObject,
    #[error("The object has two members of the same name; keep one of them.")]
    DuplicateMember,
    #[error("The object has more than 1,024 members; leave some out.")]
    TooManyMembers,
}

/// The most bytes of a row with its line end. It bounds what a stray quote can swallow.
pub(super) const MAX_ROW_BYTES: usize = 1 << 20;

/// The most columns of a header and members of an object: a row of separators only would otherwise
/// take many times its own size in memory.
pub(super) const MAX_CELLS: usize = 1_024;

/// The byte order mark that some programs put before UTF-8.
pub(super) const BOM: &[u8] = b"\xEF\xBB\xBF";

impl fmt::Debug for RowContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Personal data: only how much of it there is may be printed.
        match self {
            Self::Cells(cells) => write!(f, "Cells({})", cells.len()),
            Self::Object(members) => write!(f, "Object({})", members.len()),
        }
    }
}

fn count(cells: usize) -> String {
    if cells == 1 { "1 cell".to_owned() } else { format!("{cells} cells") }
}

fn cell_advice(expected: usize, found: usize) -> &'static str {
    if found > expected {
        "put quotes around cells that hold a separator, such as a comma"
    } else {
        "write the separators of empty cells too"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_number_of_cells_says_what_to_change() {
        let message = |expected, found| RowFault::CellCount { expected, found }.to_string();
        assert_eq!(
            message(12, 13),
            "The row has 13 cells, the header has 12; put quotes around cells that hold a separator, such as a comma."
        );
        assert_eq!(
            message(2, 1),
            "The row has 1 cell, the header has 2; write the separators of empty cells too."
        );
    }

    #[test]
    fn debug_does_not_show_the_text() {
        let cells = RowContent::Cells(vec!["lorraine@hillvalley.edu".to_owned()]);
        assert_eq!(format!("{cells:?}"), "Cells(1)");
        let row = RawRow { line: 3, row: 2, end: 40, next_line: 4, content: Ok(cells) };
        assert_eq!(
            format!("{row:?}"),
            "RawRow { line: 3, row: 2, end: 40, next_line: 4, content: Ok(Cells(1)) }"
        );
    }
}
