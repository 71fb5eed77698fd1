//! Files as rows: CSV and newline-delimited JSON, read piece by piece as they come in.

mod cells;
mod csv;
mod cursor;
mod header;
mod ndjson;
mod reader;
mod row;

pub use cursor::Position;
pub use header::{CsvHeader, Delimiter, UnusableFile};
pub use reader::{ImportFormat, RowReader};
pub use row::{RawRow, RowContent, RowFault};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Everything that a reader says, in a form that can be compared.
    type Seen = Vec<(u64, u64, u64, Result<Vec<String>, RowFault>)>;

    fn read(format: ImportFormat, file: &[u8], sizes: &[usize]) -> (Option<CsvHeader>, Seen) {
        let mut reader = RowReader::new(format);
        let seen = read_on(&mut reader, file, sizes);
        (reader.header().cloned(), seen)
    }

    /// Feeds the file in pieces of these sizes, again and again; a file that cannot be used ends there.
    fn read_on(reader: &mut RowReader, mut file: &[u8], sizes: &[usize]) -> Seen {
        let mut rows = Vec::new();
        for size in sizes.iter().cycle() {
            let (piece, rest) = file.split_at((*size).min(file.len()));
            let before = rows.len();
            if reader.feed(piece, &mut rows).is_err() {
                return Seen::new();
            }
            if rows.len() > before {
                assert_eq!(reader.position().offset, rows[rows.len() - 1].end);
                assert_eq!(reader.position().row, rows[rows.len() - 1].row);
            }
            file = rest;
            if file.is_empty() {
                break;
            }
        }
        if reader.finish(&mut rows).is_err() {
            return Seen::new();
        }
        rows.into_iter().map(|row| (row.line, row.row, row.end, row.content.map(text))).collect()
    }

    fn text(content: RowContent) -> Vec<String> {
        match content {
            RowContent::Cells(cells) => cells,
            RowContent::Object(members) => {
                members.into_iter().map(|(name, value)| format!("{name}:{value}")).collect()
            }
        }
    }

    /// Files of pieces that matter: quotes, separators, line ends, broken letters.
    fn file(header: &'static [u8], pieces: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
        let body = prop::collection::vec(prop::sample::select(pieces), 0..80);
        (prop::bool::ANY, body).prop_map(move |(bom, body)| {
            let start: &[u8] = if bom { b"\xEF\xBB\xBF" } else { b"" };
            [start, header, &body.concat()].concat()
        })
    }

    fn csv() -> impl Strategy<Value = Vec<u8>> {
        const PIECES: &[&[u8]] = &[
            b"a",
            b",",
            b"\"",
            b"\"\"",
            b"\r\n",
            b"\n",
            b"\r",
            "ä".as_bytes(),
            b"\xC3",
            b"\xEF\xBB\xBF",
            b"1,2\n",
            b"\"x\ny\",z\r\n",
        ];
        prop_oneof![file(b"a,b\n", PIECES), file(b"\na;\"b\"\r\n", PIECES), file(b"", PIECES)]
    }

    fn ndjson() -> impl Strategy<Value = Vec<u8>> {
        const PIECES: &[&[u8]] = &[
            b"{\"a\":1}\n",
            b"{\"a\":\"",
            b"\"}",
            b"{}",
            b"\r\n",
            b"\n",
            b" ",
            b"\xC3",
            b"[1]\n",
            b"{\"a\":1,\"a\":2}\r\n",
        ];
        file(b"", PIECES)
    }

    fn sizes() -> impl Strategy<Value = Vec<usize>> {
        prop::collection::vec(1..20_usize, 1..8)
    }

    /// A reader that stops after each row and one that goes on there see what one reader sees.
    fn check(format: ImportFormat, file: &[u8], sizes: &[usize]) {
        let (header, whole) = read(format, file, &[file.len().max(1)]);
        assert_eq!(read(format, file, sizes), (header.clone(), whole.clone()));
        let mut reader = RowReader::new(format);
        let mut rows = Vec::new();
        for (index, byte) in file.iter().enumerate() {
            let before = reader.position();
            if reader.feed(&[*byte], &mut rows).is_err() {
                return;
            }
            let position = reader.position();
            if position == before {
                continue;
            }
            assert_eq!(position.offset, index as u64 + 1);
            let mut resumed = RowReader::resume(format, reader.header().cloned(), position);
            let rest = read_on(&mut resumed, &file[index + 1..], sizes);
            assert_eq!(rest, whole[position.row as usize..]);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn csv_reads_alike_in_pieces_and_resumed(file in csv(), sizes in sizes()) {
            check(ImportFormat::Csv, &file, &sizes);
        }

        #[test]
        fn ndjson_reads_alike_in_pieces_and_resumed(file in ndjson(), sizes in sizes()) {
            check(ImportFormat::Ndjson, &file, &sizes);
        }
    }
}
