//! What handlers need.

use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use onefold_domain::phone::Region;
use onefold_domain::survivorship::SurvivorshipRules;
use onefold_service::contacts::Contacts;
use onefold_service::customers::Customers;
use onefold_service::idempotency::Idempotency;
use onefold_service::identify::Identify;
use onefold_service::identities::Identities;
use onefold_service::imports::Imports;
use onefold_service::registration::{RegistrationSettings, Registrations};
use onefold_service::tokens::Tokens;
use onefold_service::trail::Audit;
use onefold_service::users::Users;
use onefold_sync::environment::SyncEnvironment;
use onefold_sync::events::{PartnerEventReader, PartnerEvents};

use crate::config::{Config, Exposure};
use crate::known_tokens::KnownTokens;
use crate::kratos::KratosWebhook;
use crate::limits::{Limits, LimitsConfig};
use crate::sync::SyncParts;

/// What handlers need. Cheap to clone: everything is shared.
#[derive(Clone)]
pub struct App {
    pub identify: Identify,
    pub contacts: Contacts,
    pub customers: Customers,
    pub users: Users,
    pub imports: Imports,
    pub identities: Identities,
    pub tokens: Tokens,
    pub exposure: Exposure,
    pub(crate) known_tokens: Arc<KnownTokens>,
    pub audit: Audit,
    /// `None` when its webhook is off.
    pub kratos: Option<KratosWebhook>,
    pub sync: SyncParts,
    pub registrations: Registrations,
    /// `None` when the webhook of OpenPhone is off.
    pub partner_webhook: Option<PartnerWebhook>,
    /// How long a bulk call waits for its run.
    pub(crate) run_wait: Duration,
    pub idempotency: Idempotency,
    pub limits: Arc<Limits>,
    pub env: SyncEnvironment,
    /// The region in which phone numbers without a country code are read.
    pub default_region: Option<Region>,
    pub metrics: PrometheusHandle,
    pub pool: PoolGauge,
}

/// What another system reports: who reads it, and who keeps it.
#[derive(Clone)]
pub struct PartnerWebhook {
    pub reader: Arc<dyn PartnerEventReader>,
    pub events: PartnerEvents,
}

/// Tells how many connections to the database are open, and how many of them are idle.
pub type PoolGauge = Arc<dyn Fn() -> (u32, u32) + Send + Sync>;

impl App {
    /// The use cases on one environment.
    pub fn new(
        env: SyncEnvironment,
        rules: SurvivorshipRules,
        default_region: Option<Region>,
        metrics: PrometheusHandle,
        pool: PoolGauge,
    ) -> Self {
        let rules = Arc::new(rules);
        Self {
            sync: SyncParts::none(&env),
            run_wait: Config::default().run_wait(),
            identify: Identify::new(env.base.clone()),
            contacts: Contacts::new(env.base.clone()),
            customers: Customers::new(env.base.clone(), rules),
            users: Users::new(env.base.clone()),
            imports: Imports::new(env.base.clone(), default_region),
            identities: Identities::new(env.base.clone()),
            tokens: Tokens::new(env.base.clone()),
            exposure: Exposure::default(),
            known_tokens: Arc::default(),
            audit: Audit::new(env.base.clone()),
            kratos: None,
            registrations: Registrations::new(env.base.clone(), None, RegistrationSettings::default()),
            partner_webhook: None,
            idempotency: Idempotency::new(env.base.clone()),
            limits: Arc::new(Limits::new(&LimitsConfig::default(), &env.base.clock)),
            env,
            default_region,
            metrics,
            pool,
        }
    }

    /// Takes the calls of Ory Kratos.
    #[must_use]
    pub fn with_kratos(self, kratos: Option<KratosWebhook>) -> Self {
        Self { kratos, ..self }
    }

    /// Syncs customers with another system. Without this every such call is told what is not configured.
    #[must_use]
    pub fn with_sync(self, sync: SyncParts) -> Self {
        Self { sync, ..self }
    }

    /// Registers people in this way. Without it no other system is told of them.
    #[must_use]
    pub fn with_registrations(self, registrations: Registrations) -> Self {
        Self { registrations, ..self }
    }

    /// Takes what OpenPhone reports.
    #[must_use]
    pub fn with_partner_webhook(self, partner_webhook: Option<PartnerWebhook>) -> Self {
        Self { partner_webhook, ..self }
    }

    /// Other limits than the default ones.
    #[must_use]
    pub fn with_limits(self, limits: &LimitsConfig) -> Self {
        Self { limits: Arc::new(Limits::new(limits, &self.env.base.clock)), ..self }
    }
}
