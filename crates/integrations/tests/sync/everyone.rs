//! Everybody who changed since the last sync, or has no record there: one run over all of them, planned, held and resumed.

use std::sync::atomic::{AtomicUsize, Ordering};

use onefold_domain::id::CustomerId;
use onefold_integrations::testing::DoubleChange;
use onefold_sync::resolver::Answer;
use onefold_sync::run::{RunKind, RunStatus};
use serde_json::json;

use crate::scene::Scene;

on_every_store!(
    who_changed_or_has_no_record_is_synced_and_nobody_else,
    a_plan_says_what_would_be_done_and_does_nothing,
    too_many_new_records_hold_the_run_until_somebody_approves,
    who_lacks_what_a_record_needs_is_skipped,
    a_run_that_was_cut_off_goes_on,
    more_customers_than_a_page_are_listed,
    who_was_let_go_stays_so,
);

async fn people(scene: &Scene, count: usize) -> Vec<CustomerId> {
    let mut people = Vec::new();
    for number in 0..count {
        people.push(scene.customer(&format!("Ann {number}"), &format!("ann{number}@example.com")).await);
    }
    people
}

async fn told(scene: &Scene, run: onefold_sync::run::RunId) -> Vec<(String, String)> {
    let items = scene.runs.runs.items(run, 0, 10_000).await.unwrap();
    items
        .into_iter()
        .map(|item| (item.subject, item.outcome.map_or_else(String::new, |done| done.action)))
        .collect()
}

fn line(customer: CustomerId, action: &str) -> (String, String) {
    (customer.0.to_string(), action.to_owned())
}

async fn who_changed_or_has_no_record_is_synced_and_nobody_else(scene: Scene) {
    let [still, changed, new, torn] = people(&scene, 4).await.try_into().unwrap();
    for customer in [still, changed, torn] {
        scene.sync(customer).await;
    }
    scene.edit(changed, json!({"companyName": "Lee d.o.o."})).await;
    scene.edit(torn, json!({"address": {"street": "Ours 1"}})).await;
    let record = scene.mapping(torn).await.external.unwrap();
    scene.edit_there(
        &record,
        &DoubleChange { street: Some("Theirs 2".to_owned()), ..DoubleChange::default() },
    );
    let run = scene.run(RunKind::SyncAll, &[]).await;
    assert_eq!(
        told(&scene, run.id).await,
        [line(changed, "pushed"), line(new, "created"), line(torn, "conflict")]
    );
    let counts = run.counts;
    assert_eq!((counts.total, counts.succeeded, counts.conflicts, counts.failed), (3, 2, 1, 0));
    assert_eq!((run.status, scene.double.partner_count()), (RunStatus::Completed, 4));
    // A question that is open is no reason to ask again.
    let again = scene.run(RunKind::SyncAll, &[]).await;
    assert_eq!((again.status, again.counts.total), (RunStatus::Completed, 0), "{again:?}");
}

async fn a_plan_says_what_would_be_done_and_does_nothing(scene: Scene) {
    let [known, new] = people(&scene, 2).await.try_into().unwrap();
    scene.sync(known).await;
    scene.edit(known, json!({"companyName": "Lee d.o.o."})).await;
    let writes = scene.double.writes();
    let plan = scene.run_as(RunKind::SyncAll, &[], true).await;
    assert_eq!(told(&scene, plan.id).await, [line(known, "update"), line(new, "create")]);
    let items = scene.runs.runs.items(plan.id, 0, 10).await.unwrap();
    let writes_of_known = items[0].outcome.clone().unwrap().plan.unwrap();
    assert_eq!(writes_of_known[0]["value"], "Lee d.o.o.");
    assert_eq!((scene.double.writes(), scene.double.partner_count()), (writes, 1));
}

async fn too_many_new_records_hold_the_run_until_somebody_approves(scene: Scene) {
    let people = people(&scene, 4).await;
    let plan = scene.run_as(RunKind::SyncAll, &[], true).await;
    assert_eq!((plan.status, plan.counts.created), (RunStatus::Completed, 4), "a plan is not held");
    let run = scene.run(RunKind::SyncAll, &[]).await;
    assert_eq!((run.status, run.counts.total, scene.double.partner_count()), (RunStatus::Held, 4, 0));
    let why = run.message.unwrap();
    assert_eq!(why, "4 customers would get a new partner in MetaKocka, more than 3 in one run.");
    // Whoever is synced meanwhile is passed over later.
    scene.sync(people[0]).await;
    scene.runs.runs.approve(run.id).await.unwrap().unwrap();
    scene.worker.work_once().await.unwrap();
    let run = scene.runs.runs.run(run.id).await.unwrap().unwrap();
    assert_eq!(
        (run.status, run.counts.created, run.counts.unchanged),
        (RunStatus::Completed, 3, 1),
        "{run:?}"
    );
    assert_eq!(scene.double.partner_count(), 4);
}

async fn who_lacks_what_a_record_needs_is_skipped(scene: Scene) {
    let [good, poor] = people(&scene, 2).await.try_into().unwrap();
    scene.edit(poor, json!({"address": {"street": null}})).await;
    let run = scene.run(RunKind::SyncAll, &[]).await;
    assert_eq!((run.counts.total, run.counts.created, run.counts.skipped, run.counts.failed), (2, 1, 1, 0));
    assert_eq!(told(&scene, run.id).await, [line(good, "created"), line(poor, "skipped")]);
    let items = scene.runs.runs.items(run.id, 0, 10).await.unwrap();
    assert_eq!(items[1].outcome.clone().unwrap().error.unwrap().code, "invalid_fields");
}

async fn a_run_that_was_cut_off_goes_on(scene: Scene) {
    people(&scene, 3).await;
    let run = scene.runs.request(RunKind::SyncAll, &[], false).await.unwrap();
    // Told to stop at each place where it asks, one after the other.
    for places in 0.. {
        let asked = AtomicUsize::new(0);
        let stopping = || asked.fetch_add(1, Ordering::SeqCst) >= places;
        let done = scene.worker.execute_until(run.id, &stopping).await;
        done.unwrap();
        let now = scene.runs.runs.run(run.id).await.unwrap().unwrap();
        if now.status == RunStatus::Completed {
            assert_eq!((now.counts.total, now.counts.succeeded, now.counts.created), (3, 3, 3), "{now:?}");
            assert!(places > 1, "it was cut off");
            break;
        }
        scene.pass(std::time::Duration::from_secs(120));
    }
    assert_eq!(scene.double.partner_count(), 3);
}

async fn more_customers_than_a_page_are_listed(scene: Scene) {
    // Without an address, so that none is created: what is tested is the list.
    let mut people = Vec::new();
    for number in 0..1_001 {
        let email = onefold_domain::email::EmailAddress::parse(&format!("p{number}@example.com")).unwrap();
        let statement = onefold_domain::contact::Statement::new(Some(email), None).unwrap();
        let source = onefold_domain::source::ContactSource::Order;
        let request = onefold_service::contacts::ContactRequest::new(
            statement,
            onefold_domain::contact::Received::default(),
            source,
        );
        people.push(scene.contacts.create_contact(&request).await.unwrap().customer);
    }
    let run = scene.run(RunKind::SyncAll, &[]).await;
    assert_eq!((run.counts.total, run.counts.skipped), (1_001, 1_001), "{run:?}");
    let expected: Vec<_> = people.into_iter().map(|customer| line(customer, "skipped")).collect();
    assert_eq!(told(&scene, run.id).await, expected);
}

async fn who_was_let_go_stays_so(scene: Scene) {
    let [gone, kept] = people(&scene, 2).await.try_into().unwrap();
    for customer in [gone, kept] {
        let record = scene.sync(customer).await.mapping.external.unwrap();
        if customer == gone {
            scene.double.remove(record.as_str());
        }
    }
    scene.run(RunKind::Compare, &[]).await;
    let [asked] = scene.open_conflicts().await.try_into().unwrap();
    assert_eq!(scene.run(RunKind::SyncAll, &[]).await.counts.total, 0, "a person is asked");
    scene.resolver.resolve(asked.id, &Answer::Release).await.unwrap();
    scene.edit(gone, json!({"companyName": "Lee d.o.o."})).await;
    assert_eq!(scene.run(RunKind::SyncAll, &[]).await.counts.total, 0);
    assert_eq!(scene.double.partner_count(), 1);
}
