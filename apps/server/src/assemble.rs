//! Puts the parts together as the configuration says.

use std::path::Path;
use std::sync::Arc;

use onefold_api::{App, PartnerWebhook, PoolGauge, SyncParts};
use onefold_integrations::openphone::Webhook;
use onefold_persistence::SeaOrmStore;
use onefold_runtime::{Syncing, describe_gauges, init_logs, init_metrics};
use onefold_service::actor::{Acting, Actor};
use onefold_service::clock::{SystemClock, SystemRandomness};
use onefold_service::environment::Environment;
use onefold_service::registration::{RegistrationPush, Registrations};
use onefold_service::system::SyncSystem;
use onefold_sync::environment::SyncEnvironment;
use onefold_sync::events::PartnerEvents;

use crate::config::Config;

/// What every command needs that works on the database: the configuration, its logs, the database, and an
/// environment in which an operator acts.
pub(crate) async fn at_a_shell(file: Option<&Path>) -> anyhow::Result<(Config, SeaOrmStore, Environment)> {
    let config = Config::load(file)?;
    init_logs(&config.log)?;
    let store = store(&config).await?;
    let env = environment(&config, &store)?.acting(Acting::of(Actor::CommandLine));
    Ok((config, store, env))
}

/// The database, up to date.
pub(crate) async fn store(config: &Config) -> anyhow::Result<SeaOrmStore> {
    let store = SeaOrmStore::connect(&config.database).await?;
    store.migrate().await?;
    Ok(store)
}

/// What every use case works with; changes promise a sync with the systems that are configured.
pub(crate) fn environment(config: &Config, store: &SeaOrmStore) -> anyhow::Result<Environment> {
    Ok(syncing(config, store)?.env.base)
}

/// What keeps customers the same elsewhere.
pub(crate) fn syncing(config: &Config, store: &SeaOrmStore) -> anyhow::Result<Syncing> {
    let policy = Arc::new(config.linking.policy()?);
    let (clock, randomness) = (Arc::new(SystemClock), Arc::new(SystemRandomness));
    let env = SyncEnvironment::new(Arc::new(store.clone()), policy, clock, randomness);
    Ok(config.sync.assemble(env, &config.metakocka, &config.openphone, config.profile.rules()?)?)
}

pub(crate) fn app(config: &Config, store: &SeaOrmStore, syncing: &Syncing) -> anyhow::Result<App> {
    let metrics = init_metrics(onefold_api::REQUEST_DURATION)?;
    onefold_api::describe_metrics();
    describe_gauges();
    let pool = store.clone();
    let pool: PoolGauge = Arc::new(move || {
        let status = pool.pool_status();
        (status.open, status.idle)
    });
    let app = App::new(syncing.env.clone(), config.profile.rules()?, config.linking.region()?, metrics, pool);
    let sync = SyncParts { syncs: syncing.syncs.clone(), worker: syncing.worker.clone() };
    let (env, openphone) = (syncing.env.clone(), syncing.of(SyncSystem::OpenPhone).cloned());
    let push = openphone.map(|sync| -> Arc<dyn RegistrationPush> { Arc::new(sync) });
    let registrations = Registrations::new(env.base.clone(), push, config.registration.settings());
    let partner_webhook = Webhook::new(&config.openphone).map(|reader| PartnerWebhook {
        reader: Arc::new(reader),
        events: PartnerEvents::new(env, SyncSystem::OpenPhone),
    });
    let app = app.with_limits(&config.limits).with_kratos(config.kratos()?).with_sync(sync);
    Ok(app.with_registrations(registrations).with_partner_webhook(partner_webhook))
}
