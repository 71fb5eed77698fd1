//! The header of a CSV file: finds where it ends, which delimiter it uses and what the columns are
//! called. What the columns mean is left to others.

use std::fmt;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::cells::{CellDecoder, Step};
use super::row::{BOM, MAX_CELLS, MAX_ROW_BYTES, RowFault};

/// The header of a CSV file; together with a position it is all that resuming needs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvHeader {
    /// The names of the columns, trimmed. A name may be empty, no other occurs twice.
    pub cells: Vec<String>,
    pub delimiter: Delimiter,
}

/// What stands between two cells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delimiter {
    Comma,
    Semicolon,
    Tab,
}

/// Why no row of a file can be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UnusableFile {
    #[error("The file has no header; start it with a line of column names.")]
    NoHeader,
    #[error("The header is not valid UTF-8; save the file with that encoding.")]
    HeaderNotUtf8,
    #[error(
        "The header has more than 1 MiB; start the file with a line of column names and end lines with LF or CRLF."
    )]
    HeaderTooLong,
    #[error("The header opens a quote that is not closed; add the closing quote.")]
    HeaderQuote,
    #[error("The lines of the file end with CR alone; save it with line ends LF or CRLF.")]
    LineEnds,
    #[error("The header has more than 1,024 columns; leave some out.")]
    TooManyColumns,
    #[error("Columns {first} and {second} have the same name; rename or remove one of them.")]
    DuplicateColumn { first: usize, second: usize },
}

impl Delimiter {
    pub(super) fn as_byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }
}

/// A file without a header has a customer's data in its place, so the names are not shown.
impl fmt::Debug for CsvHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsvHeader")
            .field("cells", &self.cells.len())
            .field("delimiter", &self.delimiter)
            .finish()
    }
}

/// Collects the bytes of the header. The delimiter is not known before its end, so a quote may follow
/// any candidate.
pub(super) struct HeaderScan {
    raw: Vec<u8>,
    at_file_start: bool,
    quoted: bool,
    may_quote: bool,
    commas: usize,
    semicolons: usize,
    tabs: usize,
}

impl HeaderScan {
    pub(super) fn new(at_file_start: bool) -> Self {
        let raw = Vec::new();
        Self { raw, at_file_start, quoted: false, may_quote: true, commas: 0, semicolons: 0, tabs: 0 }
    }

    /// Takes bytes up to the end of the header line; says how many, and whether that end is among them.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<(usize, bool), UnusableFile> {
        for (index, &byte) in bytes.iter().enumerate() {
            if self.raw.len() == MAX_ROW_BYTES {
                return Err(UnusableFile::HeaderTooLong);
            }
            self.raw.push(byte);
            if byte == b'\n' && !self.quoted {
                return Ok((index + 1, true));
            }
            if !(self.at_file_start && BOM.starts_with(&self.raw)) {
                self.note(byte);
            }
        }
        Ok((bytes.len(), false))
    }

    /// The bytes so far, byte order mark included.
    pub(super) fn raw(&self) -> &[u8] {
        &self.raw
    }

    pub(super) fn is_blank(&self) -> bool {
        self.text().trim_ascii().is_empty()
    }

    /// The header, the number of bytes that belong to it, and the number of lines. The bytes can be
    /// fewer than were collected: a quote may turn out to follow no delimiter.
    pub(super) fn header(&self) -> Result<(CsvHeader, usize, u64), UnusableFile> {
        let text = self.text();
        if text.windows(2).any(|pair| pair[0] == b'\r' && pair[1] != b'\n') {
            return Err(UnusableFile::LineEnds);
        }
        let delimiter = self.delimiter();
        let mut decoder = CellDecoder::new(delimiter);
        let cells = match decoder.read_all(text) {
            Step::Row => decoder.cells(decoder.count().min(MAX_CELLS)),
            Step::Unterminated => return Err(UnusableFile::HeaderQuote),
            Step::TooLong => return Err(UnusableFile::HeaderTooLong),
            Step::Partial | Step::Blank => return Err(UnusableFile::NoHeader),
        };
        let cells = cells.map_err(|fault| match fault {
            RowFault::CellCount { .. } => UnusableFile::TooManyColumns,
            _ => UnusableFile::HeaderNotUtf8,
        })?;
        let cells: Vec<String> = cells.iter().map(|cell| cell.trim().to_owned()).collect();
        check_names(&cells)?;
        let (length, lines) = decoder.extent();
        let bom = self.raw.len() - text.len();
        Ok((CsvHeader { cells, delimiter }, bom + length as usize, lines))
    }

    fn text(&self) -> &[u8] {
        let bom = self.at_file_start.then(|| self.raw.strip_prefix(BOM)).flatten();
        bom.unwrap_or(&self.raw)
    }

    fn note(&mut self, byte: u8) {
        if byte == b'"' {
            // A quote ends what is quoted, unless another one follows and opens it again.
            let ends = self.quoted;
            self.quoted = !ends && self.may_quote;
            self.may_quote = ends;
            return;
        }
        self.may_quote = matches!(byte, b',' | b';' | b'\t');
        if !self.quoted {
            self.commas += usize::from(byte == b',');
            self.semicolons += usize::from(byte == b';');
            self.tabs += usize::from(byte == b'\t');
        }
    }

    fn delimiter(&self) -> Delimiter {
        if self.commas > 0 || self.semicolons + self.tabs == 0 {
            Delimiter::Comma
        } else if self.semicolons >= self.tabs {
            Delimiter::Semicolon
        } else {
            Delimiter::Tab
        }
    }
}

/// Spreadsheets leave columns without a name behind: those may repeat.
fn check_names(cells: &[String]) -> Result<(), UnusableFile> {
    let mut seen = HashMap::new();
    for (index, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
        if let Some(first) = seen.insert(cell, index + 1) {
            return Err(UnusableFile::DuplicateColumn { first, second: index + 1 });
        }
    }
    if seen.is_empty() { Err(UnusableFile::NoHeader) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &[u8]) -> Result<CsvHeader, UnusableFile> {
        let mut scan = HeaderScan::new(true);
        scan.read(text)?;
        scan.header().map(|(header, ..)| header)
    }

    #[test]
    fn the_delimiter_is_found_outside_quotes() {
        for (line, delimiter, names) in [
            ("a,b\n", Delimiter::Comma, &["a", "b"][..]),
            ("a", Delimiter::Comma, &["a"]),
            (" a ;\tb;c\r\n", Delimiter::Semicolon, &["a", "b", "c"]),
            ("a\tb", Delimiter::Tab, &["a", "b"]),
            ("a;b,c", Delimiter::Comma, &["a;b", "c"]),
            ("\"x, \"\"y\"\"\";\"z\nw\"\n", Delimiter::Semicolon, &["x, \"y\"", "z\nw"]),
            ("\u{FEFF}\"x, y\";b", Delimiter::Semicolon, &["x, y", "b"]),
            ("\"x \"\"y, z\"\" w\";b", Delimiter::Semicolon, &["x \"y, z\" w", "b"]),
            ("a,,", Delimiter::Comma, &["a", "", ""]),
        ] {
            let header = header(line.as_bytes()).unwrap();
            assert_eq!(
                (header.delimiter, header.cells),
                (delimiter, names.iter().map(|&n| n.to_owned()).collect())
            );
        }
    }

    #[test]
    fn a_header_that_cannot_be_used_is_refused_with_its_reason() {
        use UnusableFile as U;
        for (line, reason) in [
            (&b",,\n"[..], U::NoHeader),
            (b"a,\xFF\n", U::HeaderNotUtf8),
            (b"\xFF\xFEa\0,\0b\0\n", U::HeaderNotUtf8),
            (b"a,\"b\n1,2\n", U::HeaderQuote),
            (b"a,b\r1,2\r", U::LineEnds),
            (b"a,b, a \n", U::DuplicateColumn { first: 1, second: 3 }),
        ] {
            assert_eq!(header(line).err(), Some(reason));
        }
        assert_eq!(header(&vec![b'a'; MAX_ROW_BYTES + 1]).err(), Some(U::HeaderTooLong));
        let names: Vec<String> = (0..=MAX_CELLS).map(|number| number.to_string()).collect();
        assert_eq!(header(names.join(",").as_bytes()).err(), Some(U::TooManyColumns));
        assert!(header(names[1..].join(",").as_bytes()).is_ok());
    }

    #[test]
    fn it_is_stored_as_json_and_not_shown_in_logs() {
        let header = CsvHeader { cells: vec!["Lorraine".to_owned()], delimiter: Delimiter::Semicolon };
        let text = serde_json::to_string(&header).unwrap();
        assert_eq!(text, r#"{"cells":["Lorraine"],"delimiter":"semicolon"}"#);
        assert_eq!(serde_json::from_str::<CsvHeader>(&text).unwrap(), header);
        assert_eq!(format!("{header:?}"), "CsvHeader { cells: 1, delimiter: Semicolon }");
    }
}
