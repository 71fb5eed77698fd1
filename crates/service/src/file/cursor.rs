//! Where in the file a reader is. What it reads there is left to the formats.

use super::row::{RawRow, RowContent, RowFault};

/// The end of a row (or of the header), where reading can go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// How many bytes of the file lie before it.
    pub offset: u64,
    /// The physical line that begins there, from 1.
    pub line: u64,
    /// How many rows lie before this place.
    pub row: u64,
}

/// The start of a file.
impl Default for Position {
    fn default() -> Self {
        Self { offset: 0, line: 1, row: 0 }
    }
}

/// Keeps count of bytes, lines and rows.
pub(super) struct Cursor {
    pub(super) position: Position,
    /// Where the row that is being read begins; blank lines may lie before it.
    start: Position,
}

impl Cursor {
    pub(super) fn new(position: Position) -> Self {
        Self { position, start: position }
    }

    pub(super) fn at_file_start(&self) -> bool {
        self.start.offset == 0
    }

    pub(super) fn skip(&mut self, bytes: u64, lines: u64) {
        self.start.offset += bytes;
        self.start.line += lines;
    }

    pub(super) fn row(&mut self, bytes: u64, lines: u64, content: Result<RowContent, RowFault>) -> RawRow {
        let line = self.start.line;
        self.skip(bytes, lines);
        self.start.row += 1;
        self.position = self.start;
        RawRow { line, row: self.start.row, end: self.start.offset, next_line: self.start.line, content }
    }

    pub(super) fn header(&mut self, bytes: u64, lines: u64) {
        self.skip(bytes, lines);
        self.position = self.start;
    }
}
