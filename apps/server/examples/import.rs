//! Makes a file of invented customers, imports it with `onefold-server import` as an operator would, and
//! prints rows a second and the most memory that the process had, beside two floors of the same run: reading the
//! file's rows, and a process that does nothing.
//!
//! `scripts/bench-import` is the short way; it sees that the server is built.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;
use fastrand::Rng;
use onefold_service::file::{ImportFormat, RowReader};

#[derive(Parser)]
struct Arguments {
    #[arg(default_value_t = 1_000_000)]
    rows: u64,
    /// An empty database; left out, one in SQLite that is thrown away.
    #[arg(long)]
    database: Option<String>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("customers.csv");
    let bytes = write(&file, arguments.rows)?;
    let sqlite = format!("sqlite://{}?mode=rwc", folder.path().join("onefold.db").display());
    let database = arguments.database.unwrap_or(sqlite);
    println!("{} rows, {} MB", arguments.rows, bytes / 1_000_000);

    let (read, floor) = read(&file)?;
    ensure!(read == arguments.rows, "the reader saw {read} rows");
    report("floor: read the rows", read, floor, floor, None);
    let (idle, memory) = watch(server(&database)?.arg("migrate"))?;
    println!("{:<28} {:>8.2} s {:>52} MiB", "floor: an empty database", idle.as_secs_f64(), memory);
    for name in ["import", "the same file again"] {
        let (time, memory) = watch(server(&database)?.arg("import").arg(&file))?;
        report(name, arguments.rows, time, floor, Some(memory));
    }
    Ok(())
}

fn report(name: &str, rows: u64, time: Duration, floor: Duration, memory: Option<u64>) {
    let (seconds, ratio) = (time.as_secs_f64(), time.as_secs_f64() / floor.as_secs_f64());
    let memory = memory.map_or(String::new(), |memory| format!("{memory:>8} MiB"));
    println!(
        "{name:<28} {seconds:>8.2} s {:>12.0} rows/s {ratio:>10.1} x floor {memory}",
        rows as f64 / seconds
    );
}

/// Every seventh row repeats an earlier one; some have an email or a phone only.
fn write(file: &Path, rows: u64) -> anyhow::Result<u64> {
    const FIRST: [&str; 8] = ["Emmett", "Marty", "Lorraine", "George", "Jennifer", "Biff", "Clara", "Zoë"];
    const LAST: [&str; 8] =
        ["Brown", "McFly", "Baines", "Parker", "Tannen", "Clayton", "Strickland", "Novak"];
    let mut out = BufWriter::new(File::create(file)?);
    writeln!(out, "email,phone,first_name,last_name,company,city,country,loyalty_tier")?;
    let mut choice = Rng::with_seed(7);
    for row in 0..rows {
        let person = if row > 0 && choice.u8(..) < 38 { choice.u64(..row) } else { row };
        let mut random = Rng::with_seed(person);
        let (first, last) = (FIRST[random.usize(..8)], LAST[random.usize(..8)]);
        let email = format!("{first}.{last}.{person}@example{}.com", random.u8(..50));
        let phone = format!(
            "+1{}{:07}",
            [202, 212, 305, 415, 512, 617][random.usize(..6)],
            2_000_000 + person % 8_000_000
        );
        let (email, phone) = match random.u8(..20) {
            0..4 => (email, String::new()),
            4..7 => (String::new(), phone),
            _ => (email, phone),
        };
        let company = if random.u8(..5) == 0 { "Hill Valley Clocks" } else { "" };
        let tier = ["gold", "silver", ""][random.usize(..3)];
        writeln!(out, "{email},{phone},{first},{last},{company},City {},US,{tier}", random.u16(..900))?;
    }
    Ok(out.into_inner()?.metadata()?.len())
}

fn read(file: &Path) -> anyhow::Result<(u64, Duration)> {
    let started = Instant::now();
    let (mut source, mut reader) = (File::open(file)?, RowReader::new(ImportFormat::Csv));
    let (mut piece, mut rows, mut seen) = (vec![0; 256 * 1024], Vec::new(), 0);
    loop {
        let length = source.read(&mut piece)?;
        if length == 0 {
            reader.finish(&mut rows)?;
            return Ok((seen + rows.len() as u64, started.elapsed()));
        }
        reader.feed(&piece[..length], &mut rows)?;
        seen += rows.drain(..).count() as u64;
    }
}

/// The server that was built with this program.
fn server(database: &str) -> anyhow::Result<Command> {
    let program: PathBuf =
        std::env::current_exe()?.ancestors().nth(2).context("no folder")?.join("onefold-server");
    let mut command = Command::new(program);
    command.env("DATABASE_URL", database).env("ONEFOLD__LOG__FILTER", "warn").stdout(Stdio::null());
    Ok(command)
}

/// How long it ran, and the most memory it had in MiB, as Linux counts it.
fn watch(command: &mut Command) -> anyhow::Result<(Duration, u64)> {
    let started = Instant::now();
    let mut process = command.spawn().context("build the server first: cargo build --release")?;
    let mut most = 0;
    loop {
        most = peak(&process).unwrap_or(most);
        if let Some(status) = process.try_wait()? {
            ensure!(status.success(), "the server failed: {status}");
            return Ok((started.elapsed(), most / 1024));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn peak(process: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
