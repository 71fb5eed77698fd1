//! What one identify costs as the database grows, on SQLite and on PostgreSQL: medians at a thousand
//! and at a million stored contacts, and their ratio. Beside them a floor of the same run, the round trip
//! of `SELECT 1`, and a customer with ten thousand contacts.
//!
//! `cargo bench -p onefold-persistence --bench identify`. Needs PostgreSQL's programs; its server runs with
//! fsync on, SQLite with `synchronous=FULL`, both in the folder for temporary files.

#![expect(clippy::unwrap_used, reason = "a measurement may stop")]

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use onefold_domain::contact::{Received, Statement};
use onefold_domain::email::EmailAddress;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::policy::LinkPolicy;
use onefold_persistence::testing::{PostgresCluster, TestDatabase};
use onefold_service::clock::{SystemClock, SystemRandomness};
use onefold_service::environment::Environment;
use onefold_service::identify::{Identify, IdentifyRequest};
use onefold_service::store::Store;
use sea_orm::{ConnectionTrait, Database};

const SIZES: [u64; 2] = [1_000, 1_000_000];
const SAMPLES: u64 = 1_000;
const HUGE: u64 = 10_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        println!("medians of {SAMPLES} calls in microseconds, one client\n");
        println!("{:<10} {:<18} {:>10} {:>12} {:>7}", "", "", SIZES[0], SIZES[1], "ratio");
        measure("SQLite", Dialect::Sqlite, || async { TestDatabase::sqlite() }).await;
        let cluster = PostgresCluster::start_durable(&["shared_buffers=1GB", "max_wal_size=4GB"]);
        measure("PostgreSQL", Dialect::Postgres, || TestDatabase::on(&cluster)).await;
    });
}

/// How a database spells a customer's id made from a number.
#[derive(Clone, Copy)]
enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    fn uuid(self, number: &str) -> String {
        match self {
            Self::Sqlite => format!("unhex(printf('%032x', {number}))"),
            Self::Postgres => format!("CAST(lpad(to_hex({number}), 32, '0') AS uuid)"),
        }
    }
}

async fn measure<F: Future<Output = TestDatabase>>(name: &str, dialect: Dialect, database: impl Fn() -> F) {
    let mut columns = Vec::new();
    for size in SIZES {
        let database = database().await;
        let store = Arc::new(database.store().await);
        seed(&database.url(), dialect, size).await;
        let bench = Bench { identify: identify(store.clone()), store, customers: size / 2 };
        let mut column = bench.run().await.to_vec();
        seed_huge(&database.url(), dialect, size).await;
        column.push(bench.huge().await);
        columns.push(column);
    }
    for (row, label) in ["floor (SELECT 1)", "known", "attach", "new", "huge customer"].iter().enumerate() {
        let (small, large) = (columns[0][row], columns[1][row]);
        let ratio = large.as_secs_f64() / small.as_secs_f64();
        println!("{name:<10} {label:<18} {:>10} {:>12} {ratio:>7.2}", small.as_micros(), large.as_micros());
    }
    println!();
}

fn identify(store: Arc<dyn Store>) -> Identify {
    let policy = Arc::new(LinkPolicy::shipped());
    Identify::new(Environment::new(store, policy, Arc::new(SystemClock), Arc::new(SystemRandomness)))
}

struct Bench {
    identify: Identify,
    store: Arc<dyn Store>,
    customers: u64,
}

impl Bench {
    async fn run(&self) -> [Duration; 4] {
        // Any order of customers will do as long as neighbours do not come one after the other.
        let customer = |call: u64| call * 7_919 % self.customers;
        [
            median(SAMPLES, async |_| self.store.ping().await.unwrap()).await,
            median(SAMPLES, async |call| {
                self.ask(Some(email(customer(call))), Some(phone(customer(call)))).await;
            })
            .await,
            median(SAMPLES, async |call| {
                self.ask(Some(email(customer(call))), Some(phone(100_000_000 + call))).await;
            })
            .await,
            median(SAMPLES, async |call| {
                self.ask(Some(email(200_000_000 + call)), Some(phone(200_000_000 + call))).await;
            })
            .await,
        ]
    }

    async fn huge(&self) -> Duration {
        median(20, async |_| self.ask(Some("huge@example.com".to_owned()), None).await).await
    }

    async fn ask(&self, email: Option<String>, phone: Option<String>) {
        let email = email.map(EmailAddress::from_canonical);
        let phone = phone.map(PhoneNumber::from_canonical);
        let statement = Statement::new(email, phone).unwrap();
        let request = IdentifyRequest { statement, received: Received::default() };
        self.identify.run(&request).await.unwrap();
    }
}

async fn median(samples: u64, work: impl AsyncFn(u64)) -> Duration {
    // Warm connections, plans and pages first.
    for call in 0..samples / 5 {
        work(1_000_000_000 + call).await;
    }
    let mut times = Vec::new();
    for call in 0..samples {
        let started = Instant::now();
        work(call).await;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    times[times.len() / 2]
}

fn email(number: u64) -> String {
    format!("person{number}@example.com")
}

fn phone(number: u64) -> String {
    format!("+1{number}")
}

/// Customers of two contacts each, written by the database itself: a million calls would take longer
/// than the measurement.
async fn seed(url: &str, dialect: Dialect, contacts: u64) {
    let customers = contacts / 2;
    let (numbers, id) = (numbers(customers), dialect.uuid("i + 1"));
    let email = "'person' || i || '@example.com'";
    let statements = [
        format!("INSERT INTO customer {numbers} SELECT {id}, {id}, 1, i * 2 + 1, {NOW}, {NOW} FROM n"),
        contact(&numbers, "i * 2 + 1", &id, email, "'+1' || i"),
        contact(&numbers, "i * 2 + 2", &id, email, "'+2' || i"),
        format!("INSERT INTO contact_point {numbers} SELECT 1, {email}, {id} FROM n"),
        format!("INSERT INTO contact_point {numbers} SELECT 2, '+1' || i, {id} FROM n"),
        format!("INSERT INTO contact_point {numbers} SELECT 2, '+2' || i, {id} FROM n"),
    ];
    run(url, dialect, &statements).await;
}

/// One customer with very many contacts: one email, a phone for each.
async fn seed_huge(url: &str, dialect: Dialect, contacts: u64) {
    let (numbers, id) = (numbers(HUGE), dialect.uuid("999999999"));
    let first = contacts * 2 + 1_000_000;
    let statements = [
        format!("INSERT INTO customer VALUES ({id}, {id}, 1, {first}, {NOW}, {NOW})"),
        contact(&numbers, &format!("{first} + i"), &id, "'huge@example.com'", "'+3' || i"),
        format!("INSERT INTO contact_point {numbers} SELECT 2, '+3' || i, {id} FROM n"),
        format!("INSERT INTO contact_point VALUES (1, 'huge@example.com', {id})"),
    ];
    run(url, dialect, &statements).await;
}

const NOW: &str = "'2026-01-01 00:00:00+00:00'";

async fn run(url: &str, dialect: Dialect, statements: &[String]) {
    let connection = Database::connect(url).await.unwrap();
    for statement in statements {
        let typed = match dialect {
            Dialect::Sqlite => statement.clone(),
            // It wants the type of a moment said where it cannot see it.
            Dialect::Postgres => statement.replace(NOW, &format!("TIMESTAMPTZ {NOW}")),
        };
        connection.execute_unprepared(&typed).await.unwrap();
    }
    if let Dialect::Postgres = dialect {
        let next = "SELECT setval('contact_id_seq', (SELECT MAX(id) FROM contact))";
        connection.execute_unprepared(next).await.unwrap();
        connection.execute_unprepared("VACUUM ANALYZE").await.unwrap();
    }
}

fn numbers(count: u64) -> String {
    format!("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})")
}

fn contact(numbers: &str, id: &str, customer: &str, email: &str, phone: &str) -> String {
    format!(
        "INSERT INTO contact (id, customer_id, email, phone, source, created_at, updated_at) {numbers} \
         SELECT {id}, {customer}, {email}, {phone}, 'identify', {NOW}, {NOW} FROM n"
    )
}
