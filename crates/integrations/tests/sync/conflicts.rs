//! Both sides changed the same field: asked about, decided by a rule, or decided by a person, and nothing is lost.

use onefold_domain::id::CustomerId;
use onefold_domain::profile::ProfileField;
use onefold_integrations::testing::DoubleChange;
use onefold_service::system::SyncSystem;
use onefold_sync::conflict::{ConflictFilter, ConflictStatus};
use onefold_sync::mapping::MappingStatus;
use onefold_sync::partner::{PartnerField, PartnerId};
use onefold_sync::resolver::{Answer, ResolveError};
use onefold_sync::rulebook::Rulebook;
use onefold_sync::rules::{FieldRule, SyncRules};
use onefold_sync::run::RunKind;
use onefold_sync::sync_error::SyncError;
use onefold_sync::synchroniser::SyncContext;
use serde_json::json;

use crate::scene::Scene;

on_every_store!(
    what_both_changed_waits_for_a_person_and_the_rest_goes_on,
    the_customers_value_is_chosen,
    the_partners_value_is_chosen,
    a_third_value_is_chosen,
    a_side_that_changed_again_is_asked_about_again,
    a_conflict_ends_by_itself_when_both_come_to_agree,
    what_loses_by_a_rule_is_kept_and_can_be_restored,
    rules_that_are_put_hold_from_the_next_comparison_on,
    an_email_of_somebody_else_is_asked_about_and_merges_nobody,
);

/// A customer whose street both sides changed.
async fn disputed(scene: &Scene) -> (CustomerId, PartnerId) {
    let customer = scene.contact("Ann Lee", "ann@example.com", "+38640000123").await.customer;
    let id = scene.sync(customer).await.mapping.external.unwrap();
    scene.edit(customer, json!({"address": {"street": "Ours 1"}})).await;
    scene.edit_there(&id, &DoubleChange { street: Some("Theirs 2".to_owned()), ..DoubleChange::default() });
    (customer, id)
}

async fn streets(scene: &Scene, customer: CustomerId, id: &PartnerId) -> [String; 2] {
    let here = scene.view(customer).await.profile.address().unwrap().street.clone().unwrap();
    [here, scene.there(id).addresses[0].street.clone()]
}

async fn asked(scene: &Scene, customer: CustomerId) {
    let asked = scene.sync.sync_customer(customer, SyncContext::default()).await;
    assert!(
        matches!(&asked, Err(SyncError::OpenConflict { conflicts }) if conflicts.len() == 1),
        "{asked:?}"
    );
}

async fn what_both_changed_waits_for_a_person_and_the_rest_goes_on(scene: Scene) {
    let (customer, id) = disputed(&scene).await;
    scene.edit_there(&id, &DoubleChange { city: Some("Bled".to_owned()), ..DoubleChange::default() });
    scene.edit(customer, json!({"companyName": "Lee d.o.o."})).await;
    asked(&scene, customer).await;
    assert_eq!(streets(&scene, customer, &id).await, ["Ours 1", "Theirs 2"]);
    let profile = scene.view(customer).await.profile;
    assert_eq!(profile.address().unwrap().city.as_deref(), Some("Bled"));
    assert_eq!(scene.there(&id).customer, "Lee d.o.o.");
    assert_eq!(scene.mapping(customer).await.status, MappingStatus::Conflict);
    let open = scene.open_conflicts().await;
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].base.as_ref().unwrap().as_str(), "Lipova pot 7");
    // The question is asked once, and an open one costs nothing. The job of the edit finds it as it is.
    scene.worker.work_once().await.unwrap();
    scene.assert_quiet(RunKind::Compare).await;
    assert_eq!(scene.open_conflicts().await[0].id, open[0].id);
}

async fn decided(scene: &Scene, answer: Answer) -> [String; 2] {
    let (customer, id) = disputed(scene).await;
    asked(scene, customer).await;
    let conflict = scene.open_conflicts().await.remove(0);
    let resolved = scene.resolver.resolve(conflict.id, &answer).await.unwrap();
    assert_eq!(
        (resolved.status, resolved.resolution.as_deref()),
        (ConflictStatus::Resolved, Some(answer.as_str()))
    );
    let again = scene.resolver.resolve(conflict.id, &answer).await;
    assert!(matches!(again, Err(ResolveError::AlreadyResolved)), "{again:?}");
    scene.worker.work_once().await.unwrap();
    assert_eq!(scene.mapping(customer).await.status, MappingStatus::Synced);
    scene.assert_quiet(RunKind::CompareFull).await;
    streets(scene, customer, &id).await
}

async fn the_customers_value_is_chosen(scene: Scene) {
    assert_eq!(decided(&scene, Answer::Local).await, ["Ours 1", "Ours 1"]);
}

async fn the_partners_value_is_chosen(scene: Scene) {
    assert_eq!(decided(&scene, Answer::Remote).await, ["Theirs 2", "Theirs 2"]);
}

async fn a_third_value_is_chosen(scene: Scene) {
    assert_eq!(decided(&scene, Answer::Value("Both 3".to_owned())).await, ["Both 3", "Both 3"]);
}

async fn a_side_that_changed_again_is_asked_about_again(scene: Scene) {
    let (customer, id) = disputed(&scene).await;
    asked(&scene, customer).await;
    let conflict = scene.open_conflicts().await.remove(0);
    scene.edit_there(&id, &DoubleChange { street: Some("Newer 4".to_owned()), ..DoubleChange::default() });
    scene.resolver.resolve(conflict.id, &Answer::Local).await.unwrap();
    scene.worker.work_once().await.unwrap();
    assert_eq!(streets(&scene, customer, &id).await, ["Ours 1", "Newer 4"]);
    let open = scene.open_conflicts().await;
    assert_eq!(open[0].remote.as_ref().unwrap().as_str(), "Newer 4");
    assert_ne!(open[0].id, conflict.id);
}

async fn a_conflict_ends_by_itself_when_both_come_to_agree(scene: Scene) {
    let (customer, id) = disputed(&scene).await;
    asked(&scene, customer).await;
    scene.edit_there(&id, &DoubleChange { street: Some("Ours 1".to_owned()), ..DoubleChange::default() });
    scene.run(RunKind::Compare, &[]).await;
    assert!(scene.open_conflicts().await.is_empty());
    assert_eq!(scene.mapping(customer).await.status, MappingStatus::Synced);
}

async fn what_loses_by_a_rule_is_kept_and_can_be_restored(scene: Scene) {
    let customer = scene.customer("Ann Lee", "ann@example.com").await;
    let id = scene.sync(customer).await.mapping.external.unwrap();
    scene.edit(customer, json!({"taxNumber": "SI11111111"})).await;
    scene.edit_there(&id, &DoubleChange { tax_id: Some("SI22222222".to_owned()), ..DoubleChange::default() });
    scene.sync(customer).await;
    let number = |view: &onefold_domain::customer::CustomerView| {
        view.profile.text(ProfileField::TaxNumber).map(ToOwned::to_owned)
    };
    assert_eq!(number(&scene.view(customer).await).as_deref(), Some("SI22222222"));
    let filter = ConflictFilter { status: Some(ConflictStatus::Settled), ..ConflictFilter::default() };
    let settled = scene.conflicts.list(&filter, None, 10).await.unwrap();
    let [kept] = &settled[..] else { panic!("{settled:?}") };
    assert_eq!((kept.rule, kept.subject.as_str()), (Some(FieldRule::Remote), "taxNumber"));
    assert_eq!(kept.local.as_ref().unwrap().as_str(), "SI11111111");
    scene.resolver.resolve(kept.id, &Answer::Local).await.unwrap();
    scene.worker.work_once().await.unwrap();
    assert_eq!(scene.there(&id).tax_id_number, "SI11111111");
    assert_eq!(number(&scene.view(customer).await).as_deref(), Some("SI11111111"));
    scene.assert_quiet(RunKind::CompareFull).await;
}

async fn rules_that_are_put_hold_from_the_next_comparison_on(scene: Scene) {
    let rules = SyncRules::of([(PartnerField::Street, FieldRule::Local)]);
    Rulebook::new(scene.env.clone()).put(SyncSystem::MetaKocka, &rules).await.unwrap();
    let (customer, id) = disputed(&scene).await;
    scene.run(RunKind::Compare, &[]).await;
    assert_eq!(streets(&scene, customer, &id).await, ["Ours 1", "Ours 1"]);
    let filter = ConflictFilter { customer: Some(customer), ..ConflictFilter::default() };
    let kept = scene.conflicts.list(&filter, None, 10).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].remote.as_ref().unwrap().as_str(), "Theirs 2");
    assert_eq!(scene.sync.rules().await.unwrap().rule(PartnerField::Email), FieldRule::Ask);
}

async fn an_email_of_somebody_else_is_asked_about_and_merges_nobody(scene: Scene) {
    let other = scene.customer("Bob Kos", "bob@example.com").await;
    for (number, phone) in ["", "+38640000123"].into_iter().enumerate() {
        let email = format!("ann{number}@example.com");
        let customer = scene.contact("Ann Lee", &email, phone).await.customer;
        let id = scene.sync(customer).await.mapping.external.unwrap();
        let change = DoubleChange { email: Some("bob@example.com".to_owned()), ..DoubleChange::default() };
        scene.edit_there(&id, &change);
        asked(&scene, customer).await;
        let conflict = scene.open_conflicts().await.remove(0);
        assert_eq!(conflict.subject.as_str(), "email");
        assert_eq!(conflict.remote.as_ref().unwrap().as_str(), "bob@example.com");
        for answer in [Answer::Remote, Answer::Value("bob@example.com".to_owned())] {
            let refused = scene.resolver.resolve(conflict.id, &answer).await;
            assert!(matches!(refused, Err(ResolveError::NotJoinable)), "{refused:?}");
        }
        assert_ne!(scene.view(customer).await.id, scene.view(other).await.id);
        scene.resolver.resolve(conflict.id, &Answer::Local).await.unwrap();
        scene.worker.work_once().await.unwrap();
        assert_eq!(scene.there(&id).contacts[0].email, email);
        scene.assert_quiet(RunKind::CompareFull).await;
    }
}
