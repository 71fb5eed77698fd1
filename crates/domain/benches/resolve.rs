//! How many statements a second `resolve` groups on one core, from memory, beside a floor in the same
//! run: two look-ups and an insertion per statement in a plain hash map, which is the least that
//! grouping by two values takes.
//!
//! `cargo bench -p onefold-domain --bench resolve`

#![expect(clippy::unwrap_used, reason = "a measurement may stop")]

use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use onefold_domain::contact::Statement;
use onefold_domain::email::EmailAddress;
use onefold_domain::linking::resolve;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::policy::LinkPolicy;

const ROUNDS: usize = 5;

fn main() {
    println!(
        "{:>10} {:>10} {:>14} {:>14} {:>7}",
        "statements", "customers", "resolve /s", "floor /s", "ratio"
    );
    for count in [10_000, 100_000, 1_000_000, 2_000_000] {
        let statements = statements(count);
        let policy = LinkPolicy::shipped();
        let customers = resolve(&statements, &policy).customer_count();
        let ours = best(|| drop(black_box(resolve(&statements, &policy))));
        let floor = best(|| {
            black_box(plain_map(&statements));
        });
        let rate = |time: Duration| count as f64 / time.as_secs_f64();
        println!(
            "{count:>10} {customers:>10} {:>14.0} {:>14.0} {:>7.2}",
            rate(ours),
            rate(floor),
            ours.as_secs_f64() / floor.as_secs_f64()
        );
    }
}

/// The round that was disturbed least.
fn best(mut work: impl FnMut()) -> Duration {
    let round = |_| {
        let started = Instant::now();
        work();
        started.elapsed()
    };
    (0..ROUNDS).map(round).min().unwrap()
}

/// Like a shop's orders: customers order three times on average, one in five changes a value on the way,
/// and a tenth of the statements has one value only.
fn statements(count: usize) -> Vec<Statement> {
    let mut random = fastrand::Rng::with_seed(7);
    let people = count / 3;
    (0..count)
        .map(|_| {
            let person = random.usize(0..people);
            let old = random.u8(0..5) == 0;
            let email = format!("person.{person}{}@example.com", if old { ".old" } else { "" });
            let phone = format!("+1202{:08}", person * 2 + usize::from(random.u8(0..5) == 0));
            let single = random.u8(0..20);
            Statement::new(
                (single != 0).then(|| EmailAddress::from_canonical(email)),
                (single != 1).then(|| PhoneNumber::from_canonical(phone)),
            )
            .unwrap()
        })
        .collect()
}

fn plain_map(statements: &[Statement]) -> usize {
    let mut emails: HashMap<&str, usize> = HashMap::with_capacity(statements.len() / 2);
    let mut phones: HashMap<&str, usize> = HashMap::with_capacity(statements.len() / 2);
    let mut sum = 0;
    for (index, statement) in statements.iter().enumerate() {
        if let Some(email) = statement.email() {
            sum += *emails.entry(email.as_str()).or_insert(index);
        }
        if let Some(phone) = statement.phone() {
            sum += *phones.entry(phone.as_str()).or_insert(index);
        }
    }
    sum
}
