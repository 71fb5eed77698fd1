//! The part of the configuration that decides how customers are kept the same elsewhere, and the assembly of what
//! does it: both programs sync in the same way, the server on request and the worker unattended.

use std::sync::Arc;
use std::time::Duration;

use onefold_domain::survivorship::SurvivorshipRules;
use onefold_integrations::metakocka::{self, MetaKocka};
use onefold_integrations::openphone::{self, ContactIndex, OpenPhone};
use onefold_service::environment::SyncTrigger;
use onefold_service::system::SyncSystem;
use onefold_sync::pace::CallPace;
use onefold_sync::partner::PartnerDirectory;
use onefold_sync::partner_index::PartnerIndex;
use onefold_sync::shared_pace::SharedPace;
use onefold_sync::synchroniser::{SyncSettings, Synchroniser};
use onefold_sync::worker::{SyncWorker, WorkerSettings};
use serde::Deserialize;
use validator::Validate;

use crate::config::ConfigError;
use onefold_sync::environment::SyncEnvironment;

/// Who does the jobs.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkerPlace {
    /// The server itself on SQLite, a worker of its own on PostgreSQL.
    #[default]
    Auto,
    /// The server itself.
    Inside,
    /// A worker of its own.
    Outside,
}

/// How customers are kept the same elsewhere.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct SyncConfig {
    /// Who does the jobs.
    pub worker: WorkerPlace,
    /// Between two comparisons of both sides, in seconds; 0 for none.
    #[validate(range(max = 604_800, message = "must be between 0 and 604800"))]
    pub interval_s: u64,
    /// Between two comparisons that look at every field, in seconds; 0 for none.
    #[validate(range(max = 2_592_000, message = "must be between 0 and 2592000"))]
    pub full_interval_s: u64,
    /// Whether a comparison takes in records that nobody here knows.
    pub take_new_records: bool,
    /// Whether a customer that has no record there gets one as soon as it is complete. Otherwise somebody asks
    /// for it.
    pub push_new_customers: bool,
    /// How long a record may be missing there before its mapping is let go, in days.
    #[validate(range(min = 1, max = 365, message = "must be between 1 and 365"))]
    pub grace_days: u64,
    /// The most mappings that one run may let go without a person's word, unless `brake_percent` gives more.
    #[validate(range(max = 1_000_000, message = "must be between 0 and 1000000"))]
    pub brake_records: u64,
    /// The share of all mappings, in percent, that one run may let go without a person's word, if that is more than
    /// `brake_records`.
    #[validate(range(max = 100, message = "must be between 0 and 100"))]
    pub brake_percent: u64,
    /// The most records that a run over all customers may create there without a person's word.
    #[validate(range(max = 1_000_000, message = "must be between 0 and 1000000"))]
    pub brake_created: u64,
    /// The jobs that one process does at a time.
    #[validate(range(min = 1, max = 64, message = "must be between 1 and 64"))]
    pub jobs_at_once: usize,
    /// How often a job is tried before it waits for a person.
    #[validate(range(min = 1, max = 100, message = "must be between 1 and 100"))]
    pub attempts: u32,
    /// How long a customer or a job is left alone with a process of which nothing is heard, in seconds.
    #[validate(range(min = 3, max = 3_600, message = "must be between 3 and 3600"))]
    pub lease_s: u64,
    /// How long a worker without work waits before it looks again, in milliseconds.
    #[validate(range(min = 50, max = 60_000, message = "must be between 50 and 60000"))]
    pub poll_ms: u64,
    /// How long runs and the log are kept, in days.
    #[validate(range(min = 1, max = 3_650, message = "must be between 1 and 3650"))]
    pub keep_days: u64,
}

impl Default for SyncConfig {
    fn default() -> Self {
        let (sync, worker) = (SyncSettings::default(), WorkerSettings::default());
        Self {
            worker: WorkerPlace::Auto,
            interval_s: worker.interval.as_secs(),
            full_interval_s: worker.full_interval.as_secs(),
            take_new_records: sync.import_new,
            push_new_customers: false,
            grace_days: sync.grace.as_secs() / DAY.as_secs(),
            brake_records: sync.most_lost,
            brake_percent: sync.most_lost_percent,
            brake_created: sync.most_created,
            jobs_at_once: worker.at_once,
            attempts: worker.attempts,
            lease_s: worker.lease.as_secs(),
            poll_ms: u64::try_from(worker.poll.as_millis()).unwrap_or(1_000),
            keep_days: worker.keep.as_secs() / DAY.as_secs(),
        }
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What syncs, and an environment in which changes promise it.
#[derive(Clone)]
pub struct Syncing {
    pub env: SyncEnvironment,
    /// One for each system. Who is not configured belongs to them: its calls tell which settings are missing.
    pub syncs: Vec<Synchroniser>,
    pub worker: SyncWorker,
}

impl Syncing {
    pub fn of(&self, system: SyncSystem) -> Option<&Synchroniser> {
        self.syncs.iter().find(|sync| sync.system() == system)
    }

    /// Says at the start who is not configured, in the words that operators look for.
    pub fn tell_unconfigured(&self) {
        for sync in self.syncs.iter().filter(|sync| sync.configured().is_err()) {
            let title = sync.system().title();
            match sync.system() {
                SyncSystem::OpenPhone => tracing::info!("{title} API key not configured"),
                SyncSystem::MetaKocka => tracing::info!("{title} is not configured"),
            }
        }
    }

    /// The systems that are configured.
    pub fn connected(&self) -> impl Iterator<Item = &Synchroniser> {
        self.syncs.iter().filter(|sync| sync.configured().is_ok())
    }
}

/// A program that cannot make safe connections, or settings with which none can be made.
#[derive(Debug, thiserror::Error)]
pub enum Unprepared {
    #[error(transparent)]
    MetaKocka(#[from] metakocka::Unprepared),
    #[error(transparent)]
    OpenPhone(#[from] openphone::Unprepared),
}

/// Whether each connector has an address that it may call, configured or not.
///
/// # Errors
/// One is a private address that its section does not allow by name.
pub fn check_base_urls(
    metakocka: &metakocka::Config,
    openphone: &openphone::Config,
) -> Result<(), ConfigError> {
    let fault =
        |section: &str, message: String| ConfigError::Invalid { key: format!("{section}.base_url"), message };
    metakocka.check_base_url().map_err(|error| fault("metakocka", error.to_string()))?;
    openphone.check_base_url().map_err(|error| fault("openphone", error.to_string()))
}

impl SyncConfig {
    /// # Errors
    /// See [`Unprepared`].
    pub fn assemble(
        &self,
        env: SyncEnvironment,
        metakocka: &metakocka::Config,
        openphone: &openphone::Config,
        rules: SurvivorshipRules,
    ) -> Result<Syncing, Unprepared> {
        let clock = || Arc::clone(&env.base.clock);
        // The index by which contacts are found by their values. What it writes is no change of a customer.
        let index = PartnerIndex::new(env.clone(), SyncSystem::OpenPhone);
        let index: Option<Arc<dyn ContactIndex>> = Some(Arc::new(index));
        // Servers and workers call the other systems at one pace, which they have in common.
        let pace =
            |system| -> Option<Arc<dyn CallPace>> { Some(Arc::new(SharedPace::new(env.clone(), system))) };
        let metakocka = MetaKocka::new(metakocka, clock(), pace(SyncSystem::MetaKocka))?;
        let openphone = OpenPhone::new(openphone, clock(), index, pace(SyncSystem::OpenPhone))?;
        let parts: [(SyncSystem, Arc<dyn PartnerDirectory>); 2] =
            [(SyncSystem::MetaKocka, Arc::new(metakocka)), (SyncSystem::OpenPhone, Arc::new(openphone))];
        // Changes promise no sync with a system that is not configured: the jobs would wait until somebody configures it.
        let configured = parts.iter().filter(|(_, directory)| directory.configured().is_ok());
        let new_customers = self.push_new_customers;
        let triggers: Vec<_> =
            configured.map(|(system, ..)| SyncTrigger { system: *system, new_customers }).collect();
        let env = env.with_triggers(triggers);
        let rules = Arc::new(rules);
        let syncs = parts.map(|(system, directory)| {
            Synchroniser::new(env.clone(), system, directory, Arc::clone(&rules), self.settings())
        });
        let syncs = Vec::from(syncs);
        let worker = SyncWorker::new(env.clone(), syncs.clone(), self.worker_settings());
        Ok(Syncing { env, syncs, worker })
    }

    fn settings(&self) -> SyncSettings {
        SyncSettings {
            lease: Duration::from_secs(self.lease_s),
            grace: DAY * u32::try_from(self.grace_days).unwrap_or(u32::MAX),
            most_lost: self.brake_records,
            most_lost_percent: self.brake_percent,
            most_created: self.brake_created,
            import_new: self.take_new_records,
        }
    }

    fn worker_settings(&self) -> WorkerSettings {
        WorkerSettings {
            at_once: self.jobs_at_once,
            poll: Duration::from_millis(self.poll_ms),
            lease: Duration::from_secs(self.lease_s),
            attempts: self.attempts,
            interval: Duration::from_secs(self.interval_s),
            full_interval: Duration::from_secs(self.full_interval_s),
            keep: DAY * u32::try_from(self.keep_days).unwrap_or(u32::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use onefold_domain::contact::{Received, Statement};
    use onefold_domain::email::EmailAddress;
    use onefold_domain::policy::LinkPolicy;
    use onefold_domain::source::ContactSource;
    use onefold_memory::MemoryStore;
    use onefold_service::clock::{SystemClock, SystemRandomness};
    use onefold_service::contacts::{ContactRequest, Contacts};
    use onefold_sync::job::JobKind;
    use onefold_sync::jobs::Jobs;

    use super::*;

    fn assembled(openphone_key: Option<&str>) -> Syncing {
        let env = SyncEnvironment::new(
            Arc::new(MemoryStore::default()),
            Arc::new(LinkPolicy::shipped()),
            Arc::new(SystemClock),
            Arc::new(SystemRandomness),
        );
        let api_key = openphone_key.and_then(openphone::Credential::new);
        let openphone = openphone::Config { api_key, ..openphone::Config::default() };
        let config = SyncConfig { push_new_customers: true, ..SyncConfig::default() };
        let rules = SurvivorshipRules::shipped();
        config.assemble(env, &metakocka::Config::default(), &openphone, rules).unwrap()
    }

    fn systems<'a>(syncs: impl IntoIterator<Item = &'a Synchroniser>) -> Vec<SyncSystem> {
        syncs.into_iter().map(Synchroniser::system).collect()
    }

    #[test]
    fn who_is_not_configured_is_there_and_says_what_is_missing() {
        let one = assembled(Some("key"));
        assert_eq!(
            (systems(one.connected()), systems(&one.syncs)),
            (vec![SyncSystem::OpenPhone], SyncSystem::ALL.into())
        );
        let none = assembled(None);
        assert_eq!(none.connected().count(), 0);
        let settings = ["METAKOCKA_SECRET_KEY", "OPENPHONE_API_KEY"];
        for (system, setting) in SyncSystem::ALL.into_iter().zip(settings) {
            let error = none.of(system).unwrap().configured().unwrap_err();
            assert!(error.to_string().contains(setting), "{error}");
        }
    }

    #[tokio::test]
    async fn a_change_promises_a_sync_with_who_is_configured() {
        let syncing = assembled(Some("key"));
        let email = EmailAddress::parse("ann@example.com").unwrap();
        let statement = Statement::new(Some(email), None).unwrap();
        let request = ContactRequest::new(statement, Received::default(), ContactSource::Order);
        let contacts = Contacts::new(syncing.env.base.clone());
        let customer = contacts.create_contact(&request).await.unwrap().customer;
        let jobs = Jobs::new(syncing.env).list(None, None, 10).await.unwrap();
        let kinds: Vec<_> = jobs.iter().map(|job| job.kind.clone()).collect();
        assert_eq!(kinds, [JobKind::SyncCustomer(SyncSystem::OpenPhone, customer)]);
    }
}
