//! Loads a running server and prints how many requests a second it answers and how fast, kind by kind,
//! beside a floor of the same run: `/health/live`, which is HTTP and nothing else.
//!
//! The generator shares the machine with the server. `scripts/load [URL]` is the short way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;
use futures::future::try_join_all;
use onefold_integrations::tls::client_builder;
use reqwest::Client;
use serde_json::json;

#[derive(Parser)]
struct Arguments {
    #[arg(default_value = "http://127.0.0.1:3000")]
    url: String,
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// Seconds for each kind.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
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
