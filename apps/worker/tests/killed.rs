//! Workers that are killed while a call is on its way, again and again: in the end every customer has one partner, and
//! every edit has arrived.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use onefold_domain::contact::{Received, Statement};
use onefold_domain::email::EmailAddress;
use onefold_domain::id::CustomerId;
use onefold_domain::policy::LinkPolicy;
use onefold_domain::profile::Profile;
use onefold_domain::source::ContactSource;
use onefold_domain::survivorship::SurvivorshipRules;
use onefold_integrations::testing::MetaKockaDouble;
use onefold_persistence::testing::TestDatabase;
use onefold_service::clock::{SystemClock, SystemRandomness};
use onefold_service::contacts::{ContactRequest, Contacts, Expectation};
use onefold_service::customers::Customers;
use onefold_service::environment::SyncTrigger;
use onefold_service::system::SyncSystem;
use onefold_sync::environment::SyncEnvironment;
use onefold_sync::jobs::Jobs;
use onefold_sync::mapping::MappingStatus;
use onefold_sync::store::SyncStore;
use serde_json::json;

const CUSTOMERS: usize = 12;
const KILLS: usize = 5;

/// Leases run out meanwhile, and jobs that failed wait for their turn; longer where other tests take the processors.
const PATIENCE: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite() {
    survive(TestDatabase::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres() {
    survive(TestDatabase::postgres().await).await;
}

async fn survive(database: TestDatabase) {
    let double = MetaKockaDouble::start().await;
    let customers = create(&database).await;
    // One at a time: what is created is looked for first, and nobody looks while another creates.
    for _ in 0..KILLS {
        killed_with_calls_on_their_way(&database, &double, 1).await;
    }
    finish(&database, &double).await;
    assert_eq!(double.partner_count(), CUSTOMERS, "one partner for each");
    edit(&database, &customers).await;
    killed_with_calls_on_their_way(&database, &double, 2).await;
    for _ in 1..KILLS {
        killed_with_calls_on_their_way(&database, &double, 1).await;
    }
    finish(&database, &double).await;

    assert_eq!(double.partner_count(), CUSTOMERS);
    assert!(double.doubled_ids().is_empty());
    for partner in double.partners() {
        assert_eq!((partner.addresses.len(), partner.contacts.len()), (1, 1), "no row was added");
        assert_eq!(partner.addresses[0].city, "Kranj", "no edit is lost");
    }
    let store = database.store().await;
    let mappings = store.mappings().list(SyncSystem::MetaKocka, None, 100).await.unwrap();
    assert_eq!(mappings.len(), CUSTOMERS);
    assert!(mappings.iter().all(|placed| placed.mapping.status == MappingStatus::Synced));
    database.assert_invariants().await;
}

/// An environment in which changes promise a sync, as a server has it.
async fn environment(database: &TestDatabase) -> SyncEnvironment {
    let store: Arc<dyn SyncStore> = Arc::new(database.store().await);
    let policy = Arc::new(LinkPolicy::shipped());
    let trigger = SyncTrigger { system: SyncSystem::MetaKocka, new_customers: true };
    SyncEnvironment::new(store, policy, Arc::new(SystemClock), Arc::new(SystemRandomness))
        .with_triggers([trigger])
}

async fn create(database: &TestDatabase) -> Vec<CustomerId> {
    let contacts = Contacts::new(environment(database).await.base);
    let profile = json!({
        "name": "Ann Lee", "country": "SI",
        "address": {"street": "Lipova pot 7", "city": "Ljubljana", "postalCode": "1000"},
    });
    let mut customers = Vec::new();
    for number in 0..CUSTOMERS {
        let email = EmailAddress::parse(&format!("ann{number}@example.com")).unwrap();
        let statement = Statement::new(Some(email), None).unwrap();
        let request = ContactRequest {
            profile: Some(Profile::parse(profile.as_object().unwrap()).unwrap()),
            ..ContactRequest::new(statement, Received::default(), ContactSource::Order)
        };
        customers.push(contacts.create_contact(&request).await.unwrap().customer);
    }
    customers
}

async fn edit(database: &TestDatabase, customers: &[CustomerId]) {
    let profiles = Customers::new(environment(database).await.base, Arc::new(SurvivorshipRules::shipped()));
    let patch = json!({"address": {"city": "Kranj"}});
    for customer in customers {
        let patch = patch.as_object().unwrap();
        profiles.change_profile(*customer, patch, &Expectation::Anything).await.unwrap();
    }
}

/// A worker process. It is killed at the latest when it goes out of scope.
struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn worker(database: &TestDatabase, double: &MetaKockaDouble) -> Worker {
    let settings = [
        ("DATABASE_URL", database.url()),
        ("METAKOCKA_SECRET_KEY", MetaKockaDouble::SECRET_KEY.to_owned()),
        ("METAKOCKA_COMPANY_ID", MetaKockaDouble::COMPANY_ID.to_owned()),
        ("METAKOCKA_BASE_URL", double.base_url()),
        ("ONEFOLD__WORKER__PORT", "0".to_owned()),
        ("ONEFOLD__METAKOCKA__CALLS_PER_SECOND", "1000".to_owned()),
        // Short leases: whoever comes next has to wait for them.
        ("ONEFOLD__METAKOCKA__REQUEST_TIMEOUT_MS", "1000".to_owned()),
        ("ONEFOLD__METAKOCKA__QUEUE_TIMEOUT_MS", "500".to_owned()),
        ("ONEFOLD__SYNC__LEASE_S", "3".to_owned()),
        ("ONEFOLD__SYNC__POLL_MS", "50".to_owned()),
        ("ONEFOLD__SYNC__INTERVAL_S", "0".to_owned()),
        ("ONEFOLD__SYNC__FULL_INTERVAL_S", "0".to_owned()),
        ("ONEFOLD__SYNC__PUSH_NEW_CUSTOMERS", "true".to_owned()),
    ];
    let process = Command::new(env!("CARGO_BIN_EXE_onefold-worker"))
        .envs(settings)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Worker(process)
}

/// Kills a worker while this many calls are on their way; the other side does its work all the same.
async fn killed_with_calls_on_their_way(database: &TestDatabase, double: &MetaKockaDouble, calls: usize) {
    double.hold();
    let worker = worker(database, double);
    tokio::time::timeout(PATIENCE, double.until_in_flight(calls)).await.unwrap();
    drop(worker);
    double.release();
}

/// Lets a worker work until nothing waits any more.
async fn finish(database: &TestDatabase, double: &MetaKockaDouble) {
    let _worker = worker(database, double);
    let jobs = Jobs::new(environment(database).await);
    let until = Instant::now() + PATIENCE;
    while !jobs.list(None, None, 1).await.unwrap().is_empty() {
        assert!(Instant::now() < until, "{:?}", jobs.list(None, None, 100).await.unwrap());
        // Another process works meanwhile; there is nothing here to wait on.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
