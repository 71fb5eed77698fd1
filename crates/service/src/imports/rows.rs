//! A stored file as batches of parsed rows. Reading and parsing go on beside the writing of the batch
//! before, a bounded way ahead.

use chrono::TimeDelta;
use tokio::sync::mpsc;

use super::pace::Pace;
use super::parse::{Parsed, RowParser};
use super::receive::CHUNK;
use crate::environment::Environment;
use crate::file::{CsvHeader, Position, RawRow, RowReader, UnusableFile};
use crate::import::Import;
use crate::store::StoreError;
use onefold_domain::phone::Region;

/// Rows that are judged and stored together.
pub(super) struct Rows {
    pub(super) rows: Vec<Parsed>,
    /// The place in the file behind the last of these rows.
    pub(super) position: Position,
    pub(super) header: Option<CsvHeader>,
    /// Whether the file ends here.
    pub(super) last: bool,
}

/// Why no more rows come.
pub(super) enum Broken {
    /// The file cannot be used.
    File(String),
    Store(StoreError),
}

/// How many batches are read ahead of the one that is being written.
const AHEAD: usize = 1;

/// By how much the clock of the machine that a row was exported from may be ahead of ours.
const AHEAD_OF_US: TimeDelta = TimeDelta::days(1);

/// Starts to read where the import stands. Rows that were handed out and not stored come again when it is
/// started anew.
pub(super) fn read(
    env: Environment,
    import: &Import,
    region: Option<Region>,
    pace: Pace,
) -> mpsc::Receiver<Result<Rows, Broken>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let import = import.clone();
    tokio::spawn(async move {
        let mut source = Source::new(env, &import, region);
        // The send fails when nobody works on the import any more.
        loop {
            let batch = source.batch(pace.rows()).await;
            let over = !matches!(&batch, Ok(Rows { last: false, .. }));
            if sender.send(batch).await.is_err() || over {
                return;
            }
        }
    });
    receiver
}

struct Source {
    env: Environment,
    import: Import,
    region: Option<Region>,
    reader: RowReader,
    parser: Option<RowParser>,
    /// The next piece, and how much of it was read before.
    chunk: u32,
    skip: usize,
    rows: Vec<RawRow>,
    ended: bool,
}

impl Source {
    fn new(env: Environment, import: &Import, region: Option<Region>) -> Self {
        let Position { offset, .. } = import.position;
        let reader = match (offset, import.format) {
            (0, format) => RowReader::new(format),
            (_, format) => RowReader::resume(format, import.header.clone(), import.position),
        };
        Self {
            env,
            import: import.clone(),
            region,
            reader,
            parser: None,
            chunk: import.piece(),
            skip: usize::try_from(offset % CHUNK as u64).unwrap_or_default(),
            rows: Vec::new(),
            ended: false,
        }
    }

    async fn batch(&mut self, size: usize) -> Result<Rows, Broken> {
        while self.rows.len() < size && !self.ended {
            self.feed().await?;
        }
        let rest = self.rows.split_off(size.min(self.rows.len()));
        let rows = std::mem::replace(&mut self.rows, rest);
        let before = self.import.position;
        let position = match rows.last() {
            Some(row) => Position { offset: row.end, line: row.next_line, row: row.row },
            None => before,
        };
        self.import.position = position;
        let latest = self.env.clock.now() + AHEAD_OF_US;
        let parser = match self.parser.take() {
            Some(parser) => parser,
            None => RowParser::new(self.reader.header(), self.import.options.match_by, self.region, latest)
                .map_err(|message| Broken::File(message.to_owned()))?,
        };
        // Parsing phone numbers takes its time; other tasks must not wait for it.
        let parsing = tokio::task::spawn_blocking(move || {
            let rows = rows.into_iter().map(|row| parser.parse(row)).collect();
            (parser, rows)
        });
        let (parser, rows): (RowParser, Vec<Parsed>) =
            parsing.await.map_err(|error| Broken::Store(StoreError::Backend(error.into())))?;
        self.parser = Some(parser);
        let last = self.ended && self.rows.is_empty();
        Ok(Rows { rows, position, header: self.reader.header().cloned(), last })
    }

    async fn feed(&mut self) -> Result<(), Broken> {
        let chunk =
            self.env.store.imports().chunk(self.import.id, self.chunk).await.map_err(Broken::Store)?;
        let unusable = |error: UnusableFile| Broken::File(error.to_string());
        match chunk {
            Some(bytes) => {
                let new = bytes.get(self.skip..).unwrap_or_default();
                self.reader.feed(new, &mut self.rows).map_err(unusable)?;
                self.chunk += 1;
                self.skip = 0;
            }
            None => {
                self.reader.finish(&mut self.rows).map_err(unusable)?;
                self.ended = true;
            }
        }
        Ok(())
    }
}
