//! One run: a database of its own, random requests, and the verdict afterwards.

use std::collections::BTreeSet;
use std::time::Duration;

use fastrand::Rng;
use onefold_persistence::testing::TestDatabase;
use tokio::time::{interval, timeout};

use crate::checker::check;
use crate::clients::Clients;
use crate::history::{End, History};
use crate::request::Request;
use crate::server::Server;
use crate::tables::Tables;
use crate::workload::{Kind, Workload};

/// Repeats a run that failed, as far as chance was ours and not the scheduler's.
const SEED: &str = "ONEFOLD_CONCURRENCY_SEED";
/// How often each test goes through its workloads: to search longer than a test run may take.
const ROUNDS: &str = "ONEFOLD_CONCURRENCY_ROUNDS";

pub(crate) struct Trial {
    pub(crate) database: TestDatabase,
    pub(crate) history: History,
    pub(crate) rng: Rng,
    seed: u64,
}

impl Trial {
    pub(crate) fn new(database: TestDatabase, seed: u64) -> Self {
        Self { database, history: History::new(), rng: Rng::with_seed(seed), seed }
    }

    pub(crate) fn workload(&mut self, kind: Kind) -> Workload {
        let workload = kind(&mut self.rng);
        // Shown if the test fails.
        println!("workload {}, {SEED}={}", workload.name, self.seed);
        workload
    }

    /// The number of answers in this burst after which to strike.
    pub(crate) fn strike(&mut self, burst: &[Request]) -> usize {
        self.rng.usize(burst.len() / 5..burst.len() * 3 / 5)
    }

    pub(crate) async fn server(&self) -> Server {
        Server::start(self.database.url()).await
    }

    pub(crate) fn clients(&self) -> Clients<'_> {
        Clients::new(&self.history)
    }

    /// Judges what is there now, and what was answered so far. Asks the service nothing.
    pub(crate) async fn judge(&self) -> Tables {
        self.database.assert_invariants().await;
        let tables = Tables::read(&self.database).await;
        let faults = check(&tables, &self.history.attempts());
        assert!(faults.is_empty(), "{SEED}={}\n  {}", self.seed, faults.join("\n  "));
        tables
    }

    /// Judges, then sends every request once more: nothing changes, and everybody sees the whole of
    /// his customer.
    pub(crate) async fn conclude(&self, servers: Vec<Server>) {
        let before = self.judge().await;
        let attempts = self.history.attempts();
        let requests: BTreeSet<_> = attempts.iter().map(|attempt| &attempt.request).cloned().collect();
        let requests: Vec<_> = requests.into_iter().collect();
        servers.iter().fold(self.clients(), Clients::of).send(&requests).await;
        let after = self.judge().await;
        assert_eq!(before, after, "repetitions changed rows, {SEED}={}", self.seed);
        for repetition in &self.history.attempts()[attempts.len()..] {
            let End::Answered { view, .. } = &repetition.end else { continue };
            let whole = after.customer_of(view.primary_contatct_id);
            assert_eq!(view.contacts(), whole, "{}, {SEED}={}", repetition.request, self.seed);
        }
        drop(servers);
        if self.database.url().starts_with("postgres") {
            self.assert_no_deadlocks().await;
        }
    }

    /// Clients would never know: PostgreSQL ends a deadlock after a second, and identify starts over.
    /// But writers keep an order so that there is none, and it is that order which is checked here.
    async fn assert_no_deadlocks(&self) {
        // A session's count is complete when it has ended.
        let ended = async {
            let mut pace = interval(Duration::from_millis(20));
            while self.database.count(SESSIONS).await > 0 {
                pace.tick().await;
            }
        };
        timeout(Duration::from_secs(30), ended).await.expect("sessions should end with their server");
        assert_eq!(self.database.count(DEADLOCKS).await, 0, "deadlocks, {SEED}={}", self.seed);
    }
}

const SESSIONS: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
                        AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
const DEADLOCKS: &str = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";

/// A seed for each run of a test, from the environment or new.
pub(crate) fn seeds() -> impl Iterator<Item = u64> {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let first = number(SEED).unwrap_or_else(|| fastrand::u64(..));
    (0..number(ROUNDS).unwrap_or(1)).map(move |round| first.wrapping_add(round))
}
