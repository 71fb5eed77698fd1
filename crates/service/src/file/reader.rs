//! The reader of import files: takes bytes in pieces of any size, gives rows, and can go on at the end
//! of any row. The formats themselves are in the modules beside it.

use super::csv::CsvRows;
use super::cursor::{Cursor, Position};
use super::header::{CsvHeader, HeaderScan, UnusableFile};
use super::ndjson::NdjsonRows;
use super::row::RawRow;

/// How the file is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ImportFormat {
    Csv,
    Ndjson,
}

impl ImportFormat {
    /// The name under which a store and the API know this format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }

    /// The format of this name, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Csv, Self::Ndjson].into_iter().find(|format| format.as_str() == name)
    }
}

/// Reads an import file of any size with little memory: it keeps one row at most.
///
/// ```
/// use onefold_service::file::{ImportFormat, RowContent, RowReader};
///
/// let mut reader = RowReader::new(ImportFormat::Csv);
/// let mut rows = Vec::new();
/// reader.feed(b"email,city\nlorraine@hillvalley.edu,\"Hill", &mut rows)?;
/// assert!(rows.is_empty());
/// reader.feed(b" Valley\"\n", &mut rows)?;
/// reader.finish(&mut rows)?;
/// assert!(matches!(&rows[0].content, Ok(RowContent::Cells(cells)) if cells[1] == "Hill Valley"));
/// assert_eq!(reader.position().offset, 49);
/// # Ok::<(), onefold_service::file::UnusableFile>(())
/// ```
pub struct RowReader {
    cursor: Cursor,
    part: Part,
}

impl RowReader {
    /// A reader at the start of a file.
    #[must_use]
    pub fn new(format: ImportFormat) -> Self {
        Self::resume(format, None, Position::default())
    }

    /// A reader that goes on at a position which another one gave; the next bytes fed must be those
    /// that follow it. A CSV file without a header is taken to have it there.
    #[must_use]
    pub fn resume(format: ImportFormat, header: Option<CsvHeader>, position: Position) -> Self {
        let part = match (format, header) {
            (ImportFormat::Csv, None) => Part::Header(HeaderScan::new(position.offset == 0)),
            (ImportFormat::Csv, Some(header)) => Part::Csv(Box::new(CsvRows::new(header))),
            (ImportFormat::Ndjson, _) => Part::Ndjson(NdjsonRows::default()),
        };
        Self { cursor: Cursor::new(position), part }
    }

    /// Reads on and appends every row that these bytes complete.
    ///
    /// # Errors
    /// A CSV header that cannot be used; every further call then fails alike. Rows have their own faults.
    pub fn feed(&mut self, mut bytes: &[u8], rows: &mut Vec<RawRow>) -> Result<(), UnusableFile> {
        while let Part::Header(scan) = &mut self.part {
            let (read, complete) = match scan.read(bytes) {
                Ok(progress) => progress,
                Err(unusable) => return self.give_up(unusable),
            };
            bytes = &bytes[read..];
            if !complete {
                return Ok(());
            }
            self.end_header(rows)?;
        }
        match &mut self.part {
            Part::Csv(csv) => csv.feed(bytes, &mut self.cursor, rows),
            Part::Ndjson(ndjson) => ndjson.feed(bytes, &mut self.cursor, rows),
            Part::Unusable(unusable) => return Err(*unusable),
            Part::Header(_) => {}
        }
        Ok(())
    }

    /// The end of the file: appends its last row if that had no line end.
    ///
    /// # Errors
    /// A CSV file without a header, or with one that cannot be used.
    pub fn finish(&mut self, rows: &mut Vec<RawRow>) -> Result<(), UnusableFile> {
        if let Part::Header(_) = self.part {
            self.end_header(rows)?;
        }
        match &mut self.part {
            Part::Csv(csv) => csv.finish(&mut self.cursor, rows),
            Part::Ndjson(ndjson) => ndjson.finish(&mut self.cursor, rows),
            Part::Header(_) => return self.give_up(UnusableFile::NoHeader),
            Part::Unusable(unusable) => return Err(*unusable),
        }
        Ok(())
    }

    /// The header of a CSV file, once it was read.
    pub fn header(&self) -> Option<&CsvHeader> {
        match &self.part {
            Part::Csv(csv) => Some(csv.header()),
            _ => None,
        }
    }

    /// The position after the last row that was handed out, or after the header.
    pub fn position(&self) -> Position {
        self.cursor.position
    }

    /// A line is complete and may be the header; a blank one is not.
    fn end_header(&mut self, rows: &mut Vec<RawRow>) -> Result<(), UnusableFile> {
        let Part::Header(scan) = &self.part else { return Ok(()) };
        if scan.is_blank() {
            self.cursor.skip(scan.raw().len() as u64, 1);
            self.part = Part::Header(HeaderScan::new(false));
            return Ok(());
        }
        match scan.header() {
            Ok((header, length, lines)) => {
                self.cursor.header(length as u64, lines);
                let mut csv = Box::new(CsvRows::new(header));
                csv.feed(&scan.raw()[length..], &mut self.cursor, rows);
                self.part = Part::Csv(csv);
                Ok(())
            }
            Err(unusable) => self.give_up(unusable),
        }
    }

    fn give_up(&mut self, unusable: UnusableFile) -> Result<(), UnusableFile> {
        self.part = Part::Unusable(unusable);
        Err(unusable)
    }
}

enum Part {
    Header(HeaderScan),
    Csv(Box<CsvRows>),
    Ndjson(NdjsonRows),
    Unusable(UnusableFile),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_have_stable_names() {
        for format in [ImportFormat::Csv, ImportFormat::Ndjson] {
            assert_eq!(ImportFormat::parse(format.as_str()), Some(format));
        }
        assert_eq!(ImportFormat::parse("xlsx"), None);
    }

    #[test]
    fn a_csv_file_needs_a_header_and_an_ndjson_file_nothing() {
        for file in [&b""[..], b"\xEF\xBB\xBF", b"\r\n\n  \n"] {
            let mut reader = RowReader::new(ImportFormat::Csv);
            let mut rows = Vec::new();
            reader.feed(file, &mut rows).unwrap();
            assert_eq!(reader.finish(&mut rows), Err(UnusableFile::NoHeader));
            assert_eq!(reader.feed(b"a\n", &mut rows), Err(UnusableFile::NoHeader));
            assert!(RowReader::new(ImportFormat::Ndjson).finish(&mut rows).is_ok());
        }
    }

    #[test]
    fn a_header_that_seemed_longer_gives_the_rest_back_as_rows() {
        // Until the end of the header the semicolon may be the delimiter and the quote open a cell.
        let file = b"x,a;\"b\n1,2\n3;\",4\n";
        let mut reader = RowReader::new(ImportFormat::Csv);
        let mut rows = Vec::new();
        reader.feed(file, &mut rows).unwrap();
        assert_eq!(reader.header().unwrap().cells, ["x", "a;\"b"]);
        let places: Vec<_> = rows.iter().map(|row| (row.line, row.row, row.end)).collect();
        assert_eq!(places, [(2, 1, 11), (3, 2, 17)]);
    }
}
