//! `onefold-server import`: takes a file in as the API does, and shows how far it is.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Args;
use indicatif::{HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressStyle};
use onefold_service::file::ImportFormat;
use onefold_service::import::{Import, ImportOptions, ImportStatus, MatchBy};
use onefold_service::imports::Imports;

/// Import contacts from a CSV file (with a header) or an NDJSON file.
#[derive(Args)]
pub(crate) struct ImportArguments {
    /// The file; `-` reads standard input, and then the format must be given.
    file: PathBuf,
    /// `csv` or `ndjson`; told by the file's name if it is left out.
    #[arg(long)]
    format: Option<String>,
    /// How a row finds the record it updates: `value` or `userId`.
    #[arg(long, default_value = "value")]
    match_by: String,
    /// Check and count, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Stop at the first row that fails. What came before stays.
    #[arg(long)]
    stop_on_error: bool,
}

/// How many failed rows are shown; `GET /imports/{id}/errors` has them all.
const SHOWN: usize = 20;

/// How much of the file is read at once.
const PIECE: usize = 256 * 1024;

pub(crate) async fn run(imports: &Imports, arguments: &ImportArguments) -> anyhow::Result<()> {
    let format = format(arguments)?;
    let match_by = MatchBy::parse(&arguments.match_by).context("--match-by takes `value` or `userId`")?;
    let options =
        ImportOptions { match_by, dry_run: arguments.dry_run, stop_on_error: arguments.stop_on_error };
    let started = Instant::now();
    let import = receive(imports, &arguments.file, format, options).await;
    let import = import.context("the file was not taken in, and nothing of it was imported")?;
    eprintln!("took {} in as import {}", HumanBytes(import.bytes), import.id.0);

    let bar = bar(import.bytes)?;
    let show = |import: &Import| {
        bar.set_position(import.position.offset);
        let counts = import.counts;
        bar.set_message(format!("{} rows, {} failed", HumanCount(counts.read), HumanCount(counts.failed)));
    };
    let done = match imports.run(import.id, &show).await {
        Ok(Some(import)) => import,
        // A server on the same database was quicker to take it.
        Ok(None) => follow(imports, &import, &show).await?,
        Err(error) => {
            bar.abandon();
            return Err(interrupted(imports, &import, started.elapsed(), error.into()).await);
        }
    };
    bar.finish();
    tell(imports, &done, started.elapsed()).await?;
    ensure!(
        done.status == ImportStatus::Completed,
        "{}",
        done.message.as_deref().unwrap_or("it did not end well")
    );
    Ok(())
}

/// What is stored of an import that could not go on: not what was counted on the way, but what the database has.
async fn interrupted(
    imports: &Imports,
    import: &Import,
    elapsed: Duration,
    error: anyhow::Error,
) -> anyhow::Error {
    match imports.import(import.id).await {
        Ok(Some(stored)) => {
            // The summary may fail like the import did; what failed first is what matters.
            let _ = tell(imports, &stored, elapsed).await;
            error.context(
                "the import was interrupted; what is counted above is stored, and a server on this database goes on \
                 with the rest",
            )
        }
        _ => error.context("the import was interrupted, and the database does not tell how far it came"),
    }
}

fn format(arguments: &ImportArguments) -> anyhow::Result<ImportFormat> {
    let extension = arguments.file.extension().and_then(|extension| extension.to_str());
    let name = match (&arguments.format, extension) {
        (Some(name), _) => name.as_str(),
        (None, Some("jsonl" | "ndjson")) => "ndjson",
        (None, Some("csv" | "tsv" | "txt")) => "csv",
        _ => bail!("the file's name does not tell its format; say --format csv or --format ndjson"),
    };
    ImportFormat::parse(name).with_context(|| format!("there is no format `{name}`; use csv or ndjson"))
}

async fn receive(
    imports: &Imports,
    file: &Path,
    format: ImportFormat,
    options: ImportOptions,
) -> anyhow::Result<Import> {
    let mut source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file).with_context(|| format!("cannot open {}", file.display()))?)
    };
    let mut receiving = imports.receive(format, options).await?;
    let mut piece = vec![0; PIECE];
    loop {
        let read = source.read(&mut piece).with_context(|| format!("cannot read {}", file.display()))?;
        if read == 0 {
            return Ok(receiving.complete().await?);
        }
        receiving.append(&piece[..read]).await?;
    }
}

/// Watches an import that another process works on.
async fn follow(imports: &Imports, import: &Import, show: &impl Fn(&Import)) -> anyhow::Result<Import> {
    loop {
        let now = imports.import(import.id).await?.context("the import is gone")?;
        show(&now);
        if now.status.is_final() {
            return Ok(now);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn bar(bytes: u64) -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template(
        "{bar:30} {percent:>3} %  {msg}  {bytes_per_sec}  {eta} left  {elapsed} so far",
    )?;
    Ok(ProgressBar::new(bytes).with_style(style))
}

async fn tell(imports: &Imports, import: &Import, elapsed: Duration) -> anyhow::Result<()> {
    let counts = import.counts;
    println!(
        "{}{} {} in {}: {} created, {} updated, {} unchanged, {} failed",
        if import.options.dry_run { "(dry run) " } else { "" },
        HumanCount(counts.read),
        if counts.read == 1 { "row" } else { "rows" },
        HumanDuration(elapsed),
        HumanCount(counts.created),
        HumanCount(counts.updated),
        HumanCount(counts.unchanged),
        HumanCount(counts.failed),
    );
    for failure in imports.failures(import.id, 0, SHOWN).await? {
        println!("line {}: {}: {}", failure.line, failure.field, failure.message);
    }
    if counts.failed > SHOWN as u64 {
        println!("… and more: GET /imports/{}/errors has them all", import.id.0);
    }
    Ok(())
}
