//! Takes the rows of a CSV file apart. `csv-core` finds the cells; this module adds what it leaves
//! open: limits, exact extents, and quotes that never close.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};
use memchr::memchr;

use super::header::Delimiter;
use super::row::{MAX_CELLS, MAX_ROW_BYTES, RowFault};

/// What the bytes read last came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// The row goes on; there may be none yet.
    Partial,
    Row,
    /// A line without any text.
    Blank,
    TooLong,
    /// The file ended inside quotes.
    Unterminated,
}

/// Takes one row at a time apart, from pieces of any size.
pub(super) struct CellDecoder {
    parser: Reader,
    /// The text of all cells; only the first `written` bytes are in use.
    text: Vec<u8>,
    written: usize,
    /// Where each cell ends in the text. Cells over the limit share the last slots: they only count.
    ends: Vec<usize>,
    count: usize,
    length: u64,
    last_byte: u8,
    too_long: bool,
}

impl CellDecoder {
    pub(super) fn new(delimiter: Delimiter) -> Self {
        // Rows end with LF only, and the CR before it is taken off here: left to the parser, a row
        // would end between the two, or after both, depending on where a piece of the file ends.
        let parser =
            ReaderBuilder::new().delimiter(delimiter.as_byte()).terminator(Terminator::Any(b'\n')).build();
        let mut decoder = Self {
            parser,
            text: vec![0; 4_096],
            written: 0,
            ends: vec![0; MAX_CELLS + 64],
            count: 0,
            length: 0,
            last_byte: 0,
            too_long: false,
        };
        decoder.restart();
        decoder
    }

    /// Reads until the row ends, a limit is reached or the bytes are used up; says how many it took.
    /// After any step but `Partial` the row has to be cleared.
    pub(super) fn read(&mut self, bytes: &[u8]) -> (usize, Step) {
        if self.too_long {
            return self.read_to_line_end(bytes);
        }
        // The parser skips empty lines without a word, but they count for the line numbers.
        if self.length == 0 && bytes.first() == Some(&b'\n') {
            self.length = 1;
            self.parser.set_line(1);
            return (1, Step::Blank);
        }
        let room = MAX_ROW_BYTES - self.length as usize;
        if room == 0 {
            self.too_long = true;
            return (0, Step::Partial);
        }
        let bytes = &bytes[..bytes.len().min(room)];
        let (result, read) = self.parse(bytes);
        self.length += read as u64;
        let step = if result == ReadRecordResult::Record {
            let before = if read > 1 { bytes[read - 2] } else { self.last_byte };
            self.end_row(before, 1)
        } else {
            Step::Partial
        };
        if read > 0 {
            self.last_byte = bytes[read - 1];
        }
        (read, step)
    }

    /// The end of the file: what was read so far is the last row.
    pub(super) fn finish(&mut self) -> Step {
        if self.length == 0 {
            return Step::Partial;
        }
        if self.too_long {
            return Step::TooLong;
        }
        // A line end closes the row, unless a quote is open: then the parser takes it for text.
        loop {
            match self.parse(b"\n") {
                (ReadRecordResult::Record, _) => return self.end_row(self.last_byte, 0),
                (_, 0) => {}
                _ => return Step::Unterminated,
            }
        }
    }

    /// One row, all of whose bytes are there.
    pub(super) fn read_all(&mut self, mut bytes: &[u8]) -> Step {
        while !bytes.is_empty() {
            let (read, step) = self.read(bytes);
            if step != Step::Partial {
                return step;
            }
            bytes = &bytes[read..];
        }
        self.finish()
    }

    pub(super) fn cells(&self, expected: usize) -> Result<Vec<String>, RowFault> {
        if self.count != expected {
            return Err(RowFault::CellCount { expected, found: self.count });
        }
        let text = std::str::from_utf8(&self.text[..self.written]).map_err(|_| RowFault::Utf8)?;
        let mut cells = Vec::with_capacity(expected);
        let mut start = 0;
        for &end in &self.ends[..expected] {
            // Two broken cells may make one good text, but the border between them then splits a letter.
            cells.push(text.get(start..end).ok_or(RowFault::Utf8)?.to_owned());
            start = end;
        }
        Ok(cells)
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// How many bytes and physical lines the row takes, its line end included.
    pub(super) fn extent(&self) -> (u64, u64) {
        (self.length, self.parser.line())
    }

    pub(super) fn clear(&mut self) {
        if self.too_long {
            self.restart();
        }
        self.parser.set_line(0);
        (self.written, self.count, self.length, self.too_long) = (0, 0, 0, false);
    }

    /// The parser at the start of a row. Its first call would skip a byte order mark, which only the
    /// file may begin with; an empty line uses that call up.
    fn restart(&mut self) {
        self.parser.reset();
        self.parser.read_record(b"\n", &mut [0], &mut [0]);
        self.parser.set_line(0);
    }

    fn parse(&mut self, bytes: &[u8]) -> (ReadRecordResult, usize) {
        if self.written == self.text.len() {
            self.text.resize(2 * self.written, 0);
        }
        let text = &mut self.text[self.written..];
        let ends = &mut self.ends[self.count.min(MAX_CELLS)..];
        let (result, read, written, count) = self.parser.read_record(bytes, text, ends);
        self.written += written;
        self.count += count;
        (result, read)
    }

    fn end_row(&mut self, before: u8, line_feed: u64) -> Step {
        let carriage_return = before == b'\r';
        // The CR stood outside quotes, or the LF would not have ended the row: so it is in the text.
        if carriage_return && self.count <= MAX_CELLS {
            self.ends[self.count - 1] -= 1;
        }
        let blank = self.length == line_feed + u64::from(carriage_return);
        if blank { Step::Blank } else { Step::Row }
    }

    fn read_to_line_end(&mut self, bytes: &[u8]) -> (usize, Step) {
        let end = memchr(b'\n', bytes);
        let read = end.map_or(bytes.len(), |index| index + 1);
        self.length += read as u64;
        if end.is_none() {
            return (read, Step::Partial);
        }
        self.parser.set_line(self.parser.line() + 1);
        (read, Step::TooLong)
    }
}
