//! What is gone: let go slowly, never in a crowd, and taken back when it returns.

use onefold_integrations::testing::DoubleChange;
use onefold_service::contacts::Expectation;
use onefold_sync::mapping::{DetachReason, MappingStatus};
use onefold_sync::partner::PartnerId;
use onefold_sync::run::{RunKind, RunStatus};

use crate::scene::{DAY, GRACE, Scene, person};

on_every_store!(
    a_missing_record_is_stale_first_and_let_go_after_the_grace_period,
    a_record_that_returns_in_time_goes_on,
    a_record_that_was_given_up_and_returns_is_in_use_again,
    many_that_are_missing_stop_the_run_until_somebody_approves,
    a_side_that_is_suddenly_empty_stops_the_run,
    a_customer_without_contacts_lets_its_record_go,
    a_record_that_is_missing_at_a_sync_is_stale,
);

async fn several(scene: &Scene, count: usize) -> Vec<PartnerId> {
    let mut ids = Vec::new();
    for number in 0..count {
        let there =
            scene.double.insert(person(&format!("Ann {number}"), &format!("ann{number}@example.com")));
        ids.push(PartnerId::parse(&there.mk_id).unwrap());
    }
    let run = scene.run(RunKind::Compare, &[]).await;
    assert_eq!(run.counts.created, count as u64, "{run:?}");
    ids
}

async fn status(scene: &Scene, id: &PartnerId) -> (MappingStatus, Option<DetachReason>) {
    let mapping = scene.sync.mapping_of_partner(id).await.unwrap().unwrap();
    (mapping.status, mapping.detached)
}

async fn a_missing_record_is_stale_first_and_let_go_after_the_grace_period(scene: Scene) {
    let ids = several(&scene, 3).await;
    scene.double.remove(ids[1].as_str());
    let run = scene.run(RunKind::Compare, &[]).await;
    assert_eq!((run.counts.stale, run.counts.detached), (1, 0));
    assert_eq!(status(&scene, &ids[1]).await, (MappingStatus::Stale, None));
    scene.pass(DAY);
    let run = scene.run(RunKind::Compare, &[]).await;
    assert_eq!((run.counts.stale, run.counts.detached), (0, 0));
    scene.pass(GRACE);
    let plan = scene.run_as(RunKind::Compare, &[], true).await;
    assert_eq!(plan.counts.detached, 1);
    assert_eq!(status(&scene, &ids[1]).await, (MappingStatus::Stale, None), "a plan changes nothing");
    let run = scene.run(RunKind::Compare, &[]).await;
    assert_eq!((run.counts.stale, run.counts.detached), (0, 1));
    assert_eq!(status(&scene, &ids[1]).await, (MappingStatus::Detached, Some(DetachReason::Gone)));
    assert_eq!(scene.double.writes(), 0);
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn a_record_that_returns_in_time_goes_on(scene: Scene) {
    let ids = several(&scene, 2).await;
    let there = scene.there(&ids[0]);
    scene.double.remove(ids[0].as_str());
    scene.run(RunKind::Compare, &[]).await;
    scene.pass(DAY);
    scene.double.insert(there);
    scene.run(RunKind::Compare, &[]).await;
    let mapping = scene.sync.mapping_of_partner(&ids[0]).await.unwrap().unwrap();
    assert_eq!((mapping.status, mapping.missing_since), (MappingStatus::Synced, None));
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn a_record_that_was_given_up_and_returns_is_in_use_again(scene: Scene) {
    let ids = several(&scene, 2).await;
    let there = scene.there(&ids[0]);
    scene.double.remove(ids[0].as_str());
    scene.run(RunKind::Compare, &[]).await;
    scene.pass(GRACE + DAY);
    scene.run(RunKind::Compare, &[]).await;
    assert_eq!(status(&scene, &ids[0]).await.1, Some(DetachReason::Gone));
    scene.double.insert(there);
    scene.edit_there(&ids[0], &DoubleChange { city: Some("Bled".to_owned()), ..DoubleChange::default() });
    scene.run(RunKind::Compare, &[]).await;
    assert_eq!(status(&scene, &ids[0]).await, (MappingStatus::Synced, None));
    let mapping = scene.sync.mapping_of_partner(&ids[0]).await.unwrap().unwrap();
    let profile = scene.view(mapping.customer).await.profile;
    assert_eq!(profile.address().unwrap().city.as_deref(), Some("Bled"));
}

async fn many_that_are_missing_stop_the_run_until_somebody_approves(scene: Scene) {
    let ids = several(&scene, 8).await;
    for id in &ids[..4] {
        scene.double.remove(id.as_str());
    }
    let run = scene.run(RunKind::Compare, &[]).await;
    assert_eq!((run.status, run.counts.stale), (RunStatus::Held, 4), "{run:?}");
    assert!(run.message.unwrap().contains("4 of 8"));
    for id in &ids {
        assert_eq!(status(&scene, id).await, (MappingStatus::Synced, None));
    }
    let items = scene.runs.runs.items(run.id, 0, 10).await.unwrap();
    assert_eq!(items.len(), 4, "they say which");
    scene.runs.runs.approve(run.id).await.unwrap().unwrap();
    assert!(scene.runs.runs.approve(run.id).await.unwrap().is_none());
    scene.worker.work_once().await.unwrap();
    let run = scene.runs.runs.run(run.id).await.unwrap().unwrap();
    assert_eq!((run.status, run.counts.stale), (RunStatus::Completed, 4));
    assert_eq!(status(&scene, &ids[0]).await, (MappingStatus::Stale, None));
}

async fn a_side_that_is_suddenly_empty_stops_the_run(scene: Scene) {
    let ids = several(&scene, 1).await;
    scene.double.remove(ids[0].as_str());
    let run = scene.run(RunKind::Compare, &[]).await;
    assert_eq!(run.status, RunStatus::Held);
    assert_eq!(status(&scene, &ids[0]).await, (MappingStatus::Synced, None));
}

async fn a_customer_without_contacts_lets_its_record_go(scene: Scene) {
    let ids = several(&scene, 3).await;
    let mapping = scene.sync.mapping_of_partner(&ids[0]).await.unwrap().unwrap();
    scene.contacts.withdraw_contact(mapping.contact, &Expectation::Anything).await.unwrap();
    scene.worker.work_once().await.unwrap();
    let run = scene.run(RunKind::Compare, &[]).await;
    assert_eq!(run.counts.detached, 1, "{run:?}");
    assert_eq!(status(&scene, &ids[0]).await, (MappingStatus::Detached, Some(DetachReason::Withdrawn)));
    assert_eq!(scene.double.partner_count(), 3, "nothing is deleted there");
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn a_record_that_is_missing_at_a_sync_is_stale(scene: Scene) {
    let ids = several(&scene, 2).await;
    let mapping = scene.sync.mapping_of_partner(&ids[0]).await.unwrap().unwrap();
    scene.double.remove(ids[0].as_str());
    let context = onefold_sync::synchroniser::SyncContext::default();
    let missing = scene.sync.sync_customer(mapping.customer, context).await;
    assert!(matches!(missing, Err(onefold_sync::sync_error::SyncError::Missing)), "{missing:?}");
    assert_eq!(status(&scene, &ids[0]).await, (MappingStatus::Stale, None));
    assert_eq!(scene.double.writes(), 0, "it is not created anew");
}
