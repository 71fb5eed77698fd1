//! A company with both other systems: people register, and are in OpenPhone and in MetaKocka at once.

use std::sync::Arc;
use std::time::Duration;

use onefold_domain::contact::Received;
use onefold_domain::customer::CustomerView;
use onefold_domain::email::EmailAddress;
use onefold_domain::id::CustomerId;
use onefold_domain::phone::PhoneNumber;
use onefold_domain::policy::LinkPolicy;
use onefold_domain::profile::Profile;
use onefold_domain::survivorship::SurvivorshipRules;
use onefold_integrations::openphone::{BaseUrl, Config, Credential, OpenPhone};
use onefold_integrations::testing::{MetaKockaDouble, openphone::OpenPhoneDouble};
use onefold_service::clock::SystemRandomness;
use onefold_service::contacts::Expectation;
use onefold_service::customers::Customers;
use onefold_service::environment::SyncTrigger;
use onefold_service::registration::{
    NewRegistration, RegisterError, Registered, RegistrationSettings, Registrations,
};
use onefold_service::retry::Patience;
use onefold_service::system::SyncSystem;
use onefold_sync::environment::SyncEnvironment;
use onefold_sync::events::PartnerEvents;
use onefold_sync::log::{SyncAttempt, SyncLogFilter};
use onefold_sync::mapping::Mapping;
use onefold_sync::partner::PartnerId;
use onefold_sync::partner_index::PartnerIndex;
use onefold_sync::run::{Run, RunKind};
use onefold_sync::runner::Runner;
use onefold_sync::store::SyncStore;
use onefold_sync::sync_log::SyncLog;
use onefold_sync::synchroniser::{SyncContext, Synced, Synchroniser};
use onefold_sync::worker::{SyncWorker, WorkerSettings};
use serde_json::{Value, json};

use crate::crashing::{Fate, MortalDirectory, MortalStore};
use crate::scene::{connector, settings, ticking};
use onefold_service::testing::ManualClock;

pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);

pub(crate) struct Company {
    pub(crate) store: Arc<dyn SyncStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) phones: Arc<OpenPhoneDouble>,
    pub(crate) books: Arc<MetaKockaDouble>,
    pub(crate) env: SyncEnvironment,
    pub(crate) phone: Synchroniser,
    pub(crate) book: Synchroniser,
    pub(crate) worker: SyncWorker,
    pub(crate) registrations: Registrations,
    pub(crate) events: PartnerEvents,
    pub(crate) customers: Customers,
}

impl Company {
    /// Lets time pass for everybody.
    pub(crate) fn pass(&self, time: Duration) {
        self.clock.pass(chrono::TimeDelta::from_std(time).unwrap());
    }

    pub(crate) async fn on(store: Arc<dyn SyncStore>) -> Self {
        let clock = ticking();
        let phones = Arc::new(OpenPhoneDouble::start().await);
        let books = Arc::new(MetaKockaDouble::start().await);
        Self::with(store, clock, phones, books, None)
    }

    fn with(
        store: Arc<dyn SyncStore>,
        clock: Arc<ManualClock>,
        phones: Arc<OpenPhoneDouble>,
        books: Arc<MetaKockaDouble>,
        fate: Option<Arc<Fate>>,
    ) -> Self {
        let triggers = SyncSystem::ALL.map(|system| SyncTrigger { system, new_customers: false });
        let patience = Patience { deadline: Duration::from_secs(30), ..Patience::default() };
        let policy = Arc::new(LinkPolicy::shipped());
        let env = SyncEnvironment::new(store.clone(), policy, clock.clone(), Arc::new(SystemRandomness))
            .with_patience(patience)
            .with_triggers(triggers);
        let rules = Arc::new(SurvivorshipRules::shipped());
        let directory = openphone(&phones, &env, |_| {});
        let phone = match fate {
            None => synchroniser(&env, SyncSystem::OpenPhone, directory, &rules),
            Some(fate) => {
                let mortal = MortalDirectory { inner: directory, fate };
                synchroniser(&env, SyncSystem::OpenPhone, mortal, &rules)
            }
        };
        let book = synchroniser(&env, SyncSystem::MetaKocka, connector(&books, clock.clone()), &rules);
        let registrations = Registrations::new(
            env.base.clone(),
            Some(Arc::new(phone.clone())),
            RegistrationSettings::default(),
        );
        Self {
            worker: SyncWorker::new(env.clone(), vec![phone.clone(), book.clone()], no_comparisons()),
            events: PartnerEvents::new(env.clone(), SyncSystem::OpenPhone),
            customers: Customers::new(env.base.clone(), rules),
            registrations,
            store,
            clock,
            phones,
            books,
            env,
            phone,
            book,
        }
    }

    /// A company whose phones are reached through another connector.
    pub(crate) fn through(company: Self, phone: Synchroniser) -> Self {
        let syncs = vec![phone.clone(), company.book.clone()];
        Self {
            worker: SyncWorker::new(company.env.clone(), syncs, no_comparisons()),
            registrations: Registrations::new(
                company.env.base.clone(),
                Some(Arc::new(phone.clone())),
                RegistrationSettings::default(),
            ),
            phone,
            ..company
        }
    }

    /// This company as a process sees it that dies at this step.
    pub(crate) fn mortal(&self, step: usize) -> (Self, Arc<Fate>) {
        let fate = Fate::at(step);
        let store = Arc::new(MortalStore { inner: self.store.clone(), fate: fate.clone() });
        let (phones, books) = (self.phones.clone(), self.books.clone());
        (Self::with(store, self.clock.clone(), phones, books, Some(fate.clone())), fate)
    }

    pub(crate) async fn register(&self, first: &str, email: &str) -> Registered {
        self.try_to_register(first, email, "").await.unwrap()
    }

    pub(crate) async fn try_to_register(
        &self,
        first: &str,
        email: &str,
        phone: &str,
    ) -> Result<Registered, RegisterError> {
        self.registrations.register(&form(first, email, phone)).await
    }

    pub(crate) async fn view(&self, customer: CustomerId) -> CustomerView {
        self.customers.customer(customer).await.unwrap()
    }

    /// A person corrects the profile here.
    pub(crate) async fn edit(&self, customer: CustomerId, patch: Value) {
        let patch = patch.as_object().unwrap();
        self.customers.change_profile(customer, patch, &Expectation::Anything).await.unwrap();
    }

    pub(crate) async fn sync(&self, customer: CustomerId) -> Synced {
        self.phone.sync_customer(customer, SyncContext::default()).await.unwrap()
    }

    /// Works off what is due now and in the next hour.
    pub(crate) async fn work(&self) -> u64 {
        let done = self.worker.work_once().await.unwrap();
        self.pass(HOUR);
        done + self.worker.work_once().await.unwrap()
    }

    pub(crate) async fn mapping(&self, customer: CustomerId) -> Option<Mapping> {
        self.phone.mapping_of_customer(customer).await.unwrap()
    }

    /// The contact in OpenPhone.
    pub(crate) async fn contact(&self, customer: CustomerId) -> Value {
        let id = self.mapping(customer).await.unwrap().external.unwrap();
        self.phones.contact(id.as_str()).unwrap()
    }

    /// A person changes the contact there.
    pub(crate) fn edit_there(&self, id: &PartnerId, change: impl FnOnce(&mut Value)) {
        self.phones.edit(id.as_str(), change).unwrap();
    }

    pub(crate) async fn compare(&self) -> Run {
        self.run(RunKind::Compare, &[]).await
    }

    pub(crate) async fn run(&self, kind: RunKind, subjects: &[&str]) -> Run {
        let runs = Runner::new(self.phone.clone());
        let subjects: Vec<_> = subjects.iter().map(|subject| (*subject).to_owned()).collect();
        let run = runs.request(kind, &subjects, false).await.unwrap();
        self.worker.execute(run.id).await.unwrap();
        runs.runs.run(run.id).await.unwrap().unwrap()
    }

    /// What happened to the customer, oldest first.
    pub(crate) async fn activity(&self, customer: CustomerId) -> Vec<SyncAttempt> {
        let filter = SyncLogFilter { customer: Some(customer), ..SyncLogFilter::default() };
        let log = SyncLog::new(self.env.clone()).list(&filter, None, 100).await.unwrap().entries;
        log.into_iter().rev().map(|logged| logged.attempt).collect()
    }

    /// Nothing is left to do, and doing it would write nothing anywhere.
    pub(crate) async fn assert_quiet(&self) {
        self.work().await;
        let before = (self.phones.writes(), self.books.writes());
        for kind in [RunKind::Compare, RunKind::CompareFull] {
            let counts = self.run(kind, &[]).await.counts;
            let still = counts.unchanged + counts.conflicts + counts.skipped + counts.failed;
            assert_eq!(still, counts.total, "{counts:?}");
        }
        assert_eq!(self.worker.work_once().await.unwrap(), 0, "nothing is promised");
        assert_eq!((self.phones.writes(), self.books.writes()), before, "nothing is written");
    }
}

fn no_comparisons() -> WorkerSettings {
    WorkerSettings { interval: Duration::ZERO, full_interval: Duration::ZERO, ..WorkerSettings::default() }
}

fn synchroniser(
    env: &SyncEnvironment,
    system: SyncSystem,
    directory: impl onefold_sync::partner::PartnerDirectory + 'static,
    rules: &Arc<SurvivorshipRules>,
) -> Synchroniser {
    Synchroniser::new(env.clone(), system, Arc::new(directory), rules.clone(), settings())
}

/// The real connector with the real index, on its way to the double.
pub(crate) fn openphone(
    double: &OpenPhoneDouble,
    env: &SyncEnvironment,
    change: impl FnOnce(&mut Config),
) -> OpenPhone {
    let mut config = Config {
        api_key: Credential::new(OpenPhoneDouble::API_KEY),
        base_url: BaseUrl::parse(&double.base_url()).unwrap(),
        // The clock stands still, so a pace would be felt.
        calls_per_second: 1_000_000,
        ..Config::default()
    };
    change(&mut config);
    let index = PartnerIndex::new(env.clone(), SyncSystem::OpenPhone);
    OpenPhone::new(&config, env.base.clock.clone(), Some(Arc::new(index)), None).unwrap()
}

pub(crate) fn form(first: &str, email: &str, phone: &str) -> NewRegistration {
    let profile = json!({"firstName": first, "lastName": "Lee", "companyName": "Lee d.o.o."});
    NewRegistration {
        email: EmailAddress::parse(email).unwrap(),
        phone: PhoneNumber::parse(phone, None).ok(),
        received: Received::default(),
        profile: Profile::parse(profile.as_object().unwrap()).unwrap(),
        user: None,
    }
}

/// Somebody as a person in the application would type them in.
pub(crate) fn typed_in(first: &str, email: &str, phone: &str) -> Value {
    json!({"defaultFields": {
        "firstName": first, "lastName": "Lee", "company": null, "role": "Buyer",
        "emails": [{"name": "office", "value": email}],
        "phoneNumbers": [{"name": "mobile", "value": phone}],
    }})
}
