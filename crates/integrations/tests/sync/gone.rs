//! A record that was deleted there: a person says at once whether it is made anew or the customer does without.

use onefold_domain::id::CustomerId;
use onefold_sync::conflict::{Conflict, ConflictStatus, ConflictSubject};
use onefold_sync::mapping::{DetachReason, MappingStatus};
use onefold_sync::partner::PartnerId;
use onefold_sync::resolver::{Answer, ResolveError};
use onefold_sync::run::RunKind;
use onefold_sync::synchroniser::SyncContext;
use serde_json::json;

use crate::scene::{DAY, GRACE, Scene, person};

on_every_store!(
    a_record_that_is_missed_is_asked_about_at_once,
    it_is_made_anew,
    it_is_let_go_and_stays_so,
    the_question_ends_when_the_record_is_back,
    whoever_syncs_the_customer_has_answered,
    a_record_that_was_let_go_by_a_comparison_is_still_asked_about,
    other_questions_have_other_answers,
);

/// A customer whose record was deleted there and missed, beside one that keeps the register from looking empty.
async fn missed(scene: &Scene) -> (CustomerId, PartnerId, Conflict) {
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    let id = scene.sync(customer).await.mapping.external.unwrap();
    scene.double.insert(person("Ben Kos", "ben@example.com"));
    scene.double.remove(id.as_str());
    scene.run(RunKind::Compare, &[]).await;
    let [asked] = scene.open_conflicts().await.try_into().unwrap();
    (customer, id, asked)
}

async fn a_record_that_is_missed_is_asked_about_at_once(scene: Scene) {
    let (customer, id, asked) = missed(&scene).await;
    assert_eq!((asked.subject, asked.customer), (ConflictSubject::Gone, customer));
    assert_eq!(asked.remote.as_ref().unwrap().as_str(), id.as_str());
    assert_eq!(asked.subject.answers(), ["recreate", "release"]);
    assert_eq!(scene.mapping(customer).await.status, MappingStatus::Stale);
    scene.assert_quiet(RunKind::CompareFull).await;
    let missing = scene.sync.sync_customer(customer, SyncContext::default()).await;
    assert!(missing.is_err(), "it is not made anew by itself");
    assert_eq!(scene.open_conflicts().await.len(), 1, "and asked about once");
}

async fn it_is_made_anew(scene: Scene) {
    let (customer, id, asked) = missed(&scene).await;
    let resolved = scene.resolver.resolve(asked.id, &Answer::Recreate).await.unwrap();
    assert_eq!(
        (resolved.status, resolved.resolution.as_deref()),
        (ConflictStatus::Resolved, Some("recreate"))
    );
    // Nobody waits for it: the job that was promised does it.
    scene.worker.work_once().await.unwrap();
    let mapping = scene.mapping(customer).await;
    let anew = mapping.external.clone().unwrap();
    assert_eq!((mapping.status, anew == id), (MappingStatus::Synced, false));
    assert_eq!(scene.there(&anew).customer, "Ann Lee");
    let old = scene.sync.mapping_of_partner(&id).await.unwrap().unwrap();
    assert_eq!(old.detached, Some(DetachReason::Gone));
    scene.assert_quiet(RunKind::CompareFull).await;
    assert!(scene.open_conflicts().await.is_empty());
}

async fn it_is_let_go_and_stays_so(scene: Scene) {
    let (customer, id, asked) = missed(&scene).await;
    scene.resolver.resolve(asked.id, &Answer::Release).await.unwrap();
    let mapping = scene.sync.mapping_of_partner(&id).await.unwrap().unwrap();
    assert_eq!((mapping.status, mapping.detached), (MappingStatus::Detached, Some(DetachReason::Gone)));
    scene.edit(customer, json!({"companyName": "Lee d.o.o."})).await;
    scene.worker.work_once().await.unwrap();
    scene.pass(GRACE + DAY);
    scene.run(RunKind::CompareFull, &[]).await;
    assert_eq!((scene.double.partner_count(), scene.open_conflicts().await.len()), (1, 0));
    let again = scene.resolver.resolve(asked.id, &Answer::Recreate).await;
    assert!(matches!(again, Err(ResolveError::AlreadyResolved)), "{again:?}");
}

async fn the_question_ends_when_the_record_is_back(scene: Scene) {
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    let id = scene.sync(customer).await.mapping.external.unwrap();
    scene.double.insert(person("Ben Kos", "ben@example.com"));
    let there = scene.there(&id);
    scene.double.remove(id.as_str());
    scene.run(RunKind::Compare, &[]).await;
    assert_eq!(scene.open_conflicts().await.len(), 1);
    scene.double.insert(there);
    scene.run(RunKind::Compare, &[]).await;
    assert!(scene.open_conflicts().await.is_empty());
    assert_eq!(scene.mapping(customer).await.status, MappingStatus::Synced);
}

async fn whoever_syncs_the_customer_has_answered(scene: Scene) {
    let (customer, id, asked) = missed(&scene).await;
    scene.pass(GRACE + DAY);
    scene.run(RunKind::Compare, &[]).await;
    assert_eq!(scene.mapping(customer).await.detached, Some(DetachReason::Gone));
    scene.sync(customer).await;
    assert_ne!(scene.mapping(customer).await.external.unwrap(), id);
    let answered = scene.conflicts.get(asked.id).await.unwrap().unwrap();
    assert_eq!(answered.resolution.as_deref(), Some("recreate"));
}

async fn a_record_that_was_let_go_by_a_comparison_is_still_asked_about(scene: Scene) {
    let (customer, id, asked) = missed(&scene).await;
    scene.pass(GRACE + DAY);
    scene.run(RunKind::Compare, &[]).await;
    let [still] = scene.open_conflicts().await.try_into().unwrap();
    assert_eq!(still.id, asked.id);
    scene.resolver.resolve(still.id, &Answer::Recreate).await.unwrap();
    scene.worker.work_once().await.unwrap();
    let anew = scene.mapping(customer).await.external.unwrap();
    assert_ne!(anew, id);
    assert_eq!(scene.there(&anew).customer, "Ann Lee");
}

async fn other_questions_have_other_answers(scene: Scene) {
    let (_, _, asked) = missed(&scene).await;
    for answer in [Answer::Local, Answer::Remote, Answer::Merge, Answer::Value("x".to_owned())] {
        let refused = scene.resolver.resolve(asked.id, &answer).await;
        assert!(matches!(refused, Err(ResolveError::NoAnswer { .. })), "{answer:?}: {refused:?}");
    }
}
