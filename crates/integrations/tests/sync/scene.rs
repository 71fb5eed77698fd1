//! A company: its customers here, its partners in the double, and time that stands still until it is moved.

use std::sync::Arc;
use std::time::Duration;

use onefold_domain::contact::{ContactRecord, Received, Statement};
use onefold_domain::customer::CustomerView;
use onefold_domain::email::EmailAddress;
use onefold_domain::id::CustomerId;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::policy::LinkPolicy;
use onefold_domain::profile::Profile;
use onefold_domain::source::ContactSource;
use onefold_domain::survivorship::SurvivorshipRules;
use onefold_integrations::metakocka::{BaseUrl, Config, Credential, MetaKocka};
use onefold_integrations::testing::{
    DoubleAddress, DoubleChange, DoubleContact, DoublePartner, MetaKockaDouble,
};
use onefold_service::clock::{Clock, SystemRandomness};
use onefold_service::contacts::{ContactRequest, Contacts, Expectation};
use onefold_service::customers::Customers;
use onefold_service::environment::SyncTrigger;
use onefold_service::retry::Patience;
use onefold_service::system::SyncSystem;
use onefold_service::testing::ManualClock;
use onefold_sync::conflict::{Conflict, ConflictFilter, ConflictStatus};
use onefold_sync::conflicts::Conflicts;
use onefold_sync::environment::SyncEnvironment;
use onefold_sync::job::JobStatus;
use onefold_sync::jobs::Jobs;
use onefold_sync::mapping::Mapping;
use onefold_sync::partner::PartnerId;
use onefold_sync::resolver::Resolver;
use onefold_sync::run::{Run, RunKind};
use onefold_sync::runner::Runner;
use onefold_sync::store::SyncStore;
use onefold_sync::synchroniser::{SyncContext, SyncSettings, Synced, Synchroniser};
use onefold_sync::worker::{SyncWorker, WorkerSettings};
use serde_json::json;

/// A clock that ticks, and starts where those of the doubles do: 2026-09-21, 14:13:20 UTC.
pub(crate) fn ticking() -> Arc<ManualClock> {
    let clock = ManualClock::ticking();
    clock.pass(chrono::TimeDelta::seconds(22_774_400));
    Arc::new(clock)
}

pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Three days.
pub(crate) const GRACE: Duration = Duration::from_secs(3 * 24 * 60 * 60);

pub(crate) struct Scene {
    pub(crate) store: Arc<dyn SyncStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) double: Arc<MetaKockaDouble>,
    pub(crate) env: SyncEnvironment,
    pub(crate) sync: Synchroniser,
    pub(crate) runs: Runner,
    pub(crate) worker: SyncWorker,
    pub(crate) conflicts: Conflicts,
    pub(crate) resolver: Resolver,
    pub(crate) contacts: Contacts,
    pub(crate) customers: Customers,
}

pub(crate) fn settings() -> SyncSettings {
    SyncSettings { grace: GRACE, most_lost: 3, most_created: 3, ..SyncSettings::default() }
}

impl Scene {
    /// Does all jobs. After a crash the database may still be about to end what the dead one had begun, and a worker passes
    /// over what that holds.
    pub(crate) async fn work_off(&self) {
        let jobs = Jobs::new(self.env.clone());
        loop {
            self.worker.work_once().await.unwrap();
            let left = jobs.list(None, None, 100).await.unwrap();
            let now = self.clock.now();
            if left.iter().all(|job| job.status == JobStatus::Dead || job.not_before > now) {
                return;
            }
        }
    }

    /// Lets time pass for everybody.
    pub(crate) fn pass(&self, time: Duration) {
        self.clock.pass(chrono::TimeDelta::from_std(time).unwrap());
    }

    pub(crate) async fn on(store: Arc<dyn SyncStore>) -> Self {
        let double = Arc::new(MetaKockaDouble::start().await);
        Self::with(store, double, settings(), false)
    }

    /// A company on this store, with these settings.
    pub(crate) fn with(
        store: Arc<dyn SyncStore>,
        double: Arc<MetaKockaDouble>,
        settings: SyncSettings,
        new_customers: bool,
    ) -> Self {
        let clock = ticking();
        Self::at(store, double, settings, new_customers, clock)
    }

    pub(crate) fn at(
        store: Arc<dyn SyncStore>,
        double: Arc<MetaKockaDouble>,
        settings: SyncSettings,
        new_customers: bool,
        clock: Arc<ManualClock>,
    ) -> Self {
        let trigger = SyncTrigger { system: SyncSystem::MetaKocka, new_customers };
        let patience = Patience { deadline: Duration::from_secs(30), ..Patience::default() };
        let policy = Arc::new(LinkPolicy::shipped());
        let env = SyncEnvironment::new(store.clone(), policy, clock.clone(), Arc::new(SystemRandomness))
            .with_patience(patience)
            .with_triggers([trigger]);
        let directory = Arc::new(connector(&double, clock.clone()));
        let rules = Arc::new(SurvivorshipRules::shipped());
        let sync = Synchroniser::new(env.clone(), SyncSystem::MetaKocka, directory, rules.clone(), settings);
        Self::around(store, clock, double, env, sync, rules)
    }

    pub(crate) fn around(
        store: Arc<dyn SyncStore>,
        clock: Arc<ManualClock>,
        double: Arc<MetaKockaDouble>,
        env: SyncEnvironment,
        sync: Synchroniser,
        rules: Arc<SurvivorshipRules>,
    ) -> Self {
        let worker_settings = WorkerSettings {
            interval: Duration::ZERO,
            full_interval: Duration::ZERO,
            ..WorkerSettings::default()
        };
        Self {
            runs: Runner::new(sync.clone()),
            worker: SyncWorker::new(env.clone(), vec![sync.clone()], worker_settings),
            conflicts: Conflicts::new(env.clone()),
            resolver: Resolver::new(sync.clone(), None),
            contacts: Contacts::new(env.base.clone()),
            customers: Customers::new(env.base.clone(), rules),
            store,
            clock,
            double,
            env,
            sync,
        }
    }

    /// A customer of whom everything is known that MetaKocka wants.
    pub(crate) async fn customer(&self, name: &str, email: &str) -> CustomerId {
        self.contact(name, email, "").await.customer
    }

    pub(crate) async fn contact(&self, name: &str, email: &str, phone: &str) -> ContactRecord {
        let profile = json!({
            "name": name, "country": "SI",
            "address": {"street": "Lipova pot 7", "city": "Ljubljana", "postalCode": "1000"},
        });
        let statement = Statement::new(EmailAddress::parse(email).ok(), PhoneNumber::parse(phone, None).ok());
        let request = ContactRequest {
            profile: Some(Profile::parse(profile.as_object().unwrap()).unwrap()),
            ..ContactRequest::new(statement.unwrap(), Received::default(), ContactSource::Order)
        };
        self.contacts.create_contact(&request).await.unwrap()
    }

    pub(crate) async fn sync(&self, customer: CustomerId) -> Synced {
        self.sync.sync_customer(customer, SyncContext::default()).await.unwrap()
    }

    pub(crate) async fn view(&self, customer: CustomerId) -> CustomerView {
        self.customers.customer(customer).await.unwrap()
    }

    /// A person corrects the profile here.
    pub(crate) async fn edit(&self, customer: CustomerId, patch: serde_json::Value) {
        let patch = patch.as_object().unwrap();
        self.customers.change_profile(customer, patch, &Expectation::Anything).await.unwrap();
    }

    /// A person changes the partner there.
    pub(crate) fn edit_there(&self, id: &PartnerId, change: &DoubleChange) {
        self.double.change(id.as_str(), change).unwrap();
    }

    pub(crate) fn there(&self, id: &PartnerId) -> DoublePartner {
        self.double.partner(id.as_str()).unwrap()
    }

    pub(crate) async fn mapping(&self, customer: CustomerId) -> Mapping {
        self.sync.mapping_of_customer(customer).await.unwrap().unwrap()
    }

    /// A run from its request to its end.
    pub(crate) async fn run(&self, kind: RunKind, subjects: &[&str]) -> Run {
        self.run_as(kind, subjects, false).await
    }

    pub(crate) async fn run_as(&self, kind: RunKind, subjects: &[&str], dry_run: bool) -> Run {
        let subjects: Vec<_> = subjects.iter().map(|subject| (*subject).to_owned()).collect();
        let run = self.runs.request(kind, &subjects, dry_run).await.unwrap();
        self.worker.execute(run.id).await.unwrap();
        self.runs.runs.run(run.id).await.unwrap().unwrap()
    }

    pub(crate) async fn open_conflicts(&self) -> Vec<Conflict> {
        let filter = ConflictFilter { status: Some(ConflictStatus::Open), ..ConflictFilter::default() };
        self.conflicts.list(&filter, None, 100).await.unwrap()
    }

    /// A comparison that must find nothing to do on either side.
    pub(crate) async fn assert_quiet(&self, kind: RunKind) {
        let (writes, versions) = (self.double.writes(), self.versions().await);
        let run = self.run(kind, &[]).await;
        let counts = run.counts;
        let still = counts.unchanged + counts.conflicts + counts.skipped + counts.failed;
        assert_eq!(still, counts.total, "{run:?}");
        assert_eq!(self.double.writes(), writes, "nothing is written there");
        assert_eq!(self.versions().await, versions, "nothing is written here");
        assert_eq!(self.worker.work_once().await.unwrap(), 0, "nothing is promised");
    }

    /// The versions of all mappings and of their customers.
    async fn versions(&self) -> Vec<(uuid::Uuid, i64, Option<i64>)> {
        let listed = self.store.mappings().list(SyncSystem::MetaKocka, None, 100_000).await.unwrap();
        let version = |placed: onefold_sync::mapping::PlacedMapping| {
            (placed.mapping.id.0, placed.mapping.version, placed.now.map(|(_, version)| version))
        };
        listed.into_iter().map(version).collect()
    }
}

/// The real connector, on its way to the double.
pub(crate) fn connector(double: &MetaKockaDouble, clock: Arc<ManualClock>) -> MetaKocka {
    let config = Config {
        secret_key: Credential::new(MetaKockaDouble::SECRET_KEY),
        company_id: Credential::new(MetaKockaDouble::COMPANY_ID),
        base_url: BaseUrl::parse(&double.base_url()).unwrap(),
        // The clock stands still, so a pace would be felt.
        calls_per_second: 1_000_000,
        ..Config::default()
    };
    MetaKocka::new(&config, clock, None).unwrap()
}

/// Somebody as a person in the web application would type them in.
pub(crate) fn person(name: &str, email: &str) -> DoublePartner {
    DoublePartner {
        customer: name.to_owned(),
        business_entity: Some(false),
        foreign_county: Some(false),
        addresses: vec![DoubleAddress {
            address_type: "Račun".to_owned(),
            street: "Cvetlična pot 12".to_owned(),
            post_number: "1000".to_owned(),
            city: "Ljubljana".to_owned(),
            country: "Slovenija".to_owned(),
            ..DoubleAddress::default()
        }],
        contacts: vec![DoubleContact { email: email.to_owned(), ..DoubleContact::default() }],
        ..DoublePartner::default()
    }
}
