//! The rows of an NDJSON file: one JSON object on each line. It only checks that a line is one; the
//! values stay as they were written.

use std::fmt;

use memchr::memchr;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::cursor::Cursor;
use super::row::{BOM, MAX_CELLS, MAX_ROW_BYTES, RawRow, RowContent, RowFault};

/// Reads the lines; holds back the one that is not complete.
#[derive(Default)]
pub(super) struct NdjsonRows {
    pending: Vec<u8>,
    /// The bytes of the line so far; over the limit they are counted but not kept.
    length: u64,
}

type Members = Vec<(String, Box<RawValue>)>;

impl NdjsonRows {
    pub(super) fn feed(&mut self, mut bytes: &[u8], cursor: &mut Cursor, rows: &mut Vec<RawRow>) {
        while let Some(index) = memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(index + 1);
            bytes = rest;
            self.end_line(line, cursor, rows);
        }
        self.length += bytes.len() as u64;
        if self.is_too_long() {
            self.pending.clear();
        } else {
            self.pending.extend_from_slice(bytes);
        }
    }

    pub(super) fn finish(&mut self, cursor: &mut Cursor, rows: &mut Vec<RawRow>) {
        if self.length > 0 {
            self.end_line(&[], cursor, rows);
        }
    }

    fn end_line(&mut self, last_part: &[u8], cursor: &mut Cursor, rows: &mut Vec<RawRow>) {
        self.length += last_part.len() as u64;
        let content = if self.is_too_long() {
            Some(Err(RowFault::TooLong))
        } else if self.pending.is_empty() {
            read_line(last_part, cursor.at_file_start())
        } else {
            self.pending.extend_from_slice(last_part);
            read_line(&self.pending, cursor.at_file_start())
        };
        match content {
            Some(content) => rows.push(cursor.row(self.length, 1, content)),
            None => cursor.skip(self.length, 1),
        }
        self.pending.clear();
        self.length = 0;
    }

    fn is_too_long(&self) -> bool {
        self.length > MAX_ROW_BYTES as u64
    }
}

/// `None` for a blank line.
fn read_line(line: &[u8], at_file_start: bool) -> Option<Result<RowContent, RowFault>> {
    let bom = at_file_start.then(|| line.strip_prefix(BOM)).flatten();
    let line = bom.unwrap_or(line);
    // What stands before the JSON stays: the column of an error counts it.
    let line = line.trim_ascii_end();
    (!line.is_empty()).then(|| read_object(line).map(RowContent::Object))
}

fn read_object(line: &[u8]) -> Result<Members, RowFault> {
    let line = std::str::from_utf8(line).map_err(|_| RowFault::Utf8)?;
    let mut json = serde_json::Deserializer::from_str(line);
    let members = json.deserialize_map(ObjectVisitor).and_then(|members| json.end().map(|()| members));
    let members = members.map_err(|error| {
        if error.is_data() {
            return RowFault::NotAnObject;
        }
        RowFault::MalformedJson { column: letters(line, error.column()) }
    })?;
    let members = members.ok_or(RowFault::TooManyMembers)?;
    if has_duplicate(&members) { Err(RowFault::DuplicateMember) } else { Ok(members) }
}

/// How many letters the first bytes of the line are.
fn letters(line: &str, bytes: usize) -> usize {
    line.char_indices().take_while(|(index, _)| *index < bytes).count()
}

fn has_duplicate(members: &Members) -> bool {
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}

/// The members of an object, or `None` when there are too many.
struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Option<Members>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::new();
        while members.len() < MAX_CELLS {
            let Some(member) = map.next_entry()? else { return Ok(Some(members)) };
            members.push(member);
        }
        // The rest is read all the same, for malformed JSON is the graver fault.
        let mut too_many = false;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            too_many = true;
        }
        Ok((!too_many).then_some(members))
    }
}

#[cfg(test)]
mod tests {
    use super::super::reader::{ImportFormat, RowReader};
    use super::*;

    fn read(file: &[u8]) -> Vec<RawRow> {
        let mut reader = RowReader::new(ImportFormat::Ndjson);
        let mut rows = Vec::new();
        reader.feed(file, &mut rows).unwrap();
        reader.finish(&mut rows).unwrap();
        rows
    }

    fn fault(line: &str) -> RowFault {
        read(line.as_bytes()).remove(0).content.unwrap_err()
    }

    #[test]
    fn values_stay_as_they_were_written() {
        let file = "\u{FEFF}{\"a\": 12345678901234567890123, \"b\":1.50}\r\n \r\n\n{\"\\u0062\":[ null ]}";
        let rows = read(file.as_bytes());
        assert_eq!(
            rows.iter().map(|row| (row.line, row.row, row.end)).collect::<Vec<_>>(),
            [(1, 1, 45), (4, 2, file.len() as u64)]
        );
        let members = |row: &RawRow| match &row.content {
            Ok(RowContent::Object(members)) => {
                members.iter().map(|(name, value)| format!("{name}={}", value.get())).collect::<Vec<_>>()
            }
            _ => Vec::new(),
        };
        assert_eq!(members(&rows[0]), ["a=12345678901234567890123", "b=1.50"]);
        assert_eq!(members(&rows[1]), ["b=[ null ]"]);
    }

    #[test]
    fn a_line_that_is_no_object_is_refused_with_its_reason() {
        use RowFault as F;
        for (line, reason) in [
            ("[1]", F::NotAnObject),
            ("\"a\"", F::NotAnObject),
            ("null", F::NotAnObject),
            ("hello", F::MalformedJson { column: 1 }),
            ("{\"ä\":0123}", F::MalformedJson { column: 7 }),
            ("  {\"a\":1,}", F::MalformedJson { column: 10 }),
            ("{\"a\":1", F::MalformedJson { column: 6 }),
            ("{\"a\":1} {}", F::MalformedJson { column: 9 }),
            ("{\"a\":NaN}", F::MalformedJson { column: 6 }),
            ("{\"a\":1,\"b\":2,\"\\u0061\":3}", F::DuplicateMember),
        ] {
            assert_eq!(fault(line), reason, "{line}");
        }
        assert!(matches!(read(b"{\"a\":\"\xFF\"}")[0].content, Err(F::Utf8)));
    }

    #[test]
    fn members_are_limited() {
        let object = |count: usize| {
            let members: Vec<String> = (0..count).map(|number| format!("\"{number}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert!(read(object(MAX_CELLS).as_bytes())[0].content.is_ok());
        assert_eq!(fault(&object(MAX_CELLS + 1)), RowFault::TooManyMembers);
    }

    #[test]
    fn a_line_over_the_limit_is_skipped_to_its_end() {
        let line = |length: usize| format!("{{\"a\":\"{}\"}}\n", "x".repeat(length - 9));
        let file = format!("{}{}{{}}", line(MAX_ROW_BYTES), line(MAX_ROW_BYTES + 1));
        for size in [1_000, file.len()] {
            let mut reader = RowReader::new(ImportFormat::Ndjson);
            let mut rows = Vec::new();
            file.as_bytes().chunks(size).for_each(|piece| reader.feed(piece, &mut rows).unwrap());
            reader.finish(&mut rows).unwrap();
            assert!(rows[0].content.is_ok() && rows[2].content.is_ok());
            assert!(matches!(rows[1].content, Err(RowFault::TooLong)));
            assert_eq!((rows[1].end, rows[2].line), (2 * MAX_ROW_BYTES as u64 + 1, 3));
        }
    }
}
