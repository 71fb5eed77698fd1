//! Two calls at a time and so many in a second, however many processes make them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use onefold_domain::policy::LinkPolicy;
use onefold_integrations::metakocka::MetaKocka;
use onefold_integrations::testing::MetaKockaDouble;
use onefold_persistence::testing::TestDatabase;
use onefold_service::clock::{SystemClock, SystemRandomness};
use onefold_service::system::SyncSystem;
use onefold_sync::environment::SyncEnvironment;
use onefold_sync::pace::{CallPace, PaceGrant, PaceLimits, PaceRequest};
use onefold_sync::partner::PartnerDirectory;
use onefold_sync::shared_pace::SharedPace;

use crate::support::{config, id, person};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_processes_together_make_two_calls_at_a_time() {
    for database in [TestDatabase::sqlite(), TestDatabase::postgres().await] {
        let double = MetaKockaDouble::start().await;
        let ann = id(&double.insert(person("Ann Lee", "ann@example.com")).mk_id);
        double.behave(|habits| habits.latency = Duration::from_millis(20));
        let mut processes = Vec::new();
        for _ in 0..3 {
            processes.push(connector(&double, pace(&database).await));
        }
        let calls = join_all((0..18).map(|number| processes[number % 3].get(&ann))).await;
        assert!(calls.iter().all(Result::is_ok));
        assert_eq!((double.calls().len(), double.most_at_once()), (18, 2));
    }
}

/// Its places are nobody's until its calls would have ended in any case.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_died_keeps_nobody_for_ever() {
    let database = TestDatabase::sqlite();
    let double = MetaKockaDouble::start().await;
    let ann = id(&double.insert(person("Ann Lee", "ann@example.com")).mk_id);
    let dead = pace(&database).await;
    for _ in 0..2 {
        let ask = PaceRequest {
            call: dead.name_call(),
            limits: PaceLimits { calls_per_second: 1_000, concurrency: 2 },
            patience: Duration::from_secs(1),
            lead: Duration::ZERO,
            lasts: Duration::from_millis(700),
        };
        assert!(matches!(dead.take(&ask).await.unwrap(), PaceGrant::At(_)));
    }
    let before = std::time::Instant::now();
    assert!(connector(&double, pace(&database).await).get(&ann).await.is_ok());
    assert!(before.elapsed() >= Duration::from_millis(500), "{:?}", before.elapsed());
}

/// The pace as a process of its own has it.
async fn pace(database: &TestDatabase) -> SharedPace {
    let store = Arc::new(database.store().await);
    let policy = Arc::new(LinkPolicy::shipped());
    let env = SyncEnvironment::new(store, policy, Arc::new(SystemClock), Arc::new(SystemRandomness));
    SharedPace::new(env, SyncSystem::MetaKocka)
}

fn connector(double: &MetaKockaDouble, pace: SharedPace) -> MetaKocka {
    let config = config(&double.base_url());
    MetaKocka::new(&config, Arc::new(SystemClock), Some(Arc::new(pace))).unwrap()
}
