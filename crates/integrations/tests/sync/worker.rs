//! Jobs: promised with the change, tried again with patience, given up in the end, and replayed by a person.

use std::time::Duration;

use onefold_integrations::testing::{DoubleCall, Lasting, MetaKockaDouble, Trouble};
use onefold_service::environment::SyncTrigger;
use onefold_service::file::ImportFormat;
use onefold_service::import::ImportOptions;
use onefold_service::imports::Imports;
use onefold_service::system::SyncSystem;
use onefold_sync::job::{JobKind, JobStatus};
use onefold_sync::jobs::Jobs;
use onefold_sync::run::RunKind;
use onefold_sync::worker::{SyncWorker, WorkerSettings};
use serde_json::json;

use crate::scene::{DAY, Scene, settings};

on_every_store!(
    a_job_is_tried_again_given_up_and_replayed,
    what_a_later_sync_has_done_is_dead_no_more,
    comparisons_come_again_by_themselves,
    several_workers_share_the_jobs,
    new_customers_are_created_there_if_that_is_wanted,
    a_file_of_contacts_promises_what_single_ones_do,
    a_worker_that_is_told_to_stop_finishes_what_runs,
);

async fn a_job_is_tried_again_given_up_and_replayed(scene: Scene) {
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    let id = scene.sync(customer).await.mapping.external.unwrap();
    let refusal = Trouble::Refuse { code: "6".to_owned(), said: "Ne gre.".to_owned() };
    scene.double.trouble(Some(DoubleCall::UpdatePartner), Lasting::UntilTold, refusal);
    scene.edit(customer, json!({"address": {"street": "Nova 1"}})).await;
    let jobs = Jobs::new(scene.env.clone());
    // Whoever holds the record there may let go of it, so it is tried for half an hour.
    for _ in 0..6 {
        assert!(jobs.list(Some(JobStatus::Dead), None, 10).await.unwrap().is_empty());
        scene.worker.work_once().await.unwrap();
        scene.pass(Duration::from_secs(20 * 60));
    }
    let dead = jobs.list(Some(JobStatus::Dead), None, 10).await.unwrap();
    let [job] = &dead[..] else { panic!("{dead:?}") };
    assert_eq!((job.attempts, job.error.as_ref().unwrap().code.as_str()), (6, "rejected"));
    assert_eq!(job.kind, JobKind::SyncCustomer(SyncSystem::MetaKocka, customer));
    scene.double.end_trouble();
    assert!(jobs.replay(job.id).await.unwrap());
    assert_eq!(scene.worker.work_once().await.unwrap(), 1);
    assert_eq!(scene.there(&id).addresses[0].street, "Nova 1");
    assert!(jobs.list(None, None, 10).await.unwrap().is_empty());

    // What may pass is tried for hours.
    scene.double.trouble(Some(DoubleCall::GetPartner), Lasting::UntilTold, Trouble::OverQuota);
    scene.edit(customer, json!({"address": {"street": "Nova 2"}})).await;
    let mut attempts = 0;
    while jobs.list(Some(JobStatus::Dead), None, 10).await.unwrap().is_empty() {
        attempts += scene.worker.work_once().await.unwrap();
        scene.pass(Duration::from_secs(3 * 60 * 60));
        assert!(attempts < 50);
    }
    assert_eq!(attempts, 12);
    let dead = jobs.list(Some(JobStatus::Dead), None, 10).await.unwrap();
    assert_eq!(dead[0].error.as_ref().unwrap().code, "quota_exceeded");
    assert!(jobs.drop_job(dead[0].id).await.unwrap());
    assert!(!jobs.drop_job(dead[0].id).await.unwrap());
}

async fn what_a_later_sync_has_done_is_dead_no_more(scene: Scene) {
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    let id = scene.sync(customer).await.mapping.external.unwrap();
    let refusal = Trouble::Refuse { code: "6".to_owned(), said: "Partner je zaklenjen.".to_owned() };
    scene.double.trouble(Some(DoubleCall::UpdatePartner), Lasting::UntilTold, refusal);
    scene.edit(customer, json!({"address": {"street": "Nova 1"}})).await;
    let jobs = Jobs::new(scene.env.clone());
    while jobs.list(Some(JobStatus::Dead), None, 10).await.unwrap().is_empty() {
        scene.worker.work_once().await.unwrap();
        scene.pass(Duration::from_secs(20 * 60));
    }
    scene.double.end_trouble();
    scene.sync(customer).await;
    assert_eq!(scene.there(&id).addresses[0].street, "Nova 1");
    assert!(jobs.list(None, None, 10).await.unwrap().is_empty());
}

async fn comparisons_come_again_by_themselves(scene: Scene) {
    scene.double.fill(3);
    let hour = Duration::from_secs(60 * 60);
    let times = WorkerSettings { interval: hour, full_interval: DAY, ..WorkerSettings::default() };
    let worker = SyncWorker::new(scene.env.clone(), vec![scene.sync.clone()], times);
    worker.plan_comparisons().await.unwrap();
    for _ in 0..49 {
        worker.work_once().await.unwrap();
        scene.pass(Duration::from_secs(30 * 60 + 1));
    }
    let runs = scene.runs.runs.list(None, 100).await.unwrap();
    let count = |kind| runs.iter().filter(|run| run.kind == kind).count();
    // When both are due, the full one is enough.
    assert_eq!((count(RunKind::Compare), count(RunKind::CompareFull)), (24, 1));
    assert_eq!(scene.double.writes(), 0);
}

async fn several_workers_share_the_jobs(scene: Scene) {
    let mut customers = Vec::new();
    for number in 0..12 {
        let customer = scene.customer("Ann Lee", &format!("ann{number}@example.com")).await;
        scene.sync(customer).await;
        customers.push(customer);
    }
    for customer in &customers {
        scene.edit(*customer, json!({"address": {"street": "Nova 1"}})).await;
    }
    let at_work = (0..4).map(|_| {
        let worker = scene.worker.clone();
        tokio::spawn(async move { worker.work_once().await.unwrap() })
    });
    let mut done = 0;
    for worker in at_work.collect::<Vec<_>>() {
        done += worker.await.unwrap();
    }
    assert_eq!((done, scene.double.writes()), (12, 24));
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn new_customers_are_created_there_if_that_is_wanted(scene: Scene) {
    let double = std::sync::Arc::new(MetaKockaDouble::start().await);
    let scene = Scene::with(scene.store.clone(), double, settings(), true);
    assert_eq!(
        &scene.env.base.triggers[..],
        [SyncTrigger { system: SyncSystem::MetaKocka, new_customers: true }]
    );
    scene.customer("Ann Lee", "ann@example.com").await;
    let poor = scene.contact("Ben Lee", "ben@example.com", "").await.customer;
    scene.edit(poor, json!({"country": null})).await;
    scene.worker.work_once().await.unwrap();
    assert_eq!(scene.double.partner_count(), 1, "the other one is not complete");
    assert!(Jobs::new(scene.env.clone()).list(None, None, 10).await.unwrap().is_empty());
    assert!(scene.sync.mapping_of_customer(poor).await.unwrap().is_none(), "and nobody has to look after it");
    scene.edit(poor, json!({"country": "SI"})).await;
    scene.worker.work_once().await.unwrap();
    assert_eq!(scene.double.partner_count(), 2);
}

async fn a_file_of_contacts_promises_what_single_ones_do(scene: Scene) {
    let double = std::sync::Arc::new(MetaKockaDouble::start().await);
    let scene = Scene::with(scene.store.clone(), double, settings(), true);
    let file = |street: &str| {
        let row = |number: u32| format!("ann{number}@example.com,Ann {number},{street},Bled,4260,SI\n");
        format!("email,fullname,street,city,postalcode,country\n{}{}{}", row(1), row(2), row(3))
    };
    for street in ["Lipova pot 7", "Nova 1"] {
        let imports = Imports::new(scene.env.base.clone(), None);
        let mut receiving = imports.receive(ImportFormat::Csv, ImportOptions::default()).await.unwrap();
        receiving.append(file(street).as_bytes()).await.unwrap();
        let import = receiving.complete().await.unwrap();
        imports.run(import.id, &|_| {}).await.unwrap().unwrap();
        assert_eq!(scene.worker.work_once().await.unwrap(), 3, "{street}");
        let partners = scene.double.partners();
        let streets: Vec<_> = partners.iter().map(|partner| partner.addresses[0].street.as_str()).collect();
        assert_eq!(streets, [street; 3]);
    }
}

async fn a_worker_that_is_told_to_stop_finishes_what_runs(scene: Scene) {
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    scene.sync(customer).await;
    scene.edit(customer, json!({"address": {"street": "Nova 1"}})).await;
    scene.double.hold();
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let worker = scene.worker.clone();
    let at_work = tokio::spawn(async move { worker.work(stopping).await.unwrap() });
    scene.double.until_in_flight(1).await;
    stop.send(true).unwrap();
    scene.double.release();
    at_work.await.unwrap();
    assert_eq!(scene.double.writes(), 2);
    scene.assert_quiet(RunKind::CompareFull).await;
}
