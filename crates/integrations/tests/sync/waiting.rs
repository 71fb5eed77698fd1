//! Who waits for whom, and how long: for somebody who died, for somebody who is at the same customer, for another system that
//! takes its time.

use std::sync::Arc;
use std::time::Duration;

use onefold_domain::id::CustomerId;
use onefold_integrations::testing::openphone::{OpenPhoneCall, Trouble};
use onefold_service::registration::{Pushed, RegistrationSettings, Registrations};
use onefold_service::system::SyncSystem;
use onefold_sync::jobs::Jobs;
use onefold_sync::mapping::MappingStatus;
use onefold_sync::run::RunKind;
use onefold_sync::synchroniser::{SyncContext, SyncSettings, Synchroniser};
use onefold_sync::worker::{SyncWorker, WorkerSettings};

use crate::company::{Company, form, openphone};
use crate::scene::{Scene, settings};

on_every_store!(
    what_was_interrupted_is_taken_up_soon_without_being_asked,
    whoever_asks_after_a_death_is_served_soon,
    a_lease_is_renewed_while_somebody_works,
    work_goes_on_while_its_leases_are_renewed,
    of_two_clicks_the_second_gets_what_the_first_brought,
);

mod registrations {
    use super::*;

    on_every_store!(crate::company::Company:
        a_crowd_is_told_at_once_that_it_is_done_later,
        an_address_without_a_list_kills_no_job,
    );
}

/// A little longer than a lease.
const SOON: Duration = Duration::from_secs(31);

/// A sync that somebody asks for, by a process that dies at this step; whether it lived to the end.
async fn lives(scene: &Scene, customer: CustomerId, step: usize) -> bool {
    let (mortal, fate) = scene.mortal(step);
    let work = async {
        let _ = mortal.sync.sync_customer(customer, SyncContext::default()).await;
    };
    fate.live(work).await
}

async fn what_was_interrupted_is_taken_up_soon_without_being_asked(scene: Scene) {
    let mut died = 0;
    for step in 1..60 {
        let customer = scene.customer("Ann Lee", &format!("ann{step}@example.com")).await;
        if lives(&scene, customer, step).await {
            break;
        }
        died = step;
        scene.pass(SOON);
        let jobs = Jobs::new(scene.env.clone());
        // The database may still be about to end what the dead one had begun, and passes over what that holds.
        while !jobs.list(None, None, 1).await.unwrap().is_empty() {
            scene.worker.work_once().await.unwrap();
        }
        let mapping = scene.sync.mapping_of_customer(customer).await.unwrap();
        // Killed before anything was stored: nobody knows of it, and nothing was begun.
        let Some(mapping) = mapping else { continue };
        assert_eq!(mapping.status, MappingStatus::Synced, "step {step}");
        let email = format!("ann{step}@example.com");
        let partners = scene.double.partners();
        let of_this = partners.iter().filter(|partner| partner.contacts[0].email == email);
        assert_eq!(of_this.count(), 1, "step {step}");
    }
    assert!(died > 5, "{died}");
    assert!(Jobs::new(scene.env.clone()).list(None, None, 10).await.unwrap().is_empty());
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn whoever_asks_after_a_death_is_served_soon(scene: Scene) {
    for step in 3..12 {
        let customer = scene.customer("Ann Lee", &format!("ann{step}@example.com")).await;
        if lives(&scene, customer, step).await {
            break;
        }
        scene.pass(SOON);
        assert_eq!(scene.sync(customer).await.mapping.status, MappingStatus::Synced, "step {step}");
    }
}

async fn a_lease_is_renewed_while_somebody_works(scene: Scene) {
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    let short = SyncSettings { lease: Duration::from_millis(60), ..settings() };
    let hasty = Scene::at(scene.store.clone(), scene.double.clone(), short, false, scene.clock.clone());
    scene.double.hold();
    let working =
        tokio::spawn(async move { hasty.sync.sync_customer(customer, SyncContext::default()).await });
    let lease = async || {
        let mapping = scene.sync.mapping_of_customer(customer).await.unwrap();
        mapping.and_then(|mapping| mapping.lease).map(|(_, until)| until)
    };
    let mut seen = Vec::new();
    while seen.len() < 3 {
        if let Some(until) = lease().await.filter(|until| !seen.contains(until)) {
            seen.push(until);
        }
        tokio::task::yield_now().await;
    }
    assert!(seen.is_sorted());
    scene.double.release();
    assert_eq!(working.await.unwrap().unwrap().mapping.status, MappingStatus::Synced);
}

async fn work_goes_on_while_its_leases_are_renewed(scene: Scene) {
    // So short that renewals meet transactions, which wait for one another where there is one writer. The clock of the scene
    // moves by a microsecond at a time: none of them runs out.
    let lease = Duration::from_millis(3);
    let short = SyncSettings { lease, ..settings() };
    let hasty = Scene::at(scene.store.clone(), scene.double.clone(), short, true, scene.clock.clone());
    for number in 0..15 {
        hasty.customer("Ann Lee", &format!("ann{number}@example.com")).await;
    }
    let times = WorkerSettings { lease, ..WorkerSettings::default() };
    let worker = SyncWorker::new(hasty.env.clone(), vec![hasty.sync.clone()], times);
    let working = tokio::time::timeout(Duration::from_secs(30), worker.work_once()).await;
    working.expect("work and renewal wait for each other").unwrap();
    assert_eq!(scene.double.partner_count(), 15);
    assert!(Jobs::new(scene.env.clone()).list(None, None, 10).await.unwrap().is_empty());
}

async fn of_two_clicks_the_second_gets_what_the_first_brought(scene: Scene) {
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    scene.double.hold();
    let click = || {
        let sync = scene.sync.clone();
        tokio::spawn(async move { sync.sync_customer(customer, SyncContext::default()).await })
    };
    let first = click();
    scene.double.until_in_flight(1).await;
    let mut second = click();
    // While the first is at it, the second waits, and is not turned away.
    assert!(tokio::time::timeout(Duration::from_millis(200), &mut second).await.is_err());
    scene.double.release();
    let (first, second) = (first.await.unwrap().unwrap(), second.await.unwrap().unwrap());
    assert_eq!((second.outcome, &second.pushed), (first.outcome, &first.pushed));
    assert_eq!(second.mapping.external, first.mapping.external);
    assert_eq!(scene.double.partner_count(), 1);
}

async fn a_crowd_is_told_at_once_that_it_is_done_later(company: Company) {
    // One call a second: of those who come within three seconds, one can be served in time.
    let directory = openphone(&company.phones, &company.env, |config| config.calls_per_second = 1);
    let rules = std::sync::Arc::new(onefold_domain::survivorship::SurvivorshipRules::shipped());
    let (env, system) = (company.env.clone(), SyncSystem::OpenPhone);
    let sync = Synchroniser::new(env, system, std::sync::Arc::new(directory), rules, settings());
    let times =
        RegistrationSettings { push_deadline: Duration::from_secs(3), ..RegistrationSettings::default() };
    let registrations = Registrations::new(company.env.base.clone(), Some(Arc::new(sync)), times);
    company.phones.trouble(None, onefold_integrations::testing::Lasting::UntilTold, Trouble::Silence);
    let first = tokio::spawn({
        let registrations = registrations.clone();
        async move { registrations.register(&form("Ann", "ann@example.com", "")).await }
    });
    while company.phones.calls().is_empty() {
        tokio::task::yield_now().await;
    }
    for number in 0..20 {
        let email = format!("eva{number}@example.com");
        let done = registrations.register(&form("Eva", &email, "")).await.unwrap();
        assert_eq!(done.pushed, Pushed::Pending);
    }
    assert!(!first.is_finished(), "the crowd was told before the first one's time was up");
    first.abort();
}

async fn an_address_without_a_list_kills_no_job(company: Company) {
    let done = company.register("Ann", "ann@example.com").await;
    let body = serde_json::json!({"code": "0800404", "message": "Not found", "errors": []});
    company.phones.trouble(
        Some(OpenPhoneCall::List),
        onefold_integrations::testing::Lasting::UntilTold,
        Trouble::Say(404, body),
    );
    let runs = onefold_sync::runner::Runner::new(company.phone.clone());
    runs.request(RunKind::Compare, &[], false).await.unwrap();
    company.worker.work_once().await.unwrap();
    let jobs = Jobs::new(company.env.clone());
    let dead = jobs.list(Some(onefold_sync::job::JobStatus::Dead), None, 10).await.unwrap();
    assert!(dead.is_empty(), "{dead:?}");
    company.phones.end_trouble();
    company.work().await;
    assert!(jobs.list(None, None, 10).await.unwrap().is_empty());
    assert!(company.mapping(done.customer).await.unwrap().detached.is_none());
}
