//! Ten calls a second, and what happens when that was too many.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use onefold_domain::policy::LinkPolicy;
use onefold_integrations::openphone::OpenPhone;
use onefold_integrations::testing::openphone::{OpenPhoneCall, Trouble};
use onefold_persistence::testing::TestDatabase;
use onefold_service::clock::{SystemClock, SystemRandomness};
use onefold_service::system::SyncSystem;
use onefold_sync::environment::SyncEnvironment;
use onefold_sync::partner::PartnerError;
use onefold_sync::shared_pace::SharedPace;

use crate::support::{Bench, config, id, person};

#[tokio::test]
async fn a_limit_that_is_told_is_told_on_and_kept() {
    for (retry_after, rate_limit, seconds) in
        [(Some(7), None, Some(7)), (None, Some("\"per-second\"; r=0; t=1"), Some(1)), (None, None, None)]
    {
        let bench = Bench::with(|config| config.queue_timeout_ms = 200).await;
        let ann = bench.double.insert(person("Ann", "ann@example.com"));
        bench.double.next(OpenPhoneCall::Get, Trouble::TooMany { retry_after, rate_limit });
        match bench.phone.get_contact(&id(&ann)).await {
            Err(PartnerError::QuotaExceeded { retry_after }) => {
                assert_eq!(retry_after, seconds.map(Duration::from_secs));
            }
            other => panic!("{other:?}"),
        }
        let before = Instant::now();
        assert!(bench.phone.get_contact(&id(&ann)).await.is_ok());
        assert!(before.elapsed() >= Duration::from_millis(190), "the next call waited");
    }
}

#[tokio::test]
async fn at_its_own_pace_the_connector_is_never_too_fast() {
    let bench = Bench::new().await;
    let ann = bench.double.insert(person("Ann", "ann@example.com"));
    // More than the pace, since a busy machine may delay one call and not the next; a burst is still seen.
    bench.double.behave(|habits| habits.per_second = Some(13));
    let mut config = config(&bench.double.base_url());
    config.calls_per_second = 9;
    let phone = OpenPhone::new(&config, Arc::new(SystemClock), None, None).unwrap();
    let ann = id(&ann);
    let calls = join_all((0..14).map(|_| phone.get_contact(&ann))).await;
    assert!(calls.iter().all(Result::is_ok));
}

/// Two processes on each database, and more calls than they may make in two seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_processes_together_are_never_too_fast() {
    for database in [TestDatabase::sqlite(), TestDatabase::postgres().await] {
        let bench = Bench::new().await;
        let ann = id(&bench.double.insert(person("Ann", "ann@example.com")));
        bench.double.behave(|habits| habits.per_second = Some(10));
        let phones = [process(&bench, &database).await, process(&bench, &database).await];
        let calls = join_all((0..24).map(|number| phones[number % 2].get_contact(&ann))).await;
        // Nothing was refused, …
        assert!(calls.iter().all(Result::is_ok), "{} in a second", bench.double.most_in_a_second());
        // … and no time was lost.
        assert!(bench.double.most_in_a_second() >= 6, "{}", bench.double.most_in_a_second());
    }
}

/// A connector as a process of its own has it.
async fn process(bench: &Bench, database: &TestDatabase) -> OpenPhone {
    let store = Arc::new(database.store().await);
    let policy = Arc::new(LinkPolicy::shipped());
    let env = SyncEnvironment::new(store, policy, Arc::new(SystemClock), Arc::new(SystemRandomness));
    let pace = SharedPace::new(env, SyncSystem::OpenPhone);
    let mut config = config(&bench.double.base_url());
    config.calls_per_second = 10;
    OpenPhone::new(&config, Arc::new(SystemClock), None, Some(Arc::new(pace))).unwrap()
}
