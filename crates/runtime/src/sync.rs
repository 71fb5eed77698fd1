//! The part of the configuration that decides how customers are kept the same elsewhere, and the assembly of what
//! does it: both programs sync in the same way, the server on request and the worker unattended.

use std::sync::Arc;
use std::time::Duration;

use onefold_domain::{
    Environment, PartnerDirectory, SurvivorshipRules, SyncSettings, SyncSystem, SyncTrigger, SyncWorker,
    Synchroniser, WorkerSettings,
};
use onefold_integrations::metakocka::{self, MetaKocka};
use serde::Deserialize;
use validator::Validate;

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
    /// The most mappings that one run may let go without a person's word, …
    #[validate(range(max = 1_000_000, message = "must be between 0 and 1000000"))]
    pub brake_records: u64,
    /// … or this share of all, in percent, if that is more.
    #[validate(range(max = 100, message = "must be between 0 and 100"))]
    pub brake_percent: u64,
    /// The jobs that one process does at a time.
    #[validate(range(min = 1, max = 64, message = "must be between 1 and 64"))]
    pub jobs_at_once: usize,
    /// How often a job is tried before it waits for a person.
    #[validate(range(min = 1, max = 100, message = "must be between 1 and 100"))]
    pub attempts: u32,
    /// How long a job is left alone with a process of which nothing is heard, in seconds.
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
    pub env: Environment,
    pub metakocka: Synchroniser,
    pub worker: SyncWorker,
}

impl SyncConfig {
    /// # Errors
    /// A program that cannot make safe connections.
    pub fn assemble(
        &self,
        env: Environment,
        metakocka: &metakocka::Config,
        rules: SurvivorshipRules,
    ) -> Result<Syncing, metakocka::Unprepared> {
        let directory = MetaKocka::new(metakocka, Arc::clone(&env.clock))?;
        // Of a system that is not configured nobody wants to know; its jobs would only wait.
        let configured = directory.configured().is_ok();
        let new_customers = self.push_new_customers;
        let trigger = SyncTrigger { system: SyncSystem::MetaKocka, new_customers };
        let env = env.with_triggers(configured.then_some(trigger));
        let settings = self.settings(metakocka);
        let (directory, rules) = (Arc::new(directory), Arc::new(rules));
        let sync = Synchroniser::new(env.clone(), SyncSystem::MetaKocka, directory, rules, settings);
        let worker = SyncWorker::new(env.clone(), vec![sync.clone()], self.worker_settings());
        Ok(Syncing { env, metakocka: sync, worker })
    }

    fn settings(&self, metakocka: &metakocka::Config) -> SyncSettings {
        // The longest that one write can take: its turn, the call and reading back, and then some.
        let call = metakocka.queue_timeout_ms + metakocka.request_timeout_ms;
        SyncSettings {
            lease: Duration::from_millis(2 * call) + Duration::from_secs(self.lease_s),
            grace: DAY * u32::try_from(self.grace_days).unwrap_or(u32::MAX),
            most_lost: self.brake_records,
            most_lost_percent: self.brake_percent,
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
