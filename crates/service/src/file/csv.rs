//! The rows of a CSV file (RFC 4180) after its header: gives them their place in the file. Taking them
//! apart is left to `cells`.

use super::cells::{CellDecoder, Step};
use super::cursor::Cursor;
use super::header::CsvHeader;
use super::row::{RawRow, RowContent, RowFault};

/// Reads the rows under a header.
pub(super) struct CsvRows {
    header: CsvHeader,
    decoder: CellDecoder,
}

impl CsvRows {
    pub(super) fn new(header: CsvHeader) -> Self {
        let decoder = CellDecoder::new(header.delimiter);
        Self { header, decoder }
    }

    pub(super) fn header(&self) -> &CsvHeader {
        &self.header
    }

    pub(super) fn feed(&mut self, mut bytes: &[u8], cursor: &mut Cursor, rows: &mut Vec<RawRow>) {
        while !bytes.is_empty() {
            let (read, step) = self.decoder.read(bytes);
            bytes = &bytes[read..];
            self.hand_out(step, cursor, rows);
        }
    }

    pub(super) fn finish(&mut self, cursor: &mut Cursor, rows: &mut Vec<RawRow>) {
        let step = self.decoder.finish();
        self.hand_out(step, cursor, rows);
    }

    fn hand_out(&mut self, step: Step, cursor: &mut Cursor, rows: &mut Vec<RawRow>) {
        let (length, lines) = self.decoder.extent();
        let content = match step {
            Step::Partial => return,
            Step::Blank => {
                cursor.skip(length, lines);
                self.decoder.clear();
                return;
            }
            Step::Row => self.decoder.cells(self.header.cells.len()).map(RowContent::Cells),
            Step::Unterminated => Err(RowFault::UnterminatedQuote),
            Step::TooLong => Err(RowFault::TooLong),
        };
        rows.push(cursor.row(length, lines, content));
        self.decoder.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::cursor::Position;
    use super::super::header::Delimiter;
    use super::super::reader::{ImportFormat, RowReader};
    use super::super::row::MAX_ROW_BYTES;
    use super::*;

    fn read(file: &[u8]) -> Vec<RawRow> {
        read_in_pieces(file, file.len())
    }

    fn read_in_pieces(file: &[u8], size: usize) -> Vec<RawRow> {
        let mut reader = RowReader::new(ImportFormat::Csv);
        let mut rows = Vec::new();
        file.chunks(size).for_each(|piece| reader.feed(piece, &mut rows).unwrap());
        reader.finish(&mut rows).unwrap();
        rows
    }

    /// The rows as `(line, row, end, cells joined by |)`.
    fn shown(rows: &[RawRow]) -> Vec<(u64, u64, u64, Result<String, RowFault>)> {
        let text = |content: &Result<RowContent, RowFault>| match content {
            Ok(RowContent::Cells(cells)) => Ok(cells.join("|")),
            Ok(RowContent::Object(_)) => Ok("an object".to_owned()),
            Err(fault) => Err(*fault),
        };
        rows.iter().map(|row| (row.line, row.row, row.end, text(&row.content))).collect()
    }

    #[test]
    fn lines_rows_and_offsets_are_those_of_the_file() {
        let file = b"\xEF\xBB\xBF\r\n a ,\"b\"\r\n1,2\r\n\r\n\n\"x\r\ny\",\"say \"\"hi\"\"\"\n,\r\n3,4";
        assert_eq!(
            shown(&read(file)),
            [
                (3, 1, 19, Ok("1|2".to_owned())),
                (6, 2, 42, Ok("x\r\ny|say \"hi\"".to_owned())),
                (8, 3, 45, Ok("|".to_owned())),
                (9, 4, 48, Ok("3|4".to_owned())),
            ]
        );
    }

    #[test]
    fn a_fault_stays_with_its_row() {
        let file = b"a,b\n1\n1,2,3\n\xFF,2\n\xC3,\xA4\nok,\r\n\"\xEF\xBB\xBF\",\"\r\"\r\nx,\"y\nz,\r\n";
        let count = |found| Err(RowFault::CellCount { expected: 2, found });
        assert_eq!(
            shown(&read(file)),
            [
                (2, 1, 6, count(1)),
                (3, 2, 12, count(3)),
                (4, 3, 16, Err(RowFault::Utf8)),
                (5, 4, 20, Err(RowFault::Utf8)),
                (6, 5, 25, Ok("ok|".to_owned())),
                (7, 6, 36, Ok("\u{FEFF}|\r".to_owned())),
                (8, 7, 45, Err(RowFault::UnterminatedQuote)),
            ]
        );
    }

    #[test]
    fn only_the_file_may_begin_with_a_byte_order_mark() {
        let header = CsvHeader { cells: vec!["a".to_owned()], delimiter: Delimiter::Comma };
        let position = Position { offset: 2, line: 2, row: 0 };
        let mut reader = RowReader::resume(ImportFormat::Csv, Some(header), position);
        let mut rows = Vec::new();
        reader.feed("\u{FEFF}x\n".as_bytes(), &mut rows).unwrap();
        assert_eq!(shown(&rows), [(2, 1, 7, Ok("\u{FEFF}x".to_owned()))]);
    }

    #[test]
    fn many_cells_are_counted_and_not_kept() {
        let found = 100_000;
        let file = format!("a\n{}\nx\n", ",".repeat(found - 1));
        let rows = shown(&read(file.as_bytes()));
        assert_eq!(rows[0].3, Err(RowFault::CellCount { expected: 1, found }));
        assert_eq!(rows[1].3, Ok("x".to_owned()));
    }

    #[test]
    fn a_stray_quote_swallows_1_mib_at_most() {
        let longest = format!("{}\r\n", "x".repeat(MAX_ROW_BYTES - 2));
        let stray = format!("\"{}", "0123456\n".repeat(MAX_ROW_BYTES / 8));
        let file = format!("a\n{longest}{stray}after\n\"again\"");
        // Of the lines in quotes the last one lies across the limit.
        let lines = (MAX_ROW_BYTES / 8) as u64;
        let end = 2 + (longest.len() + stray.len()) as u64;
        for size in [1, 1_000, file.len()] {
            let rows = shown(&read_in_pieces(file.as_bytes(), size));
            assert!(rows[0].3.is_ok());
            assert_eq!(rows[1], (3, 2, end, Err(RowFault::TooLong)));
            assert_eq!(rows[2], (3 + lines, 3, end + 6, Ok("after".to_owned())));
            assert_eq!(rows[3].3, Ok("again".to_owned()));
        }
    }
}
