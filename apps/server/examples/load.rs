//! Loads a running server and prints how many requests a second it answers and how fast, kind by kind,
//! beside a floor of the same run: `/health/live`, which is HTTP and nothing else.
//!
//! The generator shares the machine with the server. `scripts/load [URL]` is the short way.
//!
//! With `--import ROWS --token TOKEN` it measures new and known customers twice instead: with nothing else going on, and
//! beside an import of a file of so many rows, whose duration it tells. `--clients 0` imports the file and no more.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;
use futures::future::try_join_all;
use onefold_integrations::tls::client_builder;
use reqwest::Client;
use serde_json::{Value, json};

#[derive(Parser)]
struct Arguments {
    #[arg(default_value = "http://127.0.0.1:3000")]
    url: String,
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// Seconds for each kind.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// The rows of a file that is imported while customers call.
    #[arg(long, requires = "token")]
    import: Option<u64>,
    /// A token that may import.
    #[arg(long)]
    token: Option<String>,
}

#[derive(Clone, Copy)]
enum Kind {
    /// `/health/live`: the floor.
    Floor,
    /// A customer that nobody knows.
    New,
    /// Both values are known in one customer.
    Known,
    /// A known email with a new phone.
    Attach,
    /// Two customers become one.
    Merge,
    /// A new phone for one and the same email, from every client at once.
    Hot,
}

const KINDS: [(Kind, &str); 6] = [
    (Kind::Floor, "floor (/health/live)"),
    (Kind::New, "new customer"),
    (Kind::Known, "known customer"),
    (Kind::Attach, "attach a contact"),
    (Kind::Merge, "merge two customers"),
    (Kind::Hot, "one hot customer"),
];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let load = Arc::new(Load {
        client: client_builder()?.timeout(Duration::from_secs(30)).build()?,
        url: arguments.url.trim_end_matches('/').to_owned(),
        // Values of one run must not meet those of another.
        run: fastrand::u32(..),
        next: AtomicU64::new(0),
    });
    println!("{} clients, {} s each, {}", arguments.clients, arguments.seconds, load.url);
    if let (Some(rows), Some(token)) = (arguments.import, &arguments.token) {
        return beside_import(&load, &arguments, rows, token).await;
    }
    println!(
        "{:<22} {:>10} {:>9} {:>9} {:>9} {:>8}",
        "", "requests/s", "p50 ms", "p95 ms", "p99 ms", "of floor"
    );
    let mut floor = 0.0;
    for (kind, name) in KINDS {
        let mut times = run(&load, kind, arguments.clients, Duration::from_secs(arguments.seconds)).await?;
        times.sort_unstable();
        let rate = times.len() as f64 / arguments.seconds as f64;
        floor = if matches!(kind, Kind::Floor) { rate } else { floor };
        println!(
            "{name:<22} {rate:>10.0} {:>9.2} {:>9.2} {:>9.2} {:>8.2}",
            at(&times, 50),
            at(&times, 95),
            at(&times, 99),
            rate / floor
        );
    }
    Ok(())
}

/// Each kind alone, then each beside its half of the import.
async fn beside_import(
    load: &Arc<Load>,
    arguments: &Arguments,
    rows: u64,
    token: &str,
) -> anyhow::Result<()> {
    println!(
        "{:<32} {:>10} {:>9} {:>9} {:>9} {:>9}",
        "", "requests/s", "p50 ms", "p95 ms", "p99 ms", "max ms"
    );
    let kinds = [(Kind::New, "new customer"), (Kind::Known, "known customer")];
    let time = Duration::from_secs(arguments.seconds);
    if arguments.clients > 0 {
        for (kind, name) in kinds {
            show(name, &run(load, kind, arguments.clients, time).await?, time);
        }
    }
    let (started, import) = (Instant::now(), load.import(rows, token).await?);
    let (mut turn, mut times) = (0, [Vec::new(), Vec::new()]);
    let mut spent = [Duration::ZERO; 2];
    while !load.is_over(&import, token).await? {
        if arguments.clients == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        }
        let stretch = Duration::from_secs(1);
        times[turn].extend(run(load, kinds[turn].0, arguments.clients, stretch).await?);
        spent[turn] += stretch;
        turn = 1 - turn;
    }
    let took = started.elapsed().as_secs_f64();
    for (index, (_, name)) in kinds.iter().enumerate().filter(|(index, _)| !times[*index].is_empty()) {
        show(&format!("{name}, beside the import"), &times[index], spent[index]);
    }
    println!("import of {rows} rows: {took:.1} s, {:.0} rows/s", rows as f64 / took);
    Ok(())
}

fn show(name: &str, times: &[Duration], time: Duration) {
    let mut times = times.to_vec();
    times.sort_unstable();
    println!(
        "{name:<32} {:>10.0} {:>9.2} {:>9.2} {:>9.2} {:>9.2}",
        times.len() as f64 / time.as_secs_f64(),
        at(&times, 50),
        at(&times, 95),
        at(&times, 99),
        at(&times, 100),
    );
}

struct Load {
    client: Client,
    url: String,
    run: u32,
    next: AtomicU64,
}

async fn run(load: &Arc<Load>, kind: Kind, clients: usize, time: Duration) -> anyhow::Result<Vec<Duration>> {
    // What "known" and "attach" need is there before the clock starts.
    for person in 0..PEOPLE {
        load.identify(Some(load.email(person)), Some(load.phone(person))).await?;
    }
    let until = Instant::now() + time;
    let client = |_| {
        let load = Arc::clone(load);
        tokio::spawn(async move {
            let mut times = Vec::new();
            while Instant::now() < until {
                let took = load.once(kind).await?;
                times.push(took);
            }
            anyhow::Ok(times)
        })
    };
    let lists = try_join_all((0..clients).map(client)).await?;
    Ok(lists.into_iter().collect::<anyhow::Result<Vec<_>>>()?.concat())
}

/// Known customers to choose from; few enough to prepare quickly, enough not to be hot.
const PEOPLE: u64 = 500;

impl Load {
    async fn once(&self, kind: Kind) -> anyhow::Result<Duration> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let fresh = PEOPLE + number * 2;
        if let Kind::Merge = kind {
            self.identify(Some(self.email(fresh)), None).await?;
            self.identify(None, Some(self.phone(fresh))).await?;
        }
        let started = Instant::now();
        match kind {
            Kind::Floor => self.get("/health/live").await?,
            Kind::New | Kind::Merge => {
                self.identify(Some(self.email(fresh)), Some(self.phone(fresh))).await?;
            }
            Kind::Known => {
                let person = number % PEOPLE;
                self.identify(Some(self.email(person)), Some(self.phone(person))).await?;
            }
            Kind::Attach => {
                self.identify(Some(self.email(fresh % PEOPLE)), Some(self.phone(fresh))).await?;
            }
            Kind::Hot => self.identify(Some(self.email(0)), Some(self.phone(fresh))).await?,
        }
        Ok(started.elapsed())
    }

    fn email(&self, person: u64) -> String {
        format!("load-{}-{person}@example.com", self.run)
    }

    /// Valid numbers, so that the parser does all of its work; another range for each run.
    fn phone(&self, person: u64) -> String {
        let number = (u64::from(self.run) * 1_000 + person) % 8_000_000;
        format!("+1 202 {:03} {:04}", 200 + number / 10_000, number % 10_000)
    }

    async fn identify(&self, email: Option<String>, phone: Option<String>) -> anyhow::Result<()> {
        let body = json!({"email": email, "phoneNumber": phone});
        let request = self.client.post(format!("{}/identify", self.url)).json(&body);
        let response = request.send().await.context("is the server running?")?;
        ensure!(response.status().is_success(), "status {}", response.status());
        response.bytes().await?;
        Ok(())
    }

    /// The path under which its progress is.
    async fn import(&self, rows: u64, token: &str) -> anyhow::Result<String> {
        let mut file = String::from("email,phone,first_name,last_name,company,city,country,loyalty_tier\n");
        for row in 0..rows {
            let (run, phone) = (self.run, 2_000_000 + row % 8_000_000);
            let _ = writeln!(
                file,
                "import-{run}-{row}@example.com,+1305{phone:07},Emmett,Brown,Hill Valley Clocks,City {},US,gold",
                row % 900
            );
        }
        let request = self.client.post(format!("{}/contacts/import", self.url)).bearer_auth(token);
        let response = request.header("Content-Type", "text/csv").body(file).send().await?;
        ensure!(response.status().is_success(), "status {}: {}", response.status(), response.text().await?);
        let accepted: Value = response.json().await?;
        Ok(format!("/imports/{}", accepted["id"].as_str().context("an import has an id")?))
    }

    async fn is_over(&self, import: &str, token: &str) -> anyhow::Result<bool> {
        let request = self.client.get(format!("{}{import}", self.url)).bearer_auth(token);
        let progress: Value = request.send().await?.json().await?;
        let status = progress["status"].as_str().context("an import has a status")?;
        ensure!(["queued", "running", "completed"].contains(&status), "the import is {status}");
        Ok(status == "completed")
    }

    async fn get(&self, path: &str) -> anyhow::Result<()> {
        let response = self.client.get(format!("{}{path}", self.url)).send().await?;
        ensure!(response.status().is_success(), "status {}", response.status());
        response.bytes().await?;
        Ok(())
    }
}

fn at(sorted: &[Duration], percent: usize) -> f64 {
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}
